// The librdkafka handles that the benchmark's own tools share. A failure ends the program with a message.
#pragma once

#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace weir_bench {

using Setting = std::pair<std::string, std::string>;

[[noreturn]] inline void Die(const std::string& message) {
  fprintf(stderr, "%s\n", message.c_str());
  exit(1);
}

inline rd_kafka_t* NewClient(rd_kafka_type_t type, const std::vector<Setting>& settings,
                             void (*delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const Setting& setting : settings) {
    if (rd_kafka_conf_set(conf, setting.first.c_str(), setting.second.c_str(), error, sizeof error) !=
        RD_KAFKA_CONF_OK) {
      Die(error);
    }
  }
  if (delivery) rd_kafka_conf_set_dr_msg_cb(conf, delivery);
  rd_kafka_t* client = rd_kafka_new(type, conf, error, sizeof error);
  if (!client) Die(error);
  return client;
}

inline int64_t NowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

inline int PartitionCount(rd_kafka_t* client, const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  // A topic that was made a moment ago may not have reached the broker's metadata yet.
  for (int64_t start = NowNs(); NowNs() - start < 10'000'000'000; usleep(10'000)) {
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, handle, &metadata, 10'000);
    if (error) Die(std::string("metadata: ") + rd_kafka_err2str(error));
    int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (count > 0) {
      rd_kafka_topic_destroy(handle);
      return count;
    }
  }
  Die("no topic " + topic);
}

// The high watermark of each partition.
inline std::vector<int64_t> Ends(rd_kafka_t* client, const std::string& topic, int partitions) {
  std::vector<int64_t> ends(partitions);
  for (int p = 0; p < partitions; ++p) {
    int64_t low = 0;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(client, topic.c_str(), p, &low, &ends[p], 10'000);
    if (error) Die(std::string("end of ") + topic + ": " + rd_kafka_err2str(error));
  }
  return ends;
}

// Assigns all partitions of a topic to a consumer, from the beginning.
inline void AssignAll(rd_kafka_t* consumer, const std::string& topic, int partitions) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_resp_err_t error = rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  if (error) Die(std::string("assign: ") + rd_kafka_err2str(error));
}

// "--name value" pairs of a command line.
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) values_.push_back({argv[i], argv[i + 1]});
  }
  std::string Text(const std::string& name, const char* fallback = nullptr) const {
    for (const Setting& value : values_) {
      if (value.first == "--" + name) return value.second;
    }
    if (!fallback) Die("--" + name + " is missing");
    return fallback;
  }
  int64_t Number(const std::string& name, const char* fallback = nullptr) const {
    return atoll(Text(name, fallback).c_str());
  }

 private:
  std::vector<Setting> values_;
};

}  // namespace weir_bench
