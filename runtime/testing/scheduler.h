// Runs an engine on one thread and virtual time: workers and the commit take turns in an order drawn from a seed.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/testing/memory_world.h"

namespace weir {

// Counts the points a run passes, and stops it at one of them.
class FaultPoints : public Faults {
 public:
  bool StopAt(const char* point) override {
    ++passed[point];
    return ++count == stop_at;
  }
  uint64_t count = 0;
  uint64_t stop_at = 0;  // 0: never
  std::map<std::string, uint64_t> passed;
};

class Scheduler {
 public:
  Scheduler(MemoryWorld& world, Engine& engine, uint64_t seed);

  // Goes on until nothing can be done without time passing, or the engine has ended.
  void RunUntilQuiet();
  // As above, but for no more than `turn_max` turns altogether.
  void RunUntilQuietOrTurn(uint64_t turn_max);
  // Lets time pass up to `end`, stopping at everything that happens on the way.
  void RunFor(int64_t ns);
  // Lets time pass until no row waits in a lookup, at most `ns_max`; idleness does not count as something to wait for.
  // False: rows still wait.
  bool RunUntilAnswered(int64_t ns_max);
  // Lets time pass until the engine ends, at most `ns_max`. False: it did not.
  bool RunUntilEnd(int64_t ns_max);
  // One turn of something, chosen by chance. True: it did something.
  bool TakeTurn();
  // Moves the clock to the next thing that happens; false when nothing does before `end`.
  bool AdvanceToNext(int64_t end, bool lookups_only = false);

  uint64_t turns() const { return turns_; }

 private:
  MemoryWorld& world_;
  Engine& engine_;
  std::mt19937_64 random_;
  std::vector<bool> idle_;   // workers, then the commit: did nothing since something was done
  size_t idle_count_ = 0;
  uint64_t turns_ = 0;
};

}  // namespace weir
