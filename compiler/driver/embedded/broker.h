// A Kafka broker inside this process, for `weir run --embedded`: librdkafka's mock cluster.
// It keeps 5 MB per partition, compacts nothing and forgets everything at the end; transactions are not real there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weirc {

// What a partition of the embedded broker holds before it drops its oldest records.
inline constexpr size_t kEmbeddedPartitionBytes = 5 * 1024 * 1024;

struct BrokerRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;  // none: a tombstone
  std::vector<std::pair<std::string, std::string>> headers;
  int64_t timestamp_ms = 0;  // since 1970; 0: now
};

class EmbeddedBroker {
 public:
  // Null, with the reason in `error`, when it cannot start.
  static std::unique_ptr<EmbeddedBroker> Start(std::string* error);
  virtual ~EmbeddedBroker() = default;

  virtual std::string BootstrapServers() const = 0;
  virtual bool CreateTopic(const std::string& topic, int partitions, std::string* error) = 0;
  // Writes the records, partitioned by murmur2 of their keys, and waits for all acknowledgements.
  virtual bool Publish(const std::string& topic, const std::vector<BrokerRecord>& records,
                       std::string* error) = 0;
  // From now on Poll reads these topics, from their start.
  virtual bool Tail(const std::vector<std::string>& topics, std::string* error) = 0;
  // Hands over what has arrived in the tailed topics; waits up to `wait_ms` for the first. Returns how many came.
  virtual int Poll(int wait_ms, const std::function<void(const std::string& topic,
                                                         const BrokerRecord& record)>& take) = 0;
  // Records of the tailed topics that Poll has not handed over yet.
  virtual int64_t Behind() = 0;
};

}  // namespace weirc
