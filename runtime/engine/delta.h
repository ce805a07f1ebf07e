// What changed in the state since the last commit, as bytes: written by tasks at the barrier of an epoch, applied to
// the store by the commit. A run of entries, each a fixed head, the key and, for Put, the value.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/buffer.h"
#include "runtime/core/row.h"
#include "runtime/core/str.h"

namespace weir {

// What an entry of the state is. The numbers are stored.
enum class StateKind : uint8_t {
  kWindow = 1,    // key: start (8 bytes, order-keeping), key bytes. value: the saved accumulator
  kRow = 2,       // key: its slot (4 bytes, big endian). value: a pending row of a lookup, see runtime/lookup
  kSource = 3,    // key: empty. value: position and watermark of a source's partition
  kExchange = 4,  // key: empty. value: the watermark of the reading task
  kSink = 5,      // key: empty. value: committed length
  kStage = 6,     // key: empty. value: how many tasks the stage has
  kIdentity = 7,  // key: empty. value: whom the changelog of the task belongs to (WriteIdentity)
};

// One entry as the store sees it. `step` is the hash of the step's name, so that entries survive renumbering.
// Entries are ordered by (step, kind, partition, key bytes).
struct DeltaEntry {
  bool remove = false;
  StateKind kind = StateKind::kWindow;
  uint64_t step = 0;
  int32_t partition = 0;
  Str key;
  Str value;
};

class DeltaWriter {
 public:
  // `step_hashes` by the index into Program::steps. Appends to `out`.
  DeltaWriter(Buffer* out, const uint64_t* step_hashes) : out_(out), step_hashes_(step_hashes), value_(out) {}

  // `step` indexes Program::steps; `task` is the task's partition.
  void Put(uint32_t step, StateKind kind, int32_t task, Str key, Str value) {
    BeginPut(step, kind, task, key);
    out_->Append(value);
    EndPut();
  }
  // The same with the value written in place: everything appended to the returned writer until EndPut.
  RowWriter& BeginPut(uint32_t step, StateKind kind, int32_t task, Str key) {
    head_ = out_->size();
    AppendHead(false, step, kind, task, key);
    value_begin_ = out_->size();
    return value_;
  }
  void EndPut() {
    uint32_t size = static_cast<uint32_t>(out_->size() - value_begin_);
    std::memcpy(out_->data() + head_ + kValueSizeAt, &size, sizeof size);
    ++entries_;
  }
  // Removing what is not there is no error.
  void Delete(uint32_t step, StateKind kind, int32_t task, Str key) {
    AppendHead(true, step, kind, task, key);
    ++entries_;
  }

  uint64_t entries() const { return entries_; }

  static constexpr size_t kHeadBytes = 22;
  static constexpr size_t kValueSizeAt = 18;

 private:
  void AppendHead(bool remove, uint32_t step, StateKind kind, int32_t task, Str key) {
    char head[kHeadBytes];
    head[0] = remove ? 1 : 0;
    head[1] = static_cast<char>(kind);
    std::memcpy(head + 2, &step_hashes_[step], 8);
    std::memcpy(head + 10, &task, 4);
    std::memcpy(head + 14, &key.size, 4);
    std::memset(head + kValueSizeAt, 0, 4);
    out_->Append(head, sizeof head);
    out_->Append(key);
  }

  Buffer* out_;
  const uint64_t* step_hashes_;
  RowWriter value_;
  size_t head_ = 0;
  size_t value_begin_ = 0;
  uint64_t entries_ = 0;
};

// Walks the entries of a delta; the views are into its bytes.
class DeltaReader {
 public:
  explicit DeltaReader(const Buffer& bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  bool Next(DeltaEntry* entry) {
    if (at_ == end_) return false;
    uint32_t key_size, value_size;
    entry->remove = at_[0] != 0;
    entry->kind = static_cast<StateKind>(at_[1]);
    std::memcpy(&entry->step, at_ + 2, 8);
    std::memcpy(&entry->partition, at_ + 10, 4);
    std::memcpy(&key_size, at_ + 14, 4);
    std::memcpy(&value_size, at_ + DeltaWriter::kValueSizeAt, 4);
    at_ += DeltaWriter::kHeadBytes;
    entry->key = Str(at_, key_size);
    entry->value = Str(at_ + key_size, value_size);
    at_ += key_size + value_size;
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

// Keys whose byte order is the order of the numbers.
template <class Number>
struct NumberKey {
  char bytes[sizeof(Number)];
  explicit NumberKey(Number v) {
    for (size_t i = sizeof v; i-- > 0; v = static_cast<Number>(v >> 8)) bytes[i] = static_cast<char>(v);
  }
  Str str() const { return Str(bytes, sizeof bytes); }
  // The key begins with one.
  static Number Read(Str key) {
    Number v = 0;
    for (size_t i = 0; i < sizeof v; ++i) v = static_cast<Number>(v << 8 | static_cast<unsigned char>(key.data[i]));
    return v;
  }
};
using OrderedKey = NumberKey<uint64_t>;
// Of a pending row: which of its task's slots it has.
using SlotKey = NumberKey<uint32_t>;
inline constexpr uint32_t kSlotKeySize = sizeof(uint32_t);

}  // namespace weir
