// How librdkafka finds the address of a broker's host in a static executable.
#pragma once

#include <librdkafka/rdkafka.h>

namespace weir::kafka {

// Makes `conf` resolve names as every other connector does (runtime/connector/dns), and not through name services that a
// static executable would have to load.
void UseResolver(rd_kafka_conf_t* conf);

}  // namespace weir::kafka
