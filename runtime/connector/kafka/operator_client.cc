#include "runtime/connector/kafka/operator_client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/internal_topics.h"
#include "runtime/connector/kafka/questions.h"
#include "runtime/connector/kafka/rd_fetcher.h"
#include "runtime/connector/kafka/request.h"
#include "runtime/connector/kafka/sink_record.h"
#include "runtime/connector/kafka/topic_access.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/connector/kafka/transactional_producer.h"
#include "runtime/core/hash.h"
#include "runtime/core/time.h"

namespace weir::kafka {
namespace {

constexpr int64_t kWaitNs = 30 * kNsPerSecond;
constexpr int64_t kLookAgainNs = 100 * kNsPerMs;
constexpr int64_t kFetchAheadBytes = 8 << 20;

void Sleep(int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

using AlterOffsets = std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, Free<rd_kafka_AlterConsumerGroupOffsets_destroy>>;
using DeleteOffsets =
    std::unique_ptr<rd_kafka_DeleteConsumerGroupOffsets_t, Free<rd_kafka_DeleteConsumerGroupOffsets_destroy>>;
using DeletedTopic = std::unique_ptr<rd_kafka_DeleteTopic_t, Free<rd_kafka_DeleteTopic_destroy>>;

PartitionList ListOf(const std::vector<OperatorClient::Move>& moves) {
  PartitionList list = NewPartitionList(static_cast<int>(moves.size()));
  for (const OperatorClient::Move& move : moves) {
    rd_kafka_topic_partition_t* entry = rd_kafka_topic_partition_list_add(list.get(), move.topic.c_str(), move.partition);
    entry->offset = move.to.offset;
    const std::string text = move.to.start ? kStartText : WithoutTopic(move.to.metadata);
    if (text.empty()) continue;
    entry->metadata = strdup(text.c_str());  // the list frees it
    entry->metadata_size = text.size();
  }
  return list;
}

// The answer to a change of a group's offsets, which has an error for the group and one for each partition.
Status GroupResult(Client& client, const std::string& what, const rd_kafka_group_result_t** groups, size_t n,
                   bool missing_is_fine) {
  if (n != 1) return Status::Unavailable(what + ": the broker did not say");
  rd_kafka_resp_err_t code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
  const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(groups[0]);
  auto fine = [&](rd_kafka_resp_err_t c) {
    bool missing = c == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND || c == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    return !c || (missing_is_fine && missing);
  };
  for (int i = 0; fine(code) && list && i < list->cnt; ++i) code = list->elems[i].err;
  if (fine(code)) return Status();
  if (code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
      code == RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC) {
    return Status::Exists(what + ": a copy of the pipeline has joined the group meanwhile; stop it and try again");
  }
  return client.ToStatus(code, what);
}

// Repeats a call until it is over.
template <class Call>
TransactionResult Until(int64_t wait_ns, Call&& call) {
  int64_t end = MonoNs() + wait_ns;
  while (true) {
    TransactionResult result = call();
    if (result.outcome != TransactionOutcome::kAgain || MonoNs() > end) return result;
  }
}

}  // namespace

struct OperatorClient::Target {
  std::string topic;
  TopicLimits limits;
};

OperatorClient::~OperatorClient() { TransactionalProducer::GiveUp(std::move(producer_)); }

Status OperatorClient::Make(const ConnectionSpec& connection, const Properties& settings, const std::string& group,
                            const std::string& pipeline, Log* log, Clock* clock, std::unique_ptr<OperatorClient>* out) {
  Settings read;
  if (Status status = ReadSettings(connection, settings, group, pipeline, &read); !status.ok()) return status;
  std::unique_ptr<OperatorClient> client(new OperatorClient);
  Connection::Options options;
  options.pipeline = pipeline;
  options.log = log;
  client->connection_ = std::make_shared<Connection>(std::move(read), options);
  client->pipeline_ = pipeline;
  client->log_ = log;
  client->clock_ = clock;
  *out = std::move(client);
  return Status();
}

const std::string& OperatorClient::group() const { return connection_->settings().group; }
const std::string& OperatorClient::brokers() const { return connection_->settings().brokers; }

// ---- Topics ----------------------------------------------------------------------------------------------------------

Status OperatorClient::Partitions(const std::string& topic, int32_t* count) {
  return connection_->FreshPartitions(topic, kWaitNs, count);
}

std::unique_ptr<TopicAccess> OperatorClient::Topics() const { return std::make_unique<KafkaTopicAccess>(connection_, kWaitNs); }

Status OperatorClient::Ranges(const std::string& topic, std::vector<OffsetRange>* ranges) {
  Client* admin = nullptr;
  int32_t count = 0;
  if (Status status = Partitions(topic, &count); !status.ok()) return status;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::string what = "asking where topic `" + topic + "` begins";
  Request request(*admin, RD_KAFKA_ADMIN_OP_LISTOFFSETS, kWaitNs);
  AskEdges(*admin, request, topic, 0, count, Edge::kBegin, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED);
  std::vector<int64_t> begins, ends;
  if (Status status = request.Wait(what); !status.ok()) return status;
  if (Status status = EdgesOf(*admin, request, what, 0, count, &begins); !status.ok()) return status;
  if (Status status = TopicEnds(*admin, topic, count, kWaitNs, &ends); !status.ok()) return status;
  ranges->clear();
  for (size_t p = 0; p < begins.size(); ++p) ranges->push_back({begins[p], std::max(begins[p], ends[p])});
  return Status();
}

Status OperatorClient::Times(const std::string& topic, int64_t time_ns, std::vector<int64_t>* offsets) {
  Client* admin = nullptr;
  int32_t count = 0;
  if (Status status = Partitions(topic, &count); !status.ok()) return status;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  return TopicTimes(*admin, topic, count, time_ns, kWaitNs, offsets);
}

Status OperatorClient::SettledEnd(const std::string& topic, int32_t partition, int64_t* end) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::string what = "asking where topic `" + topic + "` ends";
  int64_t until = MonoNs() + int64_t{TransactionTimeoutMs(connection_->settings())} * kNsPerMs + kWaitNs;
  while (true) {
    int64_t ends[2];
    const rd_kafka_IsolationLevel_t levels[2] = {RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED,
                                                 RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED};
    for (int i = 0; i < 2; ++i) {
      Request request(*admin, RD_KAFKA_ADMIN_OP_LISTOFFSETS, kWaitNs);
      AskEdges(*admin, request, topic, partition, 1, Edge::kEnd, levels[i]);
      std::vector<int64_t> offsets;
      if (Status status = request.Wait(what); !status.ok()) return status;
      if (Status status = EdgesOf(*admin, request, what, partition, 1, &offsets); !status.ok()) return status;
      ends[i] = offsets[0];
    }
    *end = ends[1];
    if (ends[1] >= ends[0]) return Status();
    if (MonoNs() > until) {
      return Status::Unavailable("topic `" + topic + "`, partition " + std::to_string(partition) +
                                 ": a transaction is open at offset " + std::to_string(ends[1]) + " and does not end");
    }
    Sleep(kLookAgainNs);
  }
}

Status OperatorClient::Read(const std::string& topic, int32_t partition, OffsetRange range, const Visitor& visitor) {
  if (range.begin >= range.end) return Status();
  // Rung from librdkafka's threads when records have come.
  struct Bell {
    std::mutex mutex;
    std::condition_variable condition;
    bool rung = false;
  };
  auto bell = std::make_shared<Bell>();
  std::unique_ptr<Fetcher> fetcher;
  Settings settings = connection_->settings();
  settings.properties.push_back({"fetch.wait.max.ms", "10"});
  Status status = MakeRdFetcher(settings, connection_->ClientId("operator"), log_, kFetchAheadBytes,
                                [bell] {
                                  std::lock_guard<std::mutex> lock(bell->mutex);
                                  bell->rung = true;
                                  bell->condition.notify_one();
                                },
                                &fetcher);
  if (!status.ok()) return status;
  fetcher->Warm(topic, kWaitNs);
  std::vector<std::unique_ptr<Feed>> feeds;
  status = fetcher->StartFeeds(topic, {{partition, range.begin}}, &feeds);
  int64_t at = range.begin, moved_ns = MonoNs();
  bool stop = false;
  while (status.ok() && !stop && at < range.end) {
    fetcher->Serve();
    std::unique_ptr<Batch> batch;
    status = feeds[0]->Take(&batch);
    const int64_t before = at;
    for (uint32_t i = 0; status.ok() && batch && i < batch->size && !stop; ++i) {
      const Message& message = batch->messages[i];
      if (message.offset >= range.end) {
        at = range.end;
        break;
      }
      status = visitor(message, &stop);
      at = message.next_offset;
    }
    // Behind the last record there may be markers and what was aborted: the end-of-partition event tells.
    if (!batch) at = std::max(at, feeds[0]->Tell().position);
    if (at != before) moved_ns = MonoNs();
    if (status.ok() && MonoNs() - moved_ns > kWaitNs) {
      Client* admin = nullptr;
      status = connection_->Admin(&admin);
      if (status.ok()) {
        status = admin->Unreachable().Within("reading topic `" + topic + "`, partition " + std::to_string(partition) +
                                             ", offset " + std::to_string(at));
      }
    }
    if (batch || at >= range.end) continue;
    std::unique_lock<std::mutex> lock(bell->mutex);
    bell->condition.wait_for(lock, std::chrono::nanoseconds(kLookAgainNs), [&] { return bell->rung; });
    bell->rung = false;
  }
  fetcher->Stop(std::move(feeds));
  return status;
}

Status OperatorClient::DeleteTopics(const std::vector<std::string>& topics) {
  if (topics.empty()) return Status();
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::vector<DeletedTopic> deleted;
  std::vector<rd_kafka_DeleteTopic_t*> bare;
  for (const std::string& topic : topics) {
    deleted.emplace_back(rd_kafka_DeleteTopic_new(topic.c_str()));
    bare.push_back(deleted.back().get());
  }
  Request request(*admin, RD_KAFKA_ADMIN_OP_DELETETOPICS, kWaitNs);
  rd_kafka_DeleteTopics(admin->get(), bare.data(), bare.size(), request.options(), request.queue());
  if (Status status = request.Wait("deleting the pipeline's own topics"); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(request.event()), &n);
  for (size_t i = 0; i < n; ++i) {
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (!code || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    return admin->ToStatus(code, std::string("deleting topic `") + rd_kafka_topic_result_name(results[i]) +
                                     "`, which needs DELETE on it");
  }
  return Status();
}

Status OperatorClient::OpenNotes(const std::string& topic, bool create) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  InternalTopic notes;
  notes.topic = topic;
  notes.stage = "replayed dead letters";
  notes.partitions = 1;
  std::vector<InternalTopic> topics = {notes};
  std::vector<std::string> commands;
  InternalTopicRules rules{create, &commands, [this](const std::string& message) { connection_->WarnOnce(message); }};
  Status status = OpenInternalTopics(*admin, kWaitNs, rules, &topics);
  return !status.ok() || commands.empty() ? status : MissingTopics(connection_->settings(), commands);
}

// ---- Group -----------------------------------------------------------------------------------------------------------

Status OperatorClient::Members(std::vector<std::string>* members) {
  members->clear();
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::vector<GroupMember> found;
  Status status = GroupMembers(*admin, group(), kWaitNs, &found);
  if (status.code() == StatusCode::kNotFound) return Status();
  for (const GroupMember& member : found) members->push_back("client " + member.client_id + " at " + member.host);
  return status;
}

int64_t OperatorClient::session_timeout_ns() const {
  const std::string* set = connection_->settings().Find("session.timeout.ms");
  return (set ? std::max(0l, std::atol(set->c_str())) : 45'000) * kNsPerMs;
}

Status OperatorClient::Committed(const std::string& topic, std::vector<GroupOffset>* offsets) {
  Client* admin = nullptr;
  int32_t count = 0;
  if (Status status = Partitions(topic, &count); !status.ok()) return status;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::string what = "reading the offsets of group `" + group() + "` for topic `" + topic + "`";
  int64_t until = MonoNs() + int64_t{TransactionTimeoutMs(connection_->settings())} * kNsPerMs + kWaitNs;
  while (true) {
    Request request(*admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, kWaitNs);
    AskGroupOffsets(*admin, request, topic, count);
    if (Status status = request.Wait(what); !request.event()) return status;
    bool unstable = false;
    Status status = GroupOffsetsOf(*admin, request, what, count, &unstable, offsets);
    if (!unstable) return status;
    if (MonoNs() > until) return Status::Unavailable(what + ": a transaction holds some of them and does not end");
    Sleep(kLookAgainNs);
  }
}

Status OperatorClient::Commit(const std::vector<Move>& moves) {
  if (moves.empty()) return Status();
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::string what = "setting the offsets of group `" + group() + "`";
  PartitionList list = ListOf(moves);
  AlterOffsets alter(rd_kafka_AlterConsumerGroupOffsets_new(group().c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* bare = alter.get();
  Request request(*admin, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, kWaitNs);
  rd_kafka_AlterConsumerGroupOffsets(admin->get(), &bare, 1, request.options(), request.queue());
  if (Status status = request.Wait(what); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_group_result_t** groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(request.event()), &n);
  return GroupResult(*admin, what, groups, n, false);
}

Status OperatorClient::Forget(const std::vector<Move>& offsets) {
  if (offsets.empty()) return Status();
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  std::string what = "deleting offsets of group `" + group() + "`";
  PartitionList list = ListOf(offsets);
  DeleteOffsets gone(rd_kafka_DeleteConsumerGroupOffsets_new(group().c_str(), list.get()));
  rd_kafka_DeleteConsumerGroupOffsets_t* bare = gone.get();
  Request request(*admin, RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, kWaitNs);
  rd_kafka_DeleteConsumerGroupOffsets(admin->get(), &bare, 1, request.options(), request.queue());
  if (Status status = request.Wait(what); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_group_result_t** groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
      rd_kafka_event_DeleteConsumerGroupOffsets_result(request.event()), &n);
  return GroupResult(*admin, what, groups, n, true);
}

// ---- Transactions ----------------------------------------------------------------------------------------------------

Status OperatorClient::Fence(const std::string& purpose, const std::vector<std::string>& topics) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  TransactionalProducer::GiveUp(std::move(producer_));
  targets_.clear();
  int64_t batch_bytes_max = INT64_MAX;
  for (const std::string& topic : topics) {
    Target target;
    target.topic = topic;
    bool known = false;
    int32_t count = 0;
    if (Status status = Partitions(topic, &count); !status.ok()) return status;
    if (Status status = ReadTopicLimits(*admin, topic, kWaitNs, &target.limits, &known); !status.ok()) return status;
    batch_bytes_max = std::min(batch_bytes_max, target.limits.batch_bytes_max);
    targets_.push_back(std::move(target));
  }
  TransactionalProducer::Options options;
  options.transactional_id = "weir-" + pipeline_ + "-" + (group() == pipeline_ ? "" : group() + "-") + purpose;
  options.client_id = connection_->ClientId(purpose);
  options.batch_size = BatchSize(connection_->settings(), batch_bytes_max);
  options.log = log_;
  options.refused = [this](size_t target, const rd_kafka_message_t* message) {
    refused_ = "topic `" + (target < targets_.size() ? targets_[target].topic : "") + "` refused a record of " +
               std::to_string(message->len) + " bytes: " + rd_kafka_err2str(message->err);
  };
  if (Status status = TransactionalProducer::Make(connection_->settings(), std::move(options), &producer_); !status.ok()) {
    return status;
  }
  for (const Target& target : targets_) {
    Status status = producer_->AddTarget(target.topic, "topic `" + target.topic + "`", 0, false);
    if (!status.ok()) return status;
  }
  return Until(kWaitNs, [&] { return producer_->Init(); }).status;
}

Status OperatorClient::Begin() {
  refused_.clear();
  return Until(kWaitNs, [&] { return producer_->Begin(); }).status;
}

Status OperatorClient::Send(size_t topic, int32_t partition, const OutputBuffer& outputs, const OutputRecord& record) {
  const Target& target = targets_[topic];
  std::string why = WhyNot(target.topic, target.limits, outputs, record);
  if (!why.empty()) return Status::Limit(why);
  RecordMaker maker(outputs, target.limits, clock_);
  Status status = producer_->Send(topic, partition, maker.Make(record)).status;
  producer_->Poll();
  return status;
}

Status OperatorClient::SendOffsets(const std::vector<Move>& moves) {
  PartitionList list = ListOf(moves);
  // In the name of nobody: the broker takes it for a group without members.
  GroupMetadata nobody(rd_kafka_consumer_group_metadata_new(group().c_str()));
  GroupToken token;
  void* bytes = nullptr;
  size_t size = 0;
  Error error(rd_kafka_consumer_group_metadata_write(nobody.get(), &bytes, &size));
  if (error) return Status::Internal(std::string("writing a group's metadata: ") + rd_kafka_error_string(error.get()));
  token.bytes.assign(static_cast<const char*>(bytes), size);
  rd_kafka_mem_free(nullptr, bytes);
  token.generation = 0;  // what counts is in the bytes
  token.member = "none";
  // Every record is there first: sending offsets while partitions are being added is slow.
  TransactionResult flushed = Until(kWaitNs, [&] { return producer_->Flush(); });
  if (!flushed.ok()) return refused_.empty() ? flushed.status : Status::Limit(refused_);
  return Until(kWaitNs, [&] { return producer_->SendOffsets(list, token); }).status;
}

Status OperatorClient::EndTransaction() {
  TransactionResult result = Until(kWaitNs, [&] { return producer_->Flush(); });
  if (!result.ok()) return refused_.empty() ? result.status : Status::Limit(refused_);
  result = Until(2 * kWaitNs, [&] { return producer_->Commit(); });
  if (result.ok() || result.outcome == TransactionOutcome::kAbort || result.outcome == TransactionOutcome::kFailed ||
      result.status.code() == StatusCode::kExists) {
    return result.status;
  }
  return Status(StatusCode::kTimeout, "nobody can say whether the transaction was committed: " + result.status.message());
}

Status OperatorClient::GiveUp(Status why) {
  if (!producer_ || why.code() == StatusCode::kTimeout) return why;
  TransactionResult aborted = Until(kWaitNs, [&] { return producer_->Abort(); });
  return aborted.status.code() == StatusCode::kExists ? aborted.status : why;
}

int32_t OperatorClient::PartitionOf(Str key, int32_t partitions) { return KafkaPartition(key, partitions); }

}  // namespace weir::kafka
