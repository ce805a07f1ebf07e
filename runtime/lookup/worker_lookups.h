// All lookups of one worker: connectors, one LookupRuntime per declared lookup, one LookupInstance per task and step.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "runtime/engine/clock.h"
#include "runtime/engine/counters.h"
#include "runtime/engine/lookup_host.h"
#include "runtime/lookup/answer_queue.h"
#include "runtime/lookup/lookup_instance.h"
#include "runtime/lookup/lookup_runtime.h"
#include "runtime/lookup/lookup_worker.h"
#include "runtime/program/program.h"
#include "runtime/serve/metrics.h"

namespace weir {

// A turn: answers are taken, then time-outs and retries that are due, then rows go on as far as their order, the steps
// behind and the worker's epoch allow, then new requests are asked. All calls on the worker's thread but Collect (any thread).
class WorkerLookups final : public LookupHost, public MetricsSource {
 public:
  struct Options {
    const Program* program = nullptr;
    Clock* clock = nullptr;
    LookupWorker* worker = nullptr;
    LedgerCounters* ledger = nullptr;   // rows added, resumed, … are counted here; null: nowhere
    int worker_index = 0, workers = 1;
    uint64_t seed = 1;                  // of the jitter of all retries
    uint32_t incarnation = 1;           // answers of another one are foreign
    // For simulations of a wrong runtime:
    bool late_accepted = false;         // an answer to an earlier request counts
    bool restored_unsorted = false;     // restored rows go in the order of their slots
    // Makes the client of Program::connections[connection] for this worker.
    std::function<Status(int connection, std::unique_ptr<LookupConnector>* out)> make_connector;
    H128 (*row_id)(const Program& program, uint32_t step, const Meta& meta) = nullptr;
  };
  explicit WorkerLookups(Options options);
  ~WorkerLookups() override;

  // ---- LookupHost ---------------------------------------------------------------------------------------------------
  Status Open() override;
  Made Make(Task* task, int lookup_step) override;
  bool Turn() override;
  int64_t NextTimerMonoNs() const override;
  void Drain() override;
  bool Drained() const override;
  void Close() override;

  // ---- MetricsSource ------------------------------------------------------------------------------------------------
  void Collect(MetricsWriter* out) const override;

  // ---- For LookupInstance -------------------------------------------------------------------------------------------
  LookupWorker& worker() { return *options_.worker; }
  LedgerCounters& ledger() { return *ledger_; }
  // The instance has rows that may go on: its Release is called in this turn or the next.
  void WantRelease(LookupInstance* instance);
  void Removed(LookupInstance* instance);

  // For tests: rows and bytes held.
  size_t rows_in_use() const { return rows_.in_use(); }
  const LookupRuntime& runtime(int lookup) const { return *runtimes_[lookup]; }
  LookupRuntime& runtime(int lookup) { return *runtimes_[lookup]; }
  size_t bytes_held() const { return pool_.bytes_held(); }

 private:
  bool ReleaseAll();

  Options options_;
  LedgerCounters own_ledger_;
  LedgerCounters* ledger_;
  BytePool pool_;
  ObjectPool<PendingRow> rows_;
  LookupShared shared_;
  AnswerQueue answers_;
  std::vector<LookupAnswer> taken_;
  std::vector<std::unique_ptr<LookupConnector>> connectors_;  // by connection; null: none
  std::vector<std::unique_ptr<LookupRuntime>> runtimes_;      // by lookup
  std::vector<LookupInstance*> instances_;
  std::vector<std::vector<LookupInstance*>> to_release_;      // by lookup step
  std::vector<LookupInstance*> releasing_;
  bool open_ = false;
};

}  // namespace weir
