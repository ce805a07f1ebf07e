// One lookup step of one task: its pending rows in asking order, the order in which they go on, and its watermark.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/row.h"
#include "runtime/engine/lookup_host.h"
#include "runtime/engine/task.h"
#include "runtime/lookup/lookup_runtime.h"
#include "runtime/lookup/lookup_worker.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/lookup/pointer_index.h"

namespace weir {

class WorkerLookups;

// Rows go on (`resume`) in the declared order: input (asking order), key (asking order among rows of one order key), none
// (as answers come). A row is removed in the same step in which it goes on, after its outputs; then the watermark moves
// to the next pending row's. With `sync` one row is asked at a time and the task takes no input meanwhile.
class LookupInstance final : public LookupPort {
 public:
  LookupInstance(Task* task, int lookup_step, const LookupStepSpec& spec, LookupRuntime* runtime, WorkerLookups* lookups);
  ~LookupInstance() override;

  // ---- Generated code, through LookupCall ---------------------------------------------------------------------------
  void BeginCall() {
    args_.Clear();
    row_.Clear();
  }
  RowWriter& args() { return args_writer_; }
  RowWriter& row() { return row_writer_; }
  // The record has asked. It may go on from within this call: when the cache has the answer and the order allows it.
  void Submit(const Meta& meta, Str order_key);

  // ---- LookupPort ---------------------------------------------------------------------------------------------------
  void SetWatermark(int64_t watermark) override {
    if (watermark <= incoming_) return;
    incoming_ = watermark;
    if (first_ == nullptr) PassWatermark();
  }
  uint32_t pending() const override { return pending_; }
  int64_t oldest_offset() const override { return first_ != nullptr ? first_->meta.offset : -1; }
  void AppendDelta(DeltaWriter& delta) override;
  Status Restore(Str key, Str value) override;
  Status Restored() override;
  void ForgetAll() override;

  // ---- For LookupRuntime and WorkerLookups --------------------------------------------------------------------------
  Task* task() { return task_; }
  int lookup_step() const { return lookup_step_; }
  const LookupStepSpec& spec() const { return spec_; }
  LookupRuntime& runtime() { return *runtime_; }
  // What the steps behind may assume: no record before this time follows.
  int64_t watermark() const {
    return first_ != nullptr && first_->watermark_ns < incoming_ ? first_->watermark_ns : incoming_;
  }
  // A row of this instance got its outcome.
  void Done(PendingRow* row);
  // Lets go on what may go on now. True: something did.
  bool Release();
  // Task::blocked() counts this instance.
  bool blocking() const { return blocking_; }
  void UpdateBlocked();
  // Lookup steps behind this one in the same task, directly or not: while one of them is full, nothing is released here.
  void AddBehind(LookupInstance* instance) { behind_.push_back(instance); }
  void RemoveBehind(LookupInstance* instance);

 private:
  friend class WorkerLookups;

  PendingRow* NewRow(const Meta& meta, Str order_key, uint64_t args_hash);
  void Append(PendingRow* row);
  void Unlink(PendingRow* row);
  void Resume(PendingRow* row);
  void CallResume(const Meta& meta, Str row, Outcome outcome, Str bytes, uint32_t attempts);
  void AskHeld();
  void MakeReady(PendingRow* row);
  void PassWatermark();
  PendingRow* LastOfKey(uint64_t key_hash, Str key) const;
  bool BehindIsFull() const;
  uint32_t TakeSlot();

  Task* task_;
  const int lookup_step_;
  const LookupStepSpec& spec_;
  LookupRuntime* runtime_;
  WorkerLookups* lookups_;
  const bool sync_;

  Buffer args_, row_;
  RowWriter args_writer_{&args_}, row_writer_{&row_};

  PendingRow* first_ = nullptr;  // asking order
  PendingRow* last_ = nullptr;
  PendingRow* ready_first_ = nullptr;  // done and free to go, in the order in which they became so (key, none)
  PendingRow* ready_last_ = nullptr;
  PointerIndex<PendingRow, &PendingRow::key_hash> last_of_key_;  // order key → its last row in asking order
  uint32_t pending_ = 0;
  uint32_t done_ = 0;
  bool blocking_ = false;
  bool listed_ = false;     // in WorkerLookups' list of instances to release
  bool releasing_ = false;
  std::vector<LookupInstance*> behind_;

  int64_t incoming_ = INT64_MIN;
  int64_t passed_ = INT64_MIN;

  uint64_t next_seq_ = 0;
  // Slots in the state. All below `slot_end_` are a row's, in `left_slots_` (since the last commit) or in `free_slots_`:
  // there are never more of them than rows were pending at once at a commit.
  uint32_t slot_end_ = 0;
  std::vector<uint32_t> left_slots_, free_slots_;
  std::vector<PendingRow*> restoring_;  // between Restore and Restored, by slot
};

}  // namespace weir
