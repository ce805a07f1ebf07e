#include "runtime/engine/engine.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "runtime/core/hash.h"
#include "runtime/engine/former_topics.h"
#include "runtime/engine/input.h"
#include "runtime/engine/output.h"
#include "runtime/engine/table_loader.h"

namespace weir {

namespace {
// How long a worker sleeps at most: for connectors that cannot wake its loop.
constexpr int64_t kSleepNsMax = 20'000'000;
constexpr int64_t kTicketWaitNs = 2'000'000;
constexpr int64_t kCommitWaitNs = 100'000'000;
constexpr int64_t kStoreWaitNs = 500'000'000;
}  // namespace

Engine::Engine(const Program& program, const Environment& environment)
    : program_(program),
      environment_(environment),
      mode_(CommitModeOf(program)),
      commit_ns_(environment.commit_ns > 0 ? environment.commit_ns : program.commit_ns),
      graphs_(BuildStageGraphs(program)) {
  if (environment_.workers < 1) environment_.workers = 1;
  for (const StepInfo& step : program.steps) step_hashes_.push_back(Hash(Str(std::string_view(step.name))));
  has_changelog_ = StagesWithChangelog(program);
  if (transactions()) identity_ = IdentityOf(program);
}

Engine::~Engine() = default;

Status Engine::Refuse(ExitCode code, Status status) {
  Fail(code, status.message(), refused_line_);
  return status;
}

Status Engine::Within(const char* what, const std::string& name, uint32_t step, const Status& status) {
  if (!status.ok()) refused_line_ = program_.steps[step].line;
  return status.Within(fmt::format("{} `{}`", what, name));
}

Status Engine::Start() {
  std::vector<std::vector<std::unique_ptr<Source>>> readers;
  Status status = FindPartitions(&readers);
  if (!status.ok()) return Refuse(ExitCode::kConnector, status);
  status = OpenStore();
  if (!status.ok()) {
    ExitCode code = status.code() == StatusCode::kExists   ? ExitCode::kRefused
                    : status.code() == StatusCode::kInvalid || status.code() == StatusCode::kCorrupt
                        ? ExitCode::kStateMismatch
                        : ExitCode::kWriteFailed;
    return Refuse(code, status);
  }
  status = LookAtFormerTopics();
  if (!status.ok()) {
    return Refuse(status.code() == StatusCode::kInvalid ? ExitCode::kStateMismatch : ExitCode::kConnector, status);
  }
  status = CountTasks();
  if (!status.ok()) return Refuse(ExitCode::kRefused, status);
  status = MakeWorkers(std::move(readers));
  if (!status.ok()) {
    return Refuse(status.code() == StatusCode::kExists    ? ExitCode::kRefused
                  : status.code() == StatusCode::kCorrupt ? ExitCode::kStateMismatch
                                                          : ExitCode::kConnector,
                  status);
  }
  if (transactions()) {
    status = OpenTransactions();
    if (!status.ok()) {
      return Refuse(status.code() == StatusCode::kInvalid ? ExitCode::kStateMismatch : ExitCode::kConnector, status);
    }
  }
  status = LoadState();
  if (!status.ok()) {
    return Refuse(status.code() == StatusCode::kIo ? ExitCode::kWriteFailed : ExitCode::kStateMismatch, status);
  }
  // Last, so that nothing is read before all state is back.
  for (auto& worker : workers_) {
    if (status = worker->Restored(); !status.ok()) return Refuse(ExitCode::kStateMismatch, status);
    for (auto& input : worker->inputs_) {
      status = input->Open();
      if (!status.ok()) {
        return Refuse(status.code() == StatusCode::kExists || status.code() == StatusCode::kCorrupt ? ExitCode::kRefused
                                                                                                   : ExitCode::kConnector,
                      Within("source", program_.sources[input->source()].name, program_.sources[input->source()].step, status));
      }
    }
    if (worker->tables_ != nullptr) {
      status = worker->tables_->Open();
      if (!status.ok()) return Refuse(ExitCode::kConnector, status);
    }
  }
  if (program_.tables.empty()) SetLoaded();
  int64_t now = environment_.clock->MonoNs();
  epochs_->SetFirst(now + commit_ns_);
  return ended() ? Status::Invalid(message()) : Status();
}

ConnectorContext Engine::ContextOf(int worker) const {
  ConnectorContext context;
  context.program = &program_;
  context.clock = environment_.clock;
  context.loop = loop_pointers_[worker];
  context.log = environment_.log;
  context.worker = worker;
  context.workers = environment_.workers;
  context.group_member = !store_mode();
  context.resumed = transactions();
  return context;
}

Status Engine::MakeReader(int worker, size_t source, std::unique_ptr<Source>* reader) {
  Status status = environment_.connectors->MakeSource(program_.sources[source], ContextOf(worker), reader);
  int32_t count = 0;
  if (status.ok()) status = (*reader)->Partitions(environment_.start_wait_ns, &count);
  if (worker == 0) partition_counts_[source] = count;
  return Within("source", program_.sources[source].name, program_.sources[source].step, status);
}

Status Engine::FindPartitions(std::vector<std::vector<std::unique_ptr<Source>>>* readers) {
  partition_counts_.assign(program_.sources.size(), 0);
  // Loops are the workers', which do not exist yet; they are made here and handed to them.
  for (int i = 0; i < workers(); ++i) {
    loops_.push_back(environment_.make_loop(i));
    loop_pointers_.push_back(loops_.back().get());
  }
  environment_.make_loop = [this](int i) { return std::move(loops_[i]); };
  readers->resize(static_cast<size_t>(workers()));
  for (auto& of_worker : *readers) of_worker.resize(program_.sources.size());
  // Topics of exchanges are made when it is known how many partitions the others have.
  for (bool rekeyed : {false, true}) {
    if (rekeyed && transactions()) {
      Status status = MakeTransactions();
      if (!status.ok()) return status;
    }
    for (int i = 0; i < workers(); ++i) {
      for (size_t s = 0; s < program_.sources.size(); ++s) {
        if ((program_.sources[s].exchange >= 0) != rekeyed) continue;
        Status status = MakeReader(i, s, &(*readers)[i][s]);
        if (!status.ok()) return status;
      }
    }
  }
  return Status();
}

Status Engine::MakeTransactions() {
  int32_t largest = *std::max_element(partition_counts_.begin(), partition_counts_.end());
  for (int i = 0; i < workers(); ++i) {
    transactions_.emplace_back();
    Status status = environment_.connectors->MakeTransactions(ContextOf(i), &transactions_.back());
    std::vector<Transactions::Rekey> rekeys;
    for (size_t e = 0; e < program_.exchanges.size(); ++e) rekeys.push_back({static_cast<int>(e), largest});
    if (status.ok()) status = transactions_.back()->OpenRekeys(&rekeys, environment_.start_wait_ns);
    if (!status.ok()) return status;
  }
  return Status();
}

Status Engine::OpenStore() {
  sink_positions_.assign(program_.sinks.size(), SinkPosition());
  stored_counts_.assign(program_.stages.size(), -1);
  stored_sources_.assign(program_.sources.size(), {});
  if (!store_mode()) return Status();
  if (environment_.store == nullptr) return Status::Invalid("this pipeline keeps state, and no state directory is set");
  Store& store = *environment_.store;
  Status status = store.Open(IdentityOf(program_));
  if (!status.ok()) return status;
  for (size_t s = 0; status.ok() && s < program_.sources.size(); ++s) {
    status = store.Load(step_hashes_[program_.sources[s].step], StateKind::kSource, [&](const DeltaEntry& entry) {
      StoredSource stored;
      if (entry.partition < 0 || !ReadStoredSource(entry.value, &stored)) {
        return Status::Corrupt(fmt::format("a position of `{}` cannot be read", program_.sources[s].name));
      }
      stored_sources_[s][entry.partition] = std::move(stored);
      return Status();
    });
  }
  auto number = [](const DeltaEntry& entry, int64_t* out) {
    RowReader in(entry.value);
    *out = in.I64();
    return in.AtEnd() ? Status() : Status::Corrupt("a number in the state cannot be read");
  };
  for (size_t s = 0; status.ok() && s < program_.sinks.size(); ++s) {
    status = store.Load(step_hashes_[program_.sinks[s].step], StateKind::kSink,
                        [&](const DeltaEntry& entry) { return number(entry, &sink_positions_[s].length); });
  }
  for (size_t s = 0; status.ok() && s < program_.stages.size(); ++s) {
    status = store.Load(step_hashes_[StepOfStage(static_cast<int>(s))], StateKind::kStage,
                        [&](const DeltaEntry& entry) { return number(entry, &stored_counts_[s]); });
  }
  return status;
}

Status Engine::LookAtFormerTopics() {
  ConnectorContext context = ContextOf(0);
  context.worker = ConnectorContext::kNoWorker;
  std::vector<FormerTopic> topics;
  Status status = FindFormerTopics(program_, *environment_.connectors, context, environment_.start_wait_ns, &topics);
  if (!status.ok()) return status;
  std::string problems;
  for (const FormerTopic& topic : topics) {
    if (!topic.warning.empty()) Warn(topic.warning, topic.line);
    if (topic.problem.empty()) continue;
    problems += (problems.empty() ? "" : "\n") + topic.problem;
    refused_line_ = topic.line;
  }
  return problems.empty() ? Status() : Status::Invalid(problems);
}

Status Engine::OpenTransactions() {
  Status added = AddStagesWithOldChangelog(program_, *transactions_[0], environment_.start_wait_ns, &has_changelog_);
  if (!added.ok()) return added;
  std::vector<Transactions::Changelog> changelogs = ChangelogsOf(program_, has_changelog_, task_counts_);
  LocalStores::Options options;
  options.files = environment_.task_files;
  options.names = environment_.task_names;
  options.holds = [this](const LocalStores::TaskName& task) {
    return task.partition >= task_counts_[task.stage] || Holds(task.stage, task.partition);  // added since the start
  };
  options.warn = [this](const std::string& message) { Warn(message); };
  options.inform = [this](const std::string& message) {
    if (environment_.log != nullptr) environment_.log->Write(LogLevel::kInfo, 0, message);
  };
  options.clock = environment_.clock;
  options.write_every_ns = environment_.store_write_ns;
  local_stores_ = std::make_unique<LocalStores>(std::move(options));
  for (int i = 0; i < workers(); ++i) {
    Status status = transactions_[i]->Open(changelogs, environment_.start_wait_ns);
    if (!status.ok()) return status;
    workers_[i]->commit_ = std::make_unique<TransactionalCommit>(*this, i, std::move(transactions_[i]));
  }
  return environment_.standby ? OpenStandby(changelogs) : Status();
}

Status Engine::OpenStandby(const std::vector<Transactions::Changelog>& changelogs) {
  std::unique_ptr<Transactions> reader;
  ConnectorContext context = ContextOf(0);
  context.worker = ConnectorContext::kNoWorker;
  Status status = environment_.connectors->MakeTransactions(context, &reader);
  if (status.ok()) status = reader->Open(changelogs, environment_.start_wait_ns);
  if (status.ok()) standby_ = std::make_unique<Standby>(*this, std::move(reader));
  return status;
}

uint32_t Engine::StepOfStage(int stage) const {
  const StageSpec& spec = program_.stages[stage];
  return spec.source >= 0 ? program_.sources[spec.source].step : program_.exchanges[spec.exchange].step;
}

Status Engine::CountTasks() {
  task_counts_.assign(program_.stages.size(), 0);
  int largest = 1;
  for (size_t s = 0; s < program_.stages.size(); ++s) {
    int source = program_.stages[s].source;
    if (source < 0) continue;
    int count = partition_counts_[source];
    int64_t stored = stored_counts_[s];
    const SourceSpec& spec = program_.sources[source];
    if (store_mode() && stored > count) {
      return Status::Invalid(fmt::format(
          "source `{}` has {} partitions and had {}: it was made anew, and what is stored no longer belongs to it. Start "
          "with an empty state directory, which loses what is stored",
          spec.name, count, stored));
    }
    if (store_mode() && stored >= 0 && stored < count && graphs_[s].windows) {
      return Status::Invalid(fmt::format(
          "source `{}` has {} partitions and had {}: keys moved to other partitions, and the state of `{}` is kept by "
          "them. Start with an empty state directory, which loses open windows and pending requests",
          spec.name, count, stored, program_.stages[s].name));
    }
    task_counts_[s] = count;
    largest = std::max(largest, count);
  }
  // Where keys lie is decided once.
  for (size_t s = 0; s < program_.stages.size(); ++s) {
    if (program_.stages[s].exchange < 0 || transactions()) continue;
    task_counts_[s] = stored_counts_[s] > 0 ? static_cast<int>(stored_counts_[s]) : largest;
  }
  for (int count : task_counts_) {
    held_.push_back(std::make_unique<std::atomic<int>[]>(static_cast<size_t>(count)));
  }
  return Status();
}

Status Engine::MakeWorkers(std::vector<std::vector<std::unique_ptr<Source>>> readers) {
  for (const TableSpec& table : program_.tables) {
    tables_.push_back(std::make_unique<TableStore>(table));
    table_pointers_.push_back(tables_.back().get());
  }
  epochs_ = std::make_unique<Epochs>(*this);
  store_sinks_.resize(program_.sinks.size());
  for (size_t s = 0; s < program_.sinks.size(); ++s) {
    const SinkSpec& spec = program_.sinks[s];
    if (!store_mode() || !environment_.connectors->StoreBacked(program_, spec)) continue;
    ConnectorContext context;
    context.program = &program_;
    context.clock = environment_.clock;
    context.log = environment_.log;
    context.workers = workers();
    Status status = environment_.connectors->MakeSink(spec, context, &store_sinks_[s]);
    if (status.ok()) status = store_sinks_[s]->Open(sink_positions_[s]);
    // A target that was never committed to may hold something already: where this pipeline begins is committed before
    // anything is written, so that a crash in the first epoch leaves no doubt about what to cut off.
    if (status.ok() && sink_positions_[s].length < 0) {
      status = store_sinks_[s]->Prepare(&sink_positions_[s]);
      new_sinks_.push_back(static_cast<int>(s));
    }
    if (!status.ok()) return Within("sink", spec.name, spec.step, status);
    epochs_->SetSinkPosition(static_cast<int>(s), sink_positions_[s]);
  }
  for (int i = 0; i < workers(); ++i) inboxes_.push_back(std::make_unique<ExchangeInbox>());
  for (int i = 0; i < workers(); ++i) {
    workers_.push_back(std::make_unique<Worker>(this, i));
    Status status = workers_.back()->Build();
    if (!status.ok()) return status;
    for (size_t s = 0; s < program_.sources.size(); ++s) {
      workers_.back()->inputs_.push_back(
          std::make_unique<Input>(*workers_.back(), static_cast<int>(s), std::move(readers[i][s])));
    }
  }
  if (!store_mode()) return Status();
  for (size_t s = 0; s < program_.stages.size(); ++s) {
    int source = program_.stages[s].source;
    for (int32_t p = 0; p < task_counts_[s]; ++p) {
      Worker& worker = *workers_[p % workers()];
      TaskState* task = worker.AddTask(static_cast<int>(s), p);
      if (source < 0) continue;
      StoredSource stored;
      auto at = stored_sources_[source].find(p);
      if (at != stored_sources_[source].end()) {
        stored = at->second;
      } else if (stored_counts_[s] >= 0 && p >= stored_counts_[s]) {
        stored.position.earliest = true;  // it appeared since the last run
      }
      worker.input(source).AddPartition(p, task, stored);
    }
  }
  return Status();
}

Status Engine::LoadState() {
  if (!store_mode()) return Status();
  Store& store = *environment_.store;
  Buffer counts;
  DeltaWriter writer(&counts, step_hashes_.data());
  for (size_t s = 0; s < program_.stages.size(); ++s) {
    if (stored_counts_[s] == task_counts_[s]) continue;
    writer.BeginPut(StepOfStage(static_cast<int>(s)), StateKind::kStage, 0, Str()).I64(task_counts_[s]);
    writer.EndPut();
  }
  for (int sink : new_sinks_) {
    if (sink_positions_[sink].length < 0) continue;
    writer.BeginPut(program_.sinks[sink].step, StateKind::kSink, 0, Str()).I64(sink_positions_[sink].length);
    writer.EndPut();
  }
  if (counts.size() != 0) {
    Status status = store.Commit(store.epoch() + 1, {&counts});
    if (!status.ok()) return status;
  }
  auto load = [&](uint32_t step, StateKind kind, int stage, auto restore) {
    return store.Load(step_hashes_[step], kind, [&](const DeltaEntry& entry) {
      TaskState* task = entry.partition >= 0 && entry.partition < task_counts_[stage]
                            ? workers_[entry.partition % workers()]->FindTask(stage, entry.partition)
                            : nullptr;
      Status status = task != nullptr ? restore(*task, entry) : Status::Corrupt("it belongs to no task");
      return status.ok() ? status : status.Within(fmt::format("the state of `{}`", program_.steps[step].name));
    });
  };
  for (size_t i = 0; i < program_.windows.size(); ++i) {
    Status status = load(program_.windows[i].step, StateKind::kWindow, program_.windows[i].stage,
                         [&](TaskState& task, const DeltaEntry& entry) {
                           return task.windows[i]->Restore(entry.key, entry.value);
                         });
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < program_.lookup_steps.size(); ++i) {
    Status status = load(program_.lookup_steps[i].step, StateKind::kRow, program_.lookup_steps[i].stage,
                         [&](TaskState& task, const DeltaEntry& entry) {
                           return task.ports[i]->Restore(entry.key, entry.value);
                         });
    if (!status.ok()) return status;
  }
  for (const ExchangeSpec& exchange : program_.exchanges) {
    Status status = load(exchange.step, StateKind::kExchange, exchange.to_stage,
                         [&](TaskState& task, const DeltaEntry& entry) {
                           return Exchanges::Restore(task, entry.value);
                         });
    if (!status.ok()) return status;
  }
  return Status();
}

// ---- Ends -----------------------------------------------------------------------------------------------------------

void Engine::Fail(ExitCode code, const std::string& message, uint32_t line) {
  {
    std::lock_guard<std::mutex> lock(end_mutex_);
    if (ended_.load(std::memory_order_relaxed)) return;
    exit_code_ = code;
    message_ = message;
    message_line_ = line;
    ended_.store(true, std::memory_order_release);
  }
  if (environment_.log != nullptr) environment_.log->Write(LogLevel::kError, line, message);
  WakeAll();
}

void Engine::Warn(const std::string& message, uint32_t line) {
  if (environment_.log != nullptr) environment_.log->Write(LogLevel::kWarning, line, message);
}

void Engine::Finish() {
  {
    std::lock_guard<std::mutex> lock(end_mutex_);
    if (ended_.load(std::memory_order_relaxed)) return;
    exit_code_ = ExitCode::kOk;
    finished_ = true;
    ended_.store(true, std::memory_order_release);
  }
  WakeAll();
}

void Engine::WorkerDone() {
  if (workers_done_.fetch_add(1, std::memory_order_acq_rel) + 1 == workers()) Finish();
}

void Engine::WakeAll() {
  for (auto& worker : workers_) {
    worker->loop().Wake();
    if (worker->commit_ != nullptr && ended()) worker->commit_->WakeCommit();
  }
  if (local_stores_ != nullptr && ended()) {
    local_stores_->Hurry();
    local_stores_->Wake();
  }
}

ExitCode Engine::exit_code() const {
  std::lock_guard<std::mutex> lock(end_mutex_);
  return exit_code_;
}

std::string Engine::message() const {
  std::lock_guard<std::mutex> lock(end_mutex_);
  return message_;
}

uint32_t Engine::message_line() const {
  std::lock_guard<std::mutex> lock(end_mutex_);
  return message_line_;
}

bool Engine::StopAt(const char* point) {
  if (environment_.faults == nullptr || !environment_.faults->StopAt(point)) return false;
  killed_.store(true, std::memory_order_release);
  {
    std::lock_guard<std::mutex> lock(end_mutex_);
    ended_.store(true, std::memory_order_release);
  }
  WakeAll();
  return true;
}

void Engine::RequestStop() {
  if (draining_.load(std::memory_order_acquire)) return;
  drain_end_ns_.store(environment_.clock->MonoNs() + environment_.grace_ns, std::memory_order_relaxed);
  draining_.store(true, std::memory_order_release);
  WakeAll();
}

void Engine::SendBatch(int to_worker, std::unique_ptr<ExchangeBatch> batch) {
  exchange_batches_.fetch_add(1, std::memory_order_acq_rel);
  inboxes_[to_worker]->Push(std::move(batch));
  workers_[to_worker]->loop().Wake();
}

uint64_t Engine::open_windows() const {
  uint64_t open = 0;
  for (const auto& worker : workers_) open += worker->open_windows();
  return open;
}

// ---- Production -----------------------------------------------------------------------------------------------------

void Engine::RunWorker(int index) {
  Worker& worker = *workers_[index];
  while (!ended()) {
    if (worker.Turn()) {
      worker.loop().Run(0);
      continue;
    }
    int64_t wait = kSleepNsMax;
    int64_t next = worker.NextTimerMonoNs();
    if (next != INT64_MAX) wait = std::clamp<int64_t>(next - environment_.clock->MonoNs(), 0, kSleepNsMax);
    worker.loop().Run(wait);
  }
  if (!killed()) worker.Close(finished_);
}

Epochs::Step Engine::StepCommit() {
  if (!transactions()) return epochs_->StepCommit();
  Epochs::Step result = Epochs::Step::kIdle;
  for (size_t i = 0; i < workers_.size(); ++i) {
    next_step_ = (next_step_ + 1) % workers_.size();
    TransactionalCommit::Step step = workers_[next_step_]->commit_->StepCommit();
    if (step == TransactionalCommit::Step::kWorked) return Epochs::Step::kWorked;
    if (step == TransactionalCommit::Step::kWaiting) result = Epochs::Step::kWaiting;
  }
  if (local_stores_->Write(false)) return Epochs::Step::kWorked;
  if (standby_ != nullptr && standby_->Step()) return Epochs::Step::kWorked;
  return result;
}

void Engine::RunCommitsOf(int index) {
  TransactionalCommit& commit = *workers_[index]->commit_;
  while (!ended()) {
    switch (commit.StepCommit()) {
      case TransactionalCommit::Step::kWorked: break;
      case TransactionalCommit::Step::kWaiting: commit.WaitForWork(kTicketWaitNs); break;
      case TransactionalCommit::Step::kIdle: commit.WaitForWork(kCommitWaitNs); break;
    }
  }
}

void Engine::RunLocalStores() {
  while (!ended()) {
    local_stores_->Write(false);
    local_stores_->WaitForWork(kStoreWaitNs);
  }
}

void Engine::RunStandby() {
  while (!ended()) {
    if (!standby_->Step()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Engine::RunCommits() {
  while (!ended()) {
    switch (epochs_->StepCommit()) {
      case Epochs::Step::kWorked: break;
      case Epochs::Step::kWaiting: epochs_->WaitForWork(kTicketWaitNs); break;
      case Epochs::Step::kIdle: epochs_->WaitForWork(kCommitWaitNs); break;
    }
  }
}

ExitCode Engine::Run() {
  std::vector<std::thread> threads;
  threaded_ = true;
  for (int i = 0; i < workers(); ++i) threads.emplace_back([this, i] { RunWorker(i); });
  for (int i = 0; transactions() && i < workers(); ++i) threads.emplace_back([this, i] { RunCommitsOf(i); });
  if (store_mode()) threads.emplace_back([this] { RunCommits(); });
  if (transactions()) threads.emplace_back([this] { RunLocalStores(); });
  if (standby_ != nullptr) threads.emplace_back([this] { RunStandby(); });
  for (std::thread& thread : threads) thread.join();
  Close();
  return exit_code();
}

void Engine::Close() {
  if (closed_) return;
  closed_ = true;
  for (auto& worker : workers_) {
    if (worker->commit_ != nullptr) worker->commit_->Close();
  }
  if (standby_ != nullptr) standby_->Close();
  // A restart then has nothing to replay.
  if (finished_ && local_stores_ != nullptr) local_stores_->Write(true);
  if (finished_) {
    for (auto& sink : store_sinks_) {
      if (sink != nullptr) sink->Close();
    }
  }
  if (environment_.store != nullptr) environment_.store->Close();
}

MetricsSnapshot Engine::Metrics() const {
  MetricsSnapshot snapshot;
  snapshot.steps.resize(program_.steps.size());
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      const StepCounters& from = worker->counters(static_cast<uint32_t>(i));
      StepMetrics& to = snapshot.steps[i];
      to.read += from.read.Get();
      to.read_bytes += from.read_bytes.Get();
      to.written += from.written.Get();
      to.written_bytes += from.written_bytes.Get();
      to.dropped += from.dropped.Get();
      to.late += from.late.Get();
      to.dead += from.dead.Get();
      to.fired += from.fired.Get();
    }
    worker->Gauges(&snapshot.partitions);
    const LedgerCounters& ledger = static_cast<const Worker&>(*worker).ledger();
    snapshot.ledger.read += ledger.read.Get();
    snapshot.ledger.emitted += ledger.emitted.Get();
    snapshot.ledger.dead += ledger.dead.Get();
    snapshot.ledger.pending += ledger.pending.Get();
    snapshot.ledger.dropped += ledger.dropped.Get();
    snapshot.ledger.state += ledger.state.Get();
    snapshot.ledger.filtered += ledger.filtered.Get();
    snapshot.pending_rows += worker->pending_rows();
    snapshot.window_bytes += worker->state_bytes();
  }
  snapshot.open_windows = open_windows();
  for (const auto& table : tables_) {
    snapshot.table_rows += table->size();
    snapshot.table_bytes += table->bytes();
  }
  if (store_mode()) {
    StoreStats stats = environment_.store->Stats();
    snapshot.store_entries = stats.entries;
    snapshot.store_bytes = stats.bytes;
    snapshot.epochs_committed = epochs_->commits.Get();
    snapshot.last_epoch_ns = epochs_->last_duration_ns.Get();
    snapshot.last_epoch_bytes = epochs_->last_bytes.Get();
  }
  if (local_stores_ != nullptr) {
    LocalStores::Stats stats = local_stores_->GetStats();
    snapshot.local_stores = stats.stores;
    snapshot.local_store_bytes = stats.bytes;
    snapshot.local_store_waiting_bytes = stats.waiting;
    snapshot.local_stores_given_up = stats.given_up;
  }
  if (standby_ != nullptr) {
    snapshot.standby_behind = standby_->behind.Get();
    snapshot.standby_followed = standby_->followed.Get();
  }
  for (const auto& worker : workers_) {
    if (worker->commit_ == nullptr) continue;
    snapshot.uncommitted = snapshot.uncommitted || worker->uncommitted();
    snapshot.epochs_committed += worker->commit_->commits.Get();
    snapshot.transactions_given_up += worker->commit_->given_up.Get();
    if (const uint64_t limit = worker->epoch_bytes_limit(), least = snapshot.epoch_bytes_limit; limit != 0) {
      snapshot.epoch_bytes_limit = least == 0 ? limit : std::min(limit, least);
    }
    snapshot.transactional_producers += worker->commit_->producers.Get();
    snapshot.last_epoch_ns = std::max(snapshot.last_epoch_ns, worker->commit_->last_duration_ns.Get());
    snapshot.last_epoch_bytes += worker->commit_->last_bytes.Get();
  }
  snapshot.ready = ready();
  return snapshot;
}

}  // namespace weir
