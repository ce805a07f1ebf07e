#include "runtime/connector/kafka/writer.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/connector/kafka/sink.h"

namespace weir::kafka {
namespace {

constexpr int64_t kStartNsMax = 30'000'000'000;

}  // namespace

Writer::Writer(Connection* connection, int worker, Loop* loop)
    : connection_(connection), worker_(worker), loop_(loop) {}

Writer::~Writer() {
  if (!client_) return;
  closing_ = true;
  rd_kafka_queue_cb_event_enable(acknowledgements_.get(), nullptr, nullptr);
  // Whoever closes has waited for what matters; the rest is sent again after a restart. Its sinks are gone by now.
  rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(client_->get(), 0);
}

void Writer::Add(KafkaSink* sink) { sinks_.push_back(sink); }
void Writer::Remove(KafkaSink* sink) { std::erase(sinks_, sink); }

Status Writer::Open() {
  if (client_) return Status();
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  int64_t batch_bytes_max = INT64_MAX;
  for (KafkaSink* sink : sinks_) {
    int32_t partitions = 0;
    Status status = connection_->Partitions(sink->topic(), kStartNsMax, &partitions);
    if (!status.ok()) return status.Within("sink `" + sink->name() + "`");
    TopicLimits limits;
    bool known = false;
    status = ReadTopicLimits(*admin, sink->topic(), kStartNsMax, &limits, &known);
    if (!status.ok()) return status.Within("sink `" + sink->name() + "`");
    sink->SetLimits(limits);
    batch_bytes_max = std::min(batch_bytes_max, limits.batch_bytes_max);
  }
  const Settings& settings = connection_->settings();
  if (const std::string* value = settings.Find("queue.buffering.max.kbytes")) {
    bytes_max_ = std::max<uint64_t>(strtoull(value->c_str(), nullptr, 10), 1) * 1024;
  }
  if (const std::string* value = settings.Find("queue.buffering.max.messages")) {
    records_max_ = std::max<uint64_t>(strtoull(value->c_str(), nullptr, 10), 1);
  }
  const Connection::Options& common = connection_->options();
  Client::Options options;
  options.client_id = connection_->ClientId("write-" + std::to_string(worker_));
  options.log = common.log;
  options.owner = this;
  options.delivery = OnDelivered;
  options.more.push_back({"batch.size", BatchSize(settings, batch_bytes_max)});
  // Single records may be larger than a batch; how large is checked against each topic before they are sent.
  if (!settings.Find("message.max.bytes")) options.more.push_back({"message.max.bytes", "1000000000"});
  if (Status status = Client::Make(settings, Role::kProduce, options, &client_); !status.ok()) return status;
  acknowledgements_.reset(rd_kafka_queue_get_main(client_->get()));
  rd_kafka_queue_cb_event_enable(
      acknowledgements_.get(),
      [](rd_kafka_t*, void* self) {
        auto* writer = static_cast<Writer*>(self);
        writer->ready_.store(true, std::memory_order_release);
        if (writer->loop_) writer->loop_->Wake();
      },
      this);
  for (KafkaSink* sink : sinks_) {
    if (Status status = sink->MakeTopic(client_->get()); !status.ok()) return status;
  }
  return Status();
}

Status Writer::Send(rd_kafka_topic_t* topic, const Record& record, Ticket* ticket) {
  Error error = Produce(client_->get(), topic, -1, record, ticket);
  if (!error) {
    ++records_;
    bytes_ += record.key.size + record.value.size;
    return Status();
  }
  if (record.headers) rd_kafka_headers_destroy(record.headers);
  std::string what = std::string("writing to topic `") + rd_kafka_topic_name(topic) + "`";
  return client_->ToStatus(rd_kafka_error_code(error.get()), what, rd_kafka_error_string(error.get()));
}

void Writer::OnDelivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  static_cast<Writer*>(Client::Owner(opaque))->Delivered(message);
}

void Writer::Delivered(const rd_kafka_message_t* message) {
  if (closing_) return;
  --records_;
  bytes_ -= message->key_len + message->len;
  auto* ticket = static_cast<Ticket*>(message->_private);
  if (__builtin_expect(message->err != 0, 0)) {
    auto* sink = static_cast<KafkaSink*>(rd_kafka_topic_opaque(message->rkt));
    if (FellWithAnother(message)) return SendAgain(message);
    if (IsRecordsFault(message->err)) {
      Sink::RefusedLater refused;
      refused.key.assign(static_cast<const char*>(message->key), message->key_len);
      refused.has_key = message->key != nullptr;
      refused.value.assign(static_cast<const char*>(message->payload), message->len);
      refused.has_value = message->payload != nullptr;
      refused.reason = std::string("topic `") + rd_kafka_topic_name(message->rkt) + "`: " + rd_kafka_err2str(message->err);
      refused.ticket = ticket;  // stays up until the dead letter is on its way
      sink->AddRefused(std::move(refused));
      return;
    }
    if (failed_.ok()) {
      std::string what = "sink `" + sink->name() + "`, topic `" + sink->topic() + "`";
      if (message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        failed_ = Status::Denied("no right to write: " + what + " (connection `" + connection_->settings().connection +
                                 "`): it needs WRITE on the topic");
      } else if (message->err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        failed_ = Status::Denied("no right to write: " + what + " (connection `" + connection_->settings().connection +
                                 "`): brokers before 3.0 need IDEMPOTENT_WRITE on the cluster");
      } else {
        failed_ = client_->ToStatus(message->err, what + ", after which nothing more can be written in order");
      }
    }
    return;  // the ticket stays up: what it stands for is never committed
  }
  if (ticket != ticket_) LowerTickets();
  ticket_ = ticket;
  ++ticket_count_;
}

// Behind what was sent meanwhile: its place is lost with its batch.
void Writer::SendAgain(const rd_kafka_message_t* message) {
  Record record;
  record.key = Str(static_cast<const char*>(message->key), static_cast<uint32_t>(message->key_len));
  record.has_key = message->key != nullptr;
  record.value = Str(static_cast<const char*>(message->payload), static_cast<uint32_t>(message->len));
  record.has_value = message->payload != nullptr;
  rd_kafka_timestamp_type_t type;
  int64_t ms = rd_kafka_message_timestamp(message, &type);
  record.timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : ms;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) record.headers = rd_kafka_headers_copy(headers);
  Status status = Send(message->rkt, record, static_cast<Ticket*>(message->_private));
  if (failed_.ok()) failed_ = status;
}

void Writer::LowerTickets() {
  if (ticket_ && ticket_count_) ticket_->Lower(ticket_count_);
  ticket_ = nullptr;
  ticket_count_ = 0;
}

Status Writer::Poll() {
  if (!client_) return failed_;
  if (ready_.load(std::memory_order_acquire)) {
    ready_.store(false, std::memory_order_relaxed);
    rd_kafka_poll(client_->get(), 0);
    LowerTickets();
  }
  if (failed_.ok()) {
    char text[512];
    if (rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_->get(), text, sizeof text)) {
      failed_ = client_->ToStatus(code, "writing", text);
    }
  }
  return failed_;
}

void Writer::Flush() {
  if (!client_) return;
  rd_kafka_flush(client_->get(), 0);
  LowerTickets();
}

}  // namespace weir::kafka
