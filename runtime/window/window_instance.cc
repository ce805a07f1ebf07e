#include "runtime/window/window_instance.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace weir {

namespace {

// The stored key: the start in an order-keeping form, then the key's bytes.
uint64_t OrderedStart(int64_t start) { return static_cast<uint64_t>(start) ^ (1ull << 63); }

}  // namespace

WindowInstance::WindowInstance(const WindowSpec& spec, Task* task, int32_t partition, const int64_t* record_watermark,
                               int64_t* wake)
    : spec_(spec),
      task_(task),
      partition_(partition),
      record_watermark_(record_watermark),
      wake_(wake),
      size_ns_(spec.size_ns),
      stride_(sizeof(Entry) + (spec.value_size + 15) / 16 * 16) {
  mask_ = 63;
  slots_ = static_cast<Slot*>(std::malloc((mask_ + 1) * sizeof(Slot)));
  if (slots_ == nullptr) std::abort();
  std::memset(slots_, 0xff, (mask_ + 1) * sizeof(Slot));
  bytes_ = (mask_ + 1) * sizeof(Slot);
}

WindowInstance::~WindowInstance() {
  for (Pane& pane : panes_) {
    for (uint32_t id : pane.entries) Free(id);
  }
  for (uint32_t id = 0; id < entries_made_; ++id) {
    Entry* entry = At(id);
    if (entry->key_capacity != 0) std::free(entry->key.heap);
  }
  for (char* chunk : chunks_) std::free(chunk);
  std::free(slots_);
}

uint32_t WindowInstance::TakeEntry() {
  if (!free_.empty()) {
    uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  uint32_t id = entries_made_++;
  if (id / kChunkEntries == chunks_.size()) {
    char* chunk = static_cast<char*>(std::aligned_alloc(64, (kChunkEntries * stride_ + 63) / 64 * 64));
    if (chunk == nullptr) std::abort();
    chunks_.push_back(chunk);
    bytes_ += kChunkEntries * stride_;
    free_.reserve(chunks_.size() * kChunkEntries);
    changed_.reserve(chunks_.size() * kChunkEntries);
  }
  Entry* entry = At(id);
  entry->flags = 0;
  entry->key_capacity = 0;
  return id;
}

void* WindowInstance::Add(Str key, int64_t start, uint32_t tag) {
  if ((open_ + 1) * 2 > mask_ + 1) GrowTable();
  uint32_t id = TakeEntry();
  Entry* entry = At(id);
  entry->start = start;
  entry->tag = tag;
  // A reused entry may still stand in changed_, when it closed in this epoch: then its place there serves again.
  bool listed = (entry->flags & kDirty) != 0;
  entry->flags = kDirty;
  entry->key_size = key.size;
  char* to = entry->key.inside;
  if (entry->key_capacity != 0 || key.size > kInlineKeyMax) {
    if (key.size > entry->key_capacity) {
      if (entry->key_capacity != 0) std::free(entry->key.heap);
      uint32_t room = std::max<uint32_t>(64, key.size + key.size / 2);
      entry->key.heap = static_cast<char*>(std::malloc(room));
      if (entry->key.heap == nullptr) std::abort();
      entry->key_capacity = room;
    }
    to = entry->key.heap;
  }
  if (key.size != 0) std::memcpy(to, key.data, key.size);
  std::memset(ValueOf(entry), 0, stride_ - sizeof(Entry));
  if (!listed) changed_.push_back(id);

  uint32_t at = tag & mask_;
  while (slots_[at].entry != kNone) at = (at + 1) & mask_;
  slots_[at] = {tag, id};
  ++open_;
  AddToPane(start, id);
  return ValueOf(entry);
}

void WindowInstance::AddToPane(int64_t start, uint32_t id) {
  // Latest first: the pane wanted is nearly always the first one.
  auto at = panes_.begin();
  if (at != panes_.end() && at->start != start) {
    at = std::lower_bound(panes_.begin(), panes_.end(), start,
                          [](const Pane& pane, int64_t s) { return pane.start > s; });
  }
  if (at == panes_.end() || at->start != start) {
    Pane pane{start, {}};
    if (!spare_.empty()) {
      pane.entries = std::move(spare_.back());
      spare_.pop_back();
    }
    at = panes_.insert(at, std::move(pane));
    if (EndOf(start) < *wake_) *wake_ = EndOf(start);
  }
  at->entries.push_back(id);
}

void WindowInstance::GrowTable() {
  uint32_t mask = mask_ * 2 + 1;
  Slot* slots = static_cast<Slot*>(std::malloc((static_cast<size_t>(mask) + 1) * sizeof(Slot)));
  if (slots == nullptr) std::abort();
  std::memset(slots, 0xff, (static_cast<size_t>(mask) + 1) * sizeof(Slot));
  for (uint32_t i = 0; i <= mask_; ++i) {
    if (slots_[i].entry == kNone) continue;
    uint32_t at = slots_[i].tag & mask;
    while (slots[at].entry != kNone) at = (at + 1) & mask;
    slots[at] = slots_[i];
  }
  std::free(slots_);
  bytes_ += (static_cast<size_t>(mask) - mask_) * sizeof(Slot);
  slots_ = slots;
  mask_ = mask;
}

void WindowInstance::RemoveFromTable(uint32_t id) {
  uint32_t at = At(id)->tag & mask_;
  while (slots_[at].entry != id) at = (at + 1) & mask_;
  // Moves later ones of the same run back, so that no marks of removed entries are needed.
  uint32_t next = (at + 1) & mask_;
  while (slots_[next].entry != kNone) {
    uint32_t home = slots_[next].tag & mask_;
    if (((next - home) & mask_) >= ((next - at) & mask_)) {
      slots_[at] = slots_[next];
      at = next;
    }
    next = (next + 1) & mask_;
  }
  slots_[at].entry = kNone;
}

int64_t WindowInstance::next_fire() const { return panes_.empty() ? INT64_MAX : EndOf(panes_.back().start); }

void WindowInstance::Advance(int64_t watermark) {
  while (!panes_.empty() && EndOf(panes_.back().start) <= watermark) {
    Pane pane = std::move(panes_.back());
    panes_.pop_back();
    FirePane(pane);
    pane.entries.clear();
    spare_.push_back(std::move(pane.entries));
  }
  if (watermark > watermark_) watermark_ = watermark;
}

void WindowInstance::FirePane(Pane& pane) {
  std::sort(pane.entries.begin(), pane.entries.end(),
            [this](uint32_t a, uint32_t b) { return KeyOf(At(a)) < KeyOf(At(b)); });
  for (uint32_t id : pane.entries) {
    Entry* entry = At(id);
    spec_.fire(*task_, KeyOf(entry), pane.start, ValueOf(entry));
    ++fired_;
    if (entry->flags & kStored) {
      Str key = KeyOf(entry);
      uint32_t size = key.size + 8;
      OrderedKey start(OrderedStart(pane.start));
      removed_.Append(&size, sizeof size);
      removed_.Append(start.str());
      removed_.Append(key);
    }
    RemoveFromTable(id);
    Free(id);
    free_.push_back(id);
    --open_;
  }
}

// Frees what the accumulator owns; the key's memory and the dirty flag stay with the entry.
void WindowInstance::Free(uint32_t id) {
  Entry* entry = At(id);
  if (spec_.drop != nullptr) spec_.drop(ValueOf(entry));
  entry->flags &= kDirty;
  entry->key_size = UINT32_MAX;
}

void WindowInstance::AppendDelta(DeltaWriter& delta) {
  for (size_t at = 0; at < removed_.size();) {
    uint32_t size;
    std::memcpy(&size, removed_.data() + at, 4);
    delta.Delete(spec_.step, StateKind::kWindow, partition_, Str(removed_.data() + at + 4, size));
    at += 4 + size;
  }
  removed_.Clear();
  for (uint32_t id : changed_) {
    Entry* entry = At(id);
    entry->flags &= ~kDirty;
    if (entry->key_size == UINT32_MAX) continue;  // opened and closed within this epoch, or closed
    key_scratch_.Clear();
    key_scratch_.Append(OrderedKey(OrderedStart(entry->start)).str());
    key_scratch_.Append(KeyOf(entry));
    spec_.save(ValueOf(entry), delta.BeginPut(spec_.step, StateKind::kWindow, partition_, key_scratch_.str()));
    delta.EndPut();
    entry->flags |= kStored;
  }
  changed_.clear();
}

Status WindowInstance::Restore(Str key, Str value) {
  if (key.size < 8) return Status::Corrupt("a window's key is shorter than its start");
  int64_t start = static_cast<int64_t>(OrderedKey::Read(key) ^ (1ull << 63));
  bool created = false;
  void* at = FindOrAdd(key.Sub(8), start, &created);
  if (!created) return Status::Corrupt("a window is stored twice");
  RowReader in(value);
  if (!spec_.load(in, at, *task_) || !in.AtEnd()) return Status::Corrupt("a window's accumulator cannot be read");
  Entry* entry = reinterpret_cast<Entry*>(static_cast<char*>(at) - sizeof(Entry));
  entry->flags = kStored;
  changed_.clear();  // one at a time: nothing else changed yet
  return Status();
}

}  // namespace weir
