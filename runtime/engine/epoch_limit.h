// How much a worker does for one transaction, so that it ends in time where brokers are slow or throttle what it writes
// (quotas). There is no limit until an epoch was taken back because its transaction's time ran out. From then on epochs
// have half of what that one had, again and again until they get through, and grow by an eighth after each that was full
// and took less than half of the time. What they have is the records that are read and the pending rows that go on: what
// they write follows from these, and each of them alone can wait for the next epoch.
//
// On the worker's thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir {

class EpochLimit {
 public:
  static constexpr uint64_t kNone = UINT64_MAX;

  // A record that was read, or a row that went on, is in this epoch.
  void Take(uint64_t bytes) { taken_ += bytes + kBytesOfEach; }
  // So many records, all at once.
  void Take(uint64_t records, uint64_t bytes) { taken_ += bytes + records * kBytesOfEach; }
  // No more in this epoch. One is always taken.
  bool Full() const { return taken_ >= bytes_max_; }
  bool limited() const { return bytes_max_ != kNone; }
  uint64_t bytes_max() const { return bytes_max_; }

  // So many of these, which have `bytes_of(i)`, fill what is left of the epoch; at least one.
  template <typename BytesOf>
  uint32_t EndThatFits(uint32_t begin, uint32_t end, BytesOf bytes_of) const {
    uint64_t taken = taken_;
    uint32_t at = begin;
    while (at < end && (at == begin || taken < bytes_max_)) taken += bytes_of(at++) + kBytesOfEach;
    return at;
  }

  // What was taken is being committed.
  void Ends() {
    committing_ = taken_;
    taken_ = 0;
    if (limited()) ++epochs_;
  }
  // Its transaction was open for so long, of the time that it may be. True: there is no limit any more.
  bool Committed(int64_t open_ns, int64_t open_ns_max) {
    // One that was not full says nothing about one that is.
    if (!limited() || committing_ < bytes_max_ || open_ns >= open_ns_max / 2) return false;
    bytes_max_ += bytes_max_ / 8 + 1;
    // What was too much would get through, so it was not the size, or is not any more.
    if (bytes_max_ < too_much_) return false;
    bytes_max_ = kNone;
    too_much_ = 0;
    return true;
  }
  // The same, and it is done again. True: there is a limit from now on, and there was none before.
  bool TakenBack(int64_t open_ns, int64_t open_ns_max) {
    // What failed sooner was not too large, and what nothing was taken for cannot be made smaller.
    if (open_ns < open_ns_max / 2 || committing_ == 0) return false;
    const bool first = !limited();
    too_much_ = std::max(too_much_, committing_);
    bytes_max_ = std::max<uint64_t>(std::min(bytes_max_, committing_) / 2, 1);
    return first;
  }
  // What was taken for this epoch is read again.
  void Forget() { taken_ = 0; }

  // With a limit the first one that has something may fill each epoch, so another one is first in each: how many have
  // ended.
  uint64_t epochs() const { return epochs_; }

 private:
  // What a record costs in a transaction beside its bytes, about.
  static constexpr uint64_t kBytesOfEach = 64;

  uint64_t bytes_max_ = kNone;
  uint64_t too_much_ = 0;  // the largest that was taken back since there is a limit
  uint64_t taken_ = 0, committing_ = 0;
  uint64_t epochs_ = 0;
};

}  // namespace weir
