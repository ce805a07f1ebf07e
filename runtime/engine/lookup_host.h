// What the engine asks of runtime/lookup, so that neither links the other: one host per worker, one port per task and
// lookup step. None of this is on the per-record path, where generated code talks to LookupInstance directly.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/core/status.h"
#include "runtime/core/str.h"
#include "runtime/engine/delta.h"

namespace weir {

class Task;
class Worker;
class LookupInstance;

// One lookup step of one task. All calls on the worker's thread. Destroying it takes the instance out of its host.
class LookupPort {
 public:
  virtual ~LookupPort() = default;

  // ---- Watermarks ----
  // The watermark in front of the step moved. The port passes on what it lets through with Task::LookupAdvanced: the
  // incoming watermark, but never above the one that was in force when its oldest unfinished row arrived. After a row
  // was resumed it passes on again.
  virtual void SetWatermark(int64_t watermark) = 0;

  // Rows not yet resumed.
  virtual uint32_t pending() const = 0;
  // The offset of the record whose row has waited longest; -1: none waits.
  virtual int64_t oldest_offset() const = 0;

  // ---- Commits ----
  // Writes the rows added and removed since the last call (StateKind::kRow), at the barrier of an epoch.
  virtual void AppendDelta(DeltaWriter& delta) = 0;
  // Takes a row back, in the order of the keys, before anything else is asked of the port. Damaged bytes: kCorrupt.
  virtual Status Restore(Str key, Str value) = 0;
  // All rows are back: they are asked again from the host's next Turn on, in the order in which they were asked before,
  // within in_flight. kCorrupt: they cannot be in one state.
  virtual Status Restored() = 0;

  // The partition went to another process: forgets all rows (connectors are told with Forget), lowers their tickets.
  virtual void ForgetAll() = 0;
};

// All lookups of one worker. All calls on the worker's thread.
class LookupHost {
 public:
  virtual ~LookupHost() = default;
  // Opens the connectors.
  virtual Status Open() = 0;

  struct Made {
    LookupInstance* instance = nullptr;
    std::unique_ptr<LookupPort> port;  // the same object, or one that outlives the instance
  };
  virtual Made Make(Task* task, int lookup_step) = 0;

  // Takes answers, time-outs and retries, asks what may be asked, resumes rows, none of them while the worker's epoch is
  // full (EpochLimit). Never blocks. True: something was done
  // and it wants another turn soon.
  virtual bool Turn() = 0;
  // When it next wants a turn by itself (time-outs, backoffs), on the monotonic clock; INT64_MAX: never.
  virtual int64_t NextTimerMonoNs() const = 0;
  // The process is about to end: rows still waiting for their first request are no longer asked (they stay in the
  // state); those in flight go on.
  virtual void Drain() = 0;
  // No request is under way.
  virtual bool Drained() const = 0;
  virtual void Close() = 0;
};

}  // namespace weir
