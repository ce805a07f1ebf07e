// librdkafka's objects with owners: a list or queue that is still held makes rd_kafka_destroy wait for ever.
#pragma once

#include <memory>

#include <librdkafka/rdkafka.h>

namespace weir::kafka {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* p) const {
    kFree(p);
  }
};

using Conf = std::unique_ptr<rd_kafka_conf_t, Free<rd_kafka_conf_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Free<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Free<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Free<rd_kafka_event_destroy>>;
using Error = std::unique_ptr<rd_kafka_error_t, Free<rd_kafka_error_destroy>>;
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Free<rd_kafka_topic_partition_list_destroy>>;
using GroupMetadata =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t, Free<rd_kafka_consumer_group_metadata_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Free<rd_kafka_AdminOptions_destroy>>;

inline PartitionList NewPartitionList(int size) { return PartitionList(rd_kafka_topic_partition_list_new(size)); }

}  // namespace weir::kafka
