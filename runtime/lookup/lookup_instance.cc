// Asking order, the three orders of going on, and what a commit holds.
#include "runtime/lookup/lookup_instance.h"

#include <algorithm>

#include "runtime/lookup/worker_lookups.h"

namespace weir {

namespace {
// More rows than this are pending nowhere: memory ends before. A stored slot above it was not written by Weir.
constexpr uint32_t kSlotsMax = 1 << 24;
}  // namespace

LookupInstance::LookupInstance(Task* task, int lookup_step, const LookupStepSpec& spec, LookupRuntime* runtime,
                               WorkerLookups* lookups)
    : task_(task),
      lookup_step_(lookup_step),
      spec_(spec),
      runtime_(runtime),
      lookups_(lookups),
      sync_(runtime->spec().sync) {
  runtime_->AddInstance(this);
}

LookupInstance::~LookupInstance() {
  if (runtime_ == nullptr) return;
  ForgetAll();
  runtime_->RemoveInstance(this);
  lookups_->Removed(this);
  if (blocking_) task_->Unblock();
}

// ---- Asking ----------------------------------------------------------------------------------------------------------

void LookupInstance::Submit(const Meta& meta, Str order_key) {
  LookupRuntime& runtime = *runtime_;
  Str args = args_.str();
  uint64_t hash = runtime.ArgsHash(args);
  const bool held = sync_ && first_ != nullptr;
  if (runtime.cache().enabled() && !held) {
    const LookupCache::Entry* hit = runtime.cache().Find(hash, args, runtime.shared().now_mono_ns);
    if (hit != nullptr) {
      runtime.metrics().cache_hits.Add();
      // The entry may be replaced while the record goes on.
      Outcome outcome = hit->outcome;
      LookupValue* value = hit->value != nullptr ? hit->value->Hold() : nullptr;
      bool go = spec_.order == OrderMode::kNone || first_ == nullptr ||
                (spec_.order == OrderMode::kKey && LastOfKey(Hash(order_key), order_key) == nullptr);
      if (go) {
        CallResume(meta, row_.str(), outcome, value != nullptr ? value->bytes() : Str(), 0);
        if (value != nullptr) value->Drop(*runtime.shared().pool);
        return;
      }
      PendingRow* row = NewRow(meta, order_key, hash);
      row->state = PendingRow::kDone;
      row->outcome = outcome;
      row->value = value;
      ++done_;
      runtime.AddDone(1);
      return UpdateBlocked();
    }
    runtime.metrics().cache_misses.Add();
  }
  PendingRow* row = NewRow(meta, order_key, hash);
  if (held) {
    row->state = PendingRow::kHeld;
  } else {
    runtime.Ask(row);
  }
  UpdateBlocked();
}

// A row at the end of the asking order, with its own copy of everything.
PendingRow* LookupInstance::NewRow(const Meta& meta, Str order_key, uint64_t args_hash) {
  LookupShared& shared = runtime_->shared();
  PendingRow* row = shared.rows->Take();
  *row = PendingRow();
  row->instance = this;
  FillRow(*shared.pool, meta, spec_.keeps_raw, args_.str(), order_key, row_.str(), row);
  row->seq = next_seq_++;
  row->args_hash = args_hash;
  row->watermark_ns = incoming_;
  if (row->meta.ticket != nullptr) row->meta.ticket->Raise();
  Append(row);
  task_->MarkPending();
  lookups_->ledger().rows_added.Add();
  lookups_->worker().Changed();
  return row;
}

void LookupInstance::Append(PendingRow* row) {
  row->previous = last_;
  (last_ != nullptr ? last_->next : first_) = row;
  last_ = row;
  ++pending_;
  if (spec_.order != OrderMode::kKey) return;
  row->key_hash = Hash(row->order_key);
  PendingRow* before = LastOfKey(row->key_hash, row->order_key);
  if (before == nullptr) {
    last_of_key_.Insert(row);
  } else {
    before->key_next = row;
    row->key_first = false;
    last_of_key_.Replace(before, row);
  }
}

PendingRow* LookupInstance::LastOfKey(uint64_t key_hash, Str key) const {
  return last_of_key_.Find(key_hash, [key](const PendingRow* r) { return r->order_key == key; });
}

// `sync`: the next row's turn to ask.
void LookupInstance::AskHeld() {
  if (sync_ && first_ != nullptr && first_->state == PendingRow::kHeld) runtime_->Ask(first_);
}

// ---- Going on --------------------------------------------------------------------------------------------------------

void LookupInstance::Done(PendingRow* row) {
  ++done_;
  switch (spec_.order) {
    case OrderMode::kInput:
      if (row == first_) lookups_->WantRelease(this);
      break;
    case OrderMode::kKey:
      if (row->key_first) MakeReady(row);
      break;
    case OrderMode::kNone:
      MakeReady(row);
      break;
  }
}

void LookupInstance::MakeReady(PendingRow* row) {
  row->ready_next = nullptr;
  (ready_last_ != nullptr ? ready_last_->ready_next : ready_first_) = row;
  ready_last_ = row;
  lookups_->WantRelease(this);
}

bool LookupInstance::BehindIsFull() const {
  for (const LookupInstance* instance : behind_) {
    if (instance->blocking_) return true;
  }
  return false;
}

bool LookupInstance::Release() {
  bool any = false;
  for (;;) {
    PendingRow* row = ready_first_;
    if (spec_.order == OrderMode::kInput) {
      row = first_ != nullptr && first_->state == PendingRow::kDone ? first_ : nullptr;
    }
    if (row == nullptr) return any;
    if (BehindIsFull() || lookups_->worker().EpochFull()) {
      lookups_->WantRelease(this);
      return any;
    }
    if (row == ready_first_) {
      ready_first_ = row->ready_next;
      if (ready_first_ == nullptr) ready_last_ = nullptr;
    }
    Resume(row);
    any = true;
  }
}

// Output before remove, in one step: whatever asks in between finds the row still pending.
void LookupInstance::Resume(PendingRow* row) {
  LookupShared& shared = runtime_->shared();
  task_->BeginResume(row->meta);
  CallResume(row->meta, row->row, row->outcome, row->value != nullptr ? row->value->bytes() : Str(), row->attempts);
  task_->EndResume();
  const uint64_t bytes = row->row.size + (row->value != nullptr ? row->value->bytes().size : 0);

  Unlink(row);
  if (row->meta.ticket != nullptr) row->meta.ticket->Lower();
  if (row->value != nullptr) row->value->Drop(*shared.pool);
  FreeRowBytes(*shared.pool, row);
  shared.rows->Give(row);
  --done_;
  lookups_->ledger().rows_resumed.Add();
  lookups_->worker().WentOn(bytes);
  runtime_->AddDone(-1);
  AskHeld();
  UpdateBlocked();
  PassWatermark();
}

void LookupInstance::CallResume(const Meta& meta, Str row, Outcome outcome, Str bytes, uint32_t attempts) {
  RowReader reader(row);
  LookupResult result;
  result.outcome = outcome;
  (outcome == Outcome::kFound ? result.value : result.reason) = bytes;
  result.attempts = attempts;
  spec_.resume(*task_, meta, reader, result);
}

// Takes the row out of every list; the next one of its order key may go.
void LookupInstance::Unlink(PendingRow* row) {
  (row->previous != nullptr ? row->previous->next : first_) = row->next;
  (row->next != nullptr ? row->next->previous : last_) = row->previous;
  --pending_;
  if (row->slot != PendingRow::kNoSlot) left_slots_.push_back(row->slot);
  if (spec_.order != OrderMode::kKey) return;
  if (row->key_next == nullptr) {
    last_of_key_.Erase(row);
  } else {
    row->key_next->key_first = true;
    if (row->key_next->state == PendingRow::kDone) MakeReady(row->key_next);
  }
}

void LookupInstance::PassWatermark() {
  int64_t now = watermark();
  if (now <= passed_) return;
  passed_ = now;
  lookups_->worker().Advanced(*task_, lookup_step_, now);
}

void LookupInstance::UpdateBlocked() {
  bool want = sync_ ? pending_ != 0
                    : runtime_->Full() || (runtime_->ManyDone() && done_ >= runtime_->DoneShare());
  if (want == blocking_) return;
  blocking_ = want;
  want ? task_->Block() : task_->Unblock();
}

void LookupInstance::RemoveBehind(LookupInstance* instance) {
  behind_.erase(std::remove(behind_.begin(), behind_.end(), instance), behind_.end());
}

// ---- Commits ---------------------------------------------------------------------------------------------------------

void LookupInstance::AppendDelta(DeltaWriter& delta) {
  for (PendingRow* row = last_; row != nullptr && row->slot == PendingRow::kNoSlot; row = row->previous) {
    row->slot = TakeSlot();
    SlotKey key(row->slot);
    RowWriter& out = delta.BeginPut(spec_.step, StateKind::kRow, task_->partition(), key.str());
    uint16_t attempts = row->flight != nullptr ? row->flight->attempts : row->attempts;
    SaveRow(*row, attempts, spec_.row_schema, out);
    delta.EndPut();
  }
  for (uint32_t slot : left_slots_) {
    SlotKey key(slot);
    delta.Delete(spec_.step, StateKind::kRow, task_->partition(), key.str());
    free_slots_.push_back(slot);
  }
  left_slots_.clear();
}

// One that was left since the last commit first: its entry is overwritten, and not removed before.
uint32_t LookupInstance::TakeSlot() {
  for (std::vector<uint32_t>* slots : {&left_slots_, &free_slots_}) {
    if (slots->empty()) continue;
    uint32_t slot = slots->back();
    slots->pop_back();
    return slot;
  }
  return slot_end_++;
}

Status LookupInstance::Restore(Str key, Str value) {
  LookupShared& shared = runtime_->shared();
  if (key.size != kSlotKeySize) {
    return Status::Corrupt("a stored pending request has a key of " + std::to_string(key.size) + " bytes and not of " +
                           std::to_string(kSlotKeySize) + ": another version of Weir wrote it; let that one run until no " +
                           "request waits any more, or begin without state");
  }
  const uint32_t slot = SlotKey::Read(key);
  if (slot >= kSlotsMax || (!restoring_.empty() && slot <= restoring_.back()->slot)) {
    return Status::Corrupt("stored pending requests are out of order");
  }
  PendingRow* row = shared.rows->Take();
  *row = PendingRow();
  row->instance = this;
  Status status = LoadRow(*shared.pool, task_->arena(), value, spec_.row_schema, row);
  if (!status.ok()) {
    shared.rows->Give(row);
    return status;
  }
  row->slot = slot;
  row->args_hash = runtime_->ArgsHash(row->args);
  row->state = PendingRow::kHeld;
  restoring_.push_back(row);
  for (; slot_end_ < slot; ++slot_end_) free_slots_.push_back(slot_end_);
  slot_end_ = slot + 1;
  lookups_->ledger().rows_restored.Add();
  lookups_->ledger().rows_added.Add();
  runtime_->metrics().restored.Add();
  return Status();
}

Status LookupInstance::Restored() {
  const LookupShared& shared = runtime_->shared();
  if (!shared.restored_unsorted) {
    std::sort(restoring_.begin(), restoring_.end(), [](const PendingRow* a, const PendingRow* b) { return a->seq < b->seq; });
  }
  for (size_t i = 0; i < restoring_.size(); ++i) {
    if (i != 0 && restoring_[i]->seq == restoring_[i - 1]->seq) {
      return Status::Corrupt("two stored pending requests have the number " + std::to_string(restoring_[i]->seq));
    }
    next_seq_ = std::max(next_seq_, restoring_[i]->seq + 1);
  }
  for (PendingRow* row : restoring_) Append(row);
  restoring_.clear();
  if (sync_) {
    AskHeld();
  } else {
    for (PendingRow* row = first_; row != nullptr; row = row->next) {
      if (row->state == PendingRow::kHeld) runtime_->Ask(row);
    }
  }
  UpdateBlocked();
  return Status();
}

void LookupInstance::ForgetAll() {
  LookupShared& shared = runtime_->shared();
  for (PendingRow* row : restoring_) {
    FreeRowBytes(*shared.pool, row);
    shared.rows->Give(row);
    lookups_->ledger().rows_forgotten.Add();
  }
  restoring_.clear();
  // From the newest: requests in the queue go before those under way make room for them.
  while (last_ != nullptr) {
    PendingRow* row = last_;
    if (row->state == PendingRow::kAsked) runtime_->Abandon(row);
    if (row->state == PendingRow::kDone) runtime_->AddDone(-1);
    last_ = row->previous;
    if (row->meta.ticket != nullptr) row->meta.ticket->Lower();
    if (row->value != nullptr) row->value->Drop(*shared.pool);
    FreeRowBytes(*shared.pool, row);
    if (spec_.order == OrderMode::kKey && row->key_next == nullptr) last_of_key_.Erase(row);
    shared.rows->Give(row);
    lookups_->ledger().rows_forgotten.Add();
  }
  first_ = ready_first_ = ready_last_ = nullptr;
  pending_ = done_ = 0;
  left_slots_.clear();
  free_slots_.clear();
  slot_end_ = 0;
  UpdateBlocked();
}

}  // namespace weir
