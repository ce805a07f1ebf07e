// What tests do to a broker besides what is tested: make topics, write records, read them back. Over plain librdkafka,
// sharing nothing with runtime/connector. Failures throw std::runtime_error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir_test {

struct ProbeRecord {
  std::string topic;
  int32_t partition = -1;  // writing: -1 lets the key decide (murmur2)
  int64_t offset = -1;
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_ms = 0;  // writing: 0 is now
  std::vector<std::pair<std::string, std::string>> headers;
};

class KafkaProbe {
 public:
  explicit KafkaProbe(std::string bootstrap) : bootstrap_(std::move(bootstrap)) {}

  void CreateTopic(const std::string& topic, int partitions, const std::map<std::string, std::string>& configs = {});
  void DeleteTopic(const std::string& topic);
  // As retention does: the partition begins at `offset`.
  void DeleteBefore(const std::string& topic, int partition, int64_t offset);
  void AddPartitions(const std::string& topic, int total);
  // Makes a topic compacted and waits until its broker knows; returns how many records that took.
  size_t MakeCompacted(const std::string& topic);
  // Writes and waits until everything is acknowledged.
  void Write(const std::vector<ProbeRecord>& records);
  // Writes in a transaction: committed, aborted, or left open (until the transaction times out).
  enum class End { kCommit, kAbort, kHang };
  void WriteTransaction(const std::vector<ProbeRecord>& records, End end, int timeout_ms = 60'000);
  // Everything read_committed readers see now, partition by partition in offset order.
  std::vector<ProbeRecord> ReadAll(const std::string& topic);
  // Where a partition ends for readers of committed records, and where what is written ends: the first is behind the
  // second while a transaction is open.
  struct Ends {
    std::string topic;
    int32_t partition = 0;
    int64_t stable = 0;
    int64_t written = 0;
  };
  // Of these topics, or of all but Kafka's own.
  std::vector<Ends> EndsOf(std::vector<std::string> topics);
  // Committed offsets of a group by partition; -1 where there is none.
  std::vector<int64_t> Committed(const std::string& group, const std::string& topic, int partitions);
  // Who is in a group, and what it was given.
  struct Member {
    std::string member_id;
    std::string instance_id;  // of a static member
    std::vector<std::pair<std::string, int32_t>> partitions;
  };
  std::vector<Member> Members(const std::string& group);

 private:
  struct EndsClients;

  std::string bootstrap_;
  std::shared_ptr<EndsClients> ends_;  // kept: making one and giving it back may take a second
};

}  // namespace weir_test
