// What the tests of connectors stand in for: the engine's loop, clock and log, and its answers to a source; and the
// broker and the process of a pipeline that they begin with.
#pragma once

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/kafka.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/log.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/source.h"
#include "tests/servers/broker.h"

namespace weir_test {

inline constexpr int64_t kSecond = 1'000'000'000;

// One broker for all tests of a program; each test has topics and groups of its own.
inline Broker& TheBroker() {
  static Broker broker;
  return broker;
}

inline std::string Fresh(const std::string& name) {
  static int number = 0;
  return name + "-" + std::to_string(++number);
}

class SystemClock final : public weir::Clock {
 public:
  int64_t WallNs() override { return Read(CLOCK_REALTIME); }
  int64_t MonoNs() override { return Read(CLOCK_MONOTONIC); }

 private:
  static int64_t Read(clockid_t id) {
    timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
  }
};

// A loop that only waits to be woken.
class WaitLoop final : public weir::Loop {
 public:
  void Run(int64_t wait_ns_max) override {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait_for(lock, std::chrono::nanoseconds(wait_ns_max), [&] { return woken_; });
    woken_ = false;
  }
  void Wake() override {
    std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    condition_.notify_one();
  }
  void Watch(int, std::function<void()>) override {}
  void Forget(int) override {}
  void* io_context() override { return nullptr; }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
};

class KeptLog final : public weir::Log {
 public:
  void Write(weir::LogLevel level, uint32_t line, const std::string& message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (level >= weir::LogLevel::kInfo) text_ += message + "\n";
  }
  std::string text() {
    std::lock_guard<std::mutex> lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

// Answers a source as the engine does, from positions a test sets.
class KeptEvents final : public weir::SourceEvents {
 public:
  void Assigned(const std::vector<int32_t>& partitions, std::vector<weir::Position>* positions) override {
    for (int32_t p : partitions) {
      positions->push_back(starts.count(p) ? starts[p] : weir::Position());
      mine[p] = true;
    }
    ++assignments;
  }
  void Revoked(const std::vector<int32_t>& partitions) override {
    if (before_revoke) before_revoke(partitions);
    for (int32_t p : partitions) mine.erase(p);
    ++revocations;
  }
  void Lost(const std::vector<int32_t>& partitions) override {
    for (int32_t p : partitions) mine.erase(p);
    ++losses;
  }

  std::map<int32_t, weir::Position> starts;
  std::map<int32_t, bool> mine;
  std::function<void(const std::vector<int32_t>&)> before_revoke;
  int assignments = 0, revocations = 0, losses = 0;
};

// One process of a pipeline on Kafka: its connector and what the engine would provide.
struct KafkaProcess {
  KafkaProcess(const std::string& name, weir::Properties settings, const std::string& instance_id,
               const std::string& brokers) {
    program.name = name;
    weir::ConnectionSpec connection;
    connection.name = "main";
    connection.kind = "kafka";
    connection.properties = {{"brokers", brokers}};
    connection.line = 3;
    program.connections.push_back(connection);
    settings.push_back({"kafka.session.timeout.ms", "6000"});
    settings.push_back({"kafka.heartbeat.interval.ms", "300"});
    settings.push_back({"kafka.fetch.wait.max.ms", "50"});
    weir::kafka::KafkaConnector::Options options;
    options.settings = settings;
    options.instance_id = instance_id;
    connector = std::make_unique<weir::kafka::KafkaConnector>(options);
  }

  weir::ConnectorContext Context(bool group_member) {
    weir::ConnectorContext context;
    context.program = &program;
    context.clock = &clock;
    context.loop = &loop;
    context.log = &log;
    context.group_member = group_member;
    return context;
  }

  // Polls all of them until `done`; false when it is not so after `seconds`.
  template <typename Polled>
  bool PollUntil(const std::vector<Polled*>& all, const std::function<bool()>& done, int seconds) {
    int64_t end = clock.MonoNs() + seconds * kSecond;
    while (!done()) {
      if (clock.MonoNs() > end) return false;
      bool something = false;
      for (Polled* one : all) something = one->Poll() || something;
      if (!something) loop.Run(10'000'000);
    }
    return true;
  }

  SystemClock clock;
  WaitLoop loop;
  KeptLog log;
  weir::Program program;
  std::unique_ptr<weir::kafka::KafkaConnector> connector;
};

inline weir::SourceSpec TopicSource(const std::string& topic) {
  weir::SourceSpec spec;
  spec.name = "trades";
  spec.connection = 0;
  spec.operation = "topic";
  spec.address = topic;
  return spec;
}

inline weir::SinkSpec TopicSink(const std::string& topic) {
  weir::SinkSpec spec;
  spec.name = "out";
  spec.connection = 0;
  spec.address = topic;
  return spec;
}

// Adds `text` to the buffer's bytes, and says where it is.
inline void Append(weir::OutputBuffer* buffer, const std::string& text, uint32_t* begin, uint32_t* size) {
  *begin = static_cast<uint32_t>(buffer->bytes.size());
  *size = static_cast<uint32_t>(text.size());
  buffer->bytes.Append(text.data(), text.size());
}

}  // namespace weir_test
