// The one place where runtime/lookup meets the engine's Worker.
#include "runtime/lookup/engine_lookups.h"

#include "runtime/engine/engine.h"
#include "runtime/engine/row_id.h"
#include "runtime/lookup/worker_lookups.h"

namespace weir {
namespace {

class BoundLookups final : public LookupHost, private LookupWorker {
 public:
  BoundLookups(Worker& worker, uint64_t seed, MetricsRegistry* metrics)
      : worker_(worker), metrics_(metrics), lookups_(OptionsFor(worker, seed)) {}
  ~BoundLookups() override {
    if (registered_) metrics_->Remove(&lookups_);
  }

  Status Open() override {
    Status status = lookups_.Open();
    if (status.ok() && metrics_ != nullptr) {
      metrics_->Add(&lookups_);
      registered_ = true;
    }
    return status;
  }
  Made Make(Task* task, int lookup_step) override { return lookups_.Make(task, lookup_step); }
  bool Turn() override { return lookups_.Turn(); }
  int64_t NextTimerMonoNs() const override { return lookups_.NextTimerMonoNs(); }
  void Drain() override { lookups_.Drain(); }
  bool Drained() const override { return lookups_.Drained(); }
  void Close() override { lookups_.Close(); }

 private:
  void Advanced(Task& task, int lookup_step, int64_t watermark_ns) override {
    task.LookupAdvanced(lookup_step, watermark_ns);
  }
  void Changed() override { worker_.MarkDirty(); }
  void WentOn(uint64_t bytes) override {
    worker_.MarkDirty();
    worker_.epoch_limit().Take(bytes);
  }
  bool EpochFull() override { return worker_.epoch_limit().Full(); }
  void Wake() override { worker_.loop().Wake(); }

  WorkerLookups::Options OptionsFor(Worker& worker, uint64_t seed) {
    WorkerLookups::Options options;
    options.program = &worker.program();
    options.clock = &worker.clock();
    options.worker = this;
    options.ledger = &worker.ledger();
    options.worker_index = worker.index();
    options.workers = worker.workers();
    options.seed = seed;
    options.make_connector = [&worker](int connection, std::unique_ptr<LookupConnector>* out) {
      ConnectorContext context;
      context.program = &worker.program();
      context.clock = &worker.clock();
      context.loop = &worker.loop();
      context.log = &worker.log();
      context.worker = worker.index();
      context.workers = worker.workers();
      const ConnectionSpec& spec = worker.program().connections[static_cast<size_t>(connection)];
      return worker.environment().connectors->MakeLookup(spec, context, out);
    };
    options.row_id = &RowId;
    options.late_accepted = worker.engine().Mutated("late answer accepted");
    options.restored_unsorted = worker.engine().Mutated("restored rows unsorted");
    return options;
  }

  Worker& worker_;
  MetricsRegistry* metrics_;
  bool registered_ = false;
  WorkerLookups lookups_;
};

}  // namespace

std::function<std::unique_ptr<LookupHost>(Worker& worker)> EngineLookups(uint64_t seed, MetricsRegistry* metrics) {
  return [seed, metrics](Worker& worker) { return std::make_unique<BoundLookups>(worker, seed, metrics); };
}

}  // namespace weir
