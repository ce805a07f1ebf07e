#include "runtime/connector/kafka/transactional_producer.h"

#include <algorithm>
#include <chrono>

namespace weir::kafka {
namespace {

constexpr int kWaitMs = 200;
// A call that librdkafka refuses at once for a passing reason is not repeated faster than this.
constexpr int kPauseMs = 20;
// Starting takes as long as the broker is away, and a new producer costs little.
constexpr int64_t kInitNsMax = 60'000'000'000;
// The broker aborts a transaction when its time is over. What librdkafka has not brought to its end after this many of
// them hangs: it has states in which a call waits for an answer that nobody will give.
constexpr int64_t kTransactionTimes = 3;
constexpr auto kGiveUpWaitMax = std::chrono::seconds(1);

// Requests that change something at the broker within a transaction.
constexpr int16_t kProduce = 0;
constexpr int16_t kAddPartitions = 24;
constexpr int16_t kAddOffsets = 25;
constexpr int16_t kEndTxn = 26;
constexpr int16_t kCommitOffsets = 28;

bool ChangesTransaction(int16_t api_key) {
  return api_key == kProduce || api_key == kAddPartitions || api_key == kAddOffsets || api_key == kEndTxn ||
         api_key == kCommitOffsets;
}

TransactionResult NotYet(const std::string& what) {
  return {TransactionOutcome::kAgain, Status::Unavailable(what + ": not done yet")};
}

// Trying again, with this producer or another, does not help.
bool IsForGood(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status TransactionalProducer::Make(const Settings& settings, Options options,
                                   std::unique_ptr<TransactionalProducer>* out) {
  std::unique_ptr<TransactionalProducer> producer(new TransactionalProducer(std::move(options)));
  const Options& own = producer->options_;
  Client::Options client;
  client.client_id = own.client_id;
  client.log = own.log;
  client.owner = producer.get();
  client.delivery = OnDelivered;
  client.response = OnResponse;
  client.more.push_back({"transactional.id", own.transactional_id});
  client.more.push_back({"batch.size", own.batch_size});
  // How large a single record may be is checked against each topic before it is sent.
  if (!settings.Find("message.max.bytes")) client.more.push_back({"message.max.bytes", "1000000000"});
  if (Status status = Client::Make(settings, Role::kTransact, client, &producer->client_); !status.ok()) return status;
  producer->thread_ = std::thread([self = producer.get()] { self->RunOffsets(); });
  *out = std::move(producer);
  return Status();
}

TransactionalProducer::~TransactionalProducer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  if (!client_) return;
  closing_ = true;
  rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(client_->get(), 0);
  targets_.clear();
}

void TransactionalProducer::GiveUp(std::unique_ptr<TransactionalProducer> producer) {
  if (!producer) return;
  std::unique_lock<std::mutex> lock(producer->mutex_);
  auto returned = [&] { return producer->call_.state != OffsetsCall::kAsked; };
  if (producer->changed_.wait_for(lock, kGiveUpWaitMax, returned)) {
    lock.unlock();
    producer.reset();
    return;
  }
  producer->stop_ = true;
  lock.unlock();
  producer->thread_.detach();
  producer->client_->Silence();
  producer.release();
}

Status TransactionalProducer::AddTarget(const std::string& topic, const std::string& name, uint32_t line, bool tracked) {
  auto target = std::make_unique<Target>();
  target->name = name;
  target->line = line;
  target->number = targets_.size();
  target->tracked = tracked;
  rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(client_->get());
  rd_kafka_topic_conf_set_opaque(conf, target.get());
  target->topic.reset(rd_kafka_topic_new(client_->get(), topic.c_str(), conf));
  if (!target->topic) return Status::Invalid(name + ": " + rd_kafka_err2str(rd_kafka_last_error()));
  targets_.push_back(std::move(target));
  return Status();
}

TransactionResult TransactionalProducer::Init() {
  if (ready_) return {};
  if (give_up_ns_ == 0) give_up_ns_ = MonoNs() + kInitNsMax;
  Error error(rd_kafka_init_transactions(client_->get(), kWaitMs));
  TransactionResult result = ToResult(error.get(), "starting transactions as `" + options_.transactional_id + "`");
  ready_ = result.ok();
  // While the broker is away, librdkafka says no more than that it waits.
  if (result.outcome == TransactionOutcome::kAgain && error &&
      rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    result.status = client_->Unreachable();
  }
  return Bounded(std::move(result));
}

TransactionResult TransactionalProducer::Begin() {
  Error error(rd_kafka_begin_transaction(client_->get()));
  TransactionResult result = ToResult(error.get(), "beginning a transaction");
  if (result.ok()) {
    in_transaction_ = true;
    give_up_ns_ = MonoNs() + kTransactionTimes * TransactionTimeoutMs(client_->settings()) * 1'000'000ll;
    for (auto& target : targets_) target->ends.clear();
    undelivered_ = false;
    delivery_ = {};
  }
  return result;
}

TransactionResult TransactionalProducer::Send(size_t target, int32_t partition, const Record& record) {
  Target& to = *targets_[target];
  while (true) {
    Error error = Produce(client_->get(), to.topic.get(), partition, record, nullptr);
    if (!error) return {};
    rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      // Records in the queue are delivered or time out: there is room soon.
      rd_kafka_poll(client_->get(), kPauseMs);
      continue;
    }
    if (record.headers) rd_kafka_headers_destroy(record.headers);
    std::string what = "writing to " + to.name;
    if (IsForGood(code)) return ForGood(code, what, rd_kafka_error_string(error.get()), &to);
    return Cause(what + ": " + rd_kafka_error_string(error.get()));
  }
}

void TransactionalProducer::Poll() { rd_kafka_poll(client_->get(), 0); }

TransactionResult TransactionalProducer::Flush() {
  rd_kafka_resp_err_t code = rd_kafka_flush(client_->get(), undelivered_ ? 0 : kWaitMs);
  if (undelivered_) {
    TransactionResult cause = Cause("a record was not delivered");
    bool better = delivery_.ok() || (cause.outcome != TransactionOutcome::kAbort &&
                                     delivery_.outcome != TransactionOutcome::kFailed);
    return better ? cause : delivery_;
  }
  return code ? Bounded(NotYet("waiting for records to be acknowledged")) : TransactionResult();
}

TransactionResult TransactionalProducer::SendOffsets(const PartitionList& offsets, const GroupToken& group) {
  std::string what = "committing the offsets of group `" + client_->settings().group + "`";
  std::unique_lock<std::mutex> lock(mutex_);
  if (call_.state == OffsetsCall::kNone) {
    if (!group.valid()) {
      return {TransactionOutcome::kAbort,
              Status::Unavailable(what + ": this worker is in no generation of the group now")};
    }
    rd_kafka_consumer_group_metadata_t* metadata = nullptr;
    Error error(rd_kafka_consumer_group_metadata_read(&metadata, group.bytes.data(), group.bytes.size()));
    if (error) {
      return {TransactionOutcome::kFailed, Status::Internal(what + ": " + rd_kafka_error_string(error.get()))};
    }
    call_.group.reset(metadata);
    call_.offsets.reset(rd_kafka_topic_partition_list_copy(offsets.get()));
    call_.state = OffsetsCall::kAsked;
    changed_.notify_all();
  }
  changed_.wait_for(lock, std::chrono::milliseconds(kWaitMs), [&] { return call_.state == OffsetsCall::kDone; });
  if (call_.state != OffsetsCall::kDone) return Bounded(NotYet(what));
  call_.state = OffsetsCall::kNone;
  Error error = std::move(call_.error);
  lock.unlock();
  return ToResult(error.get(), what);
}

void TransactionalProducer::RunOffsets() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || call_.state == OffsetsCall::kAsked; });
    if (call_.state != OffsetsCall::kAsked) return;
    lock.unlock();
    // -1: until the transaction's own time is over.
    Error error(rd_kafka_send_offsets_to_transaction(client_->get(), call_.offsets.get(), call_.group.get(), -1));
    lock.lock();
    call_.error = std::move(error);
    call_.state = OffsetsCall::kDone;
    changed_.notify_all();
  }
}

bool TransactionalProducer::Busy() {
  std::lock_guard<std::mutex> lock(mutex_);
  return call_.state == OffsetsCall::kAsked;
}

// A call for offsets that nobody asks about any more is waited for: librdkafka allows one call at a time.
bool TransactionalProducer::OffsetsDone() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(kWaitMs), [&] { return call_.state != OffsetsCall::kAsked; });
  if (call_.state == OffsetsCall::kAsked) return false;
  call_.state = OffsetsCall::kNone;
  call_.error.reset();
  return true;
}

TransactionResult TransactionalProducer::Commit() {
  if (!OffsetsDone()) return Bounded(NotYet("waiting for offsets to be committed"));
  Error error(rd_kafka_commit_transaction(client_->get(), kWaitMs));
  TransactionResult result = ToResult(error.get(), "committing a transaction");
  // librdkafka may give a transaction up while its EndTxn is on its way, and that may have committed it.
  if (result.outcome == TransactionOutcome::kAbort && unanswered()) result.outcome = TransactionOutcome::kRestart;
  if (result.ok()) in_transaction_ = false;
  return Bounded(std::move(result));
}

TransactionResult TransactionalProducer::Abort() {
  if (!in_transaction_) return {};
  if (!OffsetsDone()) return Bounded(NotYet("waiting for offsets to be committed"));
  Error error(rd_kafka_abort_transaction(client_->get(), kWaitMs));
  TransactionResult result = ToResult(error.get(), "aborting a transaction");
  // An abort that must be aborted is one that has not happened yet.
  if (result.outcome == TransactionOutcome::kAbort) result.outcome = TransactionOutcome::kAgain;
  if (result.ok()) in_transaction_ = false;
  return Bounded(std::move(result));
}

TransactionResult TransactionalProducer::Bounded(TransactionResult result) const {
  if (result.outcome != TransactionOutcome::kAgain || MonoNs() < give_up_ns_) return result;
  return {TransactionOutcome::kRestart,
          Status::Unavailable(result.status.message() + ", after all the time that it had; a new producer takes over")};
}

TransactionResult TransactionalProducer::ToResult(const rd_kafka_error_t* error, const std::string& what) {
  if (!error) return {};
  rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  std::string detail = rd_kafka_error_string(error);
  Status status = client_->ToStatus(code, what, detail);
  if (rd_kafka_error_is_fatal(error) || rd_kafka_error_txn_requires_abort(error)) {
    if (IsForGood(code)) return ForGood(code, what, detail);
    return {rd_kafka_error_is_fatal(error) ? TransactionOutcome::kRestart : TransactionOutcome::kAbort, status};
  }
  if (rd_kafka_error_is_retriable(error) || code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    if (code != RD_KAFKA_RESP_ERR__TIMED_OUT) rd_kafka_poll(client_->get(), kPauseMs);
    return {TransactionOutcome::kAgain, status};
  }
  // What is left is a call that librdkafka did not expect in its state: whatever led there, a new producer knows better.
  return {TransactionOutcome::kRestart, status};
}

TransactionResult TransactionalProducer::ForGood(rd_kafka_resp_err_t code, const std::string& what,
                                                 const std::string& detail, const Target* target) {
  std::string where = what + " (connection `" + client_->settings().connection + "`): ";
  uint32_t line = target ? target->line : client_->settings().line;
  auto denied = [&](const std::string& right) {
    return TransactionResult{TransactionOutcome::kFailed, Status::Denied(where + "no right to it: it needs " + right), line};
  };
  switch (code) {
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return denied("WRITE and DESCRIBE on transactional ids that begin with `weir-`");
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return denied("READ on group `" + client_->settings().group + "`");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      if (const Target* refused = target ? nullptr : Refused()) {
        line = refused->line;
        return denied("WRITE on the topic of " + refused->name);
      }
      if (target) return denied("WRITE on the topic");
      return denied("READ on the topics whose offsets are committed; the broker says: " + detail);
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return denied("IDEMPOTENT_WRITE on the cluster (brokers before 3.0)");
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return {TransactionOutcome::kFailed,
              Status::Invalid(where + "the broker's transaction.max.timeout.ms is below this producer's " +
                              std::to_string(TransactionTimeoutMs(client_->settings())) + " ms; raise it")};
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return {TransactionOutcome::kFailed,
              Status::Invalid(where + "this broker has no such transactions (" + detail + "): they need Kafka 3.7 or newer")};
    default:
      return {TransactionOutcome::kFailed, client_->ToStatus(code, what, detail)};
  }
}

const TransactionalProducer::Target* TransactionalProducer::Refused() const {
  const std::string words = client_->LastRefusal();
  for (const auto& target : targets_) {
    const std::string topic = rd_kafka_topic_name(target->topic.get());
    if (words.find("\"" + topic + "\"") != std::string::npos) return target.get();
  }
  return nullptr;
}

// Why librdkafka gave this transaction up. It tells in the answer to any call that does not fit the state, and beginning
// a transaction within one changes nothing.
TransactionResult TransactionalProducer::Cause(const std::string& what) {
  Error error(rd_kafka_begin_transaction(client_->get()));
  if (error && (rd_kafka_error_is_fatal(error.get()) || rd_kafka_error_txn_requires_abort(error.get()))) {
    return ToResult(error.get(), what);
  }
  return {TransactionOutcome::kAbort, Status::Unavailable(what)};
}

void TransactionalProducer::OnResponse(int16_t api_key, rd_kafka_resp_err_t error, void* owner) {
  // None, or a request that never left: given up in the queue, or with the client.
  if (!error || error == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE || error == RD_KAFKA_RESP_ERR__DESTROY) return;
  if (!ChangesTransaction(api_key)) return;
  static_cast<TransactionalProducer*>(owner)->unanswered_.store(true, std::memory_order_release);
}

void TransactionalProducer::OnDelivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  if (__builtin_expect(message->err != 0, 0)) {
    static_cast<TransactionalProducer*>(Client::Owner(opaque))->Delivered(message);
    return;
  }
  Target& target = *static_cast<Target*>(rd_kafka_topic_opaque(message->rkt));
  if (!target.tracked) return;
  // Of a batch that a broker has twice been sent nobody knows where it is.
  int64_t& end = target.ends.emplace(message->partition, 0).first->second;
  end = message->offset < 0 || end < 0 ? -1 : std::max(end, message->offset + 1);
}

int64_t TransactionalProducer::End(size_t target, int32_t partition) const {
  auto end = targets_[target]->ends.find(partition);
  return end == targets_[target]->ends.end() ? -1 : end->second;
}

void TransactionalProducer::Delivered(const rd_kafka_message_t* message) {
  if (closing_) return;
  undelivered_ = true;
  rd_kafka_resp_err_t code = message->err;
  const Target& target = *static_cast<Target*>(rd_kafka_topic_opaque(message->rkt));
  std::string what = "writing to " + target.name;
  // It fell with the transaction, or with another record, which comes by itself.
  if (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || FellWithAnother(message)) {
    return;
  }
  TransactionResult result;
  if (IsRecordsFault(code)) {
    if (options_.refused) options_.refused(target.number, message);
    // The broker misses the batch's sequence numbers and would refuse whatever follows: the producer is spent, as it is
    // after a request without an answer.
    unanswered_.store(true, std::memory_order_release);
    result = {TransactionOutcome::kAbort, client_->ToStatus(code, what)};
  } else if (IsForGood(code)) {
    result = ForGood(code, what, rd_kafka_err2str(code), &target);
  } else {
    result = {TransactionOutcome::kAbort, client_->ToStatus(code, what)};
  }
  // The first cause counts, unless a later one is for good.
  if (delivery_.ok() || (result.outcome == TransactionOutcome::kFailed &&
                         delivery_.outcome != TransactionOutcome::kFailed)) {
    delivery_ = std::move(result);
  }
}

}  // namespace weir::kafka
