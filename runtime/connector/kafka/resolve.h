// How librdkafka finds the address of a broker's host in a static executable.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace weir::kafka {

// Addresses of a host as text ("10.0.0.5", "fd00::5"); empty: not found, with the reason in *error. Blocks at most a few
// seconds. Called from librdkafka's threads, several at a time.
using HostResolver = std::function<std::vector<std::string>(const std::string& host, std::string* error)>;

// Makes `conf` resolve names through `resolver`; without one, through getaddrinfo. Addresses written as numbers never
// reach either. The resolver must outlive the client.
void UseResolver(rd_kafka_conf_t* conf, const HostResolver* resolver);

}  // namespace weir::kafka
