// A connection's topics, for whoever takes no part in its group. See runtime/engine/topic_access.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/replay.h"
#include "runtime/engine/topic_access.h"

namespace weir::kafka {

class KafkaTopicAccess final : public TopicAccess {
 public:
  // A call waits `wait_ns_max` at most for an answer, or for the next record.
  KafkaTopicAccess(std::shared_ptr<Connection> connection, int64_t wait_ns_max);

  Status Names(std::vector<std::string>* names) override;
  Status Read(const std::string& topic, const std::map<int32_t, int64_t>& from, const Visitor& visitor) override;
  std::string DeleteCommand(const std::string& topic) const override;

 private:
  Status EndsOf(const std::string& topic, std::vector<int64_t>* ends);
  Status ReadPartition(const std::string& topic, int32_t partition, int64_t at, int64_t end, const Visitor& visitor, bool* stop);

  std::shared_ptr<Connection> connection_;
  int64_t wait_ns_max_;
  Replay replay_;
};

}  // namespace weir::kafka
