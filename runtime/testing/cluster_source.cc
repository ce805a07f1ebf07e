#include "runtime/testing/cluster_source.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

namespace {
constexpr int64_t kCommitAgainNs = 200'000'000;
}  // namespace

// ---- Membership -----------------------------------------------------------------------------------------------------

void ClusterMember::Add(ClusterSource* source) { sources_.push_back(source); }

void ClusterMember::Remove(ClusterSource* source, bool closed) {
  auto at = std::find(sources_.begin(), sources_.end(), source);
  if (at == sources_.end()) return;
  sources_.erase(at);
  if (!closed || !sources_.empty() || id_.empty()) return;
  // A static member's place is kept for its restart.
  if (instance_.empty() || leaves_) cluster_.Leave(group_, id_);
  id_.clear();
  generation_ = -1;
}

std::set<std::string> ClusterMember::Topics() const {
  std::set<std::string> topics;
  for (const ClusterSource* source : sources_) topics.insert(source->topic_);
  return topics;
}

GroupToken ClusterMember::Token() const {
  GroupToken token;
  if (generation_ < 0) return token;
  token.generation = generation_;
  token.member = id_;
  token.bytes = fmt::format("{} {} {}", group_, id_, generation_);
  return token;
}

Status ClusterMember::Serve() {
  // The engine moves the world on while it finishes what it gives away.
  if (serving_) return Status();
  TakeCommitAnswer();
  SendCommit();
  std::set<std::string> topics = Topics();
  if (id_.empty() || topics != topics_) {
    topics_ = topics;
    id_ = cluster_.Join(group_, id_, instance_, topics_);
  }
  MemberNews news = cluster_.Heartbeat(group_, id_, generation_);
  switch (news.kind) {
    case MemberNews::kNothing: break;
    case MemberNews::kRebalance: {
      std::vector<TopicPartition> gone = std::move(owned_);
      owned_.clear();
      serving_ = true;
      cluster_.SetBusy(group_, id_, true);
      Tell(Change::kRevoked, gone);
      ForgetCommits();
      cluster_.SetBusy(group_, id_, false);
      serving_ = false;
      if (sources_.empty()) break;  // closed while it gave back
      std::string joined = cluster_.Join(group_, id_, instance_, topics_);
      // Thrown out because it took too long: what it still says under its old name is refused.
      if (joined != id_) generation_ = -1;
      id_ = joined;
      break;
    }
    case MemberNews::kAssigned:
      generation_ = news.generation;
      owned_ = news.assigned;
      serving_ = true;
      Tell(Change::kAssigned, owned_);
      serving_ = false;
      break;
    case MemberNews::kUnknown: {
      std::vector<TopicPartition> gone = std::move(owned_);
      owned_.clear();
      generation_ = -1;
      ForgetCommits();
      serving_ = true;
      Tell(Change::kLost, gone);
      serving_ = false;
      if (!sources_.empty()) id_ = cluster_.Join(group_, "", instance_, topics_);
      break;
    }
    case MemberNews::kFenced:
      return Status::Exists(fmt::format("another process has the place `{}` in group {}", instance_, group_));
  }
  return Status();
}

void ClusterMember::Commit(const std::map<TopicPartition, int64_t>& offsets) {
  for (const auto& [partition, offset] : offsets) to_commit_[partition] = offset;
  TakeCommitAnswer();
  SendCommit();
}

void ClusterMember::SendCommit() {
  if (committing_ != nullptr || to_commit_.empty() || cluster_.now() < commit_at_) return;
  on_the_way_ = std::move(to_commit_);
  to_commit_.clear();
  committing_ = cluster_.Send(fmt::format("{} OffsetCommit", id_), false,
                              [&cluster = cluster_, group = group_, token = Token(), offsets = on_the_way_] {
                                return cluster.CommitOffsets(group, token.member, token.generation, offsets);
                              });
}

void ClusterMember::TakeCommitAnswer() {
  if (committing_ == nullptr || !committing_->answered) return;
  if (committing_->error != ClusterError::kNone) {
    to_commit_.insert(on_the_way_.begin(), on_the_way_.end());  // newer ones stay
    commit_at_ = cluster_.now() + kCommitAgainNs;
    cluster_.WakeAt(commit_at_);
  }
  on_the_way_.clear();
  committing_.reset();
}

void ClusterMember::ForgetCommits() {
  to_commit_.clear();
  on_the_way_.clear();
}

void ClusterMember::Tell(Change change, const std::vector<TopicPartition>& partitions) {
  std::vector<ClusterSource*> sources = sources_;
  for (ClusterSource* source : sources) {
    std::vector<int32_t> numbers;
    for (const TopicPartition& partition : partitions) {
      if (partition.first == source->topic_) numbers.push_back(partition.second);
    }
    if (numbers.empty()) continue;
    if (change == Change::kAssigned) {
      source->Assigned(numbers);
    } else {
      source->Revoked(numbers, change == Change::kLost);
    }
  }
}

// ---- Sources --------------------------------------------------------------------------------------------------------

ClusterSource::ClusterSource(MemoryCluster& cluster, const std::string& topic, std::shared_ptr<ClusterMember> member,
                             const ConnectorContext& context, bool latest)
    : cluster_(cluster), topic_(topic), member_(std::move(member)), context_(context), latest_(latest) {}

ClusterSource::~ClusterSource() {
  if (in_group_ && !closed_) member_->Remove(this, false);
}

Status ClusterSource::Partitions(int64_t, int32_t* count) {
  *count = cluster_.Partitions(topic_);
  return *count < 0 ? Status::NotFound(fmt::format("no topic {}", topic_)) : Status();
}

Status ClusterSource::Open(const std::vector<int32_t>& mine, SourceEvents* events) {
  events_ = events;
  in_group_ = context_.group_member;
  if (in_group_) {
    member_->Add(this);
  } else if (!mine.empty()) {
    Assigned(mine);
  }
  return Status();
}

void ClusterSource::Assigned(const std::vector<int32_t>& partitions) {
  // Read only from Resume on, which the engine may call from within.
  for (int32_t number : partitions) readers_[number] = Reader();
  std::vector<Position> positions;
  events_->Assigned(partitions, &positions);
  if (context_.resumed) return;
  for (size_t i = 0; i < partitions.size(); ++i) {
    TopicPartition partition(topic_, partitions[i]);
    int64_t offset = positions[i].offset;
    if (offset < 0 && in_group_) offset = cluster_.CommittedOffset(member_->group(), partition);
    if (offset < 0) offset = latest_ && !positions[i].earliest ? cluster_.log(partition).stable_end()
                                                                : cluster_.log(partition).start();
    readers_[partitions[i]].position = offset;
  }
}

void ClusterSource::Revoked(const std::vector<int32_t>& partitions, bool lost) {
  if (lost) {
    for (int32_t number : partitions) readers_.erase(number);
    events_->Lost(partitions);
    return;
  }
  // What the engine still asks while it finishes is answered.
  events_->Revoked(partitions);
  for (int32_t number : partitions) readers_.erase(number);
}

Status ClusterSource::Resume(int32_t partition, int64_t offset) {
  auto at = readers_.find(partition);
  if (at == readers_.end()) return Status::Invalid(fmt::format("{}/{} is not assigned here", topic_, partition));
  if (offset < 0) return Status::Invalid(fmt::format("{}/{} cannot be read from {}", topic_, partition, offset));
  bool held = at->second.held;
  at->second = Reader();
  at->second.held = held;
  at->second.position = offset;
  cluster_.WakeAt(cluster_.now());
  return Status();
}

Status ClusterSource::Poll(std::unique_ptr<Batch>* batch) {
  batch->reset();
  if (in_group_) {
    if (Status status = member_->Serve(); !status.ok()) return status;
  }
  for (size_t tried = readers_.size(); tried > 0; --tried) {
    auto at = readers_.begin();
    std::advance(at, static_cast<int64_t>(next_++ % readers_.size()));
    if (Status status = Fetch(at->first, at->second, batch); !status.ok() || *batch != nullptr) return status;
  }
  return Status();
}

Status ClusterSource::Fetch(int32_t number, Reader& reader, std::unique_ptr<Batch>* batch) {
  TopicPartition partition(topic_, number);
  if (reader.position < 0 || reader.held || !cluster_.Connected(partition)) return Status();
  const ClusterLog& log = cluster_.log(partition);
  if (reader.position > log.end() || reader.position < log.start()) {
    return Status::Corrupt(fmt::format("{}/{} has offsets {} to {} and is read from {}", topic_, number, log.start(),
                                       log.end(), reader.position));
  }
  if (reader.old_until <= cluster_.now()) {
    reader.seen_end = log.end();
    if (cluster_.Happens(cluster_.faults.end_lag, "end lag")) {
      // Some of what is there is not heard of yet.
      int64_t unseen = cluster_.UpTo(8) - 1;
      reader.seen_end = std::max(reader.position, log.end() - unseen);
      reader.old_until = cluster_.now() + cluster_.UpTo(cluster_.faults.end_lag_ns_max);
      cluster_.WakeAt(reader.old_until);
    }
  }
  int64_t most = batch_max;
  if (cluster_.Happens(cluster_.faults.small_fetch, "small fetch")) most = 3;
  int64_t size = cluster_.UpTo(most);
  auto made = std::make_unique<MemoryBatch>();
  made->partition = number;
  while (size > 0) {
    const LogEntry* entry = log.NextCommitted(&reader.position, reader.seen_end);
    if (entry == nullptr) break;
    made->Keep(entry->record, entry->offset);  // compaction takes records out of the log
    --size;
  }
  reader.empty = made->size == 0;
  if (made->size != 0) *batch = std::move(made);
  return Status();
}

void ClusterSource::Hold(int32_t partition, bool held) {
  auto at = readers_.find(partition);
  if (at != readers_.end()) at->second.held = held;
}

PartitionStatus ClusterSource::Tell(int32_t number) {
  PartitionStatus status;
  TopicPartition partition(topic_, number);
  status.connected = cluster_.Connected(partition);
  auto at = readers_.find(number);
  if (at == readers_.end()) return status;
  const Reader& reader = at->second;
  if (reader.position < 0) return status;
  status.position = reader.position;
  const ClusterLog& log = cluster_.log(partition);
  status.gone = reader.position > log.end() || reader.position < log.start();
  status.end_offset = reader.seen_end;
  status.at_end = reader.empty && reader.position >= reader.seen_end;
  return status;
}

void ClusterSource::Commit(const std::vector<std::pair<int32_t, Position>>& positions) {
  if (!in_group_ || context_.resumed) return;  // offsets are in transactions
  std::map<TopicPartition, int64_t> offsets;
  for (auto& [number, position] : positions) {
    // Of a partition that belongs to another member by now, that member's offset counts.
    if (readers_.count(number) != 0) offsets[{topic_, number}] = position.offset;
  }
  member_->Commit(offsets);
}

Status ClusterSource::Ends(int64_t, std::vector<int64_t>* ends) {
  ends->clear();
  for (int32_t p = 0; p < cluster_.Partitions(topic_); ++p) ends->push_back(cluster_.log({topic_, p}).stable_end());
  return Status();
}

void ClusterSource::Close() {
  if (closed_) return;
  closed_ = true;
  if (in_group_) member_->Remove(this, true);
  readers_.clear();
}

}  // namespace weir
