// Counts that one thread keeps and any thread may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

// Written by one thread with plain instructions: no locked operation. Readers see some recent value.
class Counter {
 public:
  void Add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void Sub(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed); }
  void Set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// The same for values that may be negative: times, watermarks.
class Gauge {
 public:
  explicit Gauge(int64_t initial = 0) : value_(initial) {}
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_;
};

// What became of records at one step, on one worker.
struct StepCounters {
  Counter read;          // sources: records taken; exchanges and lookups: rows that arrived
  Counter read_bytes;
  Counter written;       // sinks: records handed over
  Counter written_bytes;
  Counter dropped;       // by a `drop` route other than `on late`
  Counter late;          // late records, whatever became of them
  Counter dead;          // sent to a dead letter
  Counter fired;         // windows: results
};

// What became of input records on one worker: the conservation law (each record read is in exactly one of the others).
struct LedgerCounters {
  Counter read;
  Counter emitted;   // reached a sink
  Counter pending;   // waits as a row of a lookup (and nothing of it reached a sink at once)
  Counter state;     // went into a window or an exchange
  Counter dead;
  Counter dropped;
  Counter filtered;  // no step wanted it
  // Rows of lookups, restored ones included: added = resumed + forgotten + pending now.
  Counter rows_restored;
  Counter rows_added;
  Counter rows_resumed;
  Counter rows_forgotten;
};

}  // namespace weir
