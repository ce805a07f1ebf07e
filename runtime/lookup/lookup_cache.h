// Answers that were given lately, by their encoded arguments: found rows and known absences, each for its time.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/core/str.h"
#include "runtime/lookup/byte_pool.h"
#include "runtime/lookup/lookup_value.h"
#include "runtime/lookup/pointer_index.h"

namespace weir {

// Bounded in entries and bytes; what was not used since the hand last passed goes first (clock eviction). Errors are
// never kept. One thread.
class LookupCache {
 public:
  struct Entry {
    uint64_t hash = 0;
    char* key = nullptr;
    uint32_t key_size = 0;
    Outcome outcome = Outcome::kFound;
    bool used = false;  // since the hand last passed
    uint32_t place = 0;  // in the ring
    int64_t expires_mono_ns = 0;
    LookupValue* value = nullptr;
  };

  // `entries_max` 0: no cache. An answer that would take more than a sixteenth of `bytes_max` is not kept.
  LookupCache(BytePool* pool, int64_t entries_max, int64_t bytes_max);
  ~LookupCache();

  bool enabled() const { return entries_max_ > 0; }
  // The answer, if there is one that has not expired. The entry is valid until the next Insert.
  const Entry* Find(uint64_t hash, Str args, int64_t now_mono_ns);
  // Keeps an answer (found or missing) until `expires_mono_ns`, instead of an older one for the same arguments.
  void Insert(uint64_t hash, Str args, Outcome outcome, LookupValue* value, int64_t expires_mono_ns, int64_t now_mono_ns);
  void Clear();

  size_t size() const { return index_.size(); }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t Footprint(const Entry& entry) const;
  void Remove(Entry* entry);
  // Frees one entry: the first expired or unused one behind the hand.
  void EvictOne(int64_t now_mono_ns);

  BytePool* pool_;
  int64_t entries_max_;
  int64_t bytes_max_;
  int64_t bytes_ = 0;
  ObjectPool<Entry> entries_;
  std::vector<Entry*> ring_;  // what the hand goes round; null: free
  std::vector<uint32_t> ring_free_;
  size_t hand_ = 0;
  PointerIndex<Entry, &Entry::hash> index_;
};

}  // namespace weir
