#include "runtime/state/memory_store.h"

namespace weir {

Status MemoryStore::Open(const StoreIdentity& identity) {
  if (disk_->used) {
    Status fits = CheckIdentity("memory", kAfreshDirectory, disk_->identity, identity, [this](uint64_t hash) {
      Buffer prefix;
      AppendStoreKey(hash, StateKind{0}, INT32_MIN, Str(), &prefix);
      std::string from(prefix.data(), 8);
      auto at = disk_->entries.lower_bound(from);
      return at != disk_->entries.end() && at->first.compare(0, 8, from) == 0;
    });
    if (!fits.ok()) return fits;
  }
  disk_->used = true;
  disk_->identity = identity;
  return Status();
}

Status MemoryStore::Load(uint64_t step, StateKind kind, const Visitor& visitor) {
  Buffer head;
  AppendStoreKey(step, kind, INT32_MIN, Str(), &head);
  std::string prefix(head.data(), 9);
  for (auto at = disk_->entries.lower_bound(prefix); at != disk_->entries.end(); ++at) {
    if (at->first.compare(0, prefix.size(), prefix) != 0) break;
    DeltaEntry entry;
    if (!ReadStoreKey(Str(std::string_view(at->first)), &entry)) return Status::Corrupt("a key is too short");
    entry.value = Str(std::string_view(at->second));
    Status status = visitor(entry);
    if (!status.ok()) return status;
  }
  return Status();
}

Status MemoryStore::Commit(uint64_t epoch, const std::vector<const Buffer*>& deltas) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failure_.ok()) return failure_;
  Buffer key;
  for (const Buffer* delta : deltas) {
    DeltaReader reader(*delta);
    DeltaEntry entry;
    while (reader.Next(&entry)) {
      key.Clear();
      AppendStoreKey(entry.step, entry.kind, entry.partition, entry.key, &key);
      std::string at(key.str().view());
      if (entry.remove) {
        disk_->entries.erase(at);
      } else {
        disk_->entries[at] = entry.value.view();
      }
    }
  }
  disk_->epoch = epoch;
  return Status();
}

StoreStats MemoryStore::Stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  StoreStats stats;
  stats.entries = disk_->entries.size();
  for (const auto& [key, value] : disk_->entries) stats.bytes += key.size() + value.size();
  return stats;
}

}  // namespace weir
