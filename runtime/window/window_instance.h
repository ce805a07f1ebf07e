// One window step of one task: the accumulators of all open windows, and when they close.
//
// Entries live in chunks that never move; a table of (hash, entry) finds them. Windows that start together form a pane,
// and panes close in the order of their starts, each in the order of key bytes. Memory is kept, so that in steady state
// nothing is allocated.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/hash.h"
#include "runtime/core/status.h"
#include "runtime/core/str.h"
#include "runtime/engine/delta.h"
#include "runtime/program/program.h"
#include "runtime/state/task_store.h"

namespace weir {

class WindowInstance {
 public:
  // `record_watermark` is the watermark of the record being worked on; `wake` is lowered to the watermark at which the
  // next window closes whenever an earlier one opens. Both outlive the instance; `task` is only passed on.
  WindowInstance(const WindowSpec& spec, Task* task, int32_t partition, const int64_t* record_watermark, int64_t* wake);
  ~WindowInstance();
  WindowInstance(const WindowInstance&) = delete;
  WindowInstance& operator=(const WindowInstance&) = delete;

  // ---- Generated code ----
  // True when the window that starts at `start` is closed: for this record's partition, or altogether.
  bool Late(int64_t start) const {
    int64_t end = EndOf(start);
    return end <= watermark_ || end <= *record_watermark_;
  }
  // The accumulator of this window, zero-filled when it was created just now. Not to be called for late windows. The
  // pointer is valid until the window closes. The window counts as changed.
  void* FindOrAdd(Str key, int64_t start, bool* created) {
    uint32_t tag = TagOf(key, start);
    for (uint32_t at = tag & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.entry == kNone) break;
      if (slot.tag != tag) continue;
      Entry* entry = At(slot.entry);
      if (entry->start == start && KeyOf(entry) == key) {
        if (!(entry->flags & kDirty)) MarkDirty(entry, slot.entry);
        *created = false;
        return ValueOf(entry);
      }
    }
    if (base_ != nullptr) return FromBase(key, start, tag, created);
    *created = true;
    return Add(key, start, tag);
  }

  // ---- Engine ----
  // Closes the windows that end at or before `watermark`, in order, and takes it as the window's watermark.
  void Advance(int64_t watermark);
  // The watermark at which the next window closes; INT64_MAX: none is open.
  int64_t next_fire() const;
  int64_t watermark() const { return watermark_; }
  uint64_t fired() const { return fired_; }
  // After a restart about so many, until all of them were read.
  size_t open() const { return open_ + (base_ != nullptr ? base_->left : 0); }
  // Bytes held for entries and table.
  size_t bytes() const { return bytes_; }

  // What changed since the last call.
  void AppendDelta(DeltaWriter& delta);
  // An entry of the store. Damaged bytes: kCorrupt.
  Status Restore(Str key, Str value);
  // Instead of restoring entries: those of `view` whose keys begin with `prefix` are windows of this step, read when they
  // are wanted or close. Before anything was added.
  Status RestoreFrom(std::shared_ptr<const StoreView> view, Str prefix);
  // Not ok: a window could not be read, and nothing that was done since the last commit counts.
  const Status& base_status() const { return base_status_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kDirty = 1, kStored = 2;
  static constexpr uint32_t kInlineKeyMax = 24;
  static constexpr uint32_t kChunkEntries = 256;

  struct Slot {
    uint32_t tag;
    uint32_t entry;
  };
  // Followed by the value.
  struct alignas(16) Entry {
    int64_t start;
    uint32_t tag;
    uint32_t flags;
    uint32_t key_size;
    uint32_t key_capacity;  // of the heap block, 0: the key is inline
    union {
      char inside[kInlineKeyMax];
      char* heap;
    } key;
  };
  static_assert(sizeof(Entry) == 48);
  struct Pane {
    int64_t start;
    std::vector<uint32_t> entries;
  };

  // Windows in a store that memory does not have. Those that memory has, and closed ones, may be in it too: of the former
  // memory counts, and nobody asks for the latter.
  struct Base {
    Base(std::shared_ptr<const StoreView> view, Str head)
        : lookups(view), scan(view), prefix(head.view()), key(prefix) {}
    StoreCursor lookups;  // of single windows
    StoreCursor scan;     // of those that close
    std::string prefix;
    std::string key;      // the prefix, and the key asked for
    int64_t next = 0;     // start of the earliest that was not read
    int64_t last = 0;     // no window in it starts later
    uint64_t left = 0;    // about so many were not read

    Str KeyOf(int64_t start, Str key_bytes);
  };

  // The last window of all time has no end of its own: it closes with the input.
  int64_t EndOf(int64_t start) const {
    int64_t end;
    return __builtin_add_overflow(start, size_ns_, &end) ? INT64_MAX : end;
  }
  static uint32_t TagOf(Str key, int64_t start) {
    return static_cast<uint32_t>(Hash64(key.data, key.size, static_cast<uint64_t>(start)));
  }
  Entry* At(uint32_t id) const {
    return reinterpret_cast<Entry*>(chunks_[id / kChunkEntries] + static_cast<size_t>(id % kChunkEntries) * stride_);
  }
  static Str KeyOf(const Entry* entry) {
    return Str(entry->key_capacity == 0 ? entry->key.inside : entry->key.heap, entry->key_size);
  }
  static void* ValueOf(Entry* entry) { return entry + 1; }

  void MarkDirty(Entry* entry, uint32_t id) {
    entry->flags |= kDirty;
    changed_.push_back(id);
  }
  [[gnu::noinline]] void* Add(Str key, int64_t start, uint32_t tag);
  uint32_t TakeEntry();
  void AddToPane(int64_t start, uint32_t id);
  void GrowTable();
  void RemoveFromTable(uint32_t id);
  void FirePane(Pane& pane);
  void Free(uint32_t id);
  bool Has(Str key, int64_t start) const;
  [[gnu::noinline]] void* FromBase(Str key, int64_t start, uint32_t tag, bool* created);
  // Adds an entry with its stored value.
  Status Load(Str key, int64_t start, uint32_t tag, Str value, void** at);
  // Reads the windows that end at or before `watermark` into memory.
  Status LoadDue(int64_t watermark);

  const WindowSpec& spec_;
  Task* task_;
  int32_t partition_;
  const int64_t* record_watermark_;
  int64_t* wake_;
  int64_t size_ns_;
  int64_t watermark_ = INT64_MIN;
  size_t stride_;

  Slot* slots_ = nullptr;
  uint32_t mask_ = 0;
  size_t open_ = 0;
  std::vector<char*> chunks_;
  uint32_t entries_made_ = 0;
  std::vector<uint32_t> free_;
  std::vector<Pane> panes_;        // by start, latest first: closing takes from the end
  std::vector<std::vector<uint32_t>> spare_;  // memory of closed panes
  std::vector<uint32_t> changed_;  // entries with kDirty; closed ones among them are told by their flag
  Buffer removed_;                 // keys of closed windows that the store has: size (4 bytes), bytes
  Buffer key_scratch_;
  uint64_t fired_ = 0;
  size_t bytes_ = 0;
  std::unique_ptr<Base> base_;
  Status base_status_;
};

}  // namespace weir
