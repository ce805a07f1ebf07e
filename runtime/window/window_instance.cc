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
  if (slots_ == nullptr) throw std::bad_alloc();
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
    if (chunk == nullptr) throw std::bad_alloc();
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
      if (entry->key.heap == nullptr) throw std::bad_alloc();
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
  if (slots == nullptr) throw std::bad_alloc();
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

int64_t WindowInstance::next_fire() const {
  int64_t next = panes_.empty() ? INT64_MAX : EndOf(panes_.back().start);
  return base_ != nullptr ? std::min(next, EndOf(base_->next)) : next;
}

void WindowInstance::Advance(int64_t watermark) {
  if (base_ != nullptr && EndOf(base_->next) <= watermark && base_status_.ok()) base_status_ = LoadDue(watermark);
  if (!base_status_.ok()) return;  // nothing may come of what is not all there
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

// ---- What a store has -----------------------------------------------------------------------------------------------

Str WindowInstance::Base::KeyOf(int64_t start, Str key_bytes) {
  key.resize(prefix.size());
  key.append(OrderedKey(OrderedStart(start)).bytes, 8);
  key.append(key_bytes.data, key_bytes.size);
  return Str(std::string_view(key));
}

Status WindowInstance::Load(Str key, int64_t start, uint32_t tag, Str value, void** at) {
  *at = Add(key, start, tag);
  RowReader in(value);
  if (!spec_.load(in, *at, *task_) || !in.AtEnd()) return Status::Corrupt("a window's accumulator cannot be read");
  reinterpret_cast<Entry*>(static_cast<char*>(*at) - sizeof(Entry))->flags |= kStored;
  return Status();
}

Status WindowInstance::Restore(Str key, Str value) {
  if (key.size < 8) return Status::Corrupt("a window's key is shorter than its start");
  int64_t start = static_cast<int64_t>(OrderedKey::Read(key) ^ (1ull << 63));
  Str bytes = key.Sub(8);
  if (Has(bytes, start)) return Status::Corrupt("a window is stored twice");
  void* at = nullptr;
  Status status = Load(bytes, start, TagOf(bytes, start), value, &at);
  if (!status.ok()) return status;
  reinterpret_cast<Entry*>(static_cast<char*>(at) - sizeof(Entry))->flags = kStored;
  changed_.clear();  // one at a time: nothing else changed yet
  return Status();
}

Status WindowInstance::RestoreFrom(std::shared_ptr<const StoreView> view, Str prefix) {
  auto base = std::make_unique<Base>(view, prefix);
  // The first key that does not begin with the prefix.
  std::string end(prefix.view());
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  const Str behind = Str(std::string_view(end));
  bool found = false;
  std::string last;
  Status status = view->LastAtMost(prefix, behind, &found, &last);
  if (status.ok() && found) status = base->scan.Seek(prefix);
  if (!status.ok() || !found || !base->scan.valid() || !(base->scan.key() < behind)) return status;
  const uint32_t head = prefix.size + 8;
  if (last.size() < head || base->scan.key().size < head) return Status::Corrupt("a window's key is shorter than its start");
  auto start_in = [&](Str key) { return static_cast<int64_t>(OrderedKey::Read(key.Sub(prefix.size)) ^ (1ull << 63)); };
  base->next = start_in(base->scan.key());
  base->last = start_in(Str(std::string_view(last)));
  base->left = view->CountAtMost(prefix, behind);
  base_ = std::move(base);
  if (next_fire() < *wake_) *wake_ = next_fire();
  return Status();
}

bool WindowInstance::Has(Str key, int64_t start) const {
  uint32_t tag = TagOf(key, start);
  for (uint32_t at = tag & mask_; slots_[at].entry != kNone; at = (at + 1) & mask_) {
    const Entry* entry = At(slots_[at].entry);
    if (slots_[at].tag == tag && entry->start == start && KeyOf(entry) == key) return true;
  }
  return false;
}

void* WindowInstance::FromBase(Str key, int64_t start, uint32_t tag, bool* created) {
  *created = true;
  if (start > base_->last || !base_status_.ok()) return Add(key, start, tag);
  bool found = false;
  Str value;
  base_status_ = base_->lookups.Get(base_->KeyOf(start, key), &found, &value);
  if (!base_status_.ok() || !found) return Add(key, start, tag);
  void* at = nullptr;
  base_status_ = Load(key, start, tag, value, &at);
  if (base_->left > 1) --base_->left;
  *created = false;
  return at;
}

Status WindowInstance::LoadDue(int64_t watermark) {
  const uint32_t head = static_cast<uint32_t>(base_->prefix.size());
  const Str prefix = Str(std::string_view(base_->prefix));
  StoreCursor& scan = base_->scan;
  Status status = scan.Seek(base_->KeyOf(base_->next, Str()));
  for (; status.ok() && scan.valid() && scan.key().Sub(0, head) == prefix; status = scan.Next()) {
    Str key = scan.key().Sub(head);
    if (key.size < 8) return Status::Corrupt("a window's key is shorter than its start");
    base_->next = static_cast<int64_t>(OrderedKey::Read(key) ^ (1ull << 63));
    if (EndOf(base_->next) > watermark) return Status();
    Str bytes = key.Sub(8);
    if (Has(bytes, base_->next)) continue;
    void* at = nullptr;
    status = Load(bytes, base_->next, TagOf(bytes, base_->next), scan.value(), &at);
    if (!status.ok()) return status;
    if (base_->left > 1) --base_->left;
  }
  if (status.ok()) base_.reset();
  return status;
}

}  // namespace weir
