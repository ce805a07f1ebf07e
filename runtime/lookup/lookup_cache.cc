// Clock eviction over a ring that grows up to the bound.
#include "runtime/lookup/lookup_cache.h"

namespace weir {

LookupCache::LookupCache(BytePool* pool, int64_t entries_max, int64_t bytes_max)
    : pool_(pool), entries_max_(entries_max), bytes_max_(bytes_max) {}

LookupCache::~LookupCache() { Clear(); }

int64_t LookupCache::Footprint(const Entry& entry) const {
  return static_cast<int64_t>(sizeof(Entry) + BytePool::RoundedSize(entry.key_size) +
                              (entry.value != nullptr ? entry.value->footprint() : 0));
}

const LookupCache::Entry* LookupCache::Find(uint64_t hash, Str args, int64_t now_mono_ns) {
  Entry* entry = index_.Find(hash, [&](const Entry* e) { return Str(e->key, e->key_size) == args; });
  // An expired entry stays until it is replaced or the hand comes by: somebody may be reading it.
  if (entry == nullptr || entry->expires_mono_ns <= now_mono_ns) return nullptr;
  entry->used = true;
  return entry;
}

void LookupCache::Insert(uint64_t hash, Str args, Outcome outcome, LookupValue* value, int64_t expires_mono_ns,
                         int64_t now_mono_ns) {
  Entry* entry = index_.Find(hash, [&](const Entry* e) { return Str(e->key, e->key_size) == args; });
  int64_t value_bytes = value != nullptr ? static_cast<int64_t>(value->footprint()) : 0;
  if (value_bytes + static_cast<int64_t>(args.size) > bytes_max_ / 16) {
    // Too large to keep; what was kept for these arguments is older than the answer at hand.
    if (entry != nullptr) Remove(entry);
    return;
  }
  if (entry != nullptr) {
    bytes_ -= Footprint(*entry);
    if (entry->value != nullptr) entry->value->Drop(*pool_);
  } else {
    if (static_cast<int64_t>(index_.size()) >= entries_max_) EvictOne(now_mono_ns);
    entry = entries_.Take();
    entry->hash = hash;
    entry->key_size = args.size;
    entry->key = pool_->Alloc(args.size);
    entry->used = false;
    if (args.size != 0) __builtin_memcpy(entry->key, args.data, args.size);
    index_.Insert(entry);
    if (ring_free_.empty()) {
      entry->place = static_cast<uint32_t>(ring_.size());
      ring_.push_back(entry);
    } else {
      entry->place = ring_free_.back();
      ring_free_.pop_back();
      ring_[entry->place] = entry;
    }
  }
  entry->outcome = outcome;
  entry->value = value != nullptr ? value->Hold() : nullptr;
  entry->expires_mono_ns = expires_mono_ns;
  bytes_ += Footprint(*entry);
  entry->used = true;  // the newest one does not make room for itself
  while (bytes_ > bytes_max_ && index_.size() > 1) EvictOne(now_mono_ns);
  // From now on it has to be used to stay longer than one round of the hand.
  entry->used = false;
}

void LookupCache::Remove(Entry* entry) {
  ring_[entry->place] = nullptr;
  ring_free_.push_back(entry->place);
  bytes_ -= Footprint(*entry);
  index_.Erase(entry);
  pool_->Free(entry->key, entry->key_size);
  if (entry->value != nullptr) entry->value->Drop(*pool_);
  entry->value = nullptr;
  entries_.Give(entry);
}

void LookupCache::EvictOne(int64_t now_mono_ns) {
  for (;; ++hand_) {
    if (hand_ >= ring_.size()) hand_ = 0;
    Entry* entry = ring_[hand_];
    if (entry == nullptr) continue;
    if (!entry->used || entry->expires_mono_ns <= now_mono_ns) {
      ++hand_;
      return Remove(entry);
    }
    entry->used = false;
  }
}

void LookupCache::Clear() {
  for (Entry* entry : std::vector<Entry*>(ring_)) {
    if (entry != nullptr) Remove(entry);
  }
  ring_.clear();
  ring_free_.clear();
  hand_ = 0;
}

}  // namespace weir
