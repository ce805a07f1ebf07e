// Keeps the local stores of tasks that other processes hold up to date, so that this one takes over without replaying: it
// follows their changelogs at a distance of a fraction of a second.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/engine/counters.h"
#include "runtime/engine/transactions.h"
#include "runtime/state/local_stores.h"

namespace weir {

class Engine;

// All calls on one thread, but for the counters.
class Standby {
 public:
  // `changelogs` reads and writes nothing.
  Standby(Engine& engine, std::unique_ptr<Transactions> changelogs);

  // One step of the round through all tasks. False: there was nothing to do, or what was asked is not answered yet.
  bool Step();
  void Close() { changelogs_->Close(); }

  Counter followed;    // changes taken over
  Gauge behind{0};     // changelog records that were there and not taken over at the end of the last round

 private:
  struct TaskAt {
    int stage;
    int32_t partition;
  };
  // What a call that is not ok means: true to ask again, false when this task is left for the next round.
  bool Again(const TransactionResult& result);
  void NextTask();

  Engine& engine_;
  std::unique_ptr<Transactions> changelogs_;
  std::vector<TaskAt> tasks_;
  size_t at_task_ = 0;
  bool round_begun_ = false;
  enum class At : uint8_t { kEnd, kReplay } at_ = At::kEnd;
  LocalStores::Changelog changelog_;
  StoreChanges changes_;
  int64_t replay_at_ = 0;
  int64_t left_ = 0;           // of this round
  int64_t next_round_ns_ = 0;
  int64_t next_warning_ns_ = 0;
};

}  // namespace weir
