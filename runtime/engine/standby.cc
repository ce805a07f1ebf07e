#include "runtime/engine/standby.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/engine/engine.h"
#include "runtime/state/changelog.h"

namespace weir {

namespace {
constexpr int64_t kRoundNs = 300'000'000;
constexpr int64_t kWarnEveryNs = 60'000'000'000;
}  // namespace

Standby::Standby(Engine& engine, std::unique_ptr<Transactions> changelogs)
    : engine_(engine), changelogs_(std::move(changelogs)) {
  for (size_t s = 0; s < engine.program().stages.size(); ++s) {
    const int stage = static_cast<int>(s);
    for (int32_t p = 0; engine.has_changelog(stage) && p < engine.task_count(stage); ++p) tasks_.push_back({stage, p});
  }
}

bool Standby::Again(const TransactionResult& result) {
  if (result.outcome == TransactionOutcome::kAgain) return true;
  const int64_t now = engine_.environment().clock->MonoNs();
  if (now >= next_warning_ns_) {
    engine_.Warn("standing by: " + result.status.message());
    next_warning_ns_ = now + kWarnEveryNs;
  }
  return false;
}

void Standby::NextTask() {
  ++at_task_;
  at_ = At::kEnd;
}

bool Standby::Step() {
  const int64_t now = engine_.environment().clock->MonoNs();
  if (!round_begun_) {
    if (now < next_round_ns_) return false;
    changelogs_->BeginRecovery();
    round_begun_ = true;
    left_ = 0;
  }
  // Those held here are brought up to date by what this process commits.
  while (at_task_ < tasks_.size() && engine_.Holds(tasks_[at_task_].stage, tasks_[at_task_].partition)) NextTask();
  if (at_task_ >= tasks_.size()) {
    behind.Set(left_);
    at_task_ = 0;
    round_begun_ = false;
    next_round_ns_ = now + kRoundNs;
    return true;
  }
  const TaskAt task = tasks_[at_task_];
  const LocalStores::TaskName name = engine_.NameOfTask(task.stage, task.partition);
  LocalStores& stores = engine_.local_stores();
  if (at_ == At::kEnd) {
    // Only what is committed: a hanging transaction is for whoever takes over.
    TransactionResult result =
        changelogs_->ChangelogEnd(task.stage, task.partition, Isolation::kReadCommitted, &changelog_.end);
    if (!result.ok()) {
      if (Again(result)) return false;
      NextTask();
      return true;
    }
    Transactions::ChangelogFacts facts = changelogs_->Facts(task.stage);
    changelog_.topic = std::move(facts.id);
    changelog_.removals_kept_ms = facts.removals_kept_ms;
    if (engine_.Holds(task.stage, task.partition)) return true;  // by now
    replay_at_ = stores.Follow(name, changelog_);
    changes_.Clear();
    if (replay_at_ >= changelog_.end) {
      NextTask();
    } else {
      at_ = At::kReplay;
    }
    return true;
  }
  const int64_t from = replay_at_;
  TransactionResult result = changelogs_->Replay(
      task.stage, task.partition, changelog_.end, &replay_at_, [this](Str key, const Str* sealed) -> Status {
        Str value;
        bool removed;
        if (!ReadChange(key, sealed, &value, &removed)) {
          return Status::Corrupt("a change in a changelog is damaged, or was not written by Weir");
        }
        changes_.Add(key, removed ? nullptr : &value);
        followed.Add();
        return Status();
      });
  if (replay_at_ > from) {
    int64_t at = stores.Replayed(name, changelog_, from, replay_at_, changes_);
    if (at < replay_at_) result = {TransactionOutcome::kRestart, Status::Io("the local store went back to an earlier time")};
  }
  changes_.Clear();
  if (!result.ok() && Again(result)) return replay_at_ > from;
  left_ += std::max<int64_t>(changelog_.end - replay_at_, 0);
  NextTask();
  return true;
}

}  // namespace weir
