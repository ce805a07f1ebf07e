// The commit protocol of pipelines whose truth is Kafka: one worker's epochs and the recovery of its tasks, as a sequence
// of steps, each of which a test can stop at.
//
//   commit:    (fence →) begin → outputs → re-keyed rows → changes of state → every acknowledgement → offsets → end of the transaction
//              Outputs that left at once: acknowledged before it begins.
//   recovery:  (fence →) committed offsets → the changelog's end, uncommitted → replay up to it → the task is back
//
// One job at a time. A transaction that must be aborted, and one whose end nobody knows, end the job with kRestart: the
// worker forgets its tasks and brings them back from what is committed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/engine/counters.h"
#include "runtime/engine/input.h"
#include "runtime/engine/ticket.h"
#include "runtime/engine/transactions.h"
#include "runtime/state/local_stores.h"

namespace weir {

class Engine;

// All that became of one epoch of a worker. What it points to stays as it is until the job has ended.
struct TransactionalEpoch {
  std::vector<std::pair<int, const OutputBuffer*>> outputs;  // sink, records
  // Where sinks got the outputs already: at zero when they are acknowledged. Else null.
  const Ticket* outputs_ticket = nullptr;
  // Changes of state: DeltaWriter's entries of the tasks of one stage.
  struct Changes {
    int stage = 0;
    const Buffer* bytes = nullptr;
  };
  std::vector<Changes> changes;
  // Rows of exchanges and the watermarks behind them, as RekeyBuffer has them.
  struct Rekeyed {
    int exchange = 0;
    const Buffer* bytes = nullptr;
  };
  std::vector<Rekeyed> rekeyed;
  // Every partition whose records, rows or state the worker holds, moved or not: an epoch without offsets is not fenced.
  std::vector<SourceOffset> offsets;
  GroupToken group;          // as it was when the epoch ended
  int64_t begun_ns = 0;
};

// A task to be brought back, and what was found of it.
struct TaskRecovery {
  int stage = 0;
  int source = 0;
  int32_t partition = 0;
  bool has_changelog = false;
  bool start_later = false;  // its source begins elsewhere than at its earliest record (StartPolicy)
  // ---- Found ----
  int64_t offset = -1;       // where its source goes on
  OffsetState noted = OffsetState::kUnknown;  // with it
  bool first = false;        // nothing was committed for it: the offset is where the source's `start` is
  uint64_t replayed = 0;     // changes read
  std::shared_ptr<const StoreView> state;  // what is committed: store keys (see store.h) and values
};

class TransactionalCommit {
 public:
  enum class End : uint8_t {
    kNone,       // still under way, or there was no job
    kCommitted,
    kRecovered,
    kRestart,    // nothing the worker holds counts any more: it recovers all its tasks
    kAbandoned,  // as was asked for
  };
  enum class Step : uint8_t { kIdle, kWaiting, kWorked };

  TransactionalCommit(Engine& engine, int worker, std::unique_ptr<Transactions> transactions);

  Transactions& transactions() { return *transactions_; }

  // ---- Worker's thread ----
  // No job is under way and the end of the last one was taken.
  bool idle() const { return !busy_.load(std::memory_order_acquire); }
  void Commit(TransactionalEpoch epoch);
  void Recover(std::vector<std::unique_ptr<TaskRecovery>> tasks);
  // What the job under way is about no longer belongs to this worker: it ends as soon as it can, without effect unless
  // its transaction is being committed already. Its end is still to be taken.
  void Abandon() { abandoned_.store(true, std::memory_order_release); }
  // How the job ended; each end is told once. With kRecovered, `tasks` are those of Recover.
  End Take(std::vector<std::unique_ptr<TaskRecovery>>* tasks);
  uint64_t recovered() const { return recovered_.Get(); }
  // Of the job whose end was taken last: how long its transaction was open until it was committed, or failed. 0: none was.
  int64_t open_ns() const { return open_ns_; }

  // ---- Commit thread ----
  Step StepCommit();
  void WaitForWork(int64_t ns_max);
  void WakeCommit();
  void Close() { transactions_->Close(); }

  // ---- Metrics, any thread ----
  Counter commits, commit_bytes;
  Counter given_up;   // transactions that were begun and do not count, for whatever reason
  Counter producers;  // made
  Gauge last_duration_ns{0}, last_bytes{0};

 private:
  enum class Job : uint8_t {
    kNone,
    kOutputsAcknowledged,
    kFence,
    kBegin,  // from here on a transaction is open, up to kEnd
    kOutputs,
    kRekeyed,
    kChanges,
    kFlush,
    kOffsets,
    kEnd,
    kAbort,
    kCommitted,
    kCommittedOffsets,  // recovery
    kChangelogEnd,
    kReplay,
    kTaskDone,
  };

  void Start(Job job);
  Step Finish(End end);
  // What follows from a call that is not ok, while `doing` names it.
  Step Handle(const TransactionResult& result, const char* doing);
  void TellWaiting(const Status& why, const char* doing);
  TransactionResult WriteRekeyed(const TransactionalEpoch::Rekeyed& rekeyed);
  TransactionResult WriteChanges(const TransactionalEpoch::Changes& changes);
  Step StepRecovery(Job job);
  TransactionResult ReplayChanges(TaskRecovery& task);
  std::string Where(const TaskRecovery& task) const;
  void Drop();
  // The transaction under way ends, well or not.
  void NoteOpen();
  void Trim();
  // What was committed goes to the local stores of its tasks.
  void KeepChanges();

  Engine& engine_;
  int worker_;
  std::unique_ptr<Transactions> transactions_;

  std::atomic<bool> busy_{false};
  std::atomic<bool> abandoned_{false};
  std::atomic<End> end_{End::kNone};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool noticed_ = false;

  // The commit thread's, from the start of a job to its end.
  std::atomic<Job> job_{Job::kNone};
  bool recovering_ = false;
  std::string waits_for_;  // what is not done yet, since when, and when it is told
  int64_t waits_since_ns_ = 0, tell_at_ns_ = 0;
  bool fenced_ = false;
  TransactionalEpoch epoch_;
  // What of the epoch is in the transaction under way, and what is left for another one. Always all of it and nothing,
  // but for simulations of a wrong protocol.
  enum Part : uint8_t { kOutputsPart = 1, kRekeyedPart = 2, kChangesPart = 4, kOffsetsPart = 8, kAllParts = 15 };
  uint8_t parts_ = kAllParts, parts_left_ = 0;
  std::vector<SourceOffset> last_offsets_;
  size_t at_output_ = 0, at_rekeyed_ = 0, at_change_ = 0;
  size_t at_byte_ = 0;   // within the rows of one exchange
  uint64_t bytes_ = 0;
  int64_t opened_ns_ = -1, open_ns_ = 0;
  int64_t next_trim_ns_ = 0;
  std::vector<std::unique_ptr<TaskRecovery>> tasks_;
  size_t at_task_ = 0;
  struct Read {
    std::vector<int64_t> offsets;  // by partition
    std::vector<OffsetState> states;
    int32_t then = 0;
  };
  std::map<int, Read> committed_;  // by source
  int64_t replay_at_ = 0;
  LocalStores::Changelog changelog_;  // of the task being brought back
  StoreChanges changes_;              // of it, read and not yet passed on
  Buffer key_, value_;
  Counter recovered_;
};

}  // namespace weir
