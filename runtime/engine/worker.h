// One thread's share of the pipeline: its tasks, its readers and writers, its turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/engine/counters.h"
#include "runtime/engine/environment.h"
#include "runtime/engine/epoch_limit.h"
#include "runtime/engine/exit_code.h"
#include "runtime/engine/task.h"
#include "runtime/engine/transactional_commit.h"
#include "runtime/program/program.h"

namespace weir {

class Engine;
class Exchanges;
class Input;
class Output;
class TableLoader;
struct DeadLetter;
struct DeadLetterForm;
struct PartitionMetrics;
struct StoredSource;
struct TaskState;

// What a worker says when its part of an epoch is collected.
struct WorkerReport {
  bool finished = false;  // all its input was read to the end and nothing of it waits
  bool drained = false;   // it is stopping, and no request is under way
};

// Turn does what is there to do and never blocks; the thread that calls it then waits in Loop::Run. Everything here is
// for the worker's own thread unless stated.
class Worker {
 public:
  Worker(Engine* engine, int index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Engine& engine() { return *engine_; }
  int index() const { return index_; }
  int workers() const;
  const Program& program() const;
  const Environment& environment() const;
  Clock& clock() const;
  Loop& loop() { return *loop_; }
  Log& log() const;
  // For what lives as long as the records being worked on: reset between batches and between turns of the lookup host.
  Arena& arena() { return arena_; }
  JsonContext& json() { return json_; }
  // The store is the truth: rows are part of its commits, tickets are the epoch's. Else offsets follow tickets of batches.
  bool store_mode() const;
  // Kafka is the truth: epochs are this worker's own.
  bool transactions() const;
  // With transactions: sinks get their outputs at once, and the epoch's ticket counts what is not acknowledged.
  bool outputs_at_once() const;
  // Outputs are counted in the tickets of epochs, not in those of batches.
  bool epoch_tickets() const { return store_mode() || outputs_at_once(); }
  // The monotonic clock as of this turn.
  int64_t mono_ns() const { return mono_ns_; }
  LedgerCounters& ledger() { return ledger_; }
  StepCounters& counters(uint32_t step) { return step_counters_[step]; }
  const StepCounters& counters(uint32_t step) const { return step_counters_[step]; }
  // Something changed that the next epoch must commit.
  void MarkDirty() { dirty_ = true; }
  // Ends the process: the first call's code and message count. Nothing is committed after it. Any thread.
  void Fail(ExitCode code, const std::string& message, uint32_t line = 0);
  void FailSink(int sink, const Status& status);
  // The process ends: nothing more is to be done.
  bool stopping() const;

  // ---- Driving ----
  // One round of everything: sinks' acknowledgements, tables, lookups, exchanged rows, input, timers, hand-over. True:
  // something was done, so the next turn should follow at once.
  bool Turn();
  // When Turn is needed though nothing arrives, on the monotonic clock; INT64_MAX: never. `lookups_only`: what lookups
  // and commits need, but no idleness.
  int64_t NextTimerMonoNs(bool lookups_only = false) const;
  // The pipeline ended: closes readers and lookups and, when it ended well, writers. Commits nothing.
  void Close(bool well = true);

  // ---- Building (Engine) ----
  Status Build();
  TaskState* AddTask(int stage, int32_t partition);
  void RemoveTask(TaskState* task);
  TaskState* FindTask(int stage, int32_t partition) const;
  const std::vector<TaskState*>& TasksOf(int stage) const { return by_stage_[stage]; }
  std::vector<TaskState*> Tasks() const;
  Exchanges& exchanges() { return *exchanges_; }
  Input& input(int source) { return *inputs_[source]; }
  Output& output(int sink) { return *outputs_[sink]; }
  LookupHost* lookup_host() { return host_.get(); }
  // All state is restored: lookups may ask.
  Status Restored();

  // ---- For tasks and inputs ----
  void SendRow(int exchange, int32_t from, Str key, const Meta& meta, Str row);
  void EmitDead(int deadletter, const DeadLetter& letter, Ticket* ticket);
  JsonWriter& BeginTap() {
    tap_.Clear();
    return tap_writer_;
  }
  void EndTap(int tap);
  bool MayRead(int stage) const;
  // What this epoch may have. Without transactions as much as there is.
  EpochLimit& epoch_limit() { return epoch_limit_; }
  bool AnyWindowOpen() const;
  // Lookups, hand-over and acknowledgements, but no input: while a partition is given away. True: something was done.
  bool ServeOutputs();
  // Gives all outputs to their sinks.
  void HandOver();
  // Outputs are many: the next epoch should end early.
  void RequestEarlyCommit();

  // ---- Transactions: for inputs ----
  // Partitions were assigned: their tasks are to be brought back.
  void WantRecovery();
  // Nothing the worker holds counts any more: all its tasks are brought back from what is committed.
  void BeginAnew();
  // Before partitions are given away: ends the commit under way and commits what was evaluated. What does not end in
  // time is left to whoever gets them.
  void CommitBeforeRevoke();
  // The partitions are somebody else's: nothing of the epochs under way counts.
  void ForgetEpoch();
  TransactionalCommit& commit() { return *commit_; }

  // A line per task: where it stands, for a simulation that stands still.
  std::string Describe() const;

  // ---- For the engine's metrics, any thread ----
  const LedgerCounters& ledger() const { return ledger_; }
  void Gauges(std::vector<PartitionMetrics>* out) const;
  uint64_t open_windows() const { return open_windows_.Get(); }
  uint64_t state_bytes() const { return state_bytes_.Get(); }
  uint64_t pending_rows() const { return pending_rows_.Get(); }
  // EpochLimit::bytes_max; 0: there is no limit.
  uint64_t epoch_bytes_limit() const { return epoch_bytes_limit_.Get(); }
  // Transactions: something was done that no transaction has committed yet.
  bool uncommitted() const { return uncommitted_.Get() != 0; }

  // ---- For the commit ----
  // Lowered to zero when all outputs of the epoch with this parity are acknowledged.
  const Ticket& epoch_ticket(uint64_t epoch) const { return tickets_[epoch & 1]; }
  const Buffer& delta() const { return delta_; }
  bool dirty() const { return dirty_; }

 private:
  friend class Engine;

  bool TurnRunning();
  bool TurnBarrier();
  bool OffsetsTurn();
  bool TransactionsTurn();
  bool TakeCommitEnd();
  bool WaitForCommit(int64_t end_mono_ns);
  bool StartRecovery();
  // False: not now, the membership is in doubt.
  bool CommitTransaction();
  Status FindPosition(const TaskRecovery& recovery, StoredSource* stored, bool* again);
  Status RestoreEntry(TaskState& task, const DeltaEntry& entry);
  Status BringBack(const TaskRecovery& recovery);
  // Says which partitions begin where they do because nothing says where they were.
  void TellBegins(const std::vector<std::unique_ptr<TaskRecovery>>& tasks);
  struct TaskContents;
  Status ReadContents(const TaskRecovery& recovery, TaskContents* contents);
  Status BringBackWithoutStore(const TaskRecovery& recovery, const Status& why, bool content = false);
  bool LocalStoreFailed();
  void Collect();
  WorkerReport Report() const;
  void Publish();
  void CheckConservation();
  void SetTimes();
  void PollSinks();
  void BeginEpoch();
  // True once for an epoch that is being committed: all its outputs are acknowledged.
  bool NoticeAcknowledged(bool committing);
  uint64_t epoch_bytes_max() const;
  bool SinksFull() const;
  void TellEpochLimit(bool begins);
  void UpdateExchangeFull();

  Engine* engine_;
  int index_;
  std::unique_ptr<Loop> loop_;
  Arena arena_;
  JsonContext json_{&arena_};
  int64_t mono_ns_ = 0;
  bool dirty_ = false;
  LedgerCounters ledger_;
  std::vector<StepCounters> step_counters_;

  std::vector<OutputSlot> slots_;                    // by sink
  std::vector<std::unique_ptr<Output>> outputs_;     // by sink
  std::vector<DeadLetterForm> forms_;                // by sink
  std::unique_ptr<LookupHost> host_;                 // before the tasks, whose ports belong to it
  std::vector<std::unique_ptr<Input>> inputs_;       // by source
  std::unique_ptr<Exchanges> exchanges_;
  std::unique_ptr<TableLoader> tables_;              // worker 0
  std::vector<std::unique_ptr<TaskState>> tasks_;
  std::vector<std::vector<TaskState*>> by_stage_;
  std::vector<std::vector<TaskState*>> by_partition_;  // [stage][partition], null when another worker has it
  std::unique_ptr<bool[]> taps_;
  Buffer tap_;
  JsonWriter tap_writer_{&tap_};

  Ticket tickets_[2];           // by parity of the epoch
  Buffer delta_;
  uint64_t epoch_ = 1;          // the one being worked on
  uint64_t noticed_epoch_ = 0;  // the one in which the commit was told that the tickets before it are at zero
  uint64_t told_epoch_ = 0;     // the last one the sources know of
  bool arrived_ = false;        // at the barrier
  bool done_ = false;           // without the local store: it has stopped
  bool table_locked_ = false;   // during a turn: for reading
  bool draining_ = false;
  bool exchange_full_ = false;
  int64_t next_offsets_ns_ = 0;  // offsets that follow delivery: when they are committed next

  // Transactions.
  std::unique_ptr<TransactionalCommit> commit_;
  std::vector<Buffer> stage_deltas_;   // by stage: changes of the epoch being committed
  GroupToken group_;                   // the membership that gave this worker its partitions
  EpochLimit epoch_limit_;
  int64_t next_commit_ns_ = 0;
  bool early_ = false;
  bool last_begun_ = false;            // the commit that was begun when the grace time was over: the last one
  bool recovery_wanted_ = false;
  int64_t recovery_at_ns_ = 0;         // not before
  int64_t restarts_ = 0;               // since the last commit
  // Partitions whose offset and state did not belong together, and what the two were.
  std::map<std::pair<int, int32_t>, std::pair<int64_t, int64_t>> doubted_;
  bool bringing_back_ = false;         // the job under way is a recovery
  bool job_void_ = false;              // the job under way is about partitions that went away
  uint64_t gone_classes_[Task::kClasses] = {};  // of tasks that were given away

  Counter open_windows_, state_bytes_, pending_rows_, uncommitted_, epoch_bytes_limit_;
};

}  // namespace weir
