#include "runtime/engine/transactional_commit.h"

#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "runtime/core/crc32c.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/topic_names.h"
#include "runtime/state/changelog.h"

namespace weir {

namespace {
constexpr int64_t kTellWaitingNs = 10'000'000'000;
}  // namespace

TransactionalCommit::TransactionalCommit(Engine& engine, int worker, std::unique_ptr<Transactions> transactions)
    : engine_(engine), worker_(worker), transactions_(std::move(transactions)) {}

// ---- Worker's thread ------------------------------------------------------------------------------------------------

void TransactionalCommit::Commit(TransactionalEpoch epoch) {
  epoch_ = std::move(epoch);
  recovering_ = false;
  parts_ = kAllParts;
  if (engine_.Mutated("offsets before changelog")) parts_ = kOffsetsPart;
  if (engine_.Mutated("row removed before its output")) parts_ = kAllParts & ~kOutputsPart;
  if (engine_.Mutated("epoch without offsets")) {
    bool moved = epoch_.offsets.size() != last_offsets_.size();
    for (size_t i = 0; !moved && i < last_offsets_.size(); ++i) moved = epoch_.offsets[i].offset != last_offsets_[i].offset;
    last_offsets_ = epoch_.offsets;
    if (!moved) parts_ = kAllParts & ~kOffsetsPart;
  }
  parts_left_ = engine_.Mutated("epoch without offsets") ? 0 : kAllParts & ~parts_;
  Start(epoch_.outputs_ticket != nullptr ? Job::kOutputsAcknowledged : fenced_ ? Job::kBegin : Job::kFence);
}

void TransactionalCommit::Recover(std::vector<std::unique_ptr<TaskRecovery>> tasks) {
  tasks_ = std::move(tasks);
  recovering_ = true;
  at_task_ = 0;
  committed_.clear();
  Start(fenced_ ? Job::kCommittedOffsets : Job::kFence);
}

void TransactionalCommit::Start(Job job) {
  waits_for_.clear();
  opened_ns_ = -1;
  open_ns_ = 0;
  abandoned_.store(false, std::memory_order_relaxed);
  end_.store(End::kNone, std::memory_order_relaxed);
  busy_.store(true, std::memory_order_relaxed);
  job_.store(job, std::memory_order_release);
  WakeCommit();
}

TransactionalCommit::End TransactionalCommit::Take(std::vector<std::unique_ptr<TaskRecovery>>* tasks) {
  End end = end_.load(std::memory_order_acquire);
  if (end == End::kNone) return end;
  if (end == End::kRecovered) *tasks = std::move(tasks_);
  tasks_.clear();
  end_.store(End::kNone, std::memory_order_relaxed);
  busy_.store(false, std::memory_order_release);
  return end;
}

// ---- Commit thread --------------------------------------------------------------------------------------------------

void TransactionalCommit::WakeCommit() {
  std::lock_guard<std::mutex> lock(mutex_);
  noticed_ = true;
  wake_.notify_all();
}

void TransactionalCommit::WaitForWork(int64_t ns_max) {
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(ns_max), [this] { return noticed_; });
  noticed_ = false;
}

TransactionalCommit::Step TransactionalCommit::Finish(End end) {
  job_.store(Job::kNone, std::memory_order_relaxed);
  end_.store(end, std::memory_order_release);
  engine_.worker(worker_).loop().Wake();
  return Step::kWorked;
}

void TransactionalCommit::NoteOpen() {
  if (opened_ns_ >= 0) open_ns_ = engine_.environment().clock->MonoNs() - opened_ns_;
  opened_ns_ = -1;
}

void TransactionalCommit::Drop() {
  transactions_->Drop();
  fenced_ = false;
}

// A worker that stands still says why.
void TransactionalCommit::TellWaiting(const Status& why, const char* doing) {
  int64_t now = engine_.environment().clock->MonoNs();
  if (waits_for_ != doing) {
    waits_for_ = doing;
    waits_since_ns_ = now;
    tell_at_ns_ = now + kTellWaitingNs;
  }
  if (now < tell_at_ns_) return;
  tell_at_ns_ = now + kTellWaitingNs;
  engine_.Warn(fmt::format("worker {} waits since {} s, {}: {}", worker_, (now - waits_since_ns_) / 1'000'000'000, doing,
                           why.message()));
}

TransactionalCommit::Step TransactionalCommit::Handle(const TransactionResult& result, const char* doing) {
  switch (result.outcome) {
    case TransactionOutcome::kOk: return Step::kWorked;
    case TransactionOutcome::kAgain: TellWaiting(result.status, doing); return Step::kWaiting;
    case TransactionOutcome::kAbort:
      engine_.Warn(fmt::format("worker {} takes an epoch back and starts anew from what is committed, {} failed: {}",
                               worker_, doing, result.status.message()));
      given_up.Add();
      NoteOpen();
      job_.store(Job::kAbort, std::memory_order_relaxed);
      return Step::kWorked;
    case TransactionOutcome::kRestart:
      NoteOpen();
      engine_.Warn(fmt::format("worker {} starts anew from what is committed, {} failed: {}", worker_, doing,
                               result.status.message()));
      if (const Job job = job_.load(std::memory_order_relaxed); job >= Job::kOutputs && job <= Job::kEnd) given_up.Add();
      Drop();
      return Finish(End::kRestart);
    case TransactionOutcome::kFailed:
      engine_.Fail(result.status.code() == StatusCode::kCorrupt || result.status.code() == StatusCode::kInvalid
                       ? ExitCode::kStateMismatch
                       : ExitCode::kConnector,
                   fmt::format("{}: {}", doing, result.status.message()), result.line);
      return Step::kIdle;
  }
  return Step::kIdle;
}

TransactionResult TransactionalCommit::WriteRekeyed(const TransactionalEpoch::Rekeyed& rekeyed) {
  const Buffer& bytes = *rekeyed.bytes;
  while (at_byte_ < bytes.size()) {
    uint32_t size;
    int32_t partition;
    std::memcpy(&size, bytes.data() + at_byte_, sizeof size);
    std::memcpy(&partition, bytes.data() + at_byte_ + sizeof size, sizeof partition);
    size_t head = sizeof size + sizeof partition;
    TransactionResult result =
        transactions_->WriteRow(rekeyed.exchange, partition, Str(bytes.data() + at_byte_ + head, size));
    if (!result.ok()) return result;
    at_byte_ += head + size;
  }
  return TransactionResult();
}

TransactionResult TransactionalCommit::WriteChanges(const TransactionalEpoch::Changes& changes) {
  DeltaReader in(*changes.bytes);
  for (DeltaEntry entry; in.Next(&entry);) {
    key_.Clear();
    AppendStoreKey(entry.step, entry.kind, entry.partition, entry.key, &key_);
    TransactionResult result;
    if (entry.remove && !IsSlot(key_.str())) {
      result = transactions_->WriteChange(changes.stage, entry.partition, key_.str(), nullptr);
    } else {
      value_.Clear();
      SealChange(key_.str(), entry.remove ? Str() : entry.value, &value_);
      Str value = value_.str();
      bytes_ += value.size;
      result = transactions_->WriteChange(changes.stage, entry.partition, key_.str(), &value);
    }
    bytes_ += key_.size();
    if (!result.ok()) return result;
  }
  return TransactionResult();
}

TransactionalCommit::Step TransactionalCommit::StepCommit() {
  if (engine_.ended()) return Step::kIdle;
  Job job = job_.load(std::memory_order_acquire);
  const bool abandoned = abandoned_.load(std::memory_order_acquire);
  switch (job) {
    case Job::kNone: return Step::kIdle;

    case Job::kOutputsAcknowledged:
      if (abandoned) return Finish(End::kAbandoned);
      if (!epoch_.outputs_ticket->Done() && !engine_.Mutated("outputs not acknowledged")) {
        TellWaiting(Status::Unavailable(fmt::format("{} records are on their way", epoch_.outputs_ticket->open())),
                    "for acknowledgements of outputs");
        return Step::kWaiting;
      }
      if (engine_.StopAt("transaction.outputs_acknowledged")) return Step::kIdle;
      job_.store(fenced_ ? Job::kBegin : Job::kFence, std::memory_order_relaxed);
      return Step::kWorked;

    case Job::kFence: {
      if (abandoned) return Finish(End::kAbandoned);
      TransactionResult result = transactions_->Fence();
      if (result.outcome == TransactionOutcome::kAbort) result.outcome = TransactionOutcome::kRestart;
      if (!result.ok()) return Handle(result, "opening transactions");
      fenced_ = true;
      producers.Add();
      if (engine_.StopAt("transaction.fenced")) return Step::kIdle;
      job_.store(recovering_ ? Job::kCommittedOffsets : Job::kBegin, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kBegin: {
      if (abandoned) return Finish(End::kAbandoned);
      // Offsets of another membership, or of none, would not be fenced.
      if (!epoch_.group.valid()) return Finish(End::kRestart);
      at_output_ = at_rekeyed_ = at_change_ = at_byte_ = 0;
      bytes_ = 0;
      TransactionResult result = transactions_->Begin();
      if (!result.ok()) return Handle(result, "beginning a transaction");
      opened_ns_ = engine_.environment().clock->MonoNs();
      if (engine_.StopAt("transaction.begun")) return Step::kIdle;
      job_.store(Job::kOutputs, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kOutputs: {
      if (abandoned) break;
      if ((parts_ & kOutputsPart) && at_output_ < epoch_.outputs.size()) {
        const auto& [sink, records] = epoch_.outputs[at_output_];
        TransactionResult result = transactions_->Write(sink, *records);
        if (!result.ok()) return Handle(result, "writing outputs");
        ++at_output_;
        if (engine_.StopAt("transaction.output_written")) return Step::kIdle;
        return Step::kWorked;
      }
      job_.store(Job::kRekeyed, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kRekeyed: {
      if (abandoned) break;
      if ((parts_ & kRekeyedPart) && at_rekeyed_ < epoch_.rekeyed.size()) {
        TransactionResult result = WriteRekeyed(epoch_.rekeyed[at_rekeyed_]);
        if (!result.ok()) return Handle(result, "writing re-keyed rows");
        ++at_rekeyed_;
        at_byte_ = 0;
        if (engine_.StopAt("transaction.rekeyed_written")) return Step::kIdle;
        return Step::kWorked;
      }
      job_.store(Job::kChanges, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kChanges: {
      if (abandoned) break;
      if ((parts_ & kChangesPart) && at_change_ < epoch_.changes.size()) {
        TransactionResult result = WriteChanges(epoch_.changes[at_change_]);
        if (result.outcome == TransactionOutcome::kAgain) {
          // What was written stays written: writing the rest of it again changes nothing, the last value counts.
          return Step::kWaiting;
        }
        if (!result.ok()) return Handle(result, "writing the changelog");
        ++at_change_;
        if (engine_.StopAt("transaction.changes_written")) return Step::kIdle;
        return Step::kWorked;
      }
      job_.store(Job::kFlush, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kFlush: {
      if (abandoned) break;
      TransactionResult result = transactions_->Flush();
      if (!result.ok()) return Handle(result, "waiting for the outputs' acknowledgements");
      if (engine_.Mutated("local store written early")) {
        KeepChanges();
        engine_.local_stores().Write(true);
      }
      if (engine_.StopAt("transaction.flushed")) return Step::kIdle;
      job_.store(Job::kOffsets, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kOffsets: {
      if (abandoned) break;
      if (parts_ & kOffsetsPart) {
        GroupToken token = epoch_.group;
        if (engine_.Mutated("no fencing")) token.bytes = "unchecked";
        TransactionResult result = transactions_->SendOffsets(epoch_.offsets, token);
        if (!result.ok()) return Handle(result, "sending offsets");
      }
      if (engine_.StopAt("transaction.offsets_sent")) return Step::kIdle;
      job_.store(Job::kEnd, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kEnd: {
      // Abandoned or not: whether it is committed is decided by the group's generation, which is part of it.
      TransactionResult result = transactions_->Commit();
      if (!result.ok()) return Handle(result, "committing");
      if (engine_.StopAt("transaction.committed")) return Step::kIdle;
      job_.store(Job::kCommitted, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kCommitted:
      NoteOpen();
      commits.Add();
      commit_bytes.Add(bytes_);
      last_bytes.Set(static_cast<int64_t>(bytes_));
      last_duration_ns.Set(engine_.environment().clock->MonoNs() - epoch_.begun_ns);
      KeepChanges();
      // A request without an answer may still be executed, in the next transaction of this producer.
      if (transactions_->unanswered() && !engine_.Mutated("producer kept")) Drop();
      Trim();
      if (engine_.StopAt("transaction.done")) return Step::kIdle;
      if (parts_left_ != 0) {
        parts_ = parts_left_;
        parts_left_ = 0;
        job_.store(fenced_ ? Job::kBegin : Job::kFence, std::memory_order_relaxed);
        return Step::kWorked;
      }
      return Finish(End::kCommitted);

    case Job::kAbort: {
      TransactionResult result = transactions_->Abort();
      if (result.outcome == TransactionOutcome::kAbort) result.outcome = TransactionOutcome::kRestart;
      if (!result.ok()) return Handle(result, "aborting");
      if (transactions_->unanswered() && !engine_.Mutated("producer kept")) Drop();
      if (engine_.StopAt("transaction.aborted")) return Step::kIdle;
      // The epoch is not written again: a record that the broker refuses may be in it, which only the next reading of its
      // source leaves out, or the group may no longer know the membership that it belongs to.
      return Finish(abandoned ? End::kAbandoned : End::kRestart);
    }

    default: return StepRecovery(job);
  }
  // The epoch is nobody's any more.
  given_up.Add();
  job_.store(Job::kAbort, std::memory_order_relaxed);
  return Step::kWorked;
}

void TransactionalCommit::KeepChanges() {
  if ((parts_ & kChangesPart) == 0) return;
  for (const TransactionalEpoch::Changes& changes : epoch_.changes) {
    std::map<int32_t, StoreChanges> tasks;
    StoreChanges* of_task = nullptr;
    int32_t partition = -1;
    DeltaReader in(*changes.bytes);
    for (DeltaEntry entry; in.Next(&entry);) {
      if (of_task == nullptr || entry.partition != partition) of_task = &tasks[partition = entry.partition];
      key_.Clear();
      AppendStoreKey(entry.step, entry.kind, entry.partition, entry.key, &key_);
      of_task->Add(key_.str(), entry.remove ? nullptr : &entry.value);
    }
    for (auto& [p, kept] : tasks) {
      engine_.local_stores().Committed(engine_.NameOfTask(changes.stage, p), &kept,
                                       transactions_->ChangesEnd(changes.stage, p));
    }
  }
}

// What is committed of an exchange's topic has been read by its only reader.
void TransactionalCommit::Trim() {
  int64_t now = engine_.environment().clock->MonoNs();
  if (engine_.program().exchanges.empty() || now < next_trim_ns_) return;
  next_trim_ns_ = now + engine_.environment().trim_ns;
  for (size_t s = 0; s < engine_.program().sources.size(); ++s) {
    const SourceSpec& source = engine_.program().sources[s];
    std::vector<std::pair<int32_t, int64_t>> before;
    for (const SourceOffset& offset : epoch_.offsets) {
      if (source.exchange >= 0 && offset.source == static_cast<int>(s)) before.emplace_back(offset.partition, offset.offset);
    }
    if (!before.empty()) transactions_->TrimRekeyed(source.exchange, before);
  }
}

// ---- Recovery -------------------------------------------------------------------------------------------------------

std::string TransactionalCommit::Where(const TaskRecovery& task) const {
  return fmt::format("bringing back partition {} of `{}`", task.partition, engine_.program().stages[task.stage].name);
}

// Some of the changelog, into the task's local store.
TransactionResult TransactionalCommit::ReplayChanges(TaskRecovery& task) {
  const int64_t from = replay_at_;
  TransactionResult result = transactions_->Replay(
      task.stage, task.partition, changelog_.end, &replay_at_, [&](Str key, const Str* sealed) -> Status {
        ++task.replayed;
        Str value;
        bool removed;
        if (!ReadChange(key, sealed, &value, &removed)) {
          return Status::Corrupt(fmt::format(
              "a change in topic {} is damaged, or was not written by Weir. To begin without state, stop every copy and run "
              "this binary with `reset`", ChangelogTopic(engine_.program(), task.stage)));
        }
        changes_.Add(key, removed ? nullptr : &value);
        return Status();
      });
  const bool read = result.ok() || result.outcome == TransactionOutcome::kAgain;
  if (!read || replay_at_ == from) return result;
  waits_for_.clear();  // it moves
  int64_t at = engine_.local_stores().Replayed(engine_.NameOfTask(task.stage, task.partition), changelog_, from, replay_at_, changes_);
  changes_.Clear();
  if (at >= replay_at_) return result;
  replay_at_ = at;
  return TransactionResult();
}

TransactionalCommit::Step TransactionalCommit::StepRecovery(Job job) {
  if (abandoned_.load(std::memory_order_acquire)) return Finish(End::kAbandoned);
  if (at_task_ == tasks_.size()) {
    if (engine_.StopAt("recovery.done")) return Step::kIdle;
    return Finish(End::kRecovered);
  }
  TaskRecovery& task = *tasks_[at_task_];
  switch (job) {
    // The offsets come first: a predecessor's transaction that ends after they are read is behind the end that is asked
    // for next, or has ended.
    case Job::kCommittedOffsets: {
      if (at_task_ == 0 && committed_.empty()) transactions_->BeginRecovery();
      Read& read = committed_[task.source];
      std::vector<int64_t>& offsets = read.offsets;
      if (offsets.empty()) {
        TransactionResult result = transactions_->Committed(task.source, &offsets, &read.states, &read.then);
        if (!result.ok()) {
          offsets.clear();
          return Handle(result, Where(task).c_str());
        }
        if (offsets.empty()) offsets.push_back(-1);
        if (engine_.StopAt("recovery.offsets_read")) return Step::kIdle;
      }
      bool read_before = false;
      for (int64_t offset : offsets) read_before = read_before || offset >= 0;
      size_t p = static_cast<size_t>(task.partition);
      task.offset = p < offsets.size() ? offsets[p] : -1;
      task.noted = p < read.states.size() ? read.states[p] : OffsetState::kUnknown;
      if (task.offset < 0) {
        task.first = true;
        // A partition that came after the group had read others begins at its beginning: whatever is in it is new. One
        // that was there already is only later than the others of the very first start.
        bool later = task.start_later && (!read_before || task.partition < read.then);
        TransactionResult result = transactions_->StartOf(task.source, task.partition, later, &task.offset);
        if (!result.ok()) return Handle(result, Where(task).c_str());
      }
      job_.store(task.has_changelog ? Job::kChangelogEnd : Job::kTaskDone, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kChangelogEnd: {
      Isolation isolation = engine_.Mutated("changelog end is the last stable offset") ? Isolation::kReadCommitted
                                                                                       : Isolation::kReadUncommitted;
      TransactionResult result =
          transactions_->ChangelogEnd(task.stage, task.partition, isolation, &changelog_.end);
      if (!result.ok()) return Handle(result, Where(task).c_str());
      if (abandoned_.load(std::memory_order_acquire)) return Finish(End::kAbandoned);
      Transactions::ChangelogFacts facts = transactions_->Facts(task.stage);
      changelog_.topic = std::move(facts.id);
      changelog_.removals_kept_ms = facts.removals_kept_ms;
      replay_at_ = engine_.local_stores().Begin(engine_.NameOfTask(task.stage, task.partition), changelog_);
      changes_.Clear();
      if (engine_.StopAt("recovery.end_asked")) return Step::kIdle;
      job_.store(Job::kReplay, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kReplay: {
      TransactionResult result = ReplayChanges(task);
      if (!result.ok()) return Handle(result, Where(task).c_str());
      if (replay_at_ < changelog_.end) return Step::kWorked;  // from the beginning, without the disk
      task.state = engine_.local_stores().View(engine_.NameOfTask(task.stage, task.partition), replay_at_);
      if (task.state == nullptr) {
        job_.store(Job::kChangelogEnd, std::memory_order_relaxed);
        return Step::kWorked;
      }
      if (engine_.StopAt("recovery.replayed")) return Step::kIdle;
      job_.store(Job::kTaskDone, std::memory_order_relaxed);
      return Step::kWorked;
    }

    case Job::kTaskDone:
      recovered_.Add();
      ++at_task_;
      job_.store(Job::kCommittedOffsets, std::memory_order_relaxed);
      return Step::kWorked;

    default: return Step::kIdle;
  }
}

}  // namespace weir
