#include "runtime/connector/kafka/transactions.h"

#include <algorithm>
#include <cstring>

#include "runtime/connector/kafka/reader.h"
#include "runtime/connector/kafka/request.h"
#include "runtime/core/hash.h"
#include "runtime/engine/start_policy.h"
#include "runtime/engine/topic_names.h"

namespace weir::kafka {
namespace {

constexpr size_t kRefusedMax = 10'000;
constexpr int64_t kTrimNsMax = 20'000'000'000;

uint64_t HashOf(int sink, Str key, Str value) {
  return HashCombine(HashCombine(Hash(key), Hash(value)), static_cast<uint64_t>(sink));
}

TransactionResult Failed(Status status) { return {TransactionOutcome::kFailed, std::move(status)}; }

TransactionResult NoProducer() {
  return {TransactionOutcome::kRestart, Status::Internal("there is no producer: Fence comes first")};
}

}  // namespace

void RefusedRecords::Add(int sink, Str key, Str value, std::string reason) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (reasons_.size() >= kRefusedMax) reasons_.clear();
  reasons_[HashOf(sink, key, value)] = std::move(reason);
  any_.store(true, std::memory_order_release);
}

std::string RefusedRecords::Find(int sink, Str key, Str value) {
  if (__builtin_expect(!any_.load(std::memory_order_acquire), 1)) return "";
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = reasons_.find(HashOf(sink, key, value));
  return found == reasons_.end() ? "" : found->second;
}

KafkaTransactions::KafkaTransactions(const Program* program, int worker, Clock* clock,
                                     std::shared_ptr<Connection> connection, std::weak_ptr<Reader> reader)
    : program_(program),
      sinks_(program->outputs_at_once ? 0 : program->sinks.size()),
      worker_(worker),
      clock_(clock),
      connection_(std::move(connection)),
      reader_(std::move(reader)),
      questions_(connection_.get()),
      replay_(connection_.get(), connection_->ClientId("replay-" + std::to_string(worker))) {}

KafkaTransactions::~KafkaTransactions() { Close(); }

InternalTopic KafkaTransactions::RekeyOf(const Rekey& rekey) const {
  InternalTopic topic;
  topic.topic = RekeyTopic(*program_, rekey.exchange);
  topic.stage = program_->steps[program_->exchanges[static_cast<size_t>(rekey.exchange)].step].name;
  topic.rekey = true;
  topic.partitions = rekey.partitions;
  return topic;
}

InternalTopic KafkaTransactions::ChangelogTopicOf(const Changelog& changelog) const {
  InternalTopic topic;
  topic.topic = ChangelogTopic(*program_, changelog.stage);
  topic.stage = program_->stages[static_cast<size_t>(changelog.stage)].name;
  topic.partitions = changelog.partitions;
  topic.grows = changelog.grows;
  return topic;
}

Status KafkaTransactions::Admin(int64_t wait_ns_max, Client** admin) {
  if (Status status = connection_->Admin(admin); !status.ok()) return status;
  // Its first answer from a broker comes behind what that broker says of its requests.
  if (IsMock(**admin, wait_ns_max)) return Status();
  return NewEnoughForTransactions(connection_->settings(), (*admin)->broker_versions(),
                                  program_->windows.empty() && program_->exchanges.empty());
}

InternalTopicRules KafkaTransactions::Rules() {
  return {connection_->options().create_topics, &commands_,
          [this](const std::string& message) { connection_->WarnOnce(message); }};
}

Status KafkaTransactions::LookAtTopics(std::vector<Rekey>* rekeys, const ChangelogsOf& changelogs, int64_t wait_ns_max,
                                       std::vector<OwnTopic>* out) {
  Client* admin = nullptr;
  if (Status status = Admin(wait_ns_max, &admin); !status.ok()) return status;
  auto look = [&](InternalTopic topic) {
    TopicLook found;
    Status status = LookAtInternalTopic(*admin, wait_ns_max, &topic, &found);
    OwnTopic own;
    own.topic = topic.topic;
    own.purpose = PurposeOf(topic);
    own.partitions = topic.partitions;
    own.there = found.partitions > 0;
    own.command = std::move(found.command);
    own.warning = std::move(found.warning);
    own.problem = status.message();
    // What the operator has to do before the start is wrong now.
    if (own.problem.empty() && !own.command.empty() && !connection_->options().create_topics) {
      own.problem = MissingTopics(connection_->settings(), {own.command}).message();
    }
    out->push_back(std::move(own));
    return topic.partitions;
  };
  for (Rekey& rekey : *rekeys) rekey.partitions = look(RekeyOf(rekey));
  for (const Changelog& changelog : changelogs(*rekeys)) look(ChangelogTopicOf(changelog));
  return Status();
}

Status KafkaTransactions::ChangelogExists(int stage, int64_t wait_ns_max, bool* exists) {
  *exists = false;
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  int32_t partitions = 0;
  Status status = PartitionCount(*admin, ChangelogTopic(*program_, stage), wait_ns_max, &partitions);
  *exists = status.ok();
  // Without the right to see it the broker does not say either. The offsets tell when state belongs to them.
  if (status.code() == StatusCode::kDenied && admin->refused_us()) return status;
  return status.code() == StatusCode::kNotFound || status.code() == StatusCode::kDenied ? Status() : status;
}

Status KafkaTransactions::OpenRekeys(std::vector<Rekey>* rekeys, int64_t wait_ns_max) {
  rekeys_.clear();
  commands_.clear();
  if (rekeys->empty()) return Status();
  Client* admin = nullptr;
  if (Status status = Admin(wait_ns_max, &admin); !status.ok()) return status;
  for (const Rekey& rekey : *rekeys) rekeys_.push_back(RekeyOf(rekey));
  if (Status status = OpenInternalTopics(*admin, wait_ns_max, Rules(), &rekeys_); !status.ok()) return status;
  trims_.resize(rekeys_.size());
  for (size_t i = 0; i < rekeys->size(); ++i) {
    (*rekeys)[i].partitions = rekeys_[i].partitions;
    connection_->Remember(rekeys_[i].topic, rekeys_[i].partitions);
  }
  return Status();
}

Status KafkaTransactions::Open(const std::vector<Changelog>& changelogs, int64_t wait_ns_max) {
  int64_t end = MonoNs() + wait_ns_max;
  auto left = [&] { return std::max<int64_t>(end - MonoNs(), 1'000'000); };
  Client* admin = nullptr;
  if (Status status = Admin(wait_ns_max, &admin); !status.ok()) return status;
  limits_.assign(sinks_, TopicLimits());
  batch_bytes_max_ = INT64_MAX;
  for (size_t i = 0; i < sinks_; ++i) {
    const SinkSpec& sink = program_->sinks[i];
    int32_t partitions = 0;
    bool known = false;
    Status status = connection_->Partitions(sink.address, left(), &partitions);
    if (status.ok()) status = ReadTopicLimits(*admin, sink.address, left(), &limits_[i], &known);
    if (!status.ok()) return status.Within("sink `" + sink.name + "`");
    batch_bytes_max_ = std::min(batch_bytes_max_, limits_[i].batch_bytes_max);
  }
  changelogs_.clear();
  changelog_of_.assign(program_->stages.size(), -1);
  for (const Changelog& changelog : changelogs) {
    changelog_of_[static_cast<size_t>(changelog.stage)] = static_cast<int>(changelogs_.size());
    changelogs_.push_back(ChangelogTopicOf(changelog));
  }
  if (Status status = OpenInternalTopics(*admin, left(), Rules(), &changelogs_); !status.ok()) return status;
  // All at once, those of re-keyed rows included: whoever makes them is asked once.
  if (!commands_.empty()) return MissingTopics(connection_->settings(), commands_);
  for (const InternalTopic& changelog : changelogs_) {
    batch_bytes_max_ = std::min(batch_bytes_max_, changelog.batch_bytes_max);
  }
  for (const InternalTopic& rekey : rekeys_) batch_bytes_max_ = std::min(batch_bytes_max_, rekey.batch_bytes_max);
  return Status();
}

GroupToken KafkaTransactions::Group() {
  std::shared_ptr<Reader> reader = reader_.lock();
  return reader ? reader->Group() : GroupToken();
}

void KafkaTransactions::Check(int sink, const OutputBuffer& outputs, std::vector<Sink::Refused>* refused) {
  const std::string& topic = program_->sinks[static_cast<size_t>(sink)].address;
  const TopicLimits& limits = limits_[static_cast<size_t>(sink)];
  const char* bytes = outputs.bytes.data();
  for (uint32_t i = 0; i < outputs.records.size(); ++i) {
    const OutputRecord& record = outputs.records[i];
    std::string why = WhyNot(topic, limits, outputs, record);
    if (why.empty()) {
      why = refused_.Find(sink, Str(bytes + record.key_begin, record.key_size),
                          Str(bytes + record.value_begin, record.value_size));
    }
    if (__builtin_expect(!why.empty(), 0)) refused->push_back({i, std::move(why)});
  }
}

uint32_t KafkaTransactions::LineOf(const std::string& step) const {
  for (const StepInfo& info : program_->steps) {
    if (info.name == step) return info.line;
  }
  return 0;
}

Status KafkaTransactions::MakeProducer() {
  const Settings& settings = connection_->settings();
  TransactionalProducer::Options options;
  options.transactional_id = "weir-" + program_->name + "-" +
                             (settings.group == program_->name ? "" : settings.group + "-") + connection_->Identity() +
                             "-" + std::to_string(worker_);
  options.client_id = connection_->ClientId("write-" + std::to_string(worker_));
  options.batch_size = BatchSize(settings, batch_bytes_max_);
  options.log = connection_->options().log;
  options.refused = [this](size_t target, const rd_kafka_message_t* message) {
    if (target >= sinks_) return;
    refused_.Add(static_cast<int>(target), Str(static_cast<const char*>(message->key), message->key_len),
                 Str(static_cast<const char*>(message->payload), message->len),
                 std::string("topic `") + rd_kafka_topic_name(message->rkt) + "`: " + rd_kafka_err2str(message->err));
  };
  std::unique_ptr<TransactionalProducer> producer;
  if (Status status = TransactionalProducer::Make(settings, std::move(options), &producer); !status.ok()) return status;
  for (size_t i = 0; i < sinks_; ++i) {
    const SinkSpec& sink = program_->sinks[i];
    Status status = producer->AddTarget(sink.address, "sink `" + sink.name + "`, topic `" + sink.address + "`",
                                         program_->steps[sink.step].line, false);
    if (!status.ok()) return status;
  }
  for (const InternalTopic& rekey : rekeys_) {
    Status status = producer->AddTarget(rekey.topic, "rows of `" + rekey.stage + "`, topic `" + rekey.topic + "`",
                                         LineOf(rekey.stage), false);
    if (!status.ok()) return status;
  }
  for (const InternalTopic& changelog : changelogs_) {
    Status status = producer->AddTarget(changelog.topic, "changelog of `" + changelog.stage + "`, topic `" +
                                                             changelog.topic + "`", LineOf(changelog.stage), true);
    if (!status.ok()) return status;
  }
  producer_ = std::move(producer);
  return Status();
}

TransactionResult KafkaTransactions::Fence() {
  std::erase_if(leaving_, [](const auto& producer) { return !producer->Busy(); });
  if (!producer_) {
    if (Status status = MakeProducer(); !status.ok()) return Failed(std::move(status));
  }
  return producer_->Init();
}

void KafkaTransactions::Drop() {
  std::erase_if(leaving_, [](const auto& producer) { return !producer->Busy(); });
  if (producer_ && producer_->Busy()) leaving_.push_back(std::move(producer_));
  producer_.reset();
}

TransactionResult KafkaTransactions::Begin() {
  if (!producer_) return NoProducer();
  replay_.Close();  // recovery is over
  write_at_ = 0;
  return producer_->Begin();
}

TransactionResult KafkaTransactions::Write(int sink, const OutputBuffer& outputs) {
  if (!producer_) return NoProducer();
  RecordMaker maker(outputs, limits_[static_cast<size_t>(sink)], clock_);
  for (; write_at_ < outputs.records.size(); ++write_at_) {
    TransactionResult result = producer_->Send(static_cast<size_t>(sink), -1, maker.Make(outputs.records[write_at_]));
    if (!result.ok()) return result;
  }
  write_at_ = 0;
  producer_->Poll();
  return {};
}

TransactionResult KafkaTransactions::WriteChange(int stage, int32_t partition, Str key, const Str* value) {
  if (!producer_) return NoProducer();
  int index = ChangelogOf(stage);
  if (index < 0) return Failed(Status::Internal("stage " + std::to_string(stage) + " has no changelog"));
  const InternalTopic& changelog = changelogs_[static_cast<size_t>(index)];
  Record record;
  record.key = key;
  record.has_key = true;
  record.has_value = value != nullptr;
  if (value) record.value = *value;
  if (!FitsBatch(record, changelog.batch_bytes_max)) {
    return Failed(Status::Limit("a change of the state of `" + changelog.stage + "` has " +
                                std::to_string(record.key.size + record.value.size) + " bytes, and topic `" +
                                changelog.topic + "` takes " + std::to_string(changelog.batch_bytes_max) +
                                ": raise its max.message.bytes"));
  }
  return producer_->Send(TargetOf(static_cast<size_t>(index)), partition, record);
}

TransactionResult KafkaTransactions::WriteRow(int exchange, int32_t partition, Str value) {
  if (!producer_) return NoProducer();
  const InternalTopic& rekey = rekeys_[static_cast<size_t>(exchange)];
  Record record;
  record.has_value = true;
  record.value = value;
  if (!FitsBatch(record, rekey.batch_bytes_max)) {
    return Failed(Status::Limit("a row of `" + rekey.stage + "` has " + std::to_string(value.size) + " bytes, and topic `" +
                                rekey.topic + "` takes " + std::to_string(rekey.batch_bytes_max) +
                                ": raise its max.message.bytes"));
  }
  return producer_->Send(sinks_ + static_cast<size_t>(exchange), partition, record);
}

void KafkaTransactions::TrimRekeyed(int exchange, const std::vector<std::pair<int32_t, int64_t>>& before) {
  Client* admin = nullptr;
  if (before.empty() || !connection_->Admin(&admin).ok()) return;
  std::unique_ptr<Request>& trim = trims_[static_cast<size_t>(exchange)];
  if (trim != nullptr) {
    if (!trim->Poll(0)) return;  // the last one is still under way; what is not deleted now is deleted next time
    Status status = trim->Result("deleting what was read of topic `" + rekeys_[static_cast<size_t>(exchange)].topic + "`");
    if (!status.ok() && !trim_failed_ && connection_->options().log != nullptr) {
      connection_->options().log->Write(LogLevel::kWarning, connection_->settings().line,
                                        status.message() + "; until it succeeds the topic grows: give this client DELETE on it");
    }
    trim_failed_ = !status.ok();
  }
  PartitionList list = NewPartitionList(static_cast<int>(before.size()));
  for (const auto& [partition, offset] : before) {
    rd_kafka_topic_partition_list_add(list.get(), rekeys_[static_cast<size_t>(exchange)].topic.c_str(), partition)->offset = offset;
  }
  std::unique_ptr<rd_kafka_DeleteRecords_t, Free<rd_kafka_DeleteRecords_destroy>> records(rd_kafka_DeleteRecords_new(list.get()));
  rd_kafka_DeleteRecords_t* bare = records.get();
  trim = std::make_unique<Request>(*admin, RD_KAFKA_ADMIN_OP_DELETERECORDS, kTrimNsMax);
  rd_kafka_DeleteRecords(admin->get(), &bare, 1, trim->options(), trim->queue());
}

TransactionResult KafkaTransactions::Flush() { return producer_ ? producer_->Flush() : NoProducer(); }

int64_t KafkaTransactions::ChangesEnd(int stage, int32_t partition) {
  int index = ChangelogOf(stage);
  return producer_ && index >= 0 ? producer_->End(TargetOf(static_cast<size_t>(index)), partition) : -1;
}

Transactions::ChangelogFacts KafkaTransactions::Facts(int stage) {
  int index = ChangelogOf(stage);
  if (index < 0) return {};
  const InternalTopic& changelog = changelogs_[static_cast<size_t>(index)];
  return {changelog.id, changelog.removals_kept_ms};
}

TransactionResult KafkaTransactions::SendOffsets(const std::vector<SourceOffset>& offsets, const GroupToken& group) {
  if (!producer_) return NoProducer();
  PartitionList list = NewPartitionList(static_cast<int>(offsets.size()));
  for (const SourceOffset& o : offsets) {
    if (o.offset < 0) continue;
    rd_kafka_topic_partition_t* entry =
        rd_kafka_topic_partition_list_add(list.get(), SourceTopic(o.source).c_str(), o.partition);
    entry->offset = o.offset;
    rd_kafka_topic_partition_set_leader_epoch(entry, connection_->KnownLeaderEpoch(SourceTopic(o.source), o.partition));
    auto note = notes_.find(o.source);
    if (note == notes_.end()) continue;
    note->second.state = o.state;
    std::string text = ToText(note->second);
    entry->metadata = strdup(text.c_str());  // the list frees it
    entry->metadata_size = text.size();
  }
  TransactionResult result = producer_->SendOffsets(list, group);
  if (result.status.code() != StatusCode::kDenied) return result;
  for (const SourceOffset& o : offsets) {
    const SourceSpec& source = program_->sources[static_cast<size_t>(o.source)];
    // "… orders((null))[0](Broker: Topic authorization failed) …"
    if (result.status.message().find(" " + source.address + "(") == std::string::npos) continue;
    result.line = program_->steps[source.step].line;
    result.status = result.status.Within("source `" + source.name + "`, topic `" + source.address + "`");
    break;
  }
  return result;
}

int64_t KafkaTransactions::open_ns_max() const { return int64_t{TransactionTimeoutMs(connection_->settings())} * 1'000'000; }

TransactionResult KafkaTransactions::Commit() { return producer_ ? producer_->Commit() : NoProducer(); }

TransactionResult KafkaTransactions::Abort() { return producer_ ? producer_->Abort() : TransactionResult(); }

TransactionResult KafkaTransactions::Committed(int source, std::vector<int64_t>* offsets,
                                               std::vector<OffsetState>* states, int32_t* then) {
  OffsetNote note;
  const bool own = program_->sources[static_cast<size_t>(source)].exchange >= 0;
  TransactionResult result = questions_.Committed(SourceTopic(source), own, offsets, &starts_[source], states, &note);
  if (!result.ok()) return result;
  *then = note.partitions;
  if (note.partitions == 0) note.partitions = static_cast<int32_t>(offsets->size());
  notes_[source] = std::move(note);
  return result;
}

TransactionResult KafkaTransactions::StartOf(int source, int32_t partition, bool later, int64_t* offset) {
  const std::vector<int64_t>& starts = starts_[source];
  if (static_cast<size_t>(partition) < starts.size() && starts[static_cast<size_t>(partition)] >= 0) {
    *offset = starts[static_cast<size_t>(partition)];
    return {};
  }
  StartPolicy policy;
  if (later && !StartPolicyOf(program_->sources[static_cast<size_t>(source)], &policy)) {
    return Failed(Status::Internal("a source begins nowhere"));  // looked at when it was made
  }
  if (policy.kind == StartPolicy::kTime) return questions_.TimeOf(SourceTopic(source), partition, policy.time_ns, offset);
  bool latest = policy.kind == StartPolicy::kLatest;
  return questions_.EdgeOf(SourceTopic(source), partition, latest ? Edge::kEnd : Edge::kBegin,
                           Isolation::kReadCommitted, offset);
}

TransactionResult KafkaTransactions::ChangelogEnd(int stage, int32_t partition, Isolation isolation, int64_t* end) {
  int index = ChangelogOf(stage);
  if (index < 0) return Failed(Status::Internal("stage " + std::to_string(stage) + " has no changelog"));
  return questions_.EdgeOf(changelogs_[static_cast<size_t>(index)].topic, partition, Edge::kEnd, isolation, end);
}

TransactionResult KafkaTransactions::Replay(int stage, int32_t partition, int64_t end, int64_t* at,
                                            const Change& change) {
  int index = ChangelogOf(stage);
  if (index < 0) return Failed(Status::Internal("stage " + std::to_string(stage) + " has no changelog"));
  TransactionResult result =
      replay_.Read(changelogs_[static_cast<size_t>(index)].topic, partition, end, at, [&](Str key, const Str* value) {
        return key.empty() ? Status() : change(key, value);  // none of ours: a compacted topic takes no such record
      });
  if (result.outcome == TransactionOutcome::kFailed) result.status = result.status.Within("reading state back from its changelog");
  return result;
}

void KafkaTransactions::Close() {
  replay_.Close();
  questions_.Clear();
  trims_.clear();
  TransactionalProducer::GiveUp(std::move(producer_));
  for (auto& producer : leaving_) TransactionalProducer::GiveUp(std::move(producer));
  leaving_.clear();
}

const std::string& KafkaTransactions::SourceTopic(int source) const {
  return program_->sources[static_cast<size_t>(source)].address;
}

int KafkaTransactions::ChangelogOf(int stage) const {
  size_t s = static_cast<size_t>(stage);
  return s < changelog_of_.size() ? changelog_of_[s] : -1;
}

}  // namespace weir::kafka
