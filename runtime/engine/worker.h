// One thread's share of the pipeline: its tasks, its readers and writers, its turn.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/engine/counters.h"
#include "runtime/engine/environment.h"
#include "runtime/engine/exit_code.h"
#include "runtime/engine/task.h"
#include "runtime/program/program.h"

namespace weir {

class Coordinator;
class TaskSet;

// Turn does what is there to do and never blocks; the thread that calls it then waits in Loop::Run. Everything here is
// for the worker's own thread unless stated.
class Worker {
 public:
  Worker(Engine* engine, int index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int index() const { return index_; }
  int workers() const;
  const Program& program() const;
  const Environment& environment() const;
  Clock& clock() const;
  Loop& loop() { return *loop_; }
  Log& log() const;
  // For what lives as long as the records being worked on: reset between batches and between turns of the lookup host.
  Arena& arena() { return arena_; }
  // The store is the truth: rows are checkpointed, tickets are the epoch's. Else offsets follow tickets of batches.
  bool store_mode() const;
  // The monotonic clock as of this turn.
  int64_t mono_ns() const { return mono_ns_; }
  LedgerCounters& ledger() { return ledger_; }
  StepCounters& counters(uint32_t step) { return step_counters_[step]; }
  // Something changed that the next epoch must commit.
  void MarkDirty() { dirty_ = true; }
  // Ends the process: the first call's code and message count. Nothing is committed after it. Any thread.
  void Fail(ExitCode code, const std::string& message, uint32_t line = 0);

  // ---- Driving ----
  // One round of everything: sinks' acknowledgements, tables, lookups, exchanged rows, input, timers, hand-over. True:
  // something was done, so the next turn should follow at once.
  bool Turn();
  // When Turn is needed though nothing arrives, on the monotonic clock; INT64_MAX: never.
  int64_t NextTimerMonoNs() const;

 private:
  friend class Engine;
  friend class Task;

  Engine* engine_;
  int index_;
  std::unique_ptr<Loop> loop_;
  Arena arena_;
  int64_t mono_ns_ = 0;
  bool dirty_ = false;
  LedgerCounters ledger_;
  std::vector<StepCounters> step_counters_;
};

}  // namespace weir
