#include "runtime/testing/cluster_transactions.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/core/hash.h"
#include "runtime/engine/topic_names.h"

namespace weir {

namespace {

// How soon a request that was put off is sent again.
constexpr int64_t kRetryNs = 5'000'000;

TransactionResult Result(TransactionOutcome outcome, std::string why) {
  return TransactionResult{outcome, Status::Unavailable(std::move(why))};
}

TransactionResult Failed(Status status) { return TransactionResult{TransactionOutcome::kFailed, std::move(status)}; }

}  // namespace

ClusterTransactions::ClusterTransactions(MemoryCluster& cluster, const ConnectorContext& context,
                                         const std::string& group, const std::string& transactional_id,
                                         int64_t timeout_ns, std::shared_ptr<ClusterMember> member,
                                         ClusterRefusal refuse)
    : cluster_(cluster),
      program_(context.program),
      group_(group),
      transactional_id_(transactional_id),
      timeout_ns_(timeout_ns),
      member_(std::move(member)),
      refuse_(std::move(refuse)) {}

Status ClusterTransactions::Open(const std::vector<Changelog>& changelogs, int64_t) {
  for (const SinkSpec& sink : program_->sinks) {
    if (program_->outputs_at_once) break;
    if (cluster_.Partitions(sink.address) < 0) return Status::NotFound(fmt::format("no topic {}", sink.address));
  }
  for (const Changelog& changelog : changelogs) {
    std::string name = ChangelogTopic(*program_, changelog.stage);
    int32_t count = cluster_.Partitions(name);
    if (count < 0) {
      cluster_.AddTopic(name, changelog.partitions, {.compacted = true, .foreign = true});
    } else if (changelog.grows && count < changelog.partitions) {
      while (cluster_.Partitions(name) < changelog.partitions) cluster_.AddPartition(name);
    } else if (count != changelog.partitions && !changelog.grows) {
      return Status::Invalid(fmt::format("{} has {} partitions and not {}", name, count, changelog.partitions));
    }
  }
  return Status();
}

Status ClusterTransactions::ChangelogExists(int stage, int64_t, bool* exists) {
  *exists = cluster_.Partitions(ChangelogTopic(*program_, stage)) >= 0;
  return Status();
}

Status ClusterTransactions::OpenRekeys(std::vector<Rekey>* rekeys, int64_t) {
  for (Rekey& rekey : *rekeys) {
    std::string name = RekeyTopic(*program_, rekey.exchange);
    if (cluster_.Partitions(name) < 0) cluster_.AddTopic(name, rekey.partitions, {.foreign = true});
    rekey.partitions = cluster_.Partitions(name);
  }
  return Status();
}

GroupToken ClusterTransactions::Group() { return member_ == nullptr ? GroupToken() : member_->Token(); }

void ClusterTransactions::Check(int sink, const OutputBuffer& outputs, std::vector<Sink::Refused>* refused) {
  if (!refuse_) return;
  const std::string& topic = program_->sinks[static_cast<size_t>(sink)].address;
  for (uint32_t i = 0; i < outputs.records.size(); ++i) {
    std::string why = refuse_(topic, RecordOf(outputs, outputs.records[i]));
    if (!why.empty()) refused->push_back(Sink::Refused{i, why});
  }
}

// ---- Requests -------------------------------------------------------------------------------------------------------

TransactionResult ClusterTransactions::Again() { return Result(TransactionOutcome::kAgain, "not yet"); }

TransactionResult ClusterTransactions::MustAbort(const std::string& why) {
  must_abort_ = why;
  operation_.clear();
  return Result(TransactionOutcome::kAbort, why);
}

TransactionResult ClusterTransactions::Fatal(const std::string& why) {
  fatal_ = why;
  operation_.clear();
  return Result(TransactionOutcome::kRestart, why);
}

bool ClusterTransactions::Starts(const char* operation) {
  if (operation_ == operation) return false;
  operation_ = operation;
  return true;
}

std::optional<ClusterError> ClusterTransactions::Ask(const std::string& what,
                                                     const std::function<std::function<ClusterError()>()>& make) {
  timed_out_ = false;
  // Another call is under way, or the same with other arguments: the engine's mistake, and nobody knows what holds.
  if (call_ != nullptr && call_what_ != what) return ClusterError::kInvalidState;
  if (call_ == nullptr) {
    if (cluster_.now() < retry_at_) return std::nullopt;
    call_what_ = what;
    call_ = cluster_.Send(fmt::format("{} {}", transactional_id_, what), true, make());
  }
  if (!call_->answered) return std::nullopt;
  std::shared_ptr<ClusterCall> call = std::move(call_);
  call_ = nullptr;
  if (call->timed_out) {
    unanswered_ = timed_out_ = true;
    PutOff();
    return std::nullopt;
  }
  // Put off: the same is sent again after a while.
  if (call->error == ClusterError::kUnavailable || call->error == ClusterError::kConcurrent) {
    PutOff();
    return std::nullopt;
  }
  return call->error;
}

TransactionResult ClusterTransactions::AskRead(const std::string& what,
                                               std::function<ClusterError(std::vector<int64_t>*)> execute,
                                               std::vector<int64_t>* answer) {
  auto& read = reads_[what];
  if (read.call == nullptr) {
    if (cluster_.now() < retry_at_) return Again();
    // The question may outlive whoever asked it.
    auto place = std::make_shared<std::vector<int64_t>>();
    read.call = cluster_.Send(fmt::format("{} {}", transactional_id_, what), false,
                              [execute = std::move(execute), place] { return execute(place.get()); });
    read.answer = place;
  }
  if (!read.call->answered) return Again();
  Read done = std::move(read);
  reads_.erase(what);
  if (done.call->error == ClusterError::kNone) {
    *answer = std::move(*done.answer);
    return TransactionResult();
  }
  if (done.call->error == ClusterError::kUnknownTopic) return Failed(Status::NotFound(what + ": no such topic"));
  PutOff();
  return Again();
}

// Clients wait a moment before they ask again.
void ClusterTransactions::PutOff() {
  retry_at_ = cluster_.now() + kRetryNs;
  cluster_.WakeAt(retry_at_);
}

// ---- The producer ---------------------------------------------------------------------------------------------------

std::optional<ClusterError> ClusterTransactions::AskInit() {
  return Ask("InitProducerId", [this] {
    init_ = std::make_shared<ProducerIdentity>();
    std::optional<ProducerIdentity> current;
    if (fenced_others_) current = producer_;
    return [cluster = &cluster_, id = transactional_id_, timeout = timeout_ns_, current, out = init_] {
      return cluster->InitProducerId(id, timeout, current ? &*current : nullptr, out.get());
    };
  });
}

TransactionResult ClusterTransactions::Fence() {
  if (!fatal_.empty()) return Result(TransactionOutcome::kRestart, fatal_);
  if (Starts("Fence")) {
    // A producer that has its id already cannot take it again.
    if (fenced_others_) Drop();
    operation_ = "Fence";
    // Answers from before the fence do not count behind it.
    reads_.clear();
  }
  std::optional<ClusterError> error = AskInit();
  if (!error) return Again();
  if (*error != ClusterError::kNone) return Fatal(fmt::format("InitProducerId: {}", ClusterErrorName(*error)));
  producer_ = *init_;
  fenced_others_ = true;
  // A late copy of this very request could only fence again.
  unanswered_ = false;
  operation_.clear();
  return TransactionResult();
}

void ClusterTransactions::Drop() {
  call_ = nullptr;
  fenced_others_ = unanswered_ = bump_ = false;
  fatal_.clear();
  operation_.clear();
  sequences_.clear();
  EndLocally();
}

void ClusterTransactions::EndLocally() {
  in_transaction_ = offsets_added_ = asked_ = false;
  must_abort_.clear();
  queue_.clear();
  sending_.reset();
  write_at_ = 0;
  added_.clear();
}

TransactionResult ClusterTransactions::Ready(bool aborting) {
  if (!fatal_.empty()) return Result(TransactionOutcome::kRestart, fatal_);
  if (!fenced_others_) return Result(TransactionOutcome::kRestart, "there is no producer: Fence comes first");
  if (!in_transaction_) return Failed(Status::Internal("no transaction has begun"));
  if (!must_abort_.empty() && !aborting) return Result(TransactionOutcome::kAbort, must_abort_);
  return TransactionResult();
}

TransactionResult ClusterTransactions::Begin() {
  if (!fatal_.empty()) return Result(TransactionOutcome::kRestart, fatal_);
  if (!fenced_others_) return Result(TransactionOutcome::kRestart, "there is no producer: Fence comes first");
  if (in_transaction_) return Failed(Status::Internal("a transaction has begun already"));
  operation_.clear();
  ends_.clear();
  in_transaction_ = true;  // the brokers hear of it with the first write
  return TransactionResult();
}

TransactionResult ClusterTransactions::Write(int sink, const OutputBuffer& outputs) {
  if (TransactionResult result = Ready(false); !result.ok()) return result;
  if (Starts("Write") && cluster_.Happens(cluster_.faults.abort_demanded, "abort demanded")) {
    return MustAbort("a message could not be delivered");
  }
  const std::string& topic = program_->sinks[static_cast<size_t>(sink)].address;
  int32_t partitions = cluster_.Partitions(topic);
  if (partitions <= 0) return Failed(Status::NotFound(fmt::format("no topic {}", topic)));
  size_t end = outputs.records.size();
  bool full = write_at_ < end && cluster_.Happens(cluster_.faults.queue_full, "queue full");
  if (full) end = write_at_ + static_cast<size_t>(cluster_.UpTo(static_cast<int64_t>(end - write_at_))) - 1;
  for (; write_at_ < end; ++write_at_) {
    MemoryRecord record = RecordOf(outputs, outputs.records[write_at_]);
    int32_t partition = record.has_key ? KafkaPartition(Str(std::string_view(record.key)), partitions)
                                       : static_cast<int32_t>(cluster_.UpTo(partitions)) - 1;
    queue_[{topic, partition}].push_back(std::move(record));
  }
  // The producer sends while the engine goes on; what comes of it shows in a later call.
  if (cluster_.UpTo(2) == 1) Pump();
  if (full) {
    cluster_.WakeAt(cluster_.now() + kRetryNs);
    return Again();
  }
  write_at_ = 0;
  operation_.clear();
  return TransactionResult();
}

TransactionResult ClusterTransactions::Enqueue(const TopicPartition& partition, MemoryRecord record) {
  if (TransactionResult result = Ready(false); !result.ok()) return result;
  if (cluster_.Happens(cluster_.faults.queue_full / 10, "queue full")) {
    cluster_.WakeAt(cluster_.now() + kRetryNs);
    return Again();
  }
  if (cluster_.Partitions(partition.first) <= partition.second) {
    return Failed(Status::NotFound(fmt::format("{} has no partition {}", partition.first, partition.second)));
  }
  queue_[partition].push_back(std::move(record));
  if (cluster_.UpTo(8) == 1) Pump();
  return TransactionResult();
}

TransactionResult ClusterTransactions::WriteChange(int stage, int32_t partition, Str key, const Str* value) {
  MemoryRecord record;
  record.has_key = true;
  record.key = std::string(key.view());
  record.has_value = value != nullptr;
  if (value != nullptr) record.value = std::string(value->view());
  return Enqueue({ChangelogTopic(*program_, stage), partition}, std::move(record));
}

TransactionResult ClusterTransactions::WriteRow(int exchange, int32_t partition, Str value) {
  MemoryRecord record;
  record.value = std::string(value.view());
  return Enqueue({RekeyTopic(*program_, exchange), partition}, std::move(record));
}

TransactionResult ClusterTransactions::Pump() {
  while (true) {
    if (TransactionResult result = Ready(false); !result.ok()) return result;
    if (!sending_) {
      if (queue_.empty()) return TransactionResult();
      auto at = queue_.begin();
      std::advance(at, cluster_.UpTo(static_cast<int64_t>(queue_.size())) - 1);
      sending_ = Sending{at->first, static_cast<size_t>(cluster_.UpTo(static_cast<int64_t>(at->second.size())))};
    }
    const TopicPartition& partition = sending_->partition;
    if (added_.count(partition) == 0) {
      asked_ = true;
      std::string what = fmt::format("AddPartitionsToTxn {}/{}", partition.first, partition.second);
      std::optional<ClusterError> error = Ask(what, [this, &partition] {
        return [cluster = &cluster_, producer = producer_, partition] {
          return cluster->AddPartitionToTransaction(producer, partition);
        };
      });
      if (!error) return Again();
      if (*error == ClusterError::kUnknownTopic) return Failed(Status::NotFound(what + ": no such partition"));
      if (*error != ClusterError::kNone) return Fatal(fmt::format("{}: {}", what, ClusterErrorName(*error)));
      added_.insert(partition);
      continue;
    }
    std::deque<MemoryRecord>& records = queue_[partition];
    int64_t sequence = sequences_[partition];
    std::string what = fmt::format("Produce {}/{} {}+{}", partition.first, partition.second, sequence, sending_->count);
    std::optional<ClusterError> error = Ask(what, [&] {
      std::vector<MemoryRecord> batch(records.begin(), records.begin() + static_cast<int64_t>(sending_->count));
      sending_->end = std::make_shared<int64_t>(-1);
      return [cluster = &cluster_, producer = producer_, partition, sequence, batch = std::move(batch), end = sending_->end] {
        return cluster->Produce(producer, partition, sequence, batch, end.get());
      };
    });
    if (!error) {
      if (timed_out_) sending_->uncertain = true;
      return Again();
    }
    if (*error != ClusterError::kNone) {
      if (*error == ClusterError::kOutOfOrder) bump_ = true;
      return MustAbort(fmt::format("{}: {}", what, ClusterErrorName(*error)));
    }
    int64_t throttle_ns = 0;
    for (size_t i = 0; cluster_.produce_ns_per_byte > 0 && i < sending_->count; ++i) {
      throttle_ns += static_cast<int64_t>(records[i].key.size() + records[i].value.size()) * cluster_.produce_ns_per_byte;
    }
    if (cluster_.Happens(cluster_.faults.producer_throttled, "producer throttled")) {
      throttle_ns += cluster_.UpTo(cluster_.faults.throttle_ns_max);
    }
    if (throttle_ns > 0) {
      retry_at_ = cluster_.now() + throttle_ns;
      cluster_.WakeAt(retry_at_);
    }
    sequences_[partition] = sequence + static_cast<int64_t>(sending_->count);
    int64_t& behind = ends_.emplace(partition, 0).first->second;
    behind = behind < 0 || *sending_->end < 0 ? -1 : std::max(behind, *sending_->end);
    records.erase(records.begin(), records.begin() + static_cast<int64_t>(sending_->count));
    if (records.empty()) queue_.erase(partition);
    sending_.reset();
  }
}

TransactionResult ClusterTransactions::Flush() {
  if (TransactionResult result = Ready(false); !result.ok()) return result;
  if (Starts("Flush") && cluster_.Happens(cluster_.faults.abort_demanded, "abort demanded")) {
    return MustAbort("a message was not delivered in time");
  }
  TransactionResult result = Pump();
  if (result.ok()) operation_.clear();
  return result;
}

int64_t ClusterTransactions::ChangesEnd(int stage, int32_t partition) {
  auto end = ends_.find({ChangelogTopic(*program_, stage), partition});
  return end == ends_.end() ? -1 : end->second;
}

Transactions::ChangelogFacts ClusterTransactions::Facts(int stage) {
  return {ChangelogTopic(*program_, stage), INT64_MAX};
}

TransactionResult ClusterTransactions::SendOffsets(const std::vector<SourceOffset>& offsets, const GroupToken& group) {
  if (TransactionResult result = Ready(false); !result.ok()) return result;
  if (offsets.empty()) return TransactionResult();
  if (Starts("SendOffsets")) {
    if (cluster_.Happens(cluster_.faults.rebalance_at_commit, "rebalance at commit")) cluster_.ForceRebalance(group_);
    if (cluster_.Happens(cluster_.faults.abort_demanded, "abort demanded")) return MustAbort("offsets were refused");
  }
  // Brokers do not check a member without a name: a wrong engine may send that.
  const bool unchecked = group.bytes == "unchecked";
  if (!group.valid()) return MustAbort("offsets of no member");
  if (sending_) {
    if (TransactionResult result = Pump(); !result.ok()) return result;
  }
  if (!offsets_added_) {
    asked_ = true;
    std::optional<ClusterError> error = Ask("AddOffsetsToTxn", [this] {
      return [cluster = &cluster_, producer = producer_, name = group_] {
        return cluster->AddOffsetsToTransaction(producer, name);
      };
    });
    if (!error) return Again();
    if (*error != ClusterError::kNone) return Fatal(fmt::format("AddOffsetsToTxn: {}", ClusterErrorName(*error)));
    offsets_added_ = true;
  }
  std::map<TopicPartition, int64_t> wanted;
  std::string what = "TxnOffsetCommit";
  for (const SourceOffset& offset : offsets) {
    if (offset.offset < 0) continue;
    const std::string& topic = program_->sources[static_cast<size_t>(offset.source)].address;
    wanted[{topic, offset.partition}] = offset.offset;
    what += fmt::format(" {}/{}={}", topic, offset.partition, offset.offset);
  }
  std::optional<ClusterError> error = Ask(what, [&] {
    return [cluster = &cluster_, producer = producer_, name = group_,
            member = unchecked ? std::string() : group.member, generation = unchecked ? -1 : group.generation, wanted] {
      return cluster->CommitTransactionOffsets(producer, name, member, generation, wanted);
    };
  });
  if (!error) return Again();
  switch (*error) {
    case ClusterError::kNone: break;
    case ClusterError::kIllegalGeneration:
    case ClusterError::kUnknownMember:
    case ClusterError::kFencedInstance: return MustAbort(fmt::format("offsets: {}", ClusterErrorName(*error)));
    default: return Fatal(fmt::format("offsets: {}", ClusterErrorName(*error)));
  }
  operation_.clear();
  return TransactionResult();
}

TransactionResult ClusterTransactions::Commit() {
  if (TransactionResult result = Ready(false); !result.ok()) return result;
  if (Starts("Commit")) {
    if (cluster_.Happens(cluster_.faults.rebalance_at_commit, "rebalance at commit")) cluster_.ForceRebalance(group_);
    if (cluster_.Happens(cluster_.faults.abort_demanded, "abort demanded")) return MustAbort("the commit was refused");
  }
  if (call_ == nullptr || call_what_ != "EndTxn commit") {
    if (TransactionResult result = Pump(); !result.ok()) return result;
  }
  if (asked_) {
    std::optional<ClusterError> error = Ask("EndTxn commit", [this] {
      return [cluster = &cluster_, producer = producer_] { return cluster->EndTransaction(producer, true); };
    });
    if (!error) {
      if (timed_out_ && cluster_.Happens(cluster_.faults.outcome_unknown, "outcome unknown")) {
        return Fatal("the commit had no answer");
      }
      return Again();
    }
    if (*error != ClusterError::kNone) return Fatal(fmt::format("EndTxn: {}", ClusterErrorName(*error)));
  }
  EndLocally();
  operation_.clear();
  return TransactionResult();
}

TransactionResult ClusterTransactions::Abort() {
  if (!fenced_others_ && fatal_.empty()) return TransactionResult();  // with the producer went all it had open
  if (Starts("Abort") && call_ != nullptr && call_what_ == "EndTxn commit") {
    return Fatal("aborted after the commit was asked for");
  }
  if (TransactionResult result = Ready(true); !result.ok()) return result;
  if (call_ != nullptr && call_what_ != "EndTxn abort" && call_what_ != "InitProducerId") {
    // What is under way is waited for: its answer says what the partition has.
    if (!call_->answered) return Again();
    if (call_->timed_out) {
      unanswered_ = true;
      if (sending_) sending_->uncertain = true;
    } else if (sending_ && added_.count(sending_->partition) != 0 && call_->error == ClusterError::kNone) {
      sequences_[sending_->partition] += static_cast<int64_t>(sending_->count);
      sending_.reset();
    }
    call_ = nullptr;
  }
  if (sending_ && sending_->uncertain) bump_ = true;
  sending_.reset();
  queue_.clear();
  write_at_ = 0;
  if (asked_) {
    std::optional<ClusterError> error = Ask("EndTxn abort", [this] {
      return [cluster = &cluster_, producer = producer_] { return cluster->EndTransaction(producer, false); };
    });
    if (!error) return Again();
    if (*error != ClusterError::kNone) return Fatal(fmt::format("EndTxn: {}", ClusterErrorName(*error)));
    asked_ = false;
  }
  if (bump_) {
    std::optional<ClusterError> error = AskInit();
    if (!error) return Again();
    if (*error != ClusterError::kNone) return Fatal(fmt::format("InitProducerId: {}", ClusterErrorName(*error)));
    producer_ = *init_;
    sequences_.clear();
    bump_ = false;
  }
  EndLocally();
  operation_.clear();
  return TransactionResult();
}

void ClusterTransactions::TrimRekeyed(int exchange, const std::vector<std::pair<int32_t, int64_t>>& before) {
  std::string topic = RekeyTopic(*program_, exchange);
  for (auto& [partition, offset] : before) {
    TopicPartition place(topic, partition);
    cluster_.Send(fmt::format("{} DeleteRecords {}/{} {}", transactional_id_, topic, partition, offset), false,
                  [cluster = &cluster_, place, offset] {
                    cluster->DeleteBefore(place, offset);
                    return ClusterError::kNone;
                  });
  }
}

// ---- Recovery -------------------------------------------------------------------------------------------------------

TransactionResult ClusterTransactions::Committed(int source, std::vector<int64_t>* offsets,
                                                 std::vector<OffsetState>* states, int32_t* then) {
  *then = 0;
  const std::string& topic = program_->sources[static_cast<size_t>(source)].address;
  states->clear();  // it keeps no notes
  return AskRead(fmt::format("OffsetFetch {}", topic), [cluster = &cluster_, name = group_, topic](std::vector<int64_t>* out) {
    return cluster->FetchOffsets(name, topic, out);
  }, offsets);
}

TransactionResult ClusterTransactions::StartOf(int source, int32_t partition, bool latest, int64_t* offset) {
  TopicPartition place(program_->sources[static_cast<size_t>(source)].address, partition);
  std::vector<int64_t> answer;
  TransactionResult result = AskRead(
      fmt::format("ListOffsets {}/{} {}", place.first, partition, latest ? "latest" : "earliest"),
      [cluster = &cluster_, place, latest](std::vector<int64_t>* out) {
        out->resize(1);
        return latest ? cluster->EndOf(place, true, &out->front()) : cluster->StartOf(place, &out->front());
      },
      &answer);
  if (result.ok()) *offset = answer.front();
  return result;
}

TransactionResult ClusterTransactions::ChangelogEnd(int stage, int32_t partition, Isolation isolation, int64_t* end) {
  TopicPartition place(ChangelogTopic(*program_, stage), partition);
  bool stable = isolation == Isolation::kReadCommitted;
  std::vector<int64_t> answer;
  TransactionResult result = AskRead(
      fmt::format("ListOffsets {}/{} {}", place.first, partition, stable ? "committed" : "uncommitted"),
      [cluster = &cluster_, place, stable](std::vector<int64_t>* out) {
        out->resize(1);
        return cluster->EndOf(place, stable, &out->front());
      },
      &answer);
  if (result.ok()) *end = answer.front();
  return result;
}

TransactionResult ClusterTransactions::Replay(int stage, int32_t partition, int64_t end, int64_t* at,
                                              const Change& change) {
  TopicPartition place(ChangelogTopic(*program_, stage), partition);
  if (cluster_.Partitions(place.first) <= partition) return Failed(Status::NotFound(place.first + ": no such partition"));
  *at = std::max<int64_t>(*at, 0);
  if (*at >= end) return TransactionResult();
  if (!cluster_.Connected(place)) return Again();  // the cluster wakes whoever waits when it is back
  const ClusterLog& log = cluster_.log(place);
  if (end > log.end()) {
    return Failed(Status::Corrupt(fmt::format("{}/{} ends at {} and not at {}", place.first, partition, log.end(), end)));
  }
  int64_t most = cluster_.UpTo(cluster_.Happens(cluster_.faults.small_fetch, "small fetch") ? 3 : 500);
  int64_t limit = end;
  if (cluster_.Happens(cluster_.faults.end_lag, "end lag")) limit = std::max(*at, end - cluster_.UpTo(8));
  for (; most > 0; --most) {
    // The last record may stand before the end with only markers behind it.
    const LogEntry* entry = log.NextCommitted(at, limit);
    if (entry == nullptr) break;
    Str value(std::string_view(entry->record.value));
    Status status = change(Str(std::string_view(entry->record.key)), entry->record.has_value ? &value : nullptr);
    if (!status.ok()) return Failed(status);
  }
  if (*at >= end) return TransactionResult();
  // An open transaction stands in the way, or there is more to read. Whatever wakes the process meanwhile makes it look too:
  // would each look be followed by one of its own, there were ever more of them.
  if (replay_wakes_at_ <= cluster_.now()) {
    replay_wakes_at_ = cluster_.now() + kRetryNs;
    cluster_.WakeAt(replay_wakes_at_);
  }
  return Again();
}

void ClusterTransactions::Close() {
  // What is open is left as it is.
  Drop();
  reads_.clear();
}

}  // namespace weir
