#include "runtime/connector/kafka/reader.h"

#include <algorithm>

#include "runtime/connector/kafka/rd_fetcher.h"
#include "runtime/connector/kafka/source.h"

namespace weir::kafka {
namespace {

// What a worker may fetch ahead, over all its partitions. librdkafka needs two to three times as much for small records.
constexpr int64_t kFetchAheadBytes = 32 << 20;
constexpr int64_t kFetchAheadBytesMin = 512 << 10;
constexpr int64_t kFetchAheadBytesMax = 8 << 20;
constexpr int64_t kHousekeepingNs = 200'000'000;
constexpr int64_t kLeaveNsMax = 5'000'000'000;

}  // namespace

Reader::Reader(Connection* connection, const Settings& settings, int worker, Loop* loop)
    : connection_(connection), settings_(settings), worker_(worker), loop_(loop) {}

Reader::~Reader() { Close(); }

bool Reader::Reads(const std::string& topic) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.source->topic() == topic; });
}

void Reader::Add(KafkaSource* source, bool group_member, bool resumed) {
  entries_.push_back({source, group_member, resumed});
}

void Reader::Remove(KafkaSource* source) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.source == source; });
}

void Reader::Wake() {
  if (loop_) loop_->Wake();
}

Status Reader::fetcher(Fetcher** out) {
  if (!fetcher_) {
    int64_t partitions = 0;
    for (const Entry& entry : entries_) {
      partitions += std::max(connection_->KnownPartitions(entry.source->topic()), 1);
    }
    int64_t bytes = std::clamp(kFetchAheadBytes / std::max<int64_t>(partitions, 1), kFetchAheadBytesMin,
                               kFetchAheadBytesMax);
    const Connection::Options& options = connection_->options();
    Status status = MakeRdFetcher(settings_, connection_->ClientId("fetch-" + std::to_string(worker_)), options.log,
                                  bytes, [this] { Wake(); }, &fetcher_);
    if (!status.ok()) return status;
  }
  *out = fetcher_.get();
  return Status();
}

Status Reader::Opened(KafkaSource* source) {
  std::vector<std::string> topics;
  for (Entry& entry : entries_) {
    if (entry.source == source) entry.open = true;
    if (!entry.group_member) continue;
    if (!entry.open) return Status();
    topics.push_back(entry.source->topic());
  }
  if (topics.empty() || member_) return Status();
  connection_->LeaveFormerPlaces(settings_, topics);
  const Connection::Options& options = connection_->options();
  // A place whose name no later process has is of no use to it.
  const bool keep_place = !options.leave && !options.instance_id.empty();
  Status status = Member::Make(settings_, connection_->ClientId("worker-" + std::to_string(worker_)),
                               connection_->Identity() + "-" + std::to_string(worker_), keep_place, options.log,
                               [this] { Wake(); }, this, &member_);
  return status.ok() ? member_->Join(topics) : status;
}

Status Reader::Serve() {
  if (member_) {
    if (Status status = member_->Serve(); !status.ok()) return status;
  }
  if (fetcher_) {
    int64_t now = MonoNs();
    if (now - served_ns_ > kHousekeepingNs) {
      served_ns_ = now;
      fetcher_->Serve();
    }
  }
  return failed_;
}

void Reader::Commit(const std::string& topic, const std::vector<std::pair<int32_t, int64_t>>& offsets) {
  if (!member_) return;
  std::vector<TopicOffset> list;
  for (const auto& [partition, offset] : offsets) list.push_back({topic, partition, offset});
  member_->Commit(list);
}

void Reader::OnAssigned(const std::vector<TopicOffset>& partitions) {
  assigned_ = partitions;
  if (partitions.empty()) return;
  TellAssigned(true, {});
  // The offsets of all partitions are asked for: whether the group has read the topic before decides where a partition
  // without an offset starts.
  std::vector<TopicOffset> all;
  for (const Entry& entry : entries_) {
    if (!entry.group_member || entry.resumed) continue;
    for (int32_t p = 0; p < connection_->KnownPartitions(entry.source->topic()); ++p) {
      all.push_back({entry.source->topic(), p, -1});
    }
  }
  if (all.empty()) return;
  for (const TopicOffset& mine : partitions) {  // partitions that were added since the start
    if (mine.partition >= connection_->KnownPartitions(mine.topic)) all.push_back(mine);
  }
  member_->AskCommitted(all);
}

void Reader::OnCommitted(const std::vector<TopicOffset>& offsets) { TellAssigned(false, offsets); }

// With offsets alone nobody looks at what an earlier version kept in changelogs.
Status Reader::StateLeft(const TopicOffset& committed) const {
  return Status::Corrupt(
      "topic `" + committed.topic + "`, partition " + std::to_string(committed.partition) + ": the group's offset " +
      std::to_string(committed.offset) + " was committed by a version of this pipeline that kept state in Kafka, pending " +
      "requests or windows. This one commits offsets alone and would forget it. Run that version until its `state list` shows " +
      "nothing that is wanted; then stop every copy and run this binary with `reset --to committed`");
}

void Reader::TellAssigned(bool resumed, const std::vector<TopicOffset>& offsets) {
  for (const Entry& entry : entries_) {
    if (!entry.group_member || entry.resumed != resumed) continue;
    std::vector<int32_t> partitions;
    for (const TopicOffset& mine : assigned_) {
      if (mine.topic == entry.source->topic()) partitions.push_back(mine.partition);
    }
    if (partitions.empty()) continue;
    std::vector<int64_t> committed;
    for (const TopicOffset& o : offsets) {
      if (o.topic != entry.source->topic()) continue;
      const bool mine = std::find(partitions.begin(), partitions.end(), o.partition) != partitions.end();
      if (mine && o.has_state && failed_.ok()) failed_ = StateLeft(o);
      if (committed.size() <= static_cast<size_t>(o.partition)) {
        committed.resize(static_cast<size_t>(o.partition) + 1, -1);
      }
      committed[static_cast<size_t>(o.partition)] = o.offset;
    }
    if (!failed_.ok()) return;
    failed_ = entry.source->Assigned(partitions, committed);
  }
}

void Reader::OnRevoked(const std::vector<TopicOffset>& partitions, bool lost) {
  for (const Entry& entry : entries_) {
    if (!entry.group_member) continue;
    std::vector<int32_t> gone;
    for (const TopicOffset& p : partitions) {
      if (p.topic == entry.source->topic()) gone.push_back(p.partition);
    }
    if (!gone.empty()) entry.source->Revoked(gone, lost);
  }
  assigned_.clear();
}

void Reader::Close() {
  if (member_) {
    member_->Close(kLeaveNsMax, connection_->TopicBeside(member_->topics()));
    member_.reset();
  }
  fetcher_.reset();
}

}  // namespace weir::kafka
