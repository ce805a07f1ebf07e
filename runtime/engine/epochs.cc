#include "runtime/engine/epochs.h"

#include <chrono>

#include <fmt/format.h>

#include "runtime/engine/engine.h"
#include "runtime/engine/output.h"
#include "runtime/state/store.h"

namespace weir {

namespace {
constexpr uint8_t kFinished = 1, kDrained = 2;
}  // namespace

Epochs::Epochs(Engine& engine)
    : engine_(engine),
      reports_(engine.workers()),
      told_(engine.workers()),
      positions_(engine.program().sinks.size()),
      written_(engine.program().sinks.size()) {}

void Epochs::Tell(int worker, const WorkerReport& report) {
  told_[worker].store(static_cast<uint8_t>((report.finished ? kFinished : 0) | (report.drained ? kDrained : 0)),
                      std::memory_order_relaxed);
}

void Epochs::MaybeBegin(int64_t now) {
  if (phase() != Phase::kRunning || committing()) return;
  bool finished = true, drained = true;
  for (const auto& told : told_) {
    uint8_t value = told.load(std::memory_order_relaxed);
    finished = finished && (value & kFinished) != 0;
    drained = drained && (value & kDrained) != 0;
  }
  bool final = (finished && engine_.exchanges_empty()) ||
               (engine_.draining() && (drained || now >= engine_.drain_end_ns()));
  if (!final && (!dirty() || now < next_ns())) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (phase() != Phase::kRunning || committing() || engine_.ended()) return;
  final_ = final;
  collected_ = 0;
  arrived_.store(0, std::memory_order_relaxed);
  begun_ns_ = now;
  barrier_epoch_.fetch_add(1, std::memory_order_relaxed);
  phase_.store(Phase::kBarrier, std::memory_order_release);
  engine_.WakeAll();
}

void Epochs::Arrive() { arrived_.fetch_add(1, std::memory_order_acq_rel); }

void Epochs::TryQuiet() {
  if (phase() != Phase::kBarrier || arrived_.load(std::memory_order_acquire) != engine_.workers()) return;
  // Nobody takes input any more, so once nothing is on its way nothing will be.
  if (!engine_.exchanges_empty()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (phase() != Phase::kBarrier) return;
  if (engine_.StopAt("barrier.quiet")) return;
  dirty_.store(false, std::memory_order_relaxed);
  phase_.store(Phase::kCollect, std::memory_order_release);
  engine_.WakeAll();
}

void Epochs::Collected(int worker, const WorkerReport& report) {
  std::lock_guard<std::mutex> lock(mutex_);
  reports_[worker] = report;
  if (++collected_ < engine_.workers()) return;
  if (engine_.StopAt("barrier.collected")) return;
  bool finished = true, drained = true;
  for (const WorkerReport& one : reports_) {
    finished = finished && one.finished;
    drained = drained && one.drained;
  }
  last_job_ = final_ && (finished || (engine_.draining() && (drained || begun_ns_ >= engine_.drain_end_ns())));
  uint64_t epoch = barrier_epoch();
  bool anything = false;
  for (int i = 0; i < engine_.workers(); ++i) {
    Worker& one = engine_.worker(i);
    anything = anything || one.delta().size() != 0 || !one.epoch_ticket(epoch).Done();
    for (size_t sink = 0; sink < engine_.program().sinks.size(); ++sink) {
      anything = anything || !one.output(static_cast<int>(sink)).collected().empty();
    }
  }
  next_ns_.store(begun_ns_ + engine_.commit_ns(), std::memory_order_relaxed);
  job_epoch_ = epoch;
  if (anything) {
    committing_.store(true, std::memory_order_release);
    job_.store(Job::kTickets, std::memory_order_release);
  } else {
    committed_epoch_.store(epoch, std::memory_order_release);
    if (last_job_) engine_.Finish();
  }
  phase_.store(Phase::kRunning, std::memory_order_release);
  noticed_ = true;
  wake_.notify_all();
  engine_.WakeAll();
}

void Epochs::NoticeTickets() {
  if (job_.load(std::memory_order_acquire) == Job::kTickets) WakeCommit();
}

void Epochs::WakeCommit() {
  std::lock_guard<std::mutex> lock(mutex_);
  noticed_ = true;
  wake_.notify_all();
}

void Epochs::WaitForWork(int64_t ns_max) {
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(ns_max), [this] { return noticed_; });
  noticed_ = false;
}

Epochs::Step Epochs::StepCommit() {
  if (engine_.ended()) return Step::kIdle;
  const Program& program = engine_.program();
  switch (job_.load(std::memory_order_acquire)) {
    case Job::kNone: return Step::kIdle;

    case Job::kTickets:
      for (int i = 0; i < engine_.workers(); ++i) {
        if (!engine_.worker(i).epoch_ticket(job_epoch_).Done()) return Step::kWaiting;
      }
      if (engine_.StopAt("commit.outputs_acknowledged")) return Step::kIdle;
      job_.store(Job::kWrite, std::memory_order_relaxed);
      return Step::kWorked;

    case Job::kWrite:
      for (size_t s = 0; s < program.sinks.size(); ++s) {
        Sink* sink = engine_.store_backed_sink(static_cast<int>(s));
        if (sink == nullptr) continue;
        written_[s] = false;
        for (int i = 0; i < engine_.workers(); ++i) {
          for (const auto& buffer : engine_.worker(i).output(static_cast<int>(s)).collected()) {
            std::vector<Sink::Refused> refused;
            Status status = sink->Write(*buffer, &refused);
            if (status.ok() && !refused.empty()) status = Status::Io(refused.front().reason);
            if (!status.ok()) {
              engine_.Fail(ExitCode::kWriteFailed, fmt::format("sink `{}`: {}", program.sinks[s].name, status.message()),
                           program.steps[program.sinks[s].step].line);
              return Step::kIdle;
            }
            written_[s] = true;
            if (engine_.StopAt("commit.output_written")) return Step::kIdle;
          }
        }
      }
      if (engine_.StopAt("commit.outputs_written")) return Step::kIdle;
      job_.store(Job::kPrepare, std::memory_order_relaxed);
      return Step::kWorked;

    case Job::kPrepare: {
      sink_delta_.Clear();
      DeltaWriter delta(&sink_delta_, engine_.step_hashes());
      for (size_t s = 0; s < program.sinks.size(); ++s) {
        Sink* sink = engine_.store_backed_sink(static_cast<int>(s));
        if (sink == nullptr || !written_[s]) continue;
        SinkPosition position;
        Status status = sink->Prepare(&position);
        if (!status.ok()) {
          engine_.Fail(ExitCode::kWriteFailed, fmt::format("sink `{}`: {}", program.sinks[s].name, status.message()),
                       program.steps[program.sinks[s].step].line);
          return Step::kIdle;
        }
        if (position.length == positions_[s].length) continue;
        positions_[s] = position;
        delta.BeginPut(program.sinks[s].step, StateKind::kSink, 0, Str()).I64(position.length);
        delta.EndPut();
      }
      if (engine_.StopAt("commit.outputs_durable")) return Step::kIdle;
      job_.store(Job::kStore, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kStore: {
      std::vector<const Buffer*> deltas;
      uint64_t bytes = sink_delta_.size();
      for (int i = 0; i < engine_.workers(); ++i) {
        deltas.push_back(&engine_.worker(i).delta());
        bytes += deltas.back()->size();
      }
      deltas.push_back(&sink_delta_);
      Store* store = engine_.environment().store;
      if (store != nullptr && bytes != 0) {
        Status status = store->Commit(store->epoch() + 1, deltas);
        if (!status.ok()) {
          engine_.Fail(ExitCode::kWriteFailed, status.message());
          return Step::kIdle;
        }
      }
      commit_bytes.Add(bytes);
      last_bytes.Set(static_cast<int64_t>(bytes));
      if (engine_.StopAt("commit.store_committed")) return Step::kIdle;
      job_.store(Job::kDone, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kDone: FinishJob(); return Step::kWorked;
  }
  return Step::kIdle;
}

void Epochs::FinishJob() {
  commits.Add();
  last_duration_ns.Set(engine_.environment().clock->MonoNs() - begun_ns_);
  bool last = last_job_;
  job_.store(Job::kNone, std::memory_order_relaxed);
  committed_epoch_.store(job_epoch_, std::memory_order_release);
  committing_.store(false, std::memory_order_release);
  if (engine_.StopAt("commit.done")) return;
  if (last) {
    engine_.Finish();
  } else {
    engine_.WakeAll();
  }
}

}  // namespace weir
