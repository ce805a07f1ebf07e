// Time that only moves when a test says so.
#pragma once

#include <atomic>
#include <functional>

#include "runtime/engine/clock.h"
#include "runtime/engine/loop.h"

namespace weir {

class VirtualClock : public Clock {
 public:
  // 2026-01-01T00:00:00Z, so that event times of tests are near it.
  static constexpr int64_t kWallStart = 1'767'225'600'000'000'000;

  int64_t WallNs() override { return kWallStart + now_.load(std::memory_order_relaxed); }
  int64_t MonoNs() override { return now_.load(std::memory_order_relaxed); }
  void SetMono(int64_t ns) {
    if (ns > now_.load(std::memory_order_relaxed)) now_.store(ns, std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> now_{1'000'000'000};
};

// Never waits. Where the engine itself waits for something (a partition being given away), `on_wait` moves the world on.
class VirtualLoop : public Loop {
 public:
  explicit VirtualLoop(std::function<void(int64_t wait_ns)> on_wait = nullptr) : on_wait_(std::move(on_wait)) {}
  void Run(int64_t wait_ns_max) override {
    if (wait_ns_max > 0 && on_wait_) on_wait_(wait_ns_max);
  }
  void Wake() override {}
  void Watch(int, std::function<void()>) override {}
  void Forget(int) override {}
  void* io_context() override { return nullptr; }

 private:
  std::function<void(int64_t)> on_wait_;
};

}  // namespace weir
