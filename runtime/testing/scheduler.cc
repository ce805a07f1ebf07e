#include "runtime/testing/scheduler.h"

#include <algorithm>

namespace weir {

Scheduler::Scheduler(MemoryWorld& world, Engine& engine, uint64_t seed)
    : world_(world), engine_(engine), random_(seed), idle_(static_cast<size_t>(engine.workers()) + 1) {}

bool Scheduler::TakeTurn() {
  ++turns_;
  bool did = world_.DeliverAnswers();
  size_t actor = random_() % idle_.size();
  if (actor == idle_.size() - 1) {
    did |= engine_.store_mode() && engine_.StepCommit() == Epochs::Step::kWorked;
  } else {
    did |= engine_.worker(static_cast<int>(actor)).Turn();
  }
  if (did) {
    std::fill(idle_.begin(), idle_.end(), false);
    idle_count_ = 0;
  } else if (!idle_[actor]) {
    idle_[actor] = true;
    ++idle_count_;
  }
  return did;
}

void Scheduler::RunUntilQuiet() { RunUntilQuietOrTurn(UINT64_MAX); }

void Scheduler::RunUntilQuietOrTurn(uint64_t turn_max) {
  std::fill(idle_.begin(), idle_.end(), false);
  idle_count_ = 0;
  while (!engine_.ended() && idle_count_ < idle_.size() && turns_ < turn_max) TakeTurn();
}

bool Scheduler::AdvanceToNext(int64_t end, bool lookups_only) {
  int64_t now = world_.clock.MonoNs();
  int64_t next = world_.NextEventMonoNs();
  for (int i = 0; i < engine_.workers(); ++i) {
    next = std::min(next, engine_.worker(i).NextTimerMonoNs(lookups_only));
  }
  if (next == INT64_MAX || next > end) return false;
  // Due and nobody did anything about it: somebody rounds, so time goes on a little.
  world_.clock.SetMono(std::max(next, now + 1000));
  return true;
}

void Scheduler::RunFor(int64_t ns) {
  int64_t end = world_.clock.MonoNs() + ns;
  RunUntilQuiet();
  while (!engine_.ended() && AdvanceToNext(end)) RunUntilQuiet();
  world_.clock.SetMono(end);
  RunUntilQuiet();
}

bool Scheduler::RunUntilAnswered(int64_t ns_max) {
  int64_t end = world_.clock.MonoNs() + ns_max;
  RunUntilQuiet();
  while (!engine_.ended()) {
    uint64_t pending = 0;
    for (int i = 0; i < engine_.workers(); ++i) pending += engine_.worker(i).pending_rows();
    if (pending == 0) return true;
    if (!AdvanceToNext(end, true)) return false;
    RunUntilQuiet();
  }
  return true;
}

bool Scheduler::RunUntilEnd(int64_t ns_max) {
  int64_t end = world_.clock.MonoNs() + ns_max;
  RunUntilQuiet();
  while (!engine_.ended() && AdvanceToNext(end)) RunUntilQuiet();
  return engine_.ended();
}

}  // namespace weir
