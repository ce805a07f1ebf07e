// The turn of a worker's lookups, and what /metrics says of them.
#include "runtime/lookup/worker_lookups.h"

#include <algorithm>
#include <thread>

namespace weir {

WorkerLookups::WorkerLookups(Options options)
    : options_(std::move(options)),
      ledger_(options_.ledger != nullptr ? options_.ledger : &own_ledger_),
      answers_([worker = options_.worker] { worker->Wake(); }) {
  shared_.pool = &pool_;
  shared_.rows = &rows_;
  shared_.incarnation = options_.incarnation;
  shared_.late_accepted = options_.late_accepted;
  shared_.restored_unsorted = options_.restored_unsorted;
  to_release_.resize(options_.program->lookup_steps.size());
}

WorkerLookups::~WorkerLookups() {
  // Ports that are still held by somebody can do nothing any more.
  for (LookupInstance* instance : instances_) {
    instance->ForgetAll();
    instance->runtime_ = nullptr;
  }
  Close();
}

Status WorkerLookups::Open() {
  const Program& program = *options_.program;
  if (program.lookups.size() >= 1u << kLookupBits) {
    return Status::Limit("a pipeline has at most " + std::to_string((1 << kLookupBits) - 1) + " lookups");
  }
  connectors_.resize(program.connections.size());
  for (size_t i = 0; i < program.lookups.size(); ++i) {
    const LookupSpec& spec = program.lookups[i];
    std::unique_ptr<LookupConnector>& connector = connectors_[static_cast<size_t>(spec.connection)];
    if (connector == nullptr) {
      Status made = options_.make_connector(spec.connection, &connector);
      if (!made.ok()) return made;
      Status opened = connector->Open(&answers_);
      if (!opened.ok()) return opened;
    }
    LookupRuntime::Options runtime;
    runtime.program = &program;
    runtime.lookup = static_cast<int>(i);
    runtime.worker = options_.worker_index;
    runtime.workers = options_.workers;
    runtime.seed = options_.seed;
    runtime.connector = connector.get();
    runtime.row_id = options_.row_id;
    runtimes_.push_back(std::make_unique<LookupRuntime>(runtime, &shared_));
  }
  shared_.now_mono_ns = options_.clock->MonoNs();
  open_ = true;
  return Status();
}

LookupHost::Made WorkerLookups::Make(Task* task, int lookup_step) {
  const Program& program = *options_.program;
  const LookupStepSpec& spec = program.lookup_steps[static_cast<size_t>(lookup_step)];
  auto instance = std::make_unique<LookupInstance>(task, lookup_step, spec,
                                                   runtimes_[static_cast<size_t>(spec.lookup)].get(), this);
  // Who stands behind whom in this task: followed from the one behind, through windows, to those in front of it.
  auto in_front = [&program](int behind, int front) {
    int at = program.lookup_steps[static_cast<size_t>(behind)].upstream;
    while (at >= 0) {
      if (at == front) return true;
      at = at >= kWindowNode ? program.windows[static_cast<size_t>(at - kWindowNode)].upstream
                             : program.lookup_steps[static_cast<size_t>(at)].upstream;
    }
    return false;
  };
  for (LookupInstance* other : instances_) {
    if (other->task() != task) continue;
    if (in_front(other->lookup_step(), lookup_step)) instance->AddBehind(other);
    if (in_front(lookup_step, other->lookup_step())) other->AddBehind(instance.get());
  }
  instances_.push_back(instance.get());
  Made made;
  made.instance = instance.get();
  made.port = std::move(instance);
  return made;
}

void WorkerLookups::Removed(LookupInstance* instance) {
  instances_.erase(std::find(instances_.begin(), instances_.end(), instance));
  for (LookupInstance* other : instances_) {
    if (other->task() == instance->task()) other->RemoveBehind(instance);
  }
  std::vector<LookupInstance*>& listed = to_release_[static_cast<size_t>(instance->lookup_step())];
  listed.erase(std::remove(listed.begin(), listed.end(), instance), listed.end());
}

void WorkerLookups::WantRelease(LookupInstance* instance) {
  if (instance->listed_) return;
  instance->listed_ = true;
  to_release_[static_cast<size_t>(instance->lookup_step())].push_back(instance);
}

// Steps further behind go first: they make room for those in front.
bool WorkerLookups::ReleaseAll() {
  bool any = false;
  for (bool again = true; again;) {
    again = false;
    for (size_t step = to_release_.size(); step-- != 0;) {
      if (to_release_[step].empty()) continue;
      releasing_.swap(to_release_[step]);
      for (LookupInstance* instance : releasing_) {
        instance->listed_ = false;
        if (instance->Release()) again = any = true;
      }
      releasing_.clear();
    }
  }
  return any;
}

bool WorkerLookups::Turn() {
  answers_.SetOwner(std::this_thread::get_id());
  shared_.now_mono_ns = options_.clock->MonoNs();
  answers_.Take(&taken_);
  bool any = !taken_.empty();
  for (LookupAnswer& answer : taken_) {
    // A request of no lookup at all is as good as any for counting it as foreign.
    size_t lookup = static_cast<size_t>(LookupOf(answer.request_id));
    runtimes_[lookup < runtimes_.size() ? lookup : 0]->Take(answer);
  }
  taken_.clear();
  for (auto& runtime : runtimes_) any |= runtime->RunTimers();
  any |= ReleaseAll();
  for (auto& runtime : runtimes_) any |= runtime->Fire();
  return any || answers_.HasAny();
}

int64_t WorkerLookups::NextTimerMonoNs() const {
  if (answers_.HasAny()) return shared_.now_mono_ns;
  int64_t next = INT64_MAX;
  for (const auto& runtime : runtimes_) {
    if (runtime->WantsFire()) return shared_.now_mono_ns;
    next = std::min(next, runtime->NextTimerMonoNs());
  }
  return next;
}

void WorkerLookups::Drain() {
  for (auto& runtime : runtimes_) runtime->Drain();
}

bool WorkerLookups::Drained() const {
  for (const auto& runtime : runtimes_) {
    if (runtime->flying() != 0) return false;
  }
  return true;
}

void WorkerLookups::Close() {
  if (!open_) return;
  open_ = false;
  for (auto& connector : connectors_) {
    if (connector != nullptr) connector->Close();
  }
}

void WorkerLookups::Collect(MetricsWriter* out) const {
  static constexpr const char* kOutcomeNames[kOutcomes] = {"found", "missing", "timeout", "rejected", "error"};
  const Program& program = *options_.program;
  for (size_t i = 0; i < runtimes_.size(); ++i) {
    const LookupMetrics& m = runtimes_[i]->metrics();
    MetricLabels labels = {{"pipeline", program.name}, {"lookup", program.lookups[i].name}};
    auto number = [](const Counter& counter) { return static_cast<double>(counter.Get()); };
    for (int outcome = 0; outcome < kOutcomes; ++outcome) {
      MetricLabels with_outcome = labels;
      with_outcome.emplace_back("outcome", kOutcomeNames[outcome]);
      out->AddCounter("weir_lookup_requests", "Requests that ended, by outcome. Answers from the cache are not requests.",
                      with_outcome, number(m.requests[outcome]));
    }
    out->AddCounter("weir_lookup_attempts", "Requests sent, every attempt counted.", labels, number(m.attempts));
    out->AddCounter("weir_lookup_retries", "Second and later attempts.", labels, number(m.retries));
    out->AddCounter("weir_lookup_cache_hits", "Answers taken from the cache.", labels, number(m.cache_hits));
    out->AddCounter("weir_lookup_cache_misses", "Answers the cache did not have.", labels, number(m.cache_misses));
    out->AddCounter("weir_lookup_coalesced", "Records that joined an equal request in flight.", labels,
                    number(m.coalesced));
    out->AddCounter("weir_lookup_late_answers", "Answers to attempts that were no longer waited for.", labels,
                    number(m.late_answers));
    out->AddCounter("weir_lookup_foreign_answers", "Answers that belong to no request of this process.", labels,
                    number(m.foreign_answers));
    out->AddCounter("weir_lookup_restored_rows", "Pending rows taken over from the state at start.", labels,
                    number(m.restored));
    out->AddGauge("weir_lookup_inflight", "Records asked and not answered.", labels,
                  static_cast<double>(m.in_flight.Get()));
    out->AddGauge("weir_lookup_waiting", "Records answered that wait for their turn.", labels,
                  static_cast<double>(m.waiting.Get()));
    out->AddGauge("weir_lookup_cache_entries", "Answers in the cache.", labels,
                  static_cast<double>(m.cache_entries.Get()));
    out->AddHistogram("weir_lookup_duration_seconds", "From a request's first attempt to its outcome.", labels,
                      m.duration);
  }
}

}  // namespace weir
