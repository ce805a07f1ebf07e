// What the hand-written programs share: reading a topic to its end and writing another, over librdkafka, as an engineer
// who knows it would: one application thread, large queues, batch consume, no delivery report but for failures.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "tests/bench/kafka_client.h"

namespace weir_bench {

class Output {
 public:
  Output(const std::string& brokers, const std::string& topic) {
    producer_ = NewClient(RD_KAFKA_PRODUCER,
                          {{"bootstrap.servers", brokers},
                           {"acks", "all"},
                           {"linger.ms", "50"},
                           {"partitioner", "murmur2_random"},
                           {"queue.buffering.max.messages", "2000000"},
                           {"queue.buffering.max.kbytes", "524288"},
                           {"delivery.report.only.error", "true"},
                           {"socket.nagle.disable", "true"}},
                          [](rd_kafka_t*, const rd_kafka_message_t* message, void*) { Failed() += message->err != 0; });
    topic_ = rd_kafka_topic_new(producer_, topic.c_str(), nullptr);
  }
  ~Output() {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(producer_);
  }
  // With the key, timestamp and headers of the message it was made from.
  void Write(const rd_kafka_message_t* from, const char* value, size_t size) {
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(from, &type);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(from, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) headers = rd_kafka_headers_copy(headers);
    Write(from->key, from->key_len, value, size, timestamp, headers);
  }
  void Write(const void* key, size_t key_size, const char* value, size_t size, int64_t timestamp,
             rd_kafka_headers_t* headers = nullptr) {
    for (;;) {
      rd_kafka_resp_err_t error = rd_kafka_producev(
          producer_, RD_KAFKA_V_RKT(topic_), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
          RD_KAFKA_V_VALUE(const_cast<char*>(value), size), RD_KAFKA_V_TIMESTAMP(timestamp),
          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
      if (!error) return;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) Die(rd_kafka_err2str(error));
      rd_kafka_poll(producer_, 10);
    }
  }
  void Poll() { rd_kafka_poll(producer_, 0); }
  void Finish() {
    if (rd_kafka_flush(producer_, 60'000) != 0 || Failed()) Die("not everything was acknowledged");
  }

 private:
  static int64_t& Failed() {
    static int64_t failed = 0;
    return failed;
  }
  rd_kafka_t* producer_;
  rd_kafka_topic_t* topic_;
};

class Input {
 public:
  Input(const std::string& brokers, const std::string& topic, const std::string& group) : topic_(topic) {
    consumer_ = NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                              {"group.id", group},
                                              {"enable.auto.commit", "false"},
                                              {"enable.auto.offset.store", "false"},
                                              {"queued.min.messages", "1000000"},
                                              {"queued.max.messages.kbytes", "262144"},
                                              {"fetch.queue.backoff.ms", "2"},
                                              {"socket.nagle.disable", "true"}});
    int partitions = PartitionCount(consumer_, topic);
    ends_ = Ends(consumer_, topic, partitions);
    next_.assign(partitions, 0);
    for (int64_t end : ends_) open_ += end > 0;
    AssignAll(consumer_, topic, partitions);
    queue_ = rd_kafka_queue_get_consumer(consumer_);
  }
  ~Input() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(consumer_);
    rd_kafka_destroy(consumer_);
  }
  bool AtEnd() const { return open_ == 0; }
  int partitions() const { return static_cast<int>(ends_.size()); }

  // Calls `each(const rd_kafka_message_t*)` for up to `max` messages; the message is gone afterwards.
  template <class Each>
  void Read(int wait_ms, size_t max, Each&& each) {
    if (messages_.size() < max) messages_.resize(max);
    ssize_t n = rd_kafka_consume_batch_queue(queue_, wait_ms, messages_.data(), max);
    for (ssize_t i = 0; i < n; ++i) {
      rd_kafka_message_t* m = messages_[i];
      if (m->err) Die(rd_kafka_message_errstr(m));
      each(m);
      next_[m->partition] = m->offset + 1;
      if (next_[m->partition] == ends_[m->partition]) --open_;
      rd_kafka_message_destroy(m);
    }
  }

  void Commit() {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions());
    for (int p = 0; p < partitions(); ++p) {
      rd_kafka_topic_partition_list_add(list, topic_.c_str(), p)->offset = next_[p];
    }
    rd_kafka_resp_err_t error = rd_kafka_commit(consumer_, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    if (error) Die(std::string("commit: ") + rd_kafka_err2str(error));
  }

 private:
  std::string topic_;
  rd_kafka_t* consumer_;
  rd_kafka_queue_t* queue_;
  std::vector<int64_t> ends_, next_;
  int open_ = 0;
  std::vector<rd_kafka_message_t*> messages_;
};

// A parser over one record at a time, copied to where simdjson may read past its end.
class Json {
 public:
  Json() : buffer_(1 << 20) {}
  simdjson::ondemand::document& Parse(const void* data, size_t size) {
    if (size + simdjson::SIMDJSON_PADDING > buffer_.size()) buffer_.resize(2 * (size + simdjson::SIMDJSON_PADDING));
    memcpy(buffer_.data(), data, size);
    if (parser_.iterate(buffer_.data(), size, buffer_.size()).get(document_)) Die("not JSON");
    return document_;
  }

 private:
  std::vector<char> buffer_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
};

inline std::string_view Trimmed(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n')) token.remove_suffix(1);
  return token;
}

// "12.34" to 1234; prices have two decimals at most.
inline int64_t Cents(std::string_view text) {
  int64_t value = 0;
  int decimals = -1;
  for (char c : text) {
    if (c == '.') {
      decimals = 0;
    } else {
      value = value * 10 + (c - '0');
      if (decimals >= 0) ++decimals;
    }
  }
  if (decimals < 0) decimals = 0;
  for (; decimals < 2; ++decimals) value *= 10;
  return value;
}

// Text appended piece by piece to a buffer that is large enough.
class Writer {
 public:
  void Start() { at_ = buffer_; }
  template <size_t N>
  void Text(const char (&literal)[N]) {
    memcpy(at_, literal, N - 1);
    at_ += N - 1;
  }
  void Text(std::string_view text) {
    memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void Number(int64_t value) { at_ = std::to_chars(at_, at_ + 24, value).ptr; }
  void CentsOf(int64_t cents) {
    Number(cents / 100);
    *at_++ = '.';
    *at_++ = static_cast<char>('0' + cents / 10 % 10);
    *at_++ = static_cast<char>('0' + cents % 10);
  }
  const char* data() const { return buffer_; }
  size_t size() const { return static_cast<size_t>(at_ - buffer_); }

 private:
  char buffer_[4096];
  char* at_ = buffer_;
};

// Reads everything through `each(const rd_kafka_message_t*, Output&)`, waits for the acknowledgements, commits.
template <class Each>
int Drain(const Arguments& arguments, Each&& each) {
  std::string brokers = arguments.Text("brokers");
  Output output(brokers, arguments.Text("out"));
  Input input(brokers, arguments.Text("in"), arguments.Text("group"));
  while (!input.AtEnd()) {
    input.Read(100, 10'000, [&](const rd_kafka_message_t* m) { each(m, output); });
    output.Poll();
  }
  output.Finish();
  input.Commit();
  return 0;
}

}  // namespace weir_bench
