// The commit protocol of pipelines whose truth is the local store: barriers over all workers, and the commit itself as a
// sequence of steps, each of which a test can stop at.
//
//   running → barrier: workers take no input and run the exchanges empty; all quiet → collect: each worker writes its
//   delta and goes on with the next epoch → running. Beside that, one commit at a time:
//   tickets at zero → outputs of store-backed sinks written → made durable → store committed → sources told.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/engine/counters.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/worker.h"

namespace weir {

class Engine;

class Epochs {
 public:
  enum class Phase : uint8_t { kRunning, kBarrier, kCollect };

  explicit Epochs(Engine& engine);
  // Before the first turn: what the state says of a sink, and when the first commit may be.
  void SetSinkPosition(int sink, SinkPosition position) { positions_[sink] = position; }
  void SetFirst(int64_t mono_ns) { next_ns_.store(mono_ns, std::memory_order_relaxed); }

  // ---- Workers' side ----
  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  // The epoch whose barrier is on, or was last.
  uint64_t barrier_epoch() const { return barrier_epoch_.load(std::memory_order_acquire); }
  // The last epoch that is committed, or that had nothing to commit.
  uint64_t committed_epoch() const { return committed_epoch_.load(std::memory_order_acquire); }
  // Any worker, each turn: begins a barrier when it is time.
  void MaybeBegin(int64_t now_mono_ns);
  // Something changed since the last barrier.
  void MarkDirty() { dirty_.store(true, std::memory_order_relaxed); }
  bool dirty() const { return dirty_.load(std::memory_order_relaxed); }
  // The next barrier should not wait for the interval.
  void RequestEarly() { next_ns_.store(INT64_MIN, std::memory_order_relaxed); }
  int64_t next_ns() const { return next_ns_.load(std::memory_order_relaxed); }
  bool committing() const { return committing_.load(std::memory_order_acquire); }
  // The worker takes no input, and what it had for others is on its way.
  void Arrive();
  // True when all workers are quiet: then everyone collects.
  void TryQuiet();
  void Collected(int worker, const WorkerReport& report);
  // A worker's state, told each turn, for deciding when the pipeline has ended.
  void Tell(int worker, const WorkerReport& report);
  // An epoch's ticket may have come to zero.
  void NoticeTickets();

  // ---- The commit's side: one thread at a time ----
  enum class Step : uint8_t { kIdle, kWaiting, kWorked };
  Step StepCommit();
  // Waits until StepCommit has something to do, or `ns_max` passed.
  void WaitForWork(int64_t ns_max);
  void WakeCommit();

  // ---- Metrics, any thread ----
  Counter commits, commit_bytes;
  Gauge last_duration_ns{0}, last_bytes{0};

 private:
  enum class Job : uint8_t { kNone, kTickets, kWrite, kPrepare, kStore, kDone };

  void FinishJob();

  Engine& engine_;
  std::atomic<Phase> phase_{Phase::kRunning};
  std::atomic<uint64_t> barrier_epoch_{0};
  std::atomic<uint64_t> committed_epoch_{0};
  std::atomic<bool> dirty_{false};
  std::atomic<int64_t> next_ns_{0};
  std::atomic<bool> committing_{false};
  std::atomic<int> arrived_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  int collected_ = 0;
  std::vector<WorkerReport> reports_;   // at collection
  std::vector<std::atomic<uint8_t>> told_;
  bool final_ = false;                  // this barrier is meant to be the last
  bool last_job_ = false;               // after this commit the pipeline has ended
  int64_t begun_ns_ = 0;

  std::atomic<Job> job_{Job::kNone};
  uint64_t job_epoch_ = 0;
  bool noticed_ = false;
  Buffer sink_delta_;
  std::vector<SinkPosition> positions_;
  std::vector<bool> written_;   // by sink: in this epoch
};

}  // namespace weir
