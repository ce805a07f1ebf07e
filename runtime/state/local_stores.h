// The local stores of all tasks that this process holds, or follows: each is opened once and goes from worker to worker.
// What was committed is collected in memory and written every few seconds by a thread of its own, so that no commit waits
// for a disk.
//
// A disk that fails costs time and nothing else: the task's store is given up, with a warning, and what it held is
// replayed from the changelog when it is needed again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/clock.h"
#include "runtime/state/task_store.h"

namespace weir {

class LocalStores {
 public:
  // A stage and a partition, and the name of the step.
  struct TaskName {
    int stage = 0;
    int32_t partition = 0;
    std::string step;
  };
  struct Options {
    // The files of a task, by its name (`step.partition`); null: nothing is kept between starts.
    std::function<std::unique_ptr<StoreFiles>(const std::string& name)> files;
    // The names of all tasks that have files, those of earlier processes included; null: only those used here are known.
    std::function<Status(std::vector<std::string>* names)> names;
    // Whether a task is at work in this process; null: all are that were brought back.
    std::function<bool(const TaskName& task)> holds;
    std::function<void(const std::string& message)> warn;
    std::function<void(const std::string& message)> inform;  // of what is as it should be
    Clock* clock = nullptr;
    int64_t write_every_ns = 5'000'000'000;
    uint64_t write_bytes = 64 << 20;  // or when so much waits, of all tasks together
  };
  // The changelog of a task, as it is now.
  struct Changelog {
    std::string topic;                // its id; empty: not known
    int64_t end = 0;
    int64_t removals_kept_ms = INT64_MAX;  // how long it remembers removed keys
  };

  explicit LocalStores(Options options) : options_(std::move(options)) {}

  // ---- The worker that brings a task back ----
  // The store of a task in its latest form; what cannot be used is thrown away. The offset from which to replay. From now
  // until View nothing else is added to it but what is replayed.
  int64_t Begin(const TaskName& task, const Changelog& changelog);
  // All changes from offset `from` to `to`. Where to go on: `to`, or what is known already, or 0 when the disk failed and
  // everything is to be replayed again, into memory this time.
  int64_t Replayed(const TaskName& task, const Changelog& changelog, int64_t from, int64_t to, const StoreChanges& changes);
  // All below `at_least` is replayed: how it stands. From now on the task's commits are added. Null: it was thrown away
  // meanwhile, and Begin comes again.
  std::shared_ptr<const StoreView> View(const TaskName& task, int64_t at_least = 0);
  // It gave bytes that are damaged, or (`content`) that fit nothing. False: replaying again would give the same.
  bool Discard(const TaskName& task, const std::string& why, bool content = false);

  // ---- Any thread ----
  // Changes that were committed; all below `offset` is known then. Takes them. What is known already, or belongs to a task
  // that is not open here, is ignored. -1: nobody knows the offset, and the store stays as it is from now on.
  void Committed(const TaskName& task, StoreChanges* changes, int64_t offset);

  // ---- Who stands by for the holder of a task, with Replayed ----
  // As Begin, unless it is open already: the offset from which to go on; the end, where following makes no sense.
  int64_t Follow(const TaskName& task, const Changelog& changelog);

  // ---- The thread that writes ----
  // Writes what is due; with `all`, everything. True: something was. Now and then it looks for what RemoveOutdated removes.
  bool Write(bool all);
  // Removes the stores of tasks that are not at work here and are so old that whoever brings them back throws them away. A
  // younger one is left: its task may come back.
  void RemoveOutdated();
  // Whatever is being tidied up is put off: the process ends.
  void Hurry();
  void WaitForWork(int64_t ns_max);
  void Wake();

  struct Stats {
    uint64_t bytes = 0;    // on the disk
    uint64_t waiting = 0;  // bytes in memory that are not, those on their way included
    uint64_t stores = 0;   // that are kept
    uint64_t given_up = 0; // since the start
  };
  Stats GetStats();

 private:
  struct One {
    TaskName task;
    std::mutex mutex;  // of the store; taken before the other
    std::unique_ptr<TaskStore> store;
    std::atomic<bool> kept{false};  // on a disk, and not given up
    bool on_disk = false;         // what was brought back last is on a disk
    bool found = false;           // and some of it was there before
    int64_t follow_after_ns = INT64_MIN;  // its disk failed: nobody follows it before
    std::string topic;
    int64_t removals_kept_ms = INT64_MAX;
    int discarded = 0;
    std::atomic<bool> hurry{false};
    std::mutex waiting_mutex;
    StoreChanges waiting;
    int64_t known = -1;           // changes below it are in the store or waiting; -1: that is not known
    bool held = false;            // by a worker here, whose commits leave no gap behind what is known
    int64_t known_ms = 0;         // wall clock when they became known: what was written later is as old all the same
    int64_t waiting_since_ns = 0;
    std::atomic<uint64_t> bytes{0};
  };

  // Opens it where it is not, and throws away what cannot be used. The store's mutex is held.
  int64_t Open(One& one, const TaskName& task, const Changelog& changelog);
  std::shared_ptr<One> Find(const TaskName& task, bool make);
  static void UseMemory(One& one);
  static std::string NameOf(const TaskName& task);
  bool Outdated(int64_t written_ms, int64_t removals_kept_ms) { return WallMs() - written_ms > removals_kept_ms / 2; }
  // The mutex of what waits is held.
  void DropWaiting(One& one);
  bool Much() const { return waiting_bytes_.load(std::memory_order_relaxed) >= options_.write_bytes; }
  // Gives what waits of a task up. False: nothing waits.
  bool LeaveOneBehind();
  void GiveUp(One& one, const Status& why, const char* doing);
  // Writes what waits. The store's mutex is held.
  Status WriteOne(One& one, const TaskStore::How& how);
  void Warn(const std::string& message) {
    if (options_.warn) options_.warn(message);
  }
  int64_t WallMs() { return options_.clock->WallNs() / 1'000'000; }

  Options options_;
  std::mutex opening_mutex_;
  std::set<std::string> opened_;  // names of tasks whose files are, or were, used by one of the stores below
  int64_t next_removal_ns_ = INT64_MIN;  // of the thread that writes
  std::mutex mutex_;
  std::map<std::pair<int, int32_t>, std::shared_ptr<One>> stores_;
  std::atomic<uint64_t> waiting_bytes_{0};  // of all tasks, those on their way to the disk included
  std::atomic<uint64_t> given_up_{0};
  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool noticed_ = false;
};

}  // namespace weir
