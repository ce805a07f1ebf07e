// What a running pipeline counts, as one picture.
#pragma once

#include <cstdint>
#include <vector>

namespace weir {

struct StepMetrics {
  uint64_t read = 0, read_bytes = 0;        // sources, tables: records taken; exchanges: rows that arrived
  uint64_t written = 0, written_bytes = 0;  // sinks
  uint64_t dropped = 0, late = 0, dead = 0;
  uint64_t fired = 0;                       // windows: results
};

struct PartitionMetrics {
  int source = 0;              // index into Program::sources
  int32_t partition = 0;
  int64_t position = -1;       // next offset
  int64_t end_offset = -1;     // -1: unknown
  int64_t watermark_ns = INT64_MIN;  // INT64_MIN: none yet, INT64_MAX: read to the end
  uint64_t blocked_ns = 0;     // waited for a lookup
  bool recovering = false;   // its state is being brought back, nothing is read yet
  bool connected = true;       // false: what it is read from does not answer
};

// Each record read is in exactly one of the others.
struct LedgerMetrics {
  uint64_t read = 0, emitted = 0, dead = 0, pending = 0, dropped = 0, state = 0, filtered = 0;
};

struct MetricsSnapshot {
  std::vector<StepMetrics> steps;            // by index of Program::steps
  std::vector<PartitionMetrics> partitions;
  LedgerMetrics ledger;
  uint64_t pending_rows = 0;     // now waiting in lookups
  uint64_t open_windows = 0;
  uint64_t window_bytes = 0;     // memory
  uint64_t table_rows = 0, table_bytes = 0;
  uint64_t store_entries = 0, store_bytes = 0;
  uint64_t local_stores = 0, local_store_bytes = 0, local_store_waiting_bytes = 0, local_stores_given_up = 0;
  int64_t standby_behind = 0;    // changelog records of tasks that others hold
  uint64_t standby_followed = 0; // of those taken over since the start
  uint64_t epochs_committed = 0; // by the local store, or by transactions of all workers
  uint64_t transactions_given_up = 0;    // begun and not committed; what was in them is done again
  uint64_t transactional_producers = 0;  // made, each of which shuts out the one before
  int64_t last_epoch_ns = 0;     // from its end to its commit; of several workers the longest
  int64_t last_epoch_bytes = 0;  // of all workers together
  uint64_t epoch_bytes_limit = 0;  // EpochLimit, of several workers the smallest; 0: there is none
  bool uncommitted = false;     // transactions: some worker has done what is not committed yet
  bool ready = false;
};

}  // namespace weir
