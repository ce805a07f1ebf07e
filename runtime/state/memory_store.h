// A store in memory, for tests: it outlives the engine that a test stops in the middle.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "runtime/state/store.h"

namespace weir {

// What a disk would hold: only what was committed. Copyable, so that a test may go back to it.
struct MemoryDisk {
  bool used = false;
  StoreIdentity identity;
  uint64_t epoch = 0;
  std::map<std::string, std::string> entries;  // by store key
};

class MemoryStore : public Store {
 public:
  explicit MemoryStore(MemoryDisk* disk) : disk_(disk) {}

  Status Open(const StoreIdentity& identity) override;
  Status Load(uint64_t step, StateKind kind, const Visitor& visitor) override;
  Status Commit(uint64_t epoch, const std::vector<const Buffer*>& deltas) override;
  uint64_t epoch() const override { return disk_->epoch; }
  StoreStats Stats() const override;
  void Close() override {}

  // The next Commit fails with this (a full disk, a failed fsync) and changes nothing.
  void FailNextCommit(Status status) { failure_ = std::move(status); }

 private:
  mutable std::mutex mutex_;  // Stats comes from any thread
  MemoryDisk* disk_;
  Status failure_;
};

}  // namespace weir
