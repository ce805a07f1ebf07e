// A sorted run of changes in one file: keys with their values, or with the mark that they were removed. Written once, in
// the order of the keys, and read by key, without being loaded.
//
//   blocks   entries one behind the other: key size (u32), value size + 1 or 0 for a removed key (u32), key, value
//   index    per block: offset (u64), size (u32), CRC-32C of the block (u32), entries (u32), size of its first key (u32),
//            that key
//   footer   "WEIRRUN1", offset of the index (u64), its size (u32), its CRC-32C (u32), entries (u64), CRC-32C of the
//            footer so far (u32)
//
// Numbers are little endian. No byte is believed before its checksum was looked at: a damaged file says so, and never
// gives a wrong answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/status.h"
#include "runtime/core/str.h"
#include "runtime/state/store_files.h"

namespace weir {

// What names a finished run among all others.
struct RunSummary {
  uint64_t bytes = 0;
  uint64_t entries = 0;
  uint32_t check = 0;  // CRC-32C of its footer, which covers the index, which covers the blocks
};

class RunWriter {
 public:
  // `file` outlives the writer.
  explicit RunWriter(StoreFiles::Writer* file) : file_(file) {}
  // Keys ascend by their bytes and come once. A null `value`: removed.
  Status Add(Str key, const Str* value);
  // Index and footer; with `durable` all of it is synced.
  Status Finish(bool durable, RunSummary* summary);

 private:
  Status EndBlock();
  Status Write(Str bytes);

  StoreFiles::Writer* file_;
  Buffer block_, first_key_, index_, out_;
  uint32_t block_entries_ = 0;
  uint64_t at_ = 0;
  uint64_t entries_ = 0;
};

// Immutable. Any thread.
class RunFile {
 public:
  // kCorrupt: it is not the run that `wanted` names, or is damaged.
  static Status Open(std::unique_ptr<StoreFiles::Reader> file, const RunSummary& wanted,
                     std::shared_ptr<const RunFile>* out);

  const RunSummary& summary() const { return summary_; }
  size_t blocks() const { return blocks_.size(); }
  // The block that has `key` if any has: the last one that begins at or before it; blocks() when none does.
  size_t Find(Str key) const;
  // Checked.
  Status ReadBlock(size_t block, Buffer* out) const;
  // Entries of the blocks that may have keys from `from` on and before `to`: no fewer than there are.
  uint64_t CountAtMost(Str from, Str to) const;

 private:
  struct Block {
    uint64_t offset;
    uint32_t size, crc, entries;
    uint32_t key_size;
    size_t key_at;  // in keys_
  };
  RunFile() = default;
  Str KeyOf(const Block& block) const { return Str(keys_.data() + block.key_at, block.key_size); }
  Status ReadIndex(Str bytes, uint64_t end);

  std::unique_ptr<StoreFiles::Reader> file_;
  RunSummary summary_;
  std::vector<Block> blocks_;
  Buffer keys_;
};

// Walks a run. One thread.
class RunCursor {
 public:
  explicit RunCursor(std::shared_ptr<const RunFile> run) : run_(std::move(run)) {}
  // To the first entry at or behind `key`.
  Status Seek(Str key);
  // To the last entry before `key`.
  Status SeekBefore(Str key);
  Status Next();
  // While valid, until the next call:
  bool valid() const { return valid_; }
  Str key() const { return key_; }
  Str value() const { return value_; }
  bool removed() const { return removed_; }

 private:
  Status Load(size_t block);
  Status Take();

  std::shared_ptr<const RunFile> run_;
  size_t block_ = SIZE_MAX;
  Buffer bytes_;
  size_t at_ = 0;
  bool valid_ = false, removed_ = false;
  Str key_, value_;
};

}  // namespace weir
