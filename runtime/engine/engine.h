// A running pipeline: built from a program and an environment, driven by threads in production and step by step in tests.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/engine/commit_mode.h"
#include "runtime/engine/environment.h"
#include "runtime/engine/epochs.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/exit_code.h"
#include "runtime/engine/identity.h"
#include "runtime/engine/input.h"
#include "runtime/engine/metrics.h"
#include "runtime/engine/stage_graph.h"
#include "runtime/engine/standby.h"
#include "runtime/engine/table_lock.h"
#include "runtime/engine/worker.h"
#include "runtime/program/program.h"
#include "runtime/state/local_stores.h"
#include "runtime/state/store.h"
#include "runtime/state/table_store.h"

namespace weir {

class Engine {
 public:
  // Both outlive the engine.
  Engine(const Program& program, const Environment& environment);
  // Without Close this is what a kill leaves: nothing is flushed, committed or given back.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Asks the sources for their partitions, opens and loads the store, makes tasks, opens sinks, sources and lookups.
  // Not ok: the message says what and what to do, and exit_code() is set.
  Status Start();

  // ---- Production ----
  // Runs a thread per worker and those beside them until the pipeline ends, closes everything and says how it ended. Beside
  // them: with the local store one for commits; with transactions one for each worker's commits, one that writes local
  // stores and, standing by, one that follows the changelogs of others.
  ExitCode Run();
  // Ends it gracefully: no more input, requests under way may end within the grace time, a last commit. Any thread; a
  // second call is ignored.
  void RequestStop();

  // ---- Step by step ----
  int workers() const { return environment_.workers; }
  Worker& worker(int i) { return *workers_[i]; }
  const Worker& worker(int i) const { return *workers_[i]; }
  // The commit of the process, or of the next worker in turn.
  Epochs::Step StepCommit();
  // Closes what is open, after the pipeline has ended well.
  void Close();

  // ---- Any thread ----
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  ExitCode exit_code() const;
  std::string message() const;
  // The file line that the message is about, 0 for none.
  uint32_t message_line() const;
  // A fault point stopped it: as after a kill, only for tests.
  bool killed() const { return killed_.load(std::memory_order_acquire); }
  // Tables are loaded and records flow.
  bool ready() const { return loaded_.load(std::memory_order_acquire); }
  MetricsSnapshot Metrics() const;

  // ---- For workers, epochs and inputs ----
  const Program& program() const { return program_; }
  const Environment& environment() const { return environment_; }
  CommitMode commit_mode() const { return mode_; }
  bool store_mode() const { return mode_ == CommitMode::kStore; }
  bool transactions() const { return mode_ == CommitMode::kTransactions; }
  // Threads of its own drive it; else whoever waits for a commit steps it.
  bool threaded() const { return threaded_; }
  // Whether a stage keeps anything in a changelog.
  bool has_changelog(int stage) const { return has_changelog_[stage]; }
  const StoreIdentity& identity() const { return identity_; }
  uint32_t StepOfStage(int stage) const;
  // With transactions.
  LocalStores& local_stores() { return *local_stores_; }
  // Whether one of the workers has this task. Any thread.
  bool Holds(int stage, int32_t partition) const {
    return held_[static_cast<size_t>(stage)][static_cast<size_t>(partition)].load(std::memory_order_acquire) > 0;
  }
  void SetHeld(int stage, int32_t partition, bool held) {
    if (partition >= task_counts_[stage]) return;  // it was added since the start
    held_[static_cast<size_t>(stage)][static_cast<size_t>(partition)].fetch_add(held ? 1 : -1, std::memory_order_acq_rel);
  }
  LocalStores::TaskName NameOfTask(int stage, int32_t partition) const {
    return {stage, partition, program_.steps[StepOfStage(stage)].name};
  }
  int64_t commit_ns() const { return commit_ns_; }
  Epochs& epochs() { return *epochs_; }
  const uint64_t* step_hashes() const { return step_hashes_.data(); }
  const StageGraph& graph(int stage) const { return graphs_[stage]; }
  int task_count(int stage) const { return task_counts_[stage]; }
  ExchangeInbox& inbox(int worker) { return *inboxes_[worker]; }
  void SendBatch(int to_worker, std::unique_ptr<ExchangeBatch> batch);
  void BatchesTaken(uint32_t n) { exchange_batches_.fetch_sub(n, std::memory_order_acq_rel); }
  bool exchanges_empty() const { return exchange_batches_.load(std::memory_order_acquire) == 0; }
  std::atomic<int>& exchange_full() { return exchange_full_; }
  TableLock& table_lock() { return table_lock_; }
  const std::vector<TableStore*>& tables() const { return table_pointers_; }
  void SetLoaded() { loaded_.store(true, std::memory_order_release); }
  Sink* store_backed_sink(int sink) const { return store_sinks_[sink].get(); }
  bool StopAt(const char* point);
  // For simulations: see Faults.
  bool Mutated(const char* step) {
    return environment_.faults != nullptr && environment_.faults->Mutated(step);
  }
  void Warn(const std::string& message, uint32_t line = 0);
  void Fail(ExitCode code, const std::string& message, uint32_t line = 0);
  // While it starts: what cannot be made, a step of the pipeline; the refusal names its line.
  Status Within(const char* what, const std::string& name, uint32_t step, const Status& status);
  void Finish();
  void WakeAll();
  bool draining() const { return draining_.load(std::memory_order_acquire); }
  int64_t drain_end_ns() const { return drain_end_ns_.load(std::memory_order_relaxed); }
  uint64_t open_windows() const;
  // Without the local store: this worker has nothing more to do.
  void WorkerDone();

 private:
  ConnectorContext ContextOf(int worker) const;
  Status MakeReader(int worker, size_t source, std::unique_ptr<Source>* reader);
  // Of each worker, and the topics of exchanges.
  Status MakeTransactions();
  Status FindPartitions(std::vector<std::vector<std::unique_ptr<Source>>>* readers);
  Status OpenStore();
  // kInvalid: what waits in a topic of an earlier version would be lost.
  Status LookAtFormerTopics();
  Status OpenTransactions();
  Status OpenStandby(const std::vector<Transactions::Changelog>& changelogs);
  Status CountTasks();
  Status MakeWorkers(std::vector<std::vector<std::unique_ptr<Source>>> readers);
  Status LoadState();
  Status Refuse(ExitCode code, Status status);
  uint32_t refused_line_ = 0;
  void RunWorker(int index);
  void RunCommits();
  void RunCommitsOf(int index);
  void RunLocalStores();
  void RunStandby();

  const Program& program_;
  Environment environment_;
  CommitMode mode_;
  bool threaded_ = false;
  int64_t commit_ns_;
  std::vector<bool> has_changelog_;      // by stage
  StoreIdentity identity_;               // of a program with changelogs
  size_t next_step_ = 0;                 // step by step: the worker whose commit is next
  std::vector<uint64_t> step_hashes_;
  std::vector<StageGraph> graphs_;
  std::vector<int> partition_counts_;    // by source
  std::vector<int> task_counts_;         // by stage
  std::vector<int64_t> stored_counts_;   // by stage, -1: none
  std::vector<std::map<int32_t, StoredSource>> stored_sources_;  // by source
  std::vector<std::unique_ptr<Loop>> loops_;  // until the workers take them
  std::vector<Loop*> loop_pointers_;     // of all workers
  std::vector<std::unique_ptr<Transactions>> transactions_;  // until the workers take them
  std::vector<SinkPosition> sink_positions_;
  std::vector<int> new_sinks_;           // store-backed sinks that nothing was committed to yet
  std::vector<std::unique_ptr<TableStore>> tables_;
  std::vector<TableStore*> table_pointers_;
  std::vector<std::unique_ptr<Sink>> store_sinks_;  // by sink, null for streaming ones
  std::vector<std::unique_ptr<ExchangeInbox>> inboxes_;
  std::unique_ptr<Epochs> epochs_;
  std::unique_ptr<LocalStores> local_stores_;
  std::unique_ptr<Standby> standby_;
  std::vector<std::unique_ptr<std::atomic<int>[]>> held_;  // by stage and partition: by how many workers
  std::vector<std::unique_ptr<Worker>> workers_;
  TableLock table_lock_;

  std::atomic<uint64_t> exchange_batches_{0};
  std::atomic<int> exchange_full_{0};
  std::atomic<bool> loaded_{false};
  std::atomic<bool> draining_{false};
  std::atomic<int64_t> drain_end_ns_{INT64_MAX};
  std::atomic<bool> ended_{false};
  std::atomic<bool> killed_{false};
  std::atomic<int> workers_done_{0};
  mutable std::mutex end_mutex_;
  ExitCode exit_code_ = ExitCode::kOk;
  std::string message_;
  uint32_t message_line_ = 0;
  std::atomic<bool> finished_{false};   // it ended well
  bool closed_ = false;
};

}  // namespace weir
