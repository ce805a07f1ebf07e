// One worker's reading of one source: batches that wait for their task, positions, idleness, and, where offsets follow
// delivery, the tickets of batches that are not finished.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/counters.h"
#include "runtime/engine/metrics.h"
#include "runtime/engine/source.h"
#include "runtime/engine/transactions.h"
#include "runtime/engine/task_state.h"

namespace weir {

class Worker;
struct TaskRecovery;

// What a partition shows to metrics. Any thread.
struct PartitionGauges {
  int source = 0;
  int32_t partition = 0;
  Gauge position{-1};
  Gauge connected{1};
  Gauge recovering{0};
  Gauge end_offset{-1};
  Gauge watermark{INT64_MIN};
  Counter blocked_ns;
};

// What the state keeps of one source partition.
struct StoredSource {
  Position position;
  int64_t max_time = INT64_MIN;
  int64_t watermark = INT64_MIN;
};
void WriteStoredSource(const StoredSource& stored, RowWriter& out);
[[nodiscard]] bool ReadStoredSource(Str value, StoredSource* stored);

class Input : public SourceEvents {
 public:
  Input(Worker& worker, int source, std::unique_ptr<Source> reader);

  // Before Open, for sources whose partitions the engine assigns: the partition's task and where it goes on.
  void AddPartition(int32_t number, TaskState* task, const StoredSource& stored);
  Status Open();

  // Works on records that wait, then on new batches. Without `may_process` it only collects one batch per partition,
  // without `may_poll` it holds all partitions. True: something was done.
  bool Turn(bool may_process, bool may_poll);
  // Ends of partitions, idleness. `counts`: time now counts as quiet (nothing holds the pipeline back).
  void Tick(bool counts);
  // When Tick would do something next; INT64_MAX: never.
  int64_t NextTimerMonoNs() const;

  // Every partition was read to its end.
  bool finished() const;
  // Batches wait for their task.
  bool waiting() const;
  int source() const { return source_; }
  int stage() const { return spec_.stage; }

  // ---- Commit by epochs ----
  void AppendDelta(DeltaWriter& delta);
  // What the last AppendDelta wrote is committed: the source may know.
  void TellCommitted();

  // ---- Offsets that follow delivery ----
  // Notes which batches are finished. To be called when all outputs are handed over: only then tickets tell the truth.
  void Settle();
  // Commits, for each partition, the end of the longest run of finished batches. As above.
  void CommitDone();
  // No batch is unfinished.
  bool Settled() const;

  // ---- Transactions ----
  // Adds the partitions that are to be brought back.
  void AddRecoveries(std::vector<std::unique_ptr<TaskRecovery>>* tasks) const;
  bool recovering() const;
  // The task's state is back: reading goes on. `first`: nothing was committed for the partition yet.
  Status BringBack(int32_t number, const StoredSource& stored, bool first);
  // Where each partition stands.
  void AppendOffsets(std::vector<SourceOffset>* offsets) const;
  // All partitions are to be brought back anew.
  void Restart();

  // ---- SourceEvents ----
  void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) override;
  void Revoked(const std::vector<int32_t>& partitions) override;
  void Lost(const std::vector<int32_t>& partitions) override;

  void Close();
  // Adds this input's gauges. Any thread.
  void Gauges(std::vector<PartitionMetrics>* out) const;
  Source& reader() { return *reader_; }

 private:
  // A batch of which something is unfinished.
  struct OpenBatch {
    Ticket ticket;
    int64_t end_offset = -1;
    uint32_t records = 0;
  };
  struct Waiting {
    std::unique_ptr<Batch> batch;
    uint32_t begin = 0;
    OpenBatch* open = nullptr;  // offsets that follow delivery
  };
  struct Partition {
    int32_t number = 0;
    TaskState* task = nullptr;
    Position position;          // of what was worked on
    std::deque<Waiting> waiting;
    bool held = false;
    bool recovering = false;    // transactions: its task's state is not back yet, and nothing is read
    bool finished = false;
    bool moved = false;         // since the last commit
    int64_t saved_watermark = INT64_MIN;
    int64_t collected_offset = -1;  // in the epoch that is being committed
    bool told = true;
    // Idleness.
    bool empty_poll = false;    // the last poll brought nothing
    int64_t quiet_since = -1;
    bool idle = false;
    int64_t idle_from = 0;
    int64_t blocked_since = -1;
    // Offsets that follow delivery.
    std::deque<std::unique_ptr<OpenBatch>> open;
    uint64_t open_records = 0;
    int64_t committed_offset = -1;
    PartitionGauges* gauges = nullptr;
  };

  Partition* Find(int32_t number);
  void Accept(Partition& partition, std::unique_ptr<Batch> batch);
  // True when something was taken.
  bool Work(Partition& partition);
  void Count(const Batch& batch, uint32_t begin, uint32_t end);
  void UpdateHold(Partition& partition);
  void SetIdle(Partition& partition, bool idle);
  bool LooksElsewhere();
  void Finish(Partition& partition);
  void PopDone(Partition& partition);
  bool AllSettled(const std::vector<int32_t>& partitions);
  void Drop(const std::vector<int32_t>& partitions);

  Worker& worker_;
  int source_;
  const SourceSpec& spec_;
  std::unique_ptr<Source> reader_;
  bool offsets_mode_;   // offsets follow delivery
  bool group_member_;   // partitions come and go
  uint64_t open_records_max_ = 0;
  bool holding_ = false;  // sinks are full, the pipeline drains, an exchange is full
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::map<int32_t, int64_t> gone_;  // by partition: the last offset at which nothing was there any more
  // Tickets of partitions that went away while sinks still held them.
  std::vector<std::unique_ptr<OpenBatch>> orphans_;
  std::vector<std::unique_ptr<OpenBatch>> spare_;
  mutable std::mutex gauges_mutex_;
  std::vector<std::unique_ptr<PartitionGauges>> gauges_;
};

}  // namespace weir
