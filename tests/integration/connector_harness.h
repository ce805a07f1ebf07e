// What the tests of connectors stand in for: the engine's loop, clock and log, and its answers to a source.
#pragma once

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/engine/clock.h"
#include "runtime/engine/log.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/source.h"

namespace weir_test {

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

}  // namespace weir_test
