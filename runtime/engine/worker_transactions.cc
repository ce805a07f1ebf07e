// A worker's side of transactions: when an epoch ends and what is in it, how tasks are brought back, and what happens when
// partitions go away.
#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/engine/engine.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/input.h"
#include "runtime/engine/output.h"
#include "runtime/engine/start_policy.h"
#include "runtime/engine/table_loader.h"
#include "runtime/engine/task_state.h"
#include "runtime/engine/topic_names.h"
#include "runtime/engine/transactional_commit.h"
#include "runtime/engine/worker.h"
#include "runtime/state/store.h"

namespace weir {

namespace {
constexpr int64_t kRestartPauseNs = 200'000'000, kRestartPauseNsMax = 5'000'000'000;
// How much longer than the grace time a last commit may take that is under way.
constexpr int64_t kLastCommitNs = 5'000'000'000;
// What to do to begin without state.
constexpr const char* kAfresh = "stop every copy and run this binary with `reset`";
}  // namespace

bool Worker::TransactionsTurn() {
  if (engine_->ended() || done_) return false;
  if (draining_ && bringing_back_ && !job_void_) {
    commit_->Abandon();  // nobody will work on it
    job_void_ = true;
  }
  const bool late = draining_ && mono_ns_ >= engine_->drain_end_ns();
  if (late && mono_ns_ >= engine_->drain_end_ns() + kLastCommitNs && (dirty_ || !commit_->idle()) && !bringing_back_) {
    Fail(ExitCode::kConnector,
         "it ends without its last commit, which Kafka did not take in time: what is not committed is read and done again "
         "at the next start");
    return true;
  }
  if (!commit_->idle()) return false;
  if (recovery_wanted_ && !draining_) return mono_ns_ >= recovery_at_ns_ && StartRecovery();
  bool settled = draining_ && (late || host_ == nullptr || host_->Drained());
  // Answers may go on coming; those behind the commit that ended the grace time are asked for again.
  if (last_begun_) dirty_ = false;
  if (dirty_ && (settled || early_ || mono_ns_ >= next_commit_ns_) && CommitTransaction()) return true;
  if (!settled || dirty_) return false;
  done_ = true;
  engine_->WorkerDone();
  return true;
}

void Worker::WantRecovery() {
  group_ = commit_->transactions().Group();
  recovery_wanted_ = true;
}

bool Worker::StartRecovery() {
  recovery_wanted_ = false;
  std::vector<std::unique_ptr<TaskRecovery>> tasks;
  for (auto& input : inputs_) input->AddRecoveries(&tasks);
  if (tasks.empty()) return false;
  job_void_ = false;
  bringing_back_ = true;
  commit_->Recover(std::move(tasks));
  return true;
}

// Where a changelog is, it tells whether the partition was read before.
void Worker::TellBegins(const std::vector<std::unique_ptr<TaskRecovery>>& tasks) {
  constexpr size_t kNamedMax = 20;
  for (size_t s = 0; s < program().sources.size(); ++s) {
    const SourceSpec& source = program().sources[s];
    size_t partitions = 0, without = 0;
    std::string begin;
    for (const auto& task : tasks) {
      if (task->source != static_cast<int>(s)) continue;
      ++partitions;
      if (!task->first || task->has_changelog || ++without > kNamedMax) continue;
      begin += fmt::format("{}{} (partition {})", begin.empty() ? "" : ", ", task->offset, task->partition);
    }
    if (without == 0) continue;
    if (without > kNamedMax) begin += fmt::format(" and {} more", without - kNamedMax);
    log().Write(LogLevel::kInfo, program().steps[source.step].line,
                BeginsWithoutOffsets(without, partitions, "source `" + source.name + "`", begin));
  }
}

bool Worker::TakeCommitEnd() {
  std::vector<std::unique_ptr<TaskRecovery>> tasks;
  TransactionalCommit::End end = commit_->Take(&tasks);
  if (end == TransactionalCommit::End::kNone) return false;
  bool is_void = job_void_;
  job_void_ = bringing_back_ = false;
  if (is_void) return true;
  switch (end) {
    case TransactionalCommit::End::kRecovered:
      TellBegins(tasks);
      for (const auto& task : tasks) {
        Status status = BringBack(*task);
        if (status.ok()) continue;
        Fail(status.code() == StatusCode::kIo || status.code() == StatusCode::kUnavailable ? ExitCode::kConnector
                                                                                           : ExitCode::kStateMismatch,
             status.message(), program().steps[engine_->StepOfStage(task->stage)].line);
        return true;
      }
      break;
    case TransactionalCommit::End::kCommitted:
      restarts_ = 0;
      if (epoch_limit_.Committed(commit_->open_ns(), commit_->transactions().open_ns_max())) TellEpochLimit(false);
      if (tables_ != nullptr) tables_->EpochCommitted();
      break;
    case TransactionalCommit::End::kRestart:
      // The first time at once; what fails again and again is given time.
      recovery_at_ns_ = mono_ns_ + std::min<int64_t>(restarts_ * kRestartPauseNs, kRestartPauseNsMax);
      ++restarts_;
      if (epoch_limit_.TakenBack(commit_->open_ns(), commit_->transactions().open_ns_max())) TellEpochLimit(true);
      BeginAnew();
      break;
    default: break;
  }
  return true;
}

void Worker::BeginAnew() {
  ForgetEpoch();
  last_begun_ = false;
  for (auto& input : inputs_) input->Restart();
  if (!group_.valid()) group_ = commit_->transactions().Group();
  recovery_wanted_ = true;
}

bool Worker::CommitTransaction() {
  if (LocalStoreFailed()) {
    BeginAnew();
    return true;
  }
  // Of another membership than the one that gave the partitions: what became of them is about to be told.
  GroupToken now = commit_->transactions().Group();
  if (!group_.valid()) group_ = now;
  next_commit_ns_ = mono_ns_ + engine_->commit_ns();
  last_begun_ = draining_ && mono_ns_ >= engine_->drain_end_ns();
  if (!now.valid() || now.generation != group_.generation || now.member != group_.member) {
    last_begun_ = false;
    return false;
  }
  HandOver();
  early_ = false;
  TransactionalEpoch epoch;
  if (outputs_at_once()) {
    for (auto& output : outputs_) output->sink()->Flush();
    epoch.outputs_ticket = &epoch_ticket(epoch_);
  }
  epoch.group = std::move(now);
  epoch.begun_ns = mono_ns_;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i]->Collect();
    for (const auto& buffer : outputs_[i]->collected()) {
      if (!buffer->records.empty()) epoch.outputs.emplace_back(static_cast<int>(i), buffer.get());
    }
  }
  if (tables_ != nullptr) tables_->EpochEnds();
  exchanges_->CollectRekeyed();
  for (size_t i = 0; i < program().exchanges.size(); ++i) {
    const RekeyBuffer& rows = exchanges_->rekeyed(static_cast<int>(i));
    if (rows.bytes.size() != 0) epoch.rekeyed.push_back({static_cast<int>(i), &rows.bytes});
  }
  stage_deltas_.resize(program().stages.size());
  for (Buffer& bytes : stage_deltas_) {
    bytes.Clear();
    bytes.Trim(64 << 20);
  }
  for (auto& input : inputs_) {
    DeltaWriter delta(&stage_deltas_[input->stage()], engine_->step_hashes());
    input->AppendDelta(delta);
    input->AppendOffsets(&epoch.offsets);
  }
  for (auto& task : tasks_) {
    int stage = task->task.stage();
    if (!engine_->has_changelog(stage)) continue;
    DeltaWriter delta(&stage_deltas_[stage], engine_->step_hashes());
    task->AppendDelta(delta);
    int exchange = program().stages[stage].exchange;
    if (exchange >= 0) Exchanges::AppendDelta(*task, program().exchanges[exchange].step, true, delta);
    if (task->identity_stored) continue;
    task->identity_stored = true;
    Buffer identity;
    WriteIdentity(engine_->identity(), &identity);
    delta.Put(engine_->StepOfStage(stage), StateKind::kIdentity, task->task.partition(), Str(), identity.str());
  }
  for (size_t s = 0; s < stage_deltas_.size(); ++s) {
    if (engine_->has_changelog(static_cast<int>(s)) && stage_deltas_[s].size() != 0) {
      epoch.changes.push_back({static_cast<int>(s), &stage_deltas_[s]});
    }
  }
  CheckConservation();
  Publish();
  dirty_ = false;
  job_void_ = false;
  epoch_limit_.Ends();
  if (outputs_at_once()) BeginEpoch();
  commit_->Commit(std::move(epoch));
  return true;
}

bool Worker::WaitForCommit(int64_t end_mono_ns) {
  while (!commit_->idle() && !engine_->ended()) {
    if (TakeCommitEnd()) continue;
    PollSinks();  // the commit may wait for their acknowledgements
    if (!engine_->threaded() && commit_->StepCommit() == TransactionalCommit::Step::kWorked) continue;
    int64_t now = clock().MonoNs();
    if (now >= end_mono_ns) return false;
    // Nothing is worked on meanwhile, so tables may change.
    if (table_locked_) engine_->table_lock().UnlockShared();
    loop_->Run(std::min<int64_t>(end_mono_ns - now, 5'000'000));
    if (table_locked_) engine_->table_lock().LockShared();
    if (!engine_->threaded() && clock().MonoNs() == now) return false;  // nobody lets time pass
  }
  return commit_->idle();
}

void Worker::CommitBeforeRevoke() {
  // The other sources of an assignment that is taken back have waited already.
  if (stopping() || job_void_ || (!dirty_ && commit_->idle() && !recovery_wanted_)) return;
  int64_t end = clock().MonoNs() + environment().revoke_wait_ns;
  if (recovery_wanted_ || std::any_of(inputs_.begin(), inputs_.end(), [](const auto& input) { return input->recovering(); })) {
    // Some of it is not back yet, so nothing was done with it. What is back was committed, or is read again.
    ForgetEpoch();
    return;
  }
  if (!WaitForCommit(end) || recovery_wanted_) return ForgetEpoch();
  if (dirty_) {
    mono_ns_ = clock().MonoNs();
    if (!CommitTransaction() || !WaitForCommit(end)) return ForgetEpoch();
  }
  if (dirty_) ForgetEpoch();
}

void Worker::TellEpochLimit(bool begins) {
  if (!begins) {
    return log().Write(LogLevel::kInfo, 0,
                       fmt::format("worker {} commits as much at once as there is again: commits are quick", index_));
  }
  const int connection = program().sources[0].connection;
  engine_->Warn(fmt::format("worker {} keeps its commits small from now on, until they are quick again: one did not get through "
                            "within the {} ms that a transaction has. Either a quota throttles what this client writes: raise "
                            "its `producer_byte_rate`. Or the brokers are slow, or were away: look at their load. The metric "
                            "weir_commit_limit_bytes says how small commits are",
                            index_, commit_->transactions().open_ns_max() / 1'000'000),
                connection >= 0 ? program().connections[connection].line : 0);
}

void Worker::ForgetEpoch() {
  if (!commit_->idle()) {
    commit_->Abandon();
    job_void_ = true;
  }
  for (auto& output : outputs_) output->Forget();
  exchanges_->ForgetRekeyed();
  if (tables_ != nullptr) tables_->EpochForgotten();
  epoch_limit_.Forget();
  dirty_ = early_ = false;
}

namespace {

// The entries of one kind of a step in a task's state. What is of another partition is kCorrupt.
Status EachEntry(StoreCursor& cursor, uint64_t step, StateKind kind, int32_t partition,
                 const std::function<Status(const DeltaEntry& entry)>& visit) {
  Buffer prefix;
  AppendStoreKey(step, kind, INT32_MIN, Str(), &prefix);
  prefix.Truncate(kStoreKeyHead - sizeof partition);
  Status status = cursor.Seek(prefix.str());
  for (; status.ok() && cursor.valid() && cursor.key().Sub(0, prefix.str().size) == prefix.str(); status = cursor.Next()) {
    DeltaEntry entry;
    if (!ReadStoreKey(cursor.key(), &entry)) return Status::Corrupt("it holds a key that Weir did not write");
    if (entry.partition != partition) return Status::Corrupt("it holds state of another partition");
    entry.key = cursor.key().Sub(kStoreKeyHead);
    entry.value = cursor.value();
    if (Status visited = visit(entry); !visited.ok()) return visited;
    if (kind == StateKind::kWindow) return Status();  // one is enough: they are read when they are wanted
  }
  return status;
}

// Whether the state has anything of a step, but for whose it is.
Status HasEntries(StoreCursor& cursor, uint64_t step, bool* has) {
  Buffer prefix;
  AppendStoreKey(step, static_cast<StateKind>(0), 0, Str(), &prefix);
  prefix.Truncate(sizeof step);
  Status status = cursor.Seek(prefix.str());
  DeltaEntry entry;
  *has = status.ok() && cursor.valid() && cursor.key().Sub(0, sizeof step) == prefix.str() &&
         ReadStoreKey(cursor.key(), &entry) && entry.kind != StateKind::kIdentity;
  return status;
}

}  // namespace

// What is to be restored of a task: everything but its windows, which are read when they are wanted.
struct Worker::TaskContents {
  struct Entry {
    StateKind kind;
    uint64_t step;
    std::string key, value;
  };
  std::vector<Entry> entries;  // by kind and key: pending rows by their slots
  StoredSource source;
  std::string identity;
  std::set<uint64_t> steps;    // that have anything
  bool empty = true;
};

Status Worker::ReadContents(const TaskRecovery& recovery, TaskContents* contents) {
  const Program& program = this->program();
  const uint64_t* hashes = engine_->step_hashes();
  const int stage = recovery.stage;
  StoreCursor cursor(recovery.state);
  Status status = cursor.Seek(Str());
  if (!status.ok()) return status;
  contents->empty = !cursor.valid();
  if (contents->empty) return status;
  auto keep = [&](const DeltaEntry& entry) {
    contents->entries.push_back({entry.kind, entry.step, std::string(entry.key.view()), std::string(entry.value.view())});
    return Status();
  };
  auto each = [&](uint32_t step, StateKind kind, const auto& visit) {
    if (status.ok()) status = EachEntry(cursor, hashes[step], kind, recovery.partition, visit);
  };
  each(program.sources[recovery.source].step, StateKind::kSource, [&](const DeltaEntry& entry) {
    return ReadStoredSource(entry.value, &contents->source) ? Status() : Status::Corrupt("a position cannot be read");
  });
  each(engine_->StepOfStage(stage), StateKind::kIdentity, [&](const DeltaEntry& entry) {
    contents->identity = entry.value.view();
    return Status();
  });
  for (const LookupStepSpec& lookup : program.lookup_steps) each(lookup.step, StateKind::kRow, keep);
  if (program.stages[stage].exchange >= 0) each(program.exchanges[program.stages[stage].exchange].step, StateKind::kExchange, keep);
  for (const WindowSpec& window : program.windows) {
    each(window.step, StateKind::kWindow, [](const DeltaEntry&) { return Status(); });
  }
  StoreIdentity identity;
  if (status.ok() && ReadIdentity(Str(std::string_view(contents->identity)), &identity)) {
    for (const StepIdentity& step : identity.steps) {
      bool has = false;
      if (status.ok()) status = HasEntries(cursor, step.hash, &has);
      if (has) contents->steps.insert(step.hash);
    }
  }
  return status;
}

// The position that was stored with the task's state, which must be where the group's offset is. Sets `*again` when the
// two were read at different times.
Status Worker::FindPosition(const TaskRecovery& recovery, StoredSource* stored, bool* again) {
  const Program& program = this->program();
  const SourceSpec& source = program.sources[recovery.source];
  const uint32_t line = program.steps[source.step].line;
  *again = false;
  int64_t* offset = &stored->position.offset;
  if (*offset >= 0 && recovery.first) {
    engine_->Warn(fmt::format("the group has no offset for partition {} of source `{}`; the one in its changelog, {}, counts",
                              recovery.partition, source.name, *offset),
                  line);
  } else if (*offset >= 0 && *offset != recovery.offset) {
    // While this worker stood still, another one may have got the partition, and committed between the two questions. It
    // goes on doing so until this one hears of it; what somebody set stays as it is.
    const std::pair<int64_t, int64_t> found(recovery.offset, *offset);
    auto [doubted, first] = doubted_.try_emplace({recovery.source, recovery.partition}, found);
    *again = first || doubted->second != found;
    doubted->second = found;
    if (*again) return Status();
    return Status::Invalid(fmt::format(
        "source `{}`, partition {}: the group's offset is {} and the state belongs to {}. Somebody set the group's offsets "
        "while the state stayed. Set them back to {}, or {}, which loses the state",
        source.name, recovery.partition, recovery.offset, *offset, *offset, kAfresh));
  } else {
    *offset = recovery.offset;
  }
  doubted_.erase({recovery.source, recovery.partition});
  return Status();
}

Status Worker::RestoreEntry(TaskState& task, const DeltaEntry& entry) {
  const Program& program = this->program();
  const uint64_t* hashes = engine_->step_hashes();
  // What belongs to no step of the program is left where it is.
  switch (entry.kind) {
    case StateKind::kRow:
      for (size_t i = 0; i < program.lookup_steps.size(); ++i) {
        if (hashes[program.lookup_steps[i].step] != entry.step || task.ports[i] == nullptr) continue;
        return task.ports[i]->Restore(entry.key, entry.value);
      }
      return Status();
    case StateKind::kExchange: {
      int exchange = program.stages[task.task.stage()].exchange;
      if (exchange < 0 || hashes[program.exchanges[exchange].step] != entry.step) return Status();
      return Exchanges::Restore(task, entry.value);
    }
    default: return Status();
  }
}

// The local store was damaged: its task is brought back once more, from the changelog alone.
Status Worker::BringBackWithoutStore(const TaskRecovery& recovery, const Status& why, bool content) {
  if (!engine_->local_stores().Discard(engine_->NameOfTask(recovery.stage, recovery.partition), why.message(), content)) return why;
  recovery_wanted_ = true;
  return Status();
}

// True: what was read of a local store in this epoch was damaged. Nothing that was done with it counts.
bool Worker::LocalStoreFailed() {
  bool failed = false;
  for (auto& task : tasks_) {
    for (auto& window : task->owned_windows) {
      const Status& status = window->base_status();
      if (status.ok()) continue;
      failed = true;
      if (engine_->local_stores().Discard(engine_->NameOfTask(task->task.stage(), task->task.partition()), status.message())) {
        continue;
      }
      Fail(ExitCode::kStateMismatch, status.message(), program().steps[engine_->StepOfStage(task->task.stage())].line);
    }
  }
  return failed;
}

Status Worker::BringBack(const TaskRecovery& recovery) {
  TaskState* task = FindTask(recovery.stage, recovery.partition);
  if (task == nullptr) return Status();  // it went away meanwhile
  const StageSpec& stage = program().stages[recovery.stage];
  const std::string where = fmt::format("the changelog of `{}`, partition {}", stage.name, recovery.partition);
  TaskContents contents;
  Status status;
  if (recovery.state != nullptr) status = ReadContents(recovery, &contents);
  if (!status.ok()) return BringBackWithoutStore(recovery, status.Within(where));
  StoredSource& stored = contents.source;
  bool again;
  status = FindPosition(recovery, &stored, &again);
  if (!status.ok()) return BringBackWithoutStore(recovery, status.Within(where), true);
  if (again) {
    recovery_wanted_ = true;
    return status;
  }
  if (!contents.empty) {
    StoreIdentity identity;
    if (!ReadIdentity(Str(std::string_view(contents.identity)), &identity)) {
      return BringBackWithoutStore(recovery, Status::Corrupt(where + " does not say whose it is"), true);
    }
    Buffer own;
    WriteIdentity(engine_->identity(), &own);
    // Of another version, or of steps of another shape that hold nothing yet: it is written anew.
    task->identity_stored = contents.identity == own.str().view();
    // A step that moved to another stage would not find there what it kept in this one.
    status = CheckIdentity(fmt::format("topic {}, partition {}", ChangelogTopic(program(), recovery.stage), recovery.partition),
                           kAfresh, identity, IdentityOf(program(), recovery.stage),
                           [&](uint64_t hash) { return contents.steps.count(hash) != 0; });
    if (!status.ok()) return BringBackWithoutStore(recovery, status, true);
  } else if (recovery.has_changelog && !recovery.first && recovery.noted != OffsetState::kNone) {
    // The first commit of a partition writes both, unless a version without state began it.
    return Status::Invalid(fmt::format(
        "{}, is empty, and the group has offset {} of its input: the state that belongs to it is gone, or was never in "
        "this topic (a version that writes files keeps it in the state directory). To begin without state, {}; the source then "
        "begins where its `start:` says, or with `reset --to committed` where it stands",
        where, recovery.offset, kAfresh));
  } else if (!recovery.has_changelog && recovery.noted == OffsetState::kSome) {
    return Status::Invalid(fmt::format(
        "source `{}`, partition {}: the group's offset {} was committed by a version of this pipeline that kept windows or "
        "pending requests in topic `{}`, and when this copy started that topic was not there, or it has no right to see it "
        "(DESCRIBE). If it is there now, start again: it is looked at then. If it was deleted, what it held is lost: to go on "
        "without it, stop every copy and run this binary with `reset --to committed`; to read those records once more, with "
        "`reset --to {}/{}@OFFSET`",
        stage.name, recovery.partition, recovery.offset, ChangelogTopic(program(), recovery.stage), stage.name,
        recovery.partition));
  }
  for (size_t i = 0; i < program().windows.size() && !contents.empty; ++i) {
    if (task->windows[i] == nullptr || program().windows[i].stage != recovery.stage) continue;
    Buffer prefix;
    AppendStoreKey(engine_->step_hashes()[program().windows[i].step], StateKind::kWindow, recovery.partition, Str(), &prefix);
    status = task->windows[i]->RestoreFrom(recovery.state, prefix.str());
    if (!status.ok()) return BringBackWithoutStore(recovery, status.Within(where));
  }
  for (const TaskContents::Entry& entry : contents.entries) {
    DeltaEntry as;
    as.kind = entry.kind;
    as.step = entry.step;
    as.partition = recovery.partition;
    as.key = Str(std::string_view(entry.key));
    as.value = Str(std::string_view(entry.value));
    status = RestoreEntry(*task, as);
    if (!status.ok()) return status.Within(where);
  }
  for (auto& port : task->owned_ports) {
    if (status = port->Restored(); !status.ok()) return status.Within(where);
  }
  task->restored_rows = task->Pending();
  const bool begins = recovery.first || (recovery.has_changelog && contents.empty);
  status = inputs_[recovery.source]->BringBack(recovery.partition, stored, begins);
  // Whether it is idle follows from what was told.
  if (program().stages[recovery.stage].exchange >= 0) Exchanges::UpdateWatermark(*task);
  if (task->task.watermark_ != INT64_MIN) task->task.Advance();
  return status;
}

}  // namespace weir
