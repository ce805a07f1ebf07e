// One librdkafka client with what the runtime wants to know beside its results: why brokers cannot be reached, whether
// fetches are answered, and an error as a sentence for the operator.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/connector/kafka/broker_version.h"
#include "runtime/connector/kafka/handles.h"
#include "runtime/connector/kafka/settings.h"
#include "runtime/core/status.h"
#include "runtime/engine/log.h"

namespace weir::kafka {

class Client {
 public:
  struct Options {
    std::string client_id;
    Log* log = nullptr;
    void* owner = nullptr;  // what the callbacks below belong to; Owner() gives it back
    void (*rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*, void*) = nullptr;
    void (*delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr;
    // A request was sent, from librdkafka's threads.
    void (*request)(int16_t api_key, void* owner) = nullptr;
    // A request has ended, from librdkafka's threads: with an answer (`error` is none, whatever the answer says), or
    // without one. Called twice for some.
    void (*response)(int16_t api_key, rd_kafka_resp_err_t error, void* owner) = nullptr;
    // Learns of each broker that it reaches which versions of requests it answers.
    bool learns_versions = false;
    // Properties for this client alone, after all others.
    std::vector<std::pair<std::string, std::string>> more;
  };

  // Connects to nothing yet: a broker that is down shows in the first question.
  static Status Make(const Settings& settings, Role role, const Options& options, std::unique_ptr<Client>* out);
  // Waits for librdkafka's threads. A consumer must have been closed before, if it was in a group.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() const { return rk_; }
  const Settings& settings() const { return settings_; }
  Log* log() const { return log_; }
  // Nothing is told any more. librdkafka's threads may go on.
  void Silence();
  // What Options::owner was, from inside a librdkafka callback's opaque pointer.
  static void* Owner(void* opaque) { return static_cast<Client*>(opaque)->owner_; }

  // "cannot reach Kafka at a:9092 (connection `main`, setting `brokers`): Connect to … failed: Connection refused".
  Status Unreachable() const;
  // librdkafka's words for the last partition that there was no right to write to in a transaction: the error that comes of
  // it does not say which it was. Empty: none.
  std::string LastRefusal() const;
  // True once a broker refused our credentials or certificate, until one accepts them.
  bool refused_us() const { return refused_us_.load(std::memory_order_relaxed); }
  // Fetch requests are being answered: none failed since the last that succeeded, and that was not long ago.
  bool FetchesAnswered(int64_t now_mono_ns) const;

  // With Options::learns_versions: of the brokers that were reached so far.
  BrokerVersionsByAddress broker_versions() const;

  // An error code as a Status: `what` is what was being done ("reading topic `trades`").
  Status ToStatus(rd_kafka_resp_err_t code, const std::string& what, const std::string& detail = "") const;

 private:
  Client() = default;
  static void OnLog(const rd_kafka_t* rk, int level, const char* facility, const char* text);
  // Troubles that librdkafka has again and again, several times a second while a broker is away, are told now and then.
  bool MayTell(std::string* like_it);
  static rd_kafka_resp_err_t OnNew(rd_kafka_t* rk, const rd_kafka_conf_t* conf, void* opaque, char* error, size_t size);
  static rd_kafka_resp_err_t OnRequest(rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t, int32_t, size_t,
                                       void* opaque);
  static rd_kafka_resp_err_t OnResponse(rd_kafka_t* rk, int fd, const char* broker, int32_t broker_id, int16_t api_key,
                                        int16_t api_version, int32_t correlation, size_t size, int64_t rtt,
                                        rd_kafka_resp_err_t error, void* opaque);

  Settings settings_;
  Log* log_ = nullptr;
  void* owner_ = nullptr;
  void (*request_)(int16_t, void*) = nullptr;
  void (*response_)(int16_t, rd_kafka_resp_err_t, void*) = nullptr;
  rd_kafka_t* rk_ = nullptr;
  bool consumer_ = false;
  bool learns_versions_ = false;
  bool debug_asked_ = false;  // the operator wants librdkafka's debug lines
  std::atomic<bool> refused_us_{false};
  std::atomic<int64_t> fetch_answered_ns_{0};
  std::atomic<int64_t> fetch_failed_ns_{0};
  std::mutex telling_;  // held while librdkafka's threads write to log_
  mutable std::mutex mutex_;
  int64_t tell_at_ns_ = 0;
  uint64_t not_told_ = 0;
  BrokerVersionsByAddress broker_versions_;
  std::string last_refusal_;
  std::string last_failure_;  // librdkafka's words for the last connection that failed
};

// Whether librdkafka's words about a connection say that brokers do not want this client: its password, its certificate, or
// theirs. False for whatever an outage may be the reason of.
bool IsRefusal(const char* words);

// Passing troubles that librdkafka itself keeps trying to get over.
bool IsPassing(rd_kafka_resp_err_t code);

// Nanoseconds of the monotonic clock, for what librdkafka's threads note.
int64_t MonoNs();

}  // namespace weir::kafka
