#include "compiler/driver/embedded/broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>

namespace weirc {
namespace {

struct HandleDeleter {
  // No consumer here is a member of a group: there is nothing to leave.
  void operator()(rd_kafka_t* handle) const {
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
};
using Handle = std::unique_ptr<rd_kafka_t, HandleDeleter>;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

Handle NewHandle(rd_kafka_type_t type, const std::map<std::string, std::string>& settings,
                 rd_kafka_conf_t* conf, std::string* error) {
  char text[512];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) !=
        RD_KAFKA_CONF_OK) {
      *error = text;
      rd_kafka_conf_destroy(conf);
      return nullptr;
    }
  }
  // What the mock cluster and its clients log is about us, not about the pipeline.
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_t* handle = rd_kafka_new(type, conf, text, sizeof text);
  if (handle == nullptr) {
    *error = text;
    rd_kafka_conf_destroy(conf);
  }
  return Handle(handle);
}

class Broker : public EmbeddedBroker {
 public:
  bool Start(std::string* error) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, &Broker::Delivered);
    rd_kafka_conf_set_opaque(conf, this);
    producer_ = NewHandle(RD_KAFKA_PRODUCER,
                          {{"test.mock.num.brokers", "1"},
                           {"partitioner", "murmur2_random"},
                           {"queue.buffering.max.messages", "1000000"},
                           {"linger.ms", "1"}},
                          conf, error);
    if (!producer_) return false;
    cluster_ = rd_kafka_handle_mock_cluster(producer_.get());
    rd_kafka_mock_group_initial_rebalance_delay_ms(cluster_, 0);
    rd_kafka_conf_t* tail_conf = rd_kafka_conf_new();
    tail_ = NewHandle(RD_KAFKA_CONSUMER,
                      {{"bootstrap.servers", BootstrapServers()},
                       {"group.id", "weir-embedded-tail"},
                       {"enable.auto.commit", "false"},
                       {"auto.offset.reset", "earliest"},
                       {"fetch.wait.max.ms", "50"},
                       {"fetch.error.backoff.ms", "50"}},
                      tail_conf, error);
    if (!tail_) return false;
    rd_kafka_poll_set_consumer(tail_.get());
    return true;
  }

  ~Broker() override {
    tail_.reset();
    producer_.reset();  // the cluster goes with it
  }

  std::string BootstrapServers() const override {
    return rd_kafka_mock_cluster_bootstraps(cluster_);
  }

  bool CreateTopic(const std::string& topic, int partitions, std::string* error) override {
    rd_kafka_resp_err_t err =
        rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, /*replication_factor=*/1);
    if (err) {
      *error = topic + ": " + rd_kafka_err2str(err);
      return false;
    }
    partitions_[topic] = partitions;
    return true;
  }

  bool Publish(const std::string& topic, const std::vector<BrokerRecord>& records,
               std::string* error) override {
    failure_.clear();
    if (!Learn(producer_.get(), topic, error)) return false;
    for (const BrokerRecord& record : records) {
      if (!Produce(topic, record, error)) return false;
      rd_kafka_poll(producer_.get(), 0);
    }
    if (rd_kafka_flush(producer_.get(), 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      *error = topic + ": the embedded broker did not take all records within 30 s";
      return false;
    }
    if (!failure_.empty()) {
      *error = topic + ": " + failure_;
      return false;
    }
    return true;
  }

  bool Tail(const std::vector<std::string>& topics, std::string* error) override {
    PartitionList list(rd_kafka_topic_partition_list_new(1));
    for (const std::string& topic : topics) {
      for (int i = 0; i < partitions_.at(topic); ++i) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset = 0;
        read_[{topic, i}] = 0;
      }
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(tail_.get(), list.get());
    if (err) *error = rd_kafka_err2str(err);
    if (err) return false;
    for (const std::string& topic : topics) {
      if (!Learn(tail_.get(), topic, error)) return false;
    }
    return true;
  }

  int64_t Behind() override {
    int64_t behind = 0;
    for (const auto& [partition, read] : read_) {
      int64_t low = 0, high = 0;
      if (!rd_kafka_query_watermark_offsets(tail_.get(), partition.first.c_str(), partition.second,
                                            &low, &high, 2000)) {
        behind += std::max<int64_t>(0, high - read);
      }
    }
    return behind;
  }

  int Poll(int wait_ms, const std::function<void(const std::string&, const BrokerRecord&)>& take)
      override {
    int count = 0;
    for (;;) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(tail_.get(), count == 0 ? wait_ms : 0);
      if (message == nullptr) return count;
      if (!message->err) {
        read_[{rd_kafka_topic_name(message->rkt), message->partition}] = message->offset + 1;
        take(rd_kafka_topic_name(message->rkt), ToRecord(message));
        ++count;
      }
      rd_kafka_message_destroy(message);
    }
  }

 private:
  // Asks for the topic's partitions now. By itself librdkafka looks for those of a new topic once a second.
  static bool Learn(rd_kafka_t* handle, const std::string& topic, std::string* error) {
    rd_kafka_topic_t* local = rd_kafka_topic_new(handle, topic.c_str(), nullptr);
    const struct rd_kafka_metadata* metadata = nullptr;
    rd_kafka_resp_err_t err = local == nullptr
                                  ? rd_kafka_last_error()
                                  : rd_kafka_metadata(handle, 0, local, &metadata, 10'000);
    if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
    if (local != nullptr) rd_kafka_topic_destroy(local);
    if (err) *error = topic + ": " + rd_kafka_err2str(err);
    return !err;
  }

  static BrokerRecord ToRecord(const rd_kafka_message_t* message) {
    BrokerRecord record;
    if (message->key != nullptr) {
      record.key.emplace(static_cast<const char*>(message->key), message->key_len);
    }
    if (message->payload != nullptr) {
      record.value.emplace(static_cast<const char*>(message->payload), message->len);
    }
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name;
      const void* value;
      size_t size;
      for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
        record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
      }
    }
    record.timestamp_ms = rd_kafka_message_timestamp(message, nullptr);
    return record;
  }

  bool Produce(const std::string& topic, const BrokerRecord& record, std::string* error) {
    rd_kafka_headers_t* headers = nullptr;
    if (!record.headers.empty()) {
      headers = rd_kafka_headers_new(record.headers.size());
      for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(headers, name.data(), name.size(), value.data(), value.size());
      }
    }
    std::vector<rd_kafka_vu_t> parts;
    auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
      parts.push_back({});
      parts.back().vtype = type;
      return parts.back();
    };
    add(RD_KAFKA_VTYPE_TOPIC).u.cstr = topic.c_str();
    if (record.key) {
      rd_kafka_vu_t& part = add(RD_KAFKA_VTYPE_KEY);
      part.u.mem.ptr = const_cast<char*>(record.key->data());
      part.u.mem.size = record.key->size();
    }
    if (record.value) {
      rd_kafka_vu_t& part = add(RD_KAFKA_VTYPE_VALUE);
      part.u.mem.ptr = const_cast<char*>(record.value->data());
      part.u.mem.size = record.value->size();
    }
    if (record.timestamp_ms != 0) add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp_ms;
    if (headers != nullptr) add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
    add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK;
    rd_kafka_error_t* failed = rd_kafka_produceva(producer_.get(), parts.data(), parts.size());
    if (failed == nullptr) return true;  // the headers belong to the message now
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    *error = topic + ": " + rd_kafka_error_string(failed);
    rd_kafka_error_destroy(failed);
    return false;
  }

  static void Delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    auto* broker = static_cast<Broker*>(self);
    if (message->err) broker->failure_ = rd_kafka_err2str(message->err);
  }

  Handle producer_;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  Handle tail_;
  std::map<std::string, int> partitions_;
  std::map<std::pair<std::string, int32_t>, int64_t> read_;  // of tailed partitions: the next offset
  std::string failure_;
};

}  // namespace

std::unique_ptr<EmbeddedBroker> EmbeddedBroker::Start(std::string* error) {
  auto broker = std::make_unique<Broker>();
  if (!broker->Start(error)) return nullptr;
  return broker;
}

}  // namespace weirc
