#include "runtime/state/table_store.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace weir {

TableStore::TableStore(const TableSpec& spec) : spec_(spec) {
  align_ = std::max<size_t>(spec.value_align, alignof(Row));
  struct_at_ = (sizeof(Row) + align_ - 1) / align_ * align_;
  mask_ = 63;
  slots_ = static_cast<Slot*>(std::calloc(mask_ + 1, sizeof(Slot)));
  if (slots_ == nullptr) throw std::bad_alloc();
}

TableStore::~TableStore() {
  for (size_t i = 0; i <= mask_; ++i) {
    if (slots_[i].row != nullptr) FreeRow(slots_[i].row);
  }
  for (Change& change : staged_) FreeRow(change.row);
  std::free(slots_);
}

TableStore::Row* TableStore::NewRow(Str key, Str row) {
  size_t bytes = struct_at_ + spec_.value_size + key.size + row.size;
  void* at = nullptr;
  if (posix_memalign(&at, std::max<size_t>(align_, sizeof(void*)), bytes) != 0) throw std::bad_alloc();
  Row* made = static_cast<Row*>(at);
  made->key_size = key.size;
  made->row_size = row.size;
  if (key.size != 0) std::memcpy(KeyBytes(made), key.data, key.size);
  if (row.size != 0) std::memcpy(KeyBytes(made) + key.size, row.data, row.size);
  bytes_.Add(bytes);
  return made;
}

void TableStore::FreeRow(Row* row) {
  bytes_.Sub(BytesOf(row));
  std::free(row);
}

bool TableStore::Stage(const Message& message, std::string* error) {
  arena_.Reset();
  key_.Clear();
  row_.Clear();
  RowWriter key(&key_), row(&row_);
  if (!message.has_value) {
    if (spec_.tombstone_key == nullptr) {
      *error = "a record without a value, and this table's key is not the record's key";
      return false;
    }
    if (!spec_.tombstone_key(message, arena_, key)) {
      *error = "a record without a value whose key cannot be read";
      return false;
    }
    staged_.push_back({Hash(key_.str()), NewRow(key_.str(), Str()), true});
    return true;
  }
  if (!spec_.decode(message, arena_, key, row, error)) return false;
  Row* made = NewRow(key_.str(), row_.str());
  RowReader reader(Str(KeyBytes(made) + made->key_size, made->row_size));
  if (!spec_.load(reader, StructOf(made))) {
    FreeRow(made);
    *error = "the encoded row cannot be read back";
    return false;
  }
  staged_.push_back({Hash(key_.str()), made, false});
  return true;
}

void TableStore::Apply() {
  for (Change& change : staged_) {
    if (change.remove) {
      Remove(change.hash, KeyOf(change.row));
      FreeRow(change.row);
    } else {
      Put(change.hash, change.row);
    }
  }
  staged_.clear();
}

void TableStore::Put(uint64_t hash, Row* row) {
  if ((size_.Get() + 1) * 2 > mask_ + 1) Grow();
  size_t at = hash & mask_;
  for (; slots_[at].row != nullptr; at = (at + 1) & mask_) {
    if (slots_[at].hash == hash && KeyOf(slots_[at].row) == KeyOf(row)) {
      FreeRow(slots_[at].row);
      slots_[at].row = row;
      return;
    }
  }
  slots_[at] = {hash, row};
  size_.Add();
}

void TableStore::Remove(uint64_t hash, Str key) {
  size_t at = hash & mask_;
  for (; slots_[at].row != nullptr; at = (at + 1) & mask_) {
    if (slots_[at].hash == hash && KeyOf(slots_[at].row) == key) break;
  }
  if (slots_[at].row == nullptr) return;
  FreeRow(slots_[at].row);
  size_.Sub();
  for (size_t next = (at + 1) & mask_; slots_[next].row != nullptr; next = (next + 1) & mask_) {
    size_t home = slots_[next].hash & mask_;
    if (((next - home) & mask_) >= ((next - at) & mask_)) {
      slots_[at] = slots_[next];
      at = next;
    }
  }
  slots_[at] = {0, nullptr};
}

void TableStore::Grow() {
  size_t mask = mask_ * 2 + 1;
  Slot* slots = static_cast<Slot*>(std::calloc(mask + 1, sizeof(Slot)));
  if (slots == nullptr) throw std::bad_alloc();
  for (size_t i = 0; i <= mask_; ++i) {
    if (slots_[i].row == nullptr) continue;
    size_t at = slots_[i].hash & mask;
    while (slots[at].row != nullptr) at = (at + 1) & mask;
    slots[at] = slots_[i];
  }
  std::free(slots_);
  slots_ = slots;
  mask_ = mask;
}

}  // namespace weir
