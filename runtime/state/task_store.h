// What this machine keeps of one task's changelog: the changes below an offset, so that bringing the task back replays only
// what is behind it. Never the truth: what cannot be read is thrown away and replayed.
//
// Files: sorted runs (`<number>.run`, see run_file.h) and `store`, which names the runs that count, oldest first, and the
// offset. Files never change. New changes become a new run, together with older runs that are not much larger, and then
// a new `store` takes the place of the old one: whatever a crash leaves, `store` and its runs are those of one moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/status.h"
#include "runtime/core/str.h"
#include "runtime/state/run_file.h"
#include "runtime/state/store_files.h"

namespace weir {

// Up to where a changelog is in a store.
struct ChangelogPosition {
  std::string topic;       // the topic's id: another topic of the same name has another
  int64_t offset = 0;      // all committed changes below it are in
  int64_t written_ms = 0;  // wall clock when that was so
};

// Changes in the order in which they were made; of several of one key the last counts.
class StoreChanges {
 public:
  // A null `value`: removed.
  void Add(Str key, const Str* value);
  bool empty() const { return at_.empty(); }
  size_t bytes() const { return bytes_.size(); }
  void Clear();
  void Swap(StoreChanges& other);
  struct Entry {
    Str key, value;
    bool removed;
  };
  // By key, each once. Views, valid until the next Add.
  std::vector<Entry> Sorted() const;
  // All of them in their order: for whoever passes them on.
  template <class Fn>
  void Each(const Fn& fn) const {
    for (size_t at : at_) {
      Entry entry = Read(at);
      fn(entry.key, entry.removed ? nullptr : &entry.value);
    }
  }

 private:
  Entry Read(size_t at) const;

  Buffer bytes_;  // key size (u32), value size + 1 or 0 (u32), key, value
  std::vector<size_t> at_;
};

// The state as of one moment; it stays readable whatever becomes of the store. Any thread.
class StoreView {
 public:
  StoreView() = default;
  explicit StoreView(std::vector<std::shared_ptr<const RunFile>> runs) : runs_(std::move(runs)) {}
  bool empty() const { return runs_.empty(); }
  // Entries with keys from `from` on and before `to`: no fewer than there are, and 0 only when there are none.
  uint64_t CountAtMost(Str from, Str to) const;
  // A key before `to` that none of those from `from` on exceeds; *found is false when there is none.
  Status LastAtMost(Str from, Str to, bool* found, std::string* key) const;

 private:
  friend class StoreCursor;
  std::vector<std::shared_ptr<const RunFile>> runs_;  // oldest first
};

// Reads a view. One thread. After a failure (kCorrupt, kIo) nothing it says counts.
class StoreCursor {
 public:
  explicit StoreCursor(std::shared_ptr<const StoreView> view);
  // *found: the key is there, and `*value` is a view until the next call. Moves the cursor nowhere useful.
  Status Get(Str key, bool* found, Str* value);
  // To the first entry at or behind `key`.
  Status Seek(Str key);
  Status Next();
  bool valid() const { return at_ != nullptr; }
  Str key() const { return at_->key(); }
  Str value() const { return at_->value(); }

 private:
  Status Settle();

  std::shared_ptr<const StoreView> view_;
  std::vector<RunCursor> runs_;  // oldest first
  RunCursor* at_ = nullptr;
};

// One thread at a time.
class TaskStore {
 public:
  explicit TaskStore(std::unique_ptr<StoreFiles> files) : files_(std::move(files)) {}

  // Reads what is there; nothing is a store at offset 0. kCorrupt, kIo: Clear is what helps.
  Status Open();
  // Throws everything away.
  Status Clear();
  // And the directory too.
  Status Remove();
  // All of it or nothing. After a failure what was there before is there.
  struct How {
    // On the disk when it returns; else a crash of the machine may damage the store.
    bool durable = true;
    // When set meanwhile, tidying up is put off.
    const std::atomic<bool>* hurry = nullptr;
  };
  Status Apply(const StoreChanges& changes, const ChangelogPosition& to, const How& how);
  Status Apply(const StoreChanges& changes, const ChangelogPosition& to) { return Apply(changes, to, How()); }

  const ChangelogPosition& position() const { return position_; }
  std::shared_ptr<const StoreView> view() const { return std::make_shared<StoreView>(runs_); }
  const std::string& where() const { return files_->where(); }
  uint64_t bytes() const;
  size_t runs() const { return runs_.size(); }

 private:
  struct Merged {
    bool stopped = false;
    RunSummary summary;
  };
  // Changes and the runs from `first` on as one new run of this number.
  Status Merge(const std::vector<StoreChanges::Entry>& changes, size_t first, uint64_t number,
               const How& how, Merged* out);
  // *named: the new head may have taken the old one's place, even after a failure.
  Status WriteHead(const std::vector<uint64_t>& numbers, const std::vector<RunSummary>& summaries,
                   const ChangelogPosition& position, bool durable, bool* named);
  // Runs of earlier changes that were not durable.
  Status SyncRuns(const std::vector<uint64_t>& numbers);
  Status ReadHead(Str bytes, std::vector<uint64_t>* numbers, std::vector<RunSummary>* summaries);
  void RemoveOthers();

  std::unique_ptr<StoreFiles> files_;
  ChangelogPosition position_;
  std::vector<std::shared_ptr<const RunFile>> runs_;  // oldest first
  std::vector<uint64_t> numbers_;                     // of their files
  std::set<uint64_t> not_synced_;                     // of these
  uint64_t next_number_ = 1;
};

}  // namespace weir
