// A task with what belongs to it: its windows, the ports of its lookups, its ways into exchanges.
#pragma once

#include <memory>
#include <vector>

#include "runtime/engine/exchange.h"
#include "runtime/engine/lookup_host.h"
#include "runtime/engine/stage_graph.h"
#include "runtime/engine/task.h"
#include "runtime/window/window_instance.h"

namespace weir {

// Made, used and destroyed by its worker.
struct TaskState {
  // `host` may be null when the program has no lookups.
  TaskState(Worker& worker, const Program& program, const StageGraph& graph, LookupHost* host, int stage,
            int32_t partition);

  // Rows waiting in the task's lookups.
  uint64_t Pending() const;
  // The watermark at which the next of the task's windows closes; INT64_MAX: none is open.
  int64_t NextFire() const;
  size_t OpenWindows() const;
  size_t WindowBytes() const;
  // The watermark that the reader of this exchange may be told.
  int64_t ExchangeWatermark(int exchange) const;
  void AppendDelta(DeltaWriter& delta);

  Task task;
  std::vector<LookupInstance*> lookups;             // by lookup step
  std::vector<LookupPort*> ports;                   // by lookup step
  std::vector<std::unique_ptr<LookupPort>> owned_ports;
  std::vector<WindowInstance*> windows;             // by window
  std::vector<std::unique_ptr<WindowInstance>> owned_windows;
  std::vector<ExchangeSlot*> exchanges;             // by exchange
  std::vector<std::unique_ptr<ExchangeSlot>> owned_exchanges;
  std::vector<int> exchange_indices;                // the exchanges this stage writes to
  std::vector<bool> exchange_direct;                // beside them: no lookup stands in front

  // Of tasks fed by an exchange.
  std::vector<ExchangeUpstream> upstreams;
  bool upstreams_moved = false;     // since the last commit
  ExchangeBacklog backlog;
  int64_t saved_watermark = INT64_MIN;
  uint64_t restored_rows = 0;
  bool identity_stored = false;  // its changelog says whose it is
  bool idle = false;  // all inputs are idle and nothing waits
  int64_t no_wake = INT64_MAX;  // where windows behind lookups write their wish: those are told of every move
};

}  // namespace weir
