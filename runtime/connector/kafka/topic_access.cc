#include "runtime/connector/kafka/topic_access.h"

#include <chrono>
#include <thread>

#include "runtime/connector/kafka/internal_topics.h"
#include "runtime/connector/kafka/request.h"
#include "runtime/connector/kafka/topics.h"

namespace weir::kafka {

namespace {
constexpr std::chrono::milliseconds kAskAgain{200};
}  // namespace

KafkaTopicAccess::KafkaTopicAccess(std::shared_ptr<Connection> connection, int64_t wait_ns_max)
    : connection_(std::move(connection)), wait_ns_max_(wait_ns_max), replay_(connection_.get(), connection_->ClientId("look")) {}

Status KafkaTopicAccess::Names(std::vector<std::string>* names) {
  Client* admin = nullptr;
  Status status = connection_->Admin(&admin);
  return status.ok() ? TopicNames(*admin, wait_ns_max_, names) : status;
}

Status KafkaTopicAccess::EndsOf(const std::string& topic, std::vector<int64_t>* ends) {
  Client* admin = nullptr;
  int32_t count = 0;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  if (Status status = PartitionCount(*admin, topic, wait_ns_max_, &count); !status.ok()) return status;
  const std::string what = "asking where topic `" + topic + "` ends";
  Request request(*admin, RD_KAFKA_ADMIN_OP_LISTOFFSETS, wait_ns_max_);
  // What a transaction has written that is about to be committed counts too.
  AskEdges(*admin, request, topic, 0, count, Edge::kEnd, RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
  if (Status status = request.Wait(what); !status.ok()) return status;
  return EdgesOf(*admin, request, what, 0, count, ends);
}

Status KafkaTopicAccess::Read(const std::string& topic, const std::map<int32_t, int64_t>& from, const Visitor& visitor) {
  std::vector<int64_t> ends;
  Status asked = EndsOf(topic, &ends);
  // A partition without a leader, as while brokers restart.
  for (const int64_t end = MonoNs() + wait_ns_max_; asked.code() == StatusCode::kUnavailable && MonoNs() < end;) {
    std::this_thread::sleep_for(kAskAgain);
    asked = EndsOf(topic, &ends);
  }
  if (!asked.ok()) return asked;
  bool stop = false;
  for (int32_t p = 0; p < static_cast<int32_t>(ends.size()) && !stop; ++p) {
    auto at = from.find(p);
    const int64_t first = at == from.end() || at->second < 0 ? 0 : at->second;
    Status status = ReadPartition(topic, p, first, ends[static_cast<size_t>(p)], visitor, &stop);
    if (status.ok()) continue;
    // What a reader hears of a topic that is deleted meanwhile is many things.
    Status now = EndsOf(topic, &ends);
    return now.code() == StatusCode::kNotFound ? now : status;
  }
  return Status();
}

Status KafkaTopicAccess::ReadPartition(const std::string& topic, int32_t partition, int64_t at, int64_t end, const Visitor& visitor,
                                       bool* stop) {
  auto visit = [&](Str key, const Str* value) {
    visitor(partition, key, value, stop);
    return *stop ? Status::Limit("it is known what there was to know") : Status();
  };
  for (int64_t moved_ns = MonoNs();;) {
    const int64_t before = at;
    TransactionResult result = replay_.Read(topic, partition, end, &at, visit);
    if (result.ok() || *stop) return Status();
    if (result.outcome != TransactionOutcome::kAgain) return result.status;
    if (at != before) moved_ns = MonoNs();
    if (MonoNs() - moved_ns > wait_ns_max_) return result.status;
  }
}

std::string KafkaTopicAccess::DeleteCommand(const std::string& topic) const {
  return kafka::DeleteCommand(connection_->settings(), topic);
}

}  // namespace weir::kafka
