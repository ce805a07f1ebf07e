// The rows of one table, in memory: one copy per process.
//
// A row is one block: the generated struct, the key bytes and the encoded row that the struct's strings look into.
// Readers find a struct by its key; they hold the process's table lock shared for one turn. Changes are staged without
// the lock (decoding is the larger part) and applied under it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/buffer.h"
#include "runtime/core/hash.h"
#include "runtime/core/str.h"
#include "runtime/engine/batch.h"
#include "runtime/engine/counters.h"
#include "runtime/program/program.h"

namespace weir {

class TableStore {
 public:
  explicit TableStore(const TableSpec& spec);
  ~TableStore();
  TableStore(const TableStore&) = delete;
  TableStore& operator=(const TableStore&) = delete;

  // The row's struct, or null. It lives until the next Apply.
  const void* Find(Str key) const {
    uint64_t hash = Hash64(key.data, key.size);
    for (size_t at = hash & mask_; slots_[at].row != nullptr; at = (at + 1) & mask_) {
      if (slots_[at].hash == hash && KeyOf(slots_[at].row) == key) return StructOf(slots_[at].row);
    }
    return nullptr;
  }

  // Decodes one record of the table's input and keeps it for Apply. False: bad input, with the reason in *error.
  bool Stage(const Message& message, std::string* error);
  size_t staged() const { return staged_.size(); }
  // Makes what was staged visible, in order, and frees what it replaced.
  void Apply();

  // Any thread.
  size_t size() const { return size_.Get(); }
  size_t bytes() const { return bytes_.Get(); }

 private:
  // Followed by the struct at struct_at_, the key bytes and the row's bytes.
  struct Row {
    uint32_t key_size;
    uint32_t row_size;
  };
  struct Slot {
    uint64_t hash;
    Row* row;
  };
  struct Change {
    uint64_t hash;
    Row* row;       // for a removal, a block with only the key
    bool remove;
  };

  void* StructOf(Row* row) const { return reinterpret_cast<char*>(row) + struct_at_; }
  char* KeyBytes(Row* row) const { return reinterpret_cast<char*>(row) + struct_at_ + spec_.value_size; }
  Str KeyOf(Row* row) const { return Str(KeyBytes(row), row->key_size); }
  size_t BytesOf(const Row* row) const { return struct_at_ + spec_.value_size + row->key_size + row->row_size; }
  Row* NewRow(Str key, Str row);
  void FreeRow(Row* row);
  void Put(uint64_t hash, Row* row);
  void Remove(uint64_t hash, Str key);
  void Grow();

  const TableSpec& spec_;
  size_t struct_at_;
  size_t align_;
  Slot* slots_;
  size_t mask_;
  Counter size_;
  Counter bytes_;
  std::vector<Change> staged_;
  Arena arena_;
  Buffer key_, row_;
};

}  // namespace weir
