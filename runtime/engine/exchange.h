// Rows between tasks of different stages, within one worker and across workers. Whatever a worker has for another one
// travels in batches; a mutex is taken per batch, never per row. Watermarks travel among the rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/row.h"
#include "runtime/core/status.h"
#include "runtime/engine/batch.h"
#include "runtime/engine/delta.h"
#include "runtime/engine/meta.h"

namespace weir {

// A run of items. Each is its size (4 bytes, native), its kind (1 byte), then
//   row:        exchange (U64), upstream task (U64), task (U64), meta (WriteMeta), row (Str)
//   watermark:  exchange (U64), upstream task (U64), value (I64), idle (Bool)
struct ExchangeBatch {
  enum Kind : char { kRow = 0, kWatermark = 1 };
  Buffer bytes;
  uint32_t rows = 0;
};

// What is on its way to one worker. Any worker pushes, its own thread takes.
class ExchangeInbox {
 public:
  void Push(std::unique_ptr<ExchangeBatch> batch);
  // Moves what is there behind `out`; false when nothing is.
  bool Take(std::vector<std::unique_ptr<ExchangeBatch>>* out);
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  // An emptied batch, to be filled again; the senders share them.
  void GiveBack(std::unique_ptr<ExchangeBatch> batch);
  std::unique_ptr<ExchangeBatch> Spare();

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<ExchangeBatch>> batches_;
  std::vector<std::unique_ptr<ExchangeBatch>> spare_;
  std::atomic<size_t> count_{0};
};

// What one worker has for the topic of an exchange, until the epoch ends: items of size (4 bytes), partition (4 bytes) and
// the record's value, which is an item as above with a checksum behind it.
struct RekeyBuffer {
  Buffer bytes;
};

// What a reading task knows of the tasks in front of one exchange.
struct ExchangeUpstream {
  int64_t watermark = INT64_MIN;
  bool idle = false;
};

// Items of a task that could take no more when they came; they wait in order.
struct ExchangeBacklog {
  Buffer bytes;
  size_t at = 0;
  bool empty() const { return at == bytes.size(); }
};

class Engine;
class Worker;
struct TaskState;

// One worker's end of all exchanges.
class Exchanges {
 public:
  explicit Exchanges(Worker& worker);

  // ---- Sending ----
  void SendRow(int exchange, int32_t from, Str key, const Meta& meta, Str row);
  // Tells the readers of `task`'s exchanges how far its watermark is, when that changed.
  void SendWatermarks(TaskState& task);
  // Hands over what was written. True when there was something.
  bool Flush();

  // Nothing more will come of the task into this exchange: it reads nothing, and no window in front of it is open.
  bool IsIdle(const TaskState& task, int exchange) const;

  // ---- Transactions: rows travel through topics ----
  // False once all windows that an idle task's records are in must have closed: then nobody waits for its clock.
  bool ClockMatters(const TaskState& task) const;
  // True when readers should hear of the task's watermark although it reads nothing.
  bool WantsTelling(const TaskState& task) const;
  // Ends the epoch: what was sent, and behind it the watermarks of all tasks, becomes the epoch's.
  void CollectRekeyed();
  const RekeyBuffer& rekeyed(int exchange) const { return collected_[static_cast<size_t>(exchange)]; }
  uint64_t rekeyed_bytes() const;
  // What was sent in this epoch is nothing any more.
  void ForgetRekeyed();
  // Works on records [begin, batch.size) of an exchange's topic; returns the index after the last one taken, and what is
  // with the one there if it stops at it: not written by Weir, or a row of a version whose rows have other fields.
  enum class Rekeyed : uint8_t { kReadable, kForeign, kOtherLayout };
  uint32_t ProcessRekeyed(TaskState& task, int exchange, const Batch& batch, uint32_t begin, Rekeyed* what);

  // ---- Receiving ----
  // Takes what came and works on it; what a blocked task cannot take waits. With `force` (at a barrier) everything is
  // worked on. True: something was done.
  bool Receive(bool force);
  // To be called after Flush: batches worked on are gone only when what they caused is on its way.
  void Acknowledge();
  uint64_t backlog_bytes() const { return backlog_bytes_; }
  // Tasks took more at a barrier than they wanted, and have not worked it off.
  bool Overfull();

  // ---- State of a task that an exchange feeds ----
  // `upstreams`: what each upstream task told is kept too, since it is told only once.
  static void AppendDelta(TaskState& task, uint32_t step, bool upstreams, DeltaWriter& delta);
  static Status Restore(TaskState& task, Str value);
  static void UpdateWatermark(TaskState& task);

 private:
  void Append(int to_worker, Str item, bool row);
  void AppendRekeyed(int exchange, int32_t partition, Str item);
  // One item: works on it, or lets it wait. False when it is malformed.
  bool TakeItem(Str item, bool force);
  bool DeliverRow(TaskState& task, int exchange, RowReader& in);
  void NoteForced(TaskState& task);
  void DeliverWatermark(TaskState& task, uint64_t from, int64_t watermark, bool idle);
  void Wait(TaskState& task, Str item);
  bool ServeBacklogs(bool force);

  Worker& worker_;
  std::vector<std::unique_ptr<ExchangeBatch>> outgoing_;   // by worker
  std::vector<std::unique_ptr<ExchangeBatch>> incoming_;
  std::vector<TaskState*> waiting_;                        // tasks with a backlog
  std::vector<TaskState*> overfull_;
  uint64_t backlog_bytes_ = 0;
  uint32_t taken_ = 0;                                     // batches worked on since Acknowledge
  Buffer item_;
  std::vector<RekeyBuffer> sent_, collected_;              // by exchange
  int64_t windows_ns_ = 0;                                 // of all windows one behind the other
};

}  // namespace weir
