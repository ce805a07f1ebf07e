#include "runtime/connector/kafka/questions.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace weir::kafka {
namespace {

constexpr int kWaitMs = 200;
constexpr int64_t kAnswerNsMax = 5'000'000'000;
constexpr int64_t kAskAgainNs = 50'000'000;

}  // namespace

TransactionResult Questions::Over(const std::string& key, Status status) {
  if (status.ok()) {
    open_.erase(key);
    return {};
  }
  Open& open = open_[key];
  int64_t now = MonoNs();
  bool missing = status.code() == StatusCode::kNotFound;
  if (missing && open.missing_since_ns == 0) open.missing_since_ns = now;
  bool made_just_now = missing && now - open.missing_since_ns < kMissingNsMax;
  if (!made_just_now && status.code() != StatusCode::kUnavailable) {
    open_.erase(key);
    return {TransactionOutcome::kFailed, std::move(status)};
  }
  open.request.reset();
  open.ask_at_ns = now + kAskAgainNs;
  return {TransactionOutcome::kAgain, std::move(status)};
}

void Questions::Pause(const Open& open) {
  int64_t left = open.ask_at_ns - MonoNs();
  if (left > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(left));
}

TransactionResult Questions::Committed(const std::string& topic, bool own, std::vector<int64_t>* offsets,
                                       std::vector<int64_t>* starts, std::vector<OffsetState>* states, OffsetNote* note) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return {TransactionOutcome::kFailed, status};
  std::string key = "committed " + topic;
  std::string what = "reading the offsets of group `" + connection_->settings().group + "` for topic `" + topic + "`";
  Open& open = open_[key];
  if (!open.request) {
    Pause(open);
    int64_t wait = int64_t{kWaitMs} * 1'000'000;
    Status status = connection_->FreshPartitions(topic, wait, &open.partitions);
    // Before the offsets: those of a topic that is made anew between the two questions are gone with it.
    if (status.ok()) status = connection_->FreshTopicId(topic, wait, &open.topic_id);
    if (!status.ok()) return Over(key, std::move(status));
    open.request =
        std::make_unique<Request>(*admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, kAnswerNsMax);
    AskGroupOffsets(*admin, *open.request, topic, open.partitions);
  }
  if (!open.request->Poll(kWaitMs)) return {TransactionOutcome::kAgain, Status::Unavailable(what)};
  bool unstable = false;
  std::vector<GroupOffset> found;
  Status status = GroupOffsetsOf(*admin, *open.request, what, open.partitions, &unstable, &found);
  offsets->assign(found.size(), -1);
  starts->assign(found.size(), -1);
  states->assign(found.size(), OffsetState::kUnknown);
  note->partitions = 0;
  note->topic_id = open.topic_id;
  for (size_t p = 0; p < found.size(); ++p) {
    (found[p].start ? *starts : *offsets)[p] = found[p].offset;
    connection_->RememberLeaderEpoch(topic, static_cast<int32_t>(p), found[p].leader_epoch);
    OffsetNote noted = NoteOf(found[p].metadata);
    (*states)[p] = noted.state;
    if (noted.partitions > 0) {
      note->partitions = note->partitions == 0 ? noted.partitions : std::min(note->partitions, noted.partitions);
    }
    if (status.ok()) {
      status = CheckTopicId(topic, static_cast<int32_t>(p), found[p].offset, noted.topic_id, open.topic_id, own);
    }
  }
  if (unstable) status = Status::Unavailable(what + ": a transaction of another producer still holds some of them");
  return Over(key, std::move(status));
}

TransactionResult Questions::EdgeOf(const std::string& topic, int32_t partition, Edge edge, Isolation isolation,
                                    int64_t* offset) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return {TransactionOutcome::kFailed, status};
  bool committed = isolation == Isolation::kReadCommitted;
  std::string what = std::string("asking where topic `") + topic + "`, partition " + std::to_string(partition) +
                     (edge == Edge::kBegin ? ", begins" : ", ends");
  std::string key = what + (committed ? " (committed)" : "");
  Open& open = open_[key];
  if (!open.request) {
    Pause(open);
    open.request = std::make_unique<Request>(*admin, RD_KAFKA_ADMIN_OP_LISTOFFSETS, kAnswerNsMax);
    AskEdges(*admin, *open.request, topic, partition, 1, edge,
             committed ? RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED : RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
  }
  if (!open.request->Poll(kWaitMs)) return {TransactionOutcome::kAgain, Status::Unavailable(what)};
  std::vector<int64_t> offsets;
  Status status = EdgesOf(*admin, *open.request, what, partition, 1, &offsets);
  if (status.ok()) *offset = offsets[0];
  return Over(key, std::move(status));
}

TransactionResult Questions::TimeOf(const std::string& topic, int32_t partition, int64_t time_ns, int64_t* offset) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return {TransactionOutcome::kFailed, status};
  std::string what = "asking where a time is in topic `" + topic + "`, partition " + std::to_string(partition);
  Open& open = open_[what];
  if (!open.request) {
    Pause(open);
    open.request = std::make_unique<Request>(*admin, RD_KAFKA_ADMIN_OP_LISTOFFSETS, kAnswerNsMax);
    AskTimes(*admin, *open.request, topic, partition, 1, time_ns);
  }
  if (!open.request->Poll(kWaitMs)) return {TransactionOutcome::kAgain, Status::Unavailable(what)};
  std::vector<int64_t> offsets;
  Status status = TimesOf(*admin, *open.request, what, partition, 1, &offsets);
  TransactionResult result = Over(what, status);
  if (!result.ok()) return result;
  *offset = offsets[0];
  return *offset >= 0 ? TransactionResult() : EdgeOf(topic, partition, Edge::kEnd, Isolation::kReadCommitted, offset);
}

}  // namespace weir::kafka
