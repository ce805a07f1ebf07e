#include "runtime/engine/worker.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/engine/dead_letter.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/input.h"
#include "runtime/engine/output.h"
#include "runtime/engine/table_loader.h"
#include "runtime/engine/task_state.h"

namespace weir {

namespace {
// Event times beyond these cannot be windowed and compared without overflow: about 1680 and 2260.
constexpr int64_t kTimeMin = -INT64_MAX / 100 * 99;
constexpr int64_t kTimeMax = INT64_MAX / 100 * 99;
// Past the grace time, how often it is seen whether the last commit has ended.
constexpr int64_t kStopLookNs = 100'000'000;
}  // namespace

Worker::Worker(Engine* engine, int index)
    : engine_(engine),
      index_(index),
      loop_(engine->environment().make_loop(index)),
      step_counters_(engine->program().steps.size()),
      by_stage_(engine->program().stages.size()),
      by_partition_(engine->program().stages.size()) {}

Worker::~Worker() {
  // Tasks before the host that their ports belong to; both before the inputs, which own the tickets of rows that wait.
  tasks_.clear();
  host_.reset();
  inputs_.clear();
}

int Worker::workers() const { return engine_->workers(); }
const Program& Worker::program() const { return engine_->program(); }
const Environment& Worker::environment() const { return engine_->environment(); }
Clock& Worker::clock() const { return *engine_->environment().clock; }
Log& Worker::log() const { return *engine_->environment().log; }
bool Worker::store_mode() const { return engine_->store_mode(); }
bool Worker::transactions() const { return engine_->transactions(); }
bool Worker::outputs_at_once() const { return engine_->transactions() && program().outputs_at_once; }
bool Worker::stopping() const { return engine_->ended(); }
bool Worker::AnyWindowOpen() const { return engine_->open_windows() != 0; }

void Worker::Fail(ExitCode code, const std::string& message, uint32_t line) { engine_->Fail(code, message, line); }

void Worker::FailSink(int sink, const Status& status) {
  const SinkSpec& spec = program().sinks[sink];
  Fail(status.code() == StatusCode::kIo || status.code() == StatusCode::kLimit ? ExitCode::kWriteFailed
                                                                              : ExitCode::kConnector,
       fmt::format("sink `{}`: {}", spec.name, status.message()), program().steps[spec.step].line);
}

// ---- Building -------------------------------------------------------------------------------------------------------

Status Worker::Build() {
  const Program& program = this->program();
  const Environment& environment = this->environment();
  ConnectorContext context;
  context.program = &program;
  context.clock = environment.clock;
  context.loop = loop_.get();
  context.log = environment.log;
  context.worker = index_;
  context.workers = workers();

  slots_ = std::vector<OutputSlot>(program.sinks.size());
  // All are made before the first is opened: sinks of one connection share a producer, whose limits are those of all
  // its topics.
  std::vector<std::unique_ptr<Sink>> sinks(program.sinks.size());
  for (size_t i = 0; i < sinks.size(); ++i) {
    if (transactions() && !outputs_at_once()) continue;
    if (engine_->store_backed_sink(static_cast<int>(i)) != nullptr) continue;
    Status status = environment.connectors->MakeSink(program.sinks[i], context, &sinks[i]);
    if (!status.ok()) return engine_->Within("sink", program.sinks[i].name, program.sinks[i].step, status);
  }
  for (size_t i = 0; i < sinks.size(); ++i) {
    std::unique_ptr<Sink> sink = std::move(sinks[i]);
    if (sink != nullptr) {
      Status status = sink->Open(SinkPosition());
      if (!status.ok()) return engine_->Within("sink", program.sinks[i].name, program.sinks[i].step, status);
    }
    outputs_.push_back(std::make_unique<Output>(*this, static_cast<int>(i), &slots_[i], std::move(sink)));
    forms_.push_back(DeadLetterFormOf(program.sinks[i]));
  }
  if (!program.lookup_steps.empty()) {
    host_ = environment.make_lookup_host(*this);
    Status status = host_->Open();
    if (!status.ok()) return status;
  }
  exchanges_ = std::make_unique<Exchanges>(*this);
  if (index_ == 0 && !program.tables.empty()) tables_ = std::make_unique<TableLoader>(*this, engine_->tables());
  if (environment.taps != nullptr) {
    taps_ = std::make_unique<bool[]>(program.taps.size());
    for (size_t i = 0; i < program.taps.size(); ++i) taps_[i] = environment.taps->Wanted(static_cast<int>(i));
  }
  return Status();
}

TaskState* Worker::AddTask(int stage, int32_t partition) {
  auto state = std::make_unique<TaskState>(*this, program(), engine_->graph(stage), host_.get(), stage, partition);
  Task& task = state->task;
  task.outputs_ = slots_.data();
  task.tables_ = engine_->tables().data();
  task.taps_ = taps_.get();
  if (epoch_tickets()) task.epoch_ticket_ = &tickets_[epoch_ & 1];
  task.time_min_ = kTimeMin;
  task.time_max_ = kTimeMax;
  int exchange = program().stages[stage].exchange;
  if (exchange >= 0) {
    state->upstreams.resize(static_cast<size_t>(engine_->task_count(program().exchanges[exchange].from_stage)));
  }
  TaskState* made = state.get();
  std::vector<TaskState*>& by = by_partition_[stage];
  if (by.size() <= static_cast<size_t>(partition)) by.resize(static_cast<size_t>(partition) + 1);
  by[partition] = made;
  by_stage_[stage].push_back(made);
  tasks_.push_back(std::move(state));
  engine_->SetHeld(stage, partition, true);
  return made;
}

void Worker::RemoveTask(TaskState* task) {
  int stage = task->task.stage();
  by_partition_[stage][task->task.partition()] = nullptr;
  engine_->SetHeld(stage, task->task.partition(), false);
  by_stage_[stage].erase(std::find(by_stage_[stage].begin(), by_stage_[stage].end(), task));
  for (int i = 0; i < Task::kClasses; ++i) gone_classes_[i] += task->task.classes_[i];
  tasks_.erase(std::find_if(tasks_.begin(), tasks_.end(),
                            [task](const std::unique_ptr<TaskState>& one) { return one.get() == task; }));
}

TaskState* Worker::FindTask(int stage, int32_t partition) const {
  const std::vector<TaskState*>& by = by_partition_[stage];
  return partition >= 0 && static_cast<size_t>(partition) < by.size() ? by[partition] : nullptr;
}

std::vector<TaskState*> Worker::Tasks() const {
  std::vector<TaskState*> tasks;
  for (const auto& task : tasks_) tasks.push_back(task.get());
  return tasks;
}

Status Worker::Restored() {
  for (auto& task : tasks_) {
    for (auto& port : task->owned_ports) {
      if (Status status = port->Restored(); !status.ok()) return status;
    }
    task->restored_rows = task->Pending();
    if (task->task.watermark_ != INT64_MIN) task->task.Advance();
  }
  return Status();
}

// ---- For tasks ------------------------------------------------------------------------------------------------------

void Worker::SendRow(int exchange, int32_t from, Str key, const Meta& meta, Str row) {
  exchanges_->SendRow(exchange, from, key, meta, row);
}

void Worker::EmitDead(int deadletter, const DeadLetter& letter, Ticket* ticket) {
  StepCounters& counters = step_counters_[letter.step];
  counters.dead.Add();
  if (letter.reason == DeadReason::kLate) counters.late.Add();
  // A record of the epoch that is being committed was refused: its dead letter must be part of that commit.
  bool committing = epoch_tickets() && ticket == &tickets_[(epoch_ - 1) & 1];
  if (epoch_tickets() && !committing) ticket = &tickets_[epoch_ & 1];
  if (taps_ != nullptr) {
    for (size_t tap = 0; tap < program().taps.size(); ++tap) {
      if (!taps_[tap] || program().taps[tap].deadletter != deadletter) continue;
      tap_.Clear();
      WriteDeadLetterJson(program(), letter, SIZE_MAX / 2, &tap_);
      EndTap(static_cast<int>(tap));
    }
  }
  for (int sink : program().deadletters[deadletter].sinks) {
    OutputSlot& slot = slots_[sink];
    OutputBuffer& out = committing && slot.kept_until_commit ? outputs_[sink]->AddToCollected() : *slot.buffer;
    out.records.emplace_back();
    WriteDeadLetter(program(), forms_[sink], letter, out);
    OutputRecord& record = out.records.back();
    record.time_ns = letter.meta->time_ns;
    record.step = letter.step;
    if (!slot.kept_until_commit) record.ticket = ticket;
    if (&out == slot.buffer && out.bytes.size() > slot.hand_over_bytes) outputs_[sink]->HandOver();
  }
}

void Worker::EndTap(int tap) { environment().taps->Record(tap, tap_.str()); }

uint64_t Worker::epoch_bytes_max() const {
  return transactions() ? environment().transaction_bytes_max : environment().epoch_bytes_max;
}

bool Worker::SinksFull() const {
  uint64_t kept = 0;
  for (const auto& output : outputs_) {
    if (output->kept_until_commit()) {
      kept += output->kept_bytes();
    } else if (output->sink()->Full()) {
      return true;
    }
  }
  if (transactions()) kept += exchanges_->rekeyed_bytes();
  return kept > 2 * epoch_bytes_max();
}

bool Worker::MayRead(int stage) const {
  if (engine_->ended() || engine_->draining()) return false;
  if (store_mode() && engine_->epochs().phase() != Epochs::Phase::kRunning) return false;
  if (engine_->exchange_full().load(std::memory_order_relaxed) != 0) {
    for (const ExchangeSpec& exchange : program().exchanges) {
      if (exchange.from_stage == stage) return false;
    }
  }
  return !epoch_limit_.Full() && !SinksFull();
}

// ---- Driving --------------------------------------------------------------------------------------------------------

bool Worker::Turn() {
  if (engine_->ended()) return false;
  mono_ns_ = clock().MonoNs();
  if (transactions()) {
    bool did = TurnRunning();
    if (outputs_at_once() && NoticeAcknowledged(!commit_->idle())) commit_->WakeCommit();
    return TransactionsTurn() || did;
  }
  if (!store_mode()) {
    bool did = TurnRunning();
    return OffsetsTurn() || did;
  }
  Epochs& epochs = engine_->epochs();
  if (epochs.committed_epoch() > told_epoch_) {
    told_epoch_ = epochs.committed_epoch();
    for (auto& input : inputs_) input->TellCommitted();
  }
  bool did;
  if (epochs.phase() != Epochs::Phase::kRunning && epochs.barrier_epoch() == epoch_) {
    did = TurnBarrier();
  } else if (epochs.phase() != Epochs::Phase::kRunning) {
    PollSinks();  // collected already; the others have not
    did = false;
  } else {
    did = TurnRunning();
    if (dirty_) epochs.MarkDirty();
    epochs.Tell(index_, Report());
    epochs.MaybeBegin(mono_ns_);
  }
  if (NoticeAcknowledged(epochs.committing())) {
    epochs.NoticeTickets();
    did = true;
  }
  return did || (epochs.phase() != Epochs::Phase::kRunning && epochs.barrier_epoch() == epoch_);
}

bool Worker::NoticeAcknowledged(bool committing) {
  if (noticed_epoch_ == epoch_ || !committing || !epoch_ticket(epoch_ - 1).Done()) return false;
  noticed_epoch_ = epoch_;
  return true;
}

bool Worker::TurnRunning() {
  SetTimes();
  PollSinks();
  bool did = false;
  if (tables_ != nullptr) {
    did |= tables_->Turn();
    if (tables_->loaded() && !engine_->ready()) {
      engine_->SetLoaded();
      engine_->WakeAll();
    }
  }
  bool loaded = engine_->ready();
  bool draining = engine_->draining();
  if (draining && !draining_) {
    draining_ = true;
    if (host_ != nullptr) host_->Drain();
  }
  bool lock = loaded && !program().tables.empty();
  if (lock) engine_->table_lock().LockShared();
  table_locked_ = lock;
  // Bringing tasks back may close windows, whose results may join tables.
  if (loaded && transactions()) did |= TakeCommitEnd();
  if (loaded && host_ != nullptr) {
    did |= host_->Turn();
    arena_.Reset();
  }
  if (loaded) did |= exchanges_->Receive(false);
  bool held_back = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Input& input = *inputs_[(epoch_limit_.epochs() + i) % inputs_.size()];
    bool may = MayRead(input.stage());
    held_back |= !may;
    // While tables load, readers already fetch, so that the first records are there when they may run.
    did |= input.Turn(loaded && may, may);
  }
  if (loaded) {
    for (auto& input : inputs_) input->Tick(!held_back);
    if (!program().exchanges.empty()) {
      for (auto& task : tasks_) {
        if (!transactions()) {
          exchanges_->SendWatermarks(*task);
        } else if (!dirty_ && exchanges_->WantsTelling(*task)) {
          dirty_ = true;
        }
      }
    }
  }
  HandOver();
  did |= exchanges_->Flush();
  exchanges_->Acknowledge();
  if (lock) engine_->table_lock().UnlockShared();
  table_locked_ = false;
  UpdateExchangeFull();
  Publish();
  return did;
}

bool Worker::TurnBarrier() {
  Epochs& epochs = engine_->epochs();
  if (epochs.phase() == Epochs::Phase::kBarrier) {
    SetTimes();
    bool lock = engine_->ready() && !program().tables.empty();
    if (lock) engine_->table_lock().LockShared();
    // What waits for a blocked task goes on now, beyond in_flight if need be: it is bounded, and the barrier is not to
    // wait for outside systems.
    bool did = engine_->ready() && exchanges_->Receive(true);
    for (auto& task : tasks_) exchanges_->SendWatermarks(*task);
    HandOver();
    did |= exchanges_->Flush();
    exchanges_->Acknowledge();
    if (lock) engine_->table_lock().UnlockShared();
    PollSinks();
    UpdateExchangeFull();
    if (!arrived_) {
      arrived_ = true;
      epochs.Arrive();
      did = true;
    }
    epochs.TryQuiet();
    if (epochs.phase() != Epochs::Phase::kCollect) return did;
  }
  Collect();
  return true;
}

void Worker::Collect() {
  if (engine_->ended()) return;
  for (auto& output : outputs_) {
    output->Collect();
    if (!output->kept_until_commit()) output->sink()->Flush();
  }
  delta_.Clear();
  delta_.Trim(64 << 20);
  DeltaWriter delta(&delta_, engine_->step_hashes());
  for (auto& input : inputs_) input->AppendDelta(delta);
  for (auto& task : tasks_) {
    task->AppendDelta(delta);
    int exchange = program().stages[task->task.stage()].exchange;
    if (exchange >= 0) Exchanges::AppendDelta(*task, program().exchanges[exchange].step, false, delta);
  }
  CheckConservation();
  Publish();
  dirty_ = false;
  arrived_ = false;
  BeginEpoch();
  engine_->epochs().Collected(index_, Report());
}

void Worker::BeginEpoch() {
  ++epoch_;
  for (auto& task : tasks_) task->task.epoch_ticket_ = &tickets_[epoch_ & 1];
}

// Each record that was begun ended in exactly one way, and each row that was left waiting was resumed or waits.
void Worker::CheckConservation() {
  for (auto& state : tasks_) {
    const Task& task = state->task;
    uint64_t ended = 0;
    for (uint64_t n : task.classes_) ended += n;
    if (ended != task.begun_) {
      Fail(ExitCode::kInternal, fmt::format("stage `{}`, partition {}: {} records begun and {} ended",
                                            program().stages[task.stage_].name, task.partition_, task.begun_, ended));
    }
    uint64_t pending = state->Pending();
    if (state->restored_rows + task.rows_added_ != task.rows_resumed_ + pending) {
      Fail(ExitCode::kInternal,
           fmt::format("stage `{}`, partition {}: {} rows restored, {} added, {} resumed and {} pending",
                       program().stages[task.stage_].name, task.partition_, state->restored_rows, task.rows_added_,
                       task.rows_resumed_, pending));
    }
    if (!state->backlog.empty()) Fail(ExitCode::kInternal, "exchanged rows wait at a barrier");
  }
}

WorkerReport Worker::Report() const {
  WorkerReport report;
  report.drained = draining_ && (host_ == nullptr || host_->Drained());
  report.finished = engine_->ready() && exchanges_->backlog_bytes() == 0;
  for (const auto& input : inputs_) report.finished = report.finished && input->finished();
  for (const auto& task : tasks_) {
    if (!report.finished) break;
    report.finished = task->Pending() == 0 && task->OpenWindows() == 0;
  }
  return report;
}

void Worker::SetTimes() {
  int64_t wall = clock().WallNs();
  int64_t ahead = environment().time_ahead_ns_max;
  int64_t time_max = ahead > 0 && wall < kTimeMax - ahead ? wall + ahead : kTimeMax;
  for (auto& task : tasks_) {
    task->task.arrival_ns_ = wall;
    task->task.time_max_ = time_max;
  }
}

void Worker::PollSinks() {
  for (auto& output : outputs_) {
    if (output->kept_until_commit()) continue;
    Status status = output->Poll();
    if (!status.ok()) {
      return FailSink(static_cast<int>(&output - outputs_.data()), status);
    }
  }
}

void Worker::HandOver() {
  // Handing over may itself make dead letters, for sinks that were handed over already.
  for (bool again = true; again && !engine_->ended();) {
    again = false;
    for (auto& output : outputs_) {
      if (output->kept_until_commit() || output->empty()) continue;
      output->HandOver();
      again = true;
    }
  }
  uint64_t kept = 0;
  for (auto& output : outputs_) {
    if (!output->kept_until_commit()) continue;
    if (!output->empty()) dirty_ = true;
    kept += output->kept_bytes();
  }
  if (transactions()) kept += exchanges_->rekeyed_bytes();
  if (kept > epoch_bytes_max() || epoch_limit_.Full()) RequestEarlyCommit();
}

void Worker::RequestEarlyCommit() {
  if (transactions()) {
    early_ = true;
  } else {
    engine_->epochs().RequestEarly();
  }
}

void Worker::UpdateExchangeFull() {
  bool full = exchanges_->backlog_bytes() > environment().exchange_bytes_max || exchanges_->Overfull();
  if (full == exchange_full_) return;
  exchange_full_ = full;
  engine_->exchange_full().fetch_add(full ? 1 : -1, std::memory_order_relaxed);
}

bool Worker::ServeOutputs() {
  mono_ns_ = clock().MonoNs();
  bool did = host_ != nullptr && host_->Turn();
  arena_.Reset();
  HandOver();
  for (auto& output : outputs_) {
    if (!output->kept_until_commit()) output->sink()->Flush();
  }
  PollSinks();
  return did;
}

void Worker::Publish() {
  uint64_t classes[Task::kClasses];
  std::copy(gone_classes_, gone_classes_ + Task::kClasses, classes);
  uint64_t windows = 0, bytes = 0, pending = 0;
  for (auto& task : tasks_) {
    for (int i = 0; i < Task::kClasses; ++i) classes[i] += task->task.classes_[i];
    windows += task->OpenWindows();
    bytes += task->WindowBytes();
    pending += task->Pending();
  }
  ledger_.emitted.Set(classes[Task::kEmitted]);
  ledger_.dead.Set(classes[Task::kDead]);
  ledger_.pending.Set(classes[Task::kPending]);
  ledger_.dropped.Set(classes[Task::kDropped]);
  ledger_.state.Set(classes[Task::kState]);
  ledger_.filtered.Set(classes[Task::kFiltered]);
  open_windows_.Set(windows);
  state_bytes_.Set(bytes);
  pending_rows_.Set(pending);
  epoch_bytes_limit_.Set(epoch_limit_.limited() ? epoch_limit_.bytes_max() : 0);
  uncommitted_.Set(transactions() && (dirty_ || !commit_->idle()) ? 1 : 0);
}

int64_t Worker::NextTimerMonoNs(bool lookups_only) const {
  int64_t next = INT64_MAX;
  if (host_ != nullptr && engine_->ready()) next = std::min(next, host_->NextTimerMonoNs());
  if (!lookups_only) {
    for (const auto& input : inputs_) next = std::min(next, input->NextTimerMonoNs());
  }
  if (transactions()) {
    // Nothing is committed before what was lost is back.
    if (dirty_ && commit_->idle() && !recovery_wanted_) next = std::min(next, next_commit_ns_);
    if (recovery_wanted_ && recovery_at_ns_ > mono_ns_) next = std::min(next, recovery_at_ns_);
  } else if (store_mode()) {
    if (engine_->epochs().dirty() && !engine_->epochs().committing()) next = std::min(next, engine_->epochs().next_ns());
  } else if (dirty_) {
    next = std::min(next, next_offsets_ns_);
  }
  if (engine_->draining() && engine_->drain_end_ns() > mono_ns_) {
    next = std::min(next, engine_->drain_end_ns());
  } else if (engine_->draining() && transactions() && !done_) {
    next = std::min(next, mono_ns_ + kStopLookNs);
  }
  return next;
}

// ---- Offsets that follow delivery -----------------------------------------------------------------------------------

bool Worker::OffsetsTurn() {
  for (auto& input : inputs_) input->Settle();
  if (mono_ns_ >= next_offsets_ns_) {
    next_offsets_ns_ = mono_ns_ + engine_->commit_ns();
    for (auto& input : inputs_) input->CommitDone();
    dirty_ = false;
    for (auto& input : inputs_) dirty_ = dirty_ || !input->Settled();
  }
  if (!draining_ || done_) return false;
  for (auto& output : outputs_) output->sink()->Flush();
  bool settled = host_ == nullptr || host_->Drained();
  for (auto& input : inputs_) settled = settled && (input->Settled() || pending_rows_.Get() != 0);
  if (!settled && mono_ns_ < engine_->drain_end_ns()) return false;
  for (auto& input : inputs_) input->CommitDone();
  done_ = true;
  engine_->WorkerDone();
  return true;
}

void Worker::Close(bool well) {
  for (auto& input : inputs_) input->Close();
  if (tables_ != nullptr) tables_->Close();
  if (host_ != nullptr) host_->Close();
  // A pipeline that failed leaves its outputs as they are: what is not committed is done again.
  if (!well) return;
  for (auto& output : outputs_) {
    if (!output->kept_until_commit()) output->sink()->Close();
  }
}

std::string Worker::Describe() const {
  auto time = [](int64_t ns) { return ns == INT64_MIN ? std::string("none") : fmt::format("{}", ns / 1'000'000); };
  std::string out;
  if (transactions()) {
    out += fmt::format("  worker {}: commit {}, {}{}, outputs not acknowledged {} and {}\n", index_, commit_->idle() ? "idle" : "under way",
                       dirty_ ? "more to commit" : "nothing more to commit", recovery_wanted_ ? ", recovery wanted" : "",
                       epoch_ticket(epoch_).open(), epoch_ticket(epoch_ - 1).open());
  }
  for (const auto& task : tasks_) {
    out += fmt::format("  worker {}, stage `{}`, partition {}: watermark {} ms, furthest record {} ms{}, {} rows, {} windows, next {} ms",
                       index_, program().stages[task->task.stage_].name, task->task.partition_,
                       time(task->task.watermark_), time(task->task.max_time_), task->idle ? ", idle" : "",
                       task->Pending(), task->OpenWindows(), time(task->NextFire()));
    for (const ExchangeUpstream& upstream : task->upstreams) {
      out += fmt::format("; upstream {} ms{}", time(upstream.watermark), upstream.idle ? " idle" : "");
    }
    for (const auto& slot : task->owned_exchanges) {
      out += fmt::format("; told {} ms{} of {} ms", time(slot->told), slot->idle_told ? " idle" : "", time(slot->watermark));
    }
    out += "\n";
  }
  return out;
}

void Worker::Gauges(std::vector<PartitionMetrics>* out) const {
  for (const auto& input : inputs_) input->Gauges(out);
}

}  // namespace weir
