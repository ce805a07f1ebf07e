// One declared lookup on one worker: firing within in_flight, attempts, time-outs, retries, cache, coalescing.
//
//   rows of all tasks ──Ask──▶ queue ──Fire──▶ connector
//                                │  ▲            │
//            deadline, attempts  │  └─ backoff ◀─┤ transient failure, time-out
//                                ▼               ▼
//                      LookupInstance::Done ◀── outcome (one per request, decided here and nowhere else)
//
// Everything runs on the worker's thread; answers arrive through AnswerQueue. In one turn answers count before
// time-outs: what came in time for the turn is taken.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/buffer.h"
#include "runtime/core/hash.h"
#include "runtime/engine/clock.h"
#include "runtime/lookup/backoff.h"
#include "runtime/lookup/byte_pool.h"
#include "runtime/lookup/connector.h"
#include "runtime/lookup/lookup_cache.h"
#include "runtime/lookup/lookup_flight.h"
#include "runtime/lookup/lookup_metrics.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/lookup/pointer_index.h"
#include "runtime/program/program.h"

namespace weir {

class LookupInstance;

// What is shared by all lookups of a worker.
struct LookupShared {
  BytePool* pool = nullptr;
  ObjectPool<PendingRow>* rows = nullptr;
  uint32_t incarnation = 1;
  bool late_accepted = false;
  bool restored_unsorted = false;
  int64_t now_mono_ns = 0;  // of the turn
};

class LookupRuntime {
 public:
  struct Options {
    const Program* program = nullptr;
    int lookup = 0;                  // index into Program::lookups, and part of the ids it gives to requests
    int worker = 0, workers = 1;
    uint64_t seed = 0;               // of the jitter
    LookupConnector* connector = nullptr;
    // RowId of engine/row_id.h; called only for requests that are not GET.
    H128 (*row_id)(const Program& program, uint32_t step, const Meta& meta) = nullptr;
  };
  LookupRuntime(const Options& options, LookupShared* shared);
  ~LookupRuntime();
  LookupRuntime(const LookupRuntime&) = delete;
  LookupRuntime& operator=(const LookupRuntime&) = delete;

  const LookupSpec& spec() const { return spec_; }
  LookupShared& shared() { return *shared_; }
  LookupMetrics& metrics() { return metrics_; }
  const LookupMetrics& metrics() const { return metrics_; }
  LookupCache& cache() { return cache_; }

  // ---- For LookupInstance -------------------------------------------------------------------------------------------
  void AddInstance(LookupInstance* instance);
  void RemoveInstance(LookupInstance* instance);
  // Hash of arguments for cache and coalescing; 0 where neither is on.
  uint64_t ArgsHash(Str args) const { return hashes_ ? Hash(args) : 0; }
  // The row waits for an answer from now on; asked with the next Fire that has room.
  void Ask(PendingRow* row);
  // A row that waits is given up: a request nobody waits for is forgotten.
  void Abandon(PendingRow* row);
  // A done row was added (from the cache) or has gone.
  void AddDone(int n);
  // This worker's share of in_flight is asked and unanswered.
  bool Full() const { return unanswered_ >= in_flight_; }
  // So many done rows wait for their turn that tasks with more than their share of them must stop.
  bool ManyDone() const { return done_ >= done_max_; }
  uint32_t DoneShare() const;

  // ---- A turn -------------------------------------------------------------------------------------------------------
  // One answer. Late, repeated and foreign ones are counted and dropped.
  void Take(LookupAnswer& answer);
  // Time-outs and retries that are due at shared().now_mono_ns. True: something was done.
  bool RunTimers();
  // Hands to the connector what may be asked. True: something was asked.
  bool Fire();
  // Requests that wait could be asked now.
  bool WantsFire() const { return (queue_first_ != nullptr && flying_ < in_flight_ && !drained_) || !batch_.empty(); }
  int64_t NextTimerMonoNs() const { return timers_.empty() ? INT64_MAX : timers_.first()->at_mono_ns; }
  // No new request from now on; retries of those under way go on.
  void Drain() { drained_ = true; }

  int32_t in_flight_max() const { return in_flight_; }
  uint32_t flying() const { return static_cast<uint32_t>(flying_); }

 private:
  LookupFlight* TakeFlight();
  void FreeFlight(LookupFlight* flight);
  void Render(LookupFlight* flight, const PendingRow& row);
  void Begin(LookupFlight* flight);
  void Forget(LookupFlight* flight);
  void Failed(LookupFlight* flight, Outcome outcome, bool transient, int64_t retry_after_ns, std::string reason);
  void End(LookupFlight* flight, Outcome outcome, Str bytes);
  void SetTimer(LookupFlight* flight, int64_t at_mono_ns);
  void CountsChanged();

  const Program* program_;
  const LookupSpec& spec_;
  const int lookup_;
  LookupShared* shared_;
  LookupConnector* connector_;
  H128 (*row_id_)(const Program&, uint32_t, const Meta&);
  const int32_t in_flight_;   // this worker's share
  const int64_t done_max_;
  const bool hashes_;
  bool drained_ = false;
  bool was_full_ = false;
  bool was_many_done_ = false;

  LookupMetrics metrics_;
  LookupCache cache_;
  JitterSource jitter_;
  Arena arena_;               // of one render or decode
  Buffer scratch_;
  std::vector<LookupInstance*> instances_;

  std::deque<LookupFlight> flights_;  // stable addresses, by index
  std::vector<uint32_t> free_flights_;
  PointerIndex<LookupFlight, &LookupFlight::args_hash> by_args_;
  FlightTimers timers_;
  uint64_t timer_sequence_ = 0;
  LookupFlight* queue_first_ = nullptr;
  LookupFlight* queue_last_ = nullptr;
  std::vector<LookupRequest> batch_;  // begun, not yet handed to the connector
  int64_t flying_ = 0;      // requests kFired or kBackoff
  int64_t unanswered_ = 0;  // rows kAsked
  int64_t done_ = 0;        // rows kDone
};

}  // namespace weir
