// What the lookup runtime needs of the worker it lives in; runtime/lookup/engine_lookups.cc binds it to engine's Worker,
// tests to something smaller.
#pragma once

#include <cstdint>

namespace weir {

class Task;

// All calls but Wake on the worker's thread.
class LookupWorker {
 public:
  virtual ~LookupWorker() = default;
  // The watermark behind a task's lookup step is now `watermark_ns`: called after the record that held it back went on.
  // The steps behind hear of it; windows may fire.
  virtual void Advanced(Task& task, int lookup_step, int64_t watermark_ns) = 0;
  // A row was added or has gone: the next epoch has something to commit.
  virtual void Changed() = 0;
  // A row went on, with so many bytes of its own and of its answer.
  virtual void WentOn(uint64_t bytes) = 0;
  // No row goes on before the next epoch: this one has enough.
  virtual bool EpochFull() = 0;
  // Ends the worker's wait: answers are there. Any thread.
  virtual void Wake() = 0;
};

}  // namespace weir
