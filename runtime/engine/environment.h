// Everything outside the pipeline that the engine touches, and the settings that are no part of the pipeline.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/clock.h"
#include "runtime/engine/connectors.h"
#include "runtime/engine/faults.h"
#include "runtime/engine/log.h"
#include "runtime/engine/lookup_host.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/taps.h"

namespace weir {

class Store;
class StoreFiles;
class Worker;

struct Environment {
  Clock* clock = nullptr;
  Connectors* connectors = nullptr;
  Store* store = nullptr;    // null where nothing is kept in it (transactions; stateless, every source a consumer group)
  // With transactions: where this machine keeps what it knows of a task's changelog, by a name of the task. Null: nowhere.
  std::function<std::unique_ptr<StoreFiles>(const std::string& task)> task_files;
  // The names of all tasks that have such files; null: only those of this process are known.
  std::function<Status(std::vector<std::string>* names)> task_names;
  Faults* faults = nullptr;  // null in production
  Log* log = nullptr;
  Taps* taps = nullptr;      // tests only
  std::function<std::unique_ptr<Loop>(int worker)> make_loop;
  // runtime/lookup's; null when the program has no lookups.
  std::function<std::unique_ptr<LookupHost>(Worker& worker)> make_lookup_host;

  int workers = 1;
  bool standby = false;                        // keeps the state of tasks that others hold at hand
  int64_t commit_ns = 0;                       // 0: as the program says
  int64_t grace_ns = 10'000'000'000;           // SIGTERM: how long rows in flight may take to end
  int64_t start_wait_ns = 30'000'000'000;      // how long brokers may take to say what partitions there are
  int64_t revoke_wait_ns = 5'000'000'000;      // how long a partition that goes away may take to finish its work
  int64_t time_ahead_ns_max = 366LL * 24 * 3600 * 1'000'000'000;  // event times further ahead of the clock are bad input
  int64_t store_write_ns = 5'000'000'000;      // so often what was committed goes to the tasks' local stores
  int64_t trim_ns = 30'000'000'000;            // so often re-keyed rows that are read and committed are deleted
  uint64_t epoch_bytes_max = 64 << 20;         // of kept outputs: the next commit comes early
  uint64_t transaction_bytes_max = 6 << 20;    // the same with transactions, of one worker: little enough to stay in caches
  uint64_t exchange_bytes_max = 8 << 20;       // waiting at one worker: sources of exchanging stages wait
};

}  // namespace weir
