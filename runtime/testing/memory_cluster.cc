// Topics, the network and transactions of the cluster; its groups are in memory_cluster_groups.cc.
#include "runtime/testing/memory_cluster.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

std::string NameOf(const TopicPartition& partition) { return fmt::format("{}/{}", partition.first, partition.second); }

const char* ClusterErrorName(ClusterError error) {
  switch (error) {
    case ClusterError::kNone: return "ok";
    case ClusterError::kUnavailable: return "unavailable";
    case ClusterError::kConcurrent: return "concurrent transactions";
    case ClusterError::kUnstable: return "unstable offsets";
    case ClusterError::kFenced: return "producer fenced";
    case ClusterError::kInvalidState: return "invalid transaction state";
    case ClusterError::kOutOfOrder: return "out of order sequence";
    case ClusterError::kIllegalGeneration: return "illegal generation";
    case ClusterError::kUnknownMember: return "unknown member";
    case ClusterError::kFencedInstance: return "fenced instance";
    case ClusterError::kUnknownTopic: return "unknown topic or partition";
  }
  return "";
}

MemoryCluster::MemoryCluster(VirtualClock& clock, uint64_t seed, const ClusterOptions& options)
    : clock_(clock), options_(options), random_(seed) {}

void MemoryCluster::Trace(const std::string& line) {
  std::string text = fmt::format("{} {}\n", now(), line);
  for (char c : text) trace_hash_ = (trace_hash_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
  if (keep_trace) trace_ += text;
}

bool MemoryCluster::Chance(double probability) {
  // Nothing is drawn for what is off: faults that do not occur leave the rest of the run as it is.
  if (probability <= 0) return false;
  return random_() % 1'000'000 < static_cast<uint64_t>(probability * 1e6);
}

bool MemoryCluster::Happens(double probability, const char* name) {
  if (!Chance(probability)) return false;
  Count(name);
  Trace(fmt::format("fault: {}", name));
  return true;
}

// ---- Topics ---------------------------------------------------------------------------------------------------------

void MemoryCluster::AddTopic(const std::string& name, int32_t partitions, const TopicOptions& options) {
  Topic& topic = topics_[name];
  topic.options = options;
  topic.partitions = partitions;
  for (int32_t p = 0; p < partitions; ++p) logs_[{name, p}];
}

int32_t MemoryCluster::Partitions(const std::string& topic) const {
  auto at = topics_.find(topic);
  return at == topics_.end() ? -1 : at->second.partitions;
}

void MemoryCluster::AddPartition(const std::string& name) {
  Topic& topic = topics_.at(name);
  logs_[{name, topic.partitions}];
  ++topic.partitions;
  Trace(fmt::format("topic {} has {} partitions", name, topic.partitions));
  for (auto& [group_name, group] : groups_) {
    bool reads = std::any_of(group.members.begin(), group.members.end(),
                             [&](const auto& at) { return at.second.topics.count(name) != 0; });
    if (reads) BeginRebalance(group_name, group, "partition added");
  }
}

int64_t MemoryCluster::Append(const std::string& topic, int32_t partition, MemoryRecord record) {
  WakeAt(now());
  return logs_.at({topic, partition}).Append(std::move(record));
}

void MemoryCluster::ForeignTransaction(const TopicPartition& partition, std::vector<MemoryRecord> records,
                                       int64_t open_ns, bool commit) {
  int64_t producer = next_producer_++;
  Trace(fmt::format("stranger {} writes {} to {}", producer, records.size(), NameOf(partition)));
  ClusterLog& log = logs_.at(partition);
  for (MemoryRecord& record : records) log.Append(std::move(record), producer, 0);
  At(now() + open_ns, [this, partition, producer, commit] {
    Trace(fmt::format("stranger {} {}", producer, commit ? "commits" : "aborts"));
    logs_.at(partition).AppendMarker(producer, 0, commit);
  });
}

size_t MemoryCluster::Compact(const TopicPartition& partition, bool drop_tombstones) {
  ClusterLog& log = logs_.at(partition);
  size_t gone = log.Compact(log.end(), drop_tombstones);
  Trace(fmt::format("compacted {}: {} gone", NameOf(partition), gone));
  return gone;
}

void MemoryCluster::DeleteBefore(const TopicPartition& partition, int64_t offset) {
  logs_.at(partition).DeleteBefore(offset);
  Trace(fmt::format("{} begins at {}", NameOf(partition), logs_.at(partition).start()));
}

void MemoryCluster::MoveLeader(const TopicPartition& partition, int64_t ns) {
  int64_t& until = moved_until_[partition];
  until = std::max(until, now() + ns);
  WakeAt(until);
  Trace(fmt::format("leader of {} moved until {}", NameOf(partition), until));
}

bool MemoryCluster::Connected(const TopicPartition& partition) {
  auto at = moved_until_.find(partition);
  return at == moved_until_.end() || at->second <= now();
}

std::vector<MemoryRecord> MemoryCluster::ReadCommitted(const std::string& topic, int32_t partition) const {
  std::vector<MemoryRecord> records;
  int64_t at = 0;
  const ClusterLog& log = logs_.at({topic, partition});
  while (const LogEntry* entry = log.NextCommitted(&at, INT64_MAX)) records.push_back(entry->record);
  return records;
}

ClusterError MemoryCluster::StartOf(const TopicPartition& partition, int64_t* start) {
  auto at = logs_.find(partition);
  if (at == logs_.end()) return ClusterError::kUnknownTopic;
  if (!Connected(partition)) return ClusterError::kUnavailable;
  *start = at->second.start();
  return ClusterError::kNone;
}

ClusterError MemoryCluster::EndOf(const TopicPartition& partition, bool stable, int64_t* end) {
  auto at = logs_.find(partition);
  if (at == logs_.end()) return ClusterError::kUnknownTopic;
  if (!Connected(partition)) return ClusterError::kUnavailable;
  *end = stable ? at->second.stable_end() : at->second.end();
  return ClusterError::kNone;
}

// ---- Events ---------------------------------------------------------------------------------------------------------

void MemoryCluster::At(int64_t mono_ns, std::function<void()> action) {
  events_.emplace(std::pair(mono_ns, ++event_count_), std::move(action));
}

void MemoryCluster::WakeAt(int64_t mono_ns) {
  auto at = events_.lower_bound({mono_ns, 0});
  if (at != events_.end() && at->first.first == mono_ns) return;
  At(mono_ns, nullptr);
}

int64_t MemoryCluster::NextEventMonoNs() {
  int64_t next = events_.empty() ? INT64_MAX : events_.begin()->first.first;
  for (const auto& [id, transaction] : transactions_) {
    if (transaction.state == Transaction::kOngoing) next = std::min(next, transaction.began + transaction.timeout_ns);
  }
  for (const auto& [name, group] : groups_) {
    if (group.rebalancing) next = std::min(next, group.rebalance_end);
    for (const auto& [id, member] : group.members) {
      next = std::min(next, member.next_wake);
      if (!member.busy) next = std::min(next, member.last_heard + options_.session_ns);
    }
  }
  if (faults.weather_ns > 0) next = std::min(next, next_weather_);
  return next;
}

bool MemoryCluster::DeliverEvents() {
  bool any = false;
  int64_t time = now();
  while (!events_.empty() && events_.begin()->first.first <= time) {
    auto action = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    if (action) action();
    any = true;
  }
  for (auto& [id, transaction] : transactions_) {
    if (transaction.state != Transaction::kOngoing || transaction.began + transaction.timeout_ns > time) continue;
    TimeOut(id, transaction);
    any = true;
  }
  for (auto& [name, group] : groups_) {
    std::vector<std::string> silent, late;
    for (auto& [id, member] : group.members) {
      if (member.next_wake <= time) {
        member.next_wake = time + options_.heartbeat_ns();
        any = true;
      }
      if (!member.busy && member.last_heard + options_.session_ns <= time) silent.push_back(id);
    }
    for (const std::string& id : silent) {
      Count("session expired");
      RemoveMember(name, group, id, "session expired");
    }
    if (group.rebalancing && group.rebalance_end <= time) {
      for (auto& [id, member] : group.members) {
        if (!member.joined) late.push_back(id);
      }
      for (const std::string& id : late) {
        Count("rebalance timed out");
        RemoveMember(name, group, id, "did not join again");
      }
    }
    MaybeCompleteRebalance(name, group);
    any = any || !silent.empty() || !late.empty();
  }
  if (faults.weather_ns > 0 && next_weather_ <= time) {
    if (next_weather_ != 0) Weather();
    next_weather_ = time + UpTo(2 * faults.weather_ns);
    any = true;
  }
  return any;
}

void MemoryCluster::Weather() {
  // A partition of a topic that this may happen to; its name is empty when there is none.
  auto pick = [this](auto allowed) {
    std::vector<TopicPartition> all;
    for (const auto& [name, topic] : topics_) {
      if (!allowed(topic)) continue;
      for (int32_t p = 0; p < topic.partitions; ++p) all.emplace_back(name, p);
    }
    return all.empty() ? TopicPartition() : all[random_() % all.size()];
  };
  if (Happens(faults.coordinator_unavailable, "coordinator unavailable")) {
    if (random_() % 2 == 0) {
      SetTransactionsDown(UpTo(faults.outage_ns_max));
    } else {
      SetGroupsDown(UpTo(faults.outage_ns_max));
    }
  }
  if (!groups_.empty() && Happens(faults.rebalance, "rebalance")) {
    auto at = groups_.begin();
    std::advance(at, static_cast<int64_t>(random_() % groups_.size()));
    ForceRebalance(at->first);
  }
  if (Chance(faults.leader_moved)) {
    TopicPartition partition = pick([](const Topic&) { return true; });
    if (!partition.first.empty()) {
      Count("leader moved");
      MoveLeader(partition, UpTo(faults.outage_ns_max));
    }
  }
  if (Chance(faults.transaction_timed_out)) {
    std::vector<std::string> open;
    for (const auto& [id, transaction] : transactions_) {
      if (transaction.state == Transaction::kOngoing) open.push_back(id);
    }
    if (!open.empty()) TimeOutTransaction(open[random_() % open.size()]);
  }
  if (Chance(faults.log_compacted)) {
    TopicPartition partition = pick([](const Topic& topic) { return topic.options.compacted; });
    if (!partition.first.empty()) {
      // Never up to the end: the active segment is not compacted.
      ClusterLog& log = logs_.at(partition);
      size_t gone = log.Compact(UpTo(log.end() + 1), false);
      if (gone != 0) Count("log compacted");
      Trace(fmt::format("compacted {}: {} gone", NameOf(partition), gone));
    }
  }
  if (Chance(faults.foreign_transaction)) {
    TopicPartition partition = pick([](const Topic& topic) { return topic.options.foreign; });
    if (!partition.first.empty()) {
      Count("foreign transaction");
      MemoryRecord record;
      record.has_key = true;
      record.key = "stranger";
      record.value = "never to be read";
      ForeignTransaction(partition, {record, record}, UpTo(faults.foreign_ns_max), false);
    }
  }
  if (Chance(faults.partition_added)) {
    TopicPartition partition = pick([](const Topic& topic) { return topic.options.may_grow; });
    if (!partition.first.empty()) {
      Count("partition added");
      AddPartition(partition.first);
    }
  }
}

void MemoryCluster::SetTransactionsDown(int64_t ns) {
  transactions_down_until_ = std::max(transactions_down_until_, now() + ns);
  WakeAt(transactions_down_until_);
  Trace(fmt::format("coordinator of transactions is away until {}", transactions_down_until_));
}

void MemoryCluster::SetGroupsDown(int64_t ns) {
  groups_down_until_ = std::max(groups_down_until_, now() + ns);
  // Whoever takes over gives everyone a new session.
  for (auto& [name, group] : groups_) {
    for (auto& [id, member] : group.members) member.last_heard = std::max(member.last_heard, groups_down_until_);
    if (group.rebalancing) group.rebalance_end = std::max(group.rebalance_end, groups_down_until_ + options_.rebalance_ns);
  }
  WakeAt(groups_down_until_);
  Trace(fmt::format("coordinator of groups is away until {}", groups_down_until_));
}

// ---- The network ----------------------------------------------------------------------------------------------------

std::shared_ptr<ClusterCall> MemoryCluster::Send(const std::string& what, bool losable,
                                                 std::function<ClusterError()> execute) {
  auto call = std::make_shared<ClusterCall>();
  uint64_t number = ++call_count_;
  auto arrive = [this, number, what, execute = std::move(execute)](const char* how) {
    ClusterError error = execute();
    Trace(fmt::format("#{} {}{}: {}", number, what, how, ClusterErrorName(error)));
    if (error != ClusterError::kNone) Count(ClusterErrorName(error));
    return error;
  };
  if (losable && Happens(faults.answer_lost, "answer lost")) {
    int64_t given_up = now() + UpTo(faults.answer_timeout_ns);
    if (Happens(faults.request_late, "request late")) {
      At(given_up + UpTo(faults.late_ns_max), [this, arrive] {
        Count(arrive(", a late copy") == ClusterError::kNone ? "late copy accepted" : "late copy refused");
      });
    } else if (Happens(faults.request_lost, "request lost")) {
      Trace(fmt::format("#{} {} never arrives", number, what));
    } else if (random_() % 2 == 0) {
      arrive(", answer lost");
    } else {
      At(now() + UpTo(given_up - now()), [arrive] { arrive(", answer lost"); });
    }
    At(given_up, [this, call, number] {
      Trace(fmt::format("#{} has no answer", number));
      call->answered = call->timed_out = true;
    });
    return call;
  }
  if (Happens(faults.request_delayed, "request delayed")) {
    int64_t arrival = now() + UpTo(faults.delay_ns_max);
    int64_t answer_after = random_() % 2 == 0 ? 0 : UpTo(faults.delay_ns_max);
    At(arrival, [this, call, arrive, answer_after] {
      call->error = arrive(", delayed");
      if (answer_after == 0) {
        call->answered = true;
      } else {
        At(now() + answer_after, [call] { call->answered = true; });
      }
    });
    return call;
  }
  call->error = arrive("");
  call->answered = true;
  return call;
}

// ---- Transactions ---------------------------------------------------------------------------------------------------

ClusterError MemoryCluster::InitProducerId(const std::string& transactional_id, int64_t timeout_ns,
                                           const ProducerIdentity* current, ProducerIdentity* out) {
  if (transactions_down_until_ > now()) return ClusterError::kUnavailable;
  auto [at, made] = transactions_.try_emplace(transactional_id);
  Transaction& transaction = at->second;
  if (made) {
    transaction.producer = next_producer_++;
  } else {
    if (current != nullptr && (current->id != transaction.producer || current->epoch != transaction.epoch)) {
      return ClusterError::kFenced;
    }
    switch (transaction.state) {
      case Transaction::kPrepareCommit:
      case Transaction::kPrepareAbort: return ClusterError::kConcurrent;
      case Transaction::kOngoing:
        ++transaction.epoch;
        Trace(fmt::format("{} is fenced with an open transaction", transactional_id));
        End(transaction, transactional_id, false);
        return ClusterError::kConcurrent;
      default: ++transaction.epoch;
    }
  }
  transaction.timeout_ns = timeout_ns;
  transaction.state = Transaction::kEmpty;
  *out = ProducerIdentity{transactional_id, transaction.producer, transaction.epoch};
  return ClusterError::kNone;
}

ClusterError MemoryCluster::CheckProducer(const ProducerIdentity& producer, Transaction** transaction) {
  if (transactions_down_until_ > now()) return ClusterError::kUnavailable;
  auto at = transactions_.find(producer.transactional_id);
  if (at == transactions_.end() || at->second.producer != producer.id || at->second.epoch != producer.epoch) {
    return ClusterError::kFenced;
  }
  *transaction = &at->second;
  return ClusterError::kNone;
}

ClusterError MemoryCluster::AddToTransaction(const ProducerIdentity& producer, Transaction** out) {
  if (ClusterError error = CheckProducer(producer, out); error != ClusterError::kNone) return error;
  Transaction& transaction = **out;
  if (transaction.state == Transaction::kPrepareCommit || transaction.state == Transaction::kPrepareAbort) {
    return ClusterError::kConcurrent;
  }
  if (transaction.state != Transaction::kOngoing) {
    transaction.state = Transaction::kOngoing;
    transaction.began = now();
    transaction.partitions.clear();
    transaction.groups.clear();
  }
  return ClusterError::kNone;
}

ClusterError MemoryCluster::AddPartitionToTransaction(const ProducerIdentity& producer, const TopicPartition& partition) {
  if (logs_.count(partition) == 0) return ClusterError::kUnknownTopic;
  Transaction* transaction = nullptr;
  ClusterError error = AddToTransaction(producer, &transaction);
  if (error == ClusterError::kNone) transaction->partitions.insert(partition);
  return error;
}

ClusterError MemoryCluster::AddOffsetsToTransaction(const ProducerIdentity& producer, const std::string& group) {
  Transaction* transaction = nullptr;
  ClusterError error = AddToTransaction(producer, &transaction);
  if (error == ClusterError::kNone) transaction->groups.insert(group);
  return error;
}

ClusterError MemoryCluster::Produce(const ProducerIdentity& producer, const TopicPartition& partition,
                                    int64_t first_sequence, const std::vector<MemoryRecord>& records, int64_t* end) {
  auto at = logs_.find(partition);
  if (at == logs_.end()) return ClusterError::kUnknownTopic;
  if (!Connected(partition)) return ClusterError::kUnavailable;
  ClusterLog& log = at->second;
  if (producer.epoch < log.EpochOf(producer.id)) return ClusterError::kFenced;
  if (!log.Open(producer.id)) {
    // Only the first write of a transaction is checked with the coordinator: until the markers of a fence arrive, the
    // old producer still writes to partitions it has begun on, and those records go with the abort.
    Transaction* transaction = nullptr;
    if (ClusterError error = CheckProducer(producer, &transaction); error != ClusterError::kNone) return error;
    if (transaction->state != Transaction::kOngoing || transaction->partitions.count(partition) == 0) {
      return ClusterError::kInvalidState;
    }
  }
  int64_t expected = log.NextSequence(producer.id, producer.epoch);
  if (first_sequence < expected) return ClusterError::kNone;  // a copy of what is there
  if (first_sequence > expected) return ClusterError::kOutOfOrder;
  for (const MemoryRecord& record : records) log.Append(record, producer.id, producer.epoch);
  log.SetNextSequence(producer.id, producer.epoch, first_sequence + static_cast<int64_t>(records.size()));
  if (end != nullptr) *end = log.end();
  return ClusterError::kNone;
}

ClusterError MemoryCluster::CommitTransactionOffsets(const ProducerIdentity& producer, const std::string& group_name,
                                                     const std::string& member, int32_t generation,
                                                     const std::map<TopicPartition, int64_t>& offsets) {
  if (groups_down_until_ > now()) return ClusterError::kUnavailable;
  Group& group = groups_[group_name];
  Transaction* transaction = nullptr;
  if (ClusterError error = CheckProducer(producer, &transaction); error != ClusterError::kNone) return error;
  if (transaction->state != Transaction::kOngoing || transaction->groups.count(group_name) == 0) {
    return ClusterError::kInvalidState;
  }
  if (generation >= 0 || !member.empty()) {
    if (ClusterError error = CheckMember(group, member, generation); error != ClusterError::kNone) return error;
  }
  auto& pending = group.pending[producer.id];
  for (auto& [partition, offset] : offsets) pending[partition] = offset;
  return ClusterError::kNone;
}

ClusterError MemoryCluster::EndTransaction(const ProducerIdentity& producer, bool commit) {
  Transaction* transaction = nullptr;
  if (ClusterError error = CheckProducer(producer, &transaction); error != ClusterError::kNone) return error;
  switch (transaction->state) {
    case Transaction::kOngoing: End(*transaction, producer.transactional_id, commit); return ClusterError::kNone;
    case Transaction::kPrepareCommit: return commit ? ClusterError::kConcurrent : ClusterError::kInvalidState;
    case Transaction::kPrepareAbort: return commit ? ClusterError::kInvalidState : ClusterError::kConcurrent;
    case Transaction::kCompleteCommit: return commit ? ClusterError::kNone : ClusterError::kInvalidState;
    case Transaction::kCompleteAbort: return commit ? ClusterError::kInvalidState : ClusterError::kNone;
    case Transaction::kEmpty: return ClusterError::kInvalidState;
  }
  return ClusterError::kInvalidState;
}

void MemoryCluster::End(Transaction& transaction, const std::string& id, bool commit) {
  transaction.state = commit ? Transaction::kPrepareCommit : Transaction::kPrepareAbort;
  transaction.markers_left = transaction.partitions.size() + transaction.groups.size();
  Trace(fmt::format("transaction of {} epoch {} {} at {} places", id, transaction.epoch, commit ? "commits" : "aborts",
                    transaction.markers_left));
  int64_t producer = transaction.producer;
  int32_t epoch = transaction.epoch;
  // Copies: with the last marker the transaction is over.
  std::set<TopicPartition> partitions = transaction.partitions;
  std::set<std::string> groups = transaction.groups;
  auto write = [this](std::function<void()> marker) {
    if (Happens(faults.marker_lag, "marker lag")) {
      At(now() + UpTo(faults.marker_lag_ns_max), std::move(marker));
    } else {
      marker();
    }
  };
  for (const TopicPartition& partition : partitions) {
    write([this, id, producer, epoch, partition, commit] { WriteMarker(id, producer, epoch, partition, commit); });
  }
  for (const std::string& group : groups) {
    write([this, id, producer, group, commit] { WriteOffsetsMarker(id, producer, group, commit); });
  }
  if (partitions.empty() && groups.empty()) {
    transaction.markers_left = 1;
    MarkerWritten(id);
  }
  WakeAt(now());
}

void MemoryCluster::WriteMarker(const std::string& id, int64_t producer, int32_t epoch, const TopicPartition& partition,
                                bool commit) {
  logs_.at(partition).AppendMarker(producer, epoch, commit);
  Trace(fmt::format("marker in {}", NameOf(partition)));
  MarkerWritten(id);
}

void MemoryCluster::WriteOffsetsMarker(const std::string& id, int64_t producer, const std::string& name, bool commit) {
  Group& group = groups_[name];
  auto at = group.pending.find(producer);
  if (at != group.pending.end()) {
    if (commit) {
      for (auto& [partition, offset] : at->second) {
        group.committed[partition] = offset;
        Trace(fmt::format("group {} is at {} of {}", name, offset, NameOf(partition)));
      }
    }
    group.pending.erase(at);
  }
  MarkerWritten(id);
}

void MemoryCluster::MarkerWritten(const std::string& id) {
  Transaction& transaction = transactions_.at(id);
  if (--transaction.markers_left != 0) return;
  transaction.state =
      transaction.state == Transaction::kPrepareCommit ? Transaction::kCompleteCommit : Transaction::kCompleteAbort;
  Trace(fmt::format("transaction of {} is over", id));
}

void MemoryCluster::TimeOut(const std::string& id, Transaction& transaction) {
  Count("transaction timed out");
  Trace(fmt::format("transaction of {} timed out", id));
  ++transaction.epoch;
  End(transaction, id, false);
}

void MemoryCluster::TimeOutTransaction(const std::string& id) {
  auto at = transactions_.find(id);
  if (at != transactions_.end() && at->second.state == Transaction::kOngoing) TimeOut(id, at->second);
}

uint64_t MemoryCluster::OpenTransactions() const {
  uint64_t open = 0;
  std::set<int64_t> ours;
  for (const auto& [id, transaction] : transactions_) {
    ours.insert(transaction.producer);
    if (transaction.state == Transaction::kOngoing || transaction.state == Transaction::kPrepareCommit ||
        transaction.state == Transaction::kPrepareAbort) {
      ++open;
    }
  }
  // Strangers, and what would hang for ever: open in a log though no coordinator knows of it.
  std::set<int64_t> others;
  for (const auto& [partition, log] : logs_) {
    for (const LogEntry& entry : log.entries()) {
      if (entry.producer < 0 || !log.Open(entry.producer)) continue;
      auto known = std::find_if(transactions_.begin(), transactions_.end(), [&](const auto& at) {
        return at.second.producer == entry.producer && at.second.state != Transaction::kCompleteCommit &&
               at.second.state != Transaction::kCompleteAbort && at.second.state != Transaction::kEmpty;
      });
      if (known == transactions_.end()) others.insert(entry.producer);
    }
  }
  return open + others.size();
}

}  // namespace weir
