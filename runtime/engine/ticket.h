// A count of what still keeps a piece of input from being finished.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

// Where the local store is the truth there is one ticket per worker and epoch, and an epoch commits when its ticket is at
// zero; so it is with transactions where outputs leave at once. Where offsets follow delivery there is one per fetched
// batch, and they follow the oldest that is not at zero. With other transactions there is none: the transaction ends when
// all it wrote is acknowledged.
class Ticket {
 public:
  // Something more has to happen: an output was handed to a sink, a lookup was asked. Worker's thread.
  void Raise(uint32_t n = 1) { open_.fetch_add(n, std::memory_order_relaxed); }
  // It happened: the sink's target acknowledged, the lookup's row moved on. Any thread.
  void Lower(uint32_t n = 1) { open_.fetch_sub(n, std::memory_order_acq_rel); }
  bool Done() const { return open_.load(std::memory_order_acquire) == 0; }
  uint32_t open() const { return open_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint32_t> open_{0};
};

}  // namespace weir
