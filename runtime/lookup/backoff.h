// How long to wait before asking again.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir {

// Chance from a seed: equal seeds give equal runs (xorshift64*, seeded through splitmix64).
class JitterSource {
 public:
  explicit JitterSource(uint64_t seed) {
    seed += 0x9e3779b97f4a7c15u;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    state_ = (seed ^ (seed >> 31)) | 1;
  }
  // Even over [0, max].
  int64_t UpTo(int64_t max) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    uint64_t r = state_ * 0x2545f4914f6cdd1du;
    return static_cast<int64_t>(static_cast<unsigned __int128>(r) * (static_cast<uint64_t>(max) + 1) >> 64);
  }

 private:
  uint64_t state_;
};

// A service may ask for any wait; longer than this is taken as this.
inline constexpr int64_t kRetryAfterMaxNs = 60'000'000'000;

// The wait after `attempt` (1 for the first) failed: exponential from `min_ns`, never above `max_ns`, and with full jitter
// anything from nothing to that; but never less than the service asked for.
inline int64_t BackoffNs(int attempt, int64_t min_ns, int64_t max_ns, bool jitter_full, int64_t retry_after_ns,
                         JitterSource& jitter) {
  int64_t wait = std::max<int64_t>(min_ns, 0);
  for (int i = 1; i < attempt && wait < max_ns; ++i) wait = wait > max_ns / 2 ? max_ns : wait * 2;
  wait = std::min(wait, std::max<int64_t>(max_ns, 0));
  if (jitter_full) wait = jitter.UpTo(wait);
  return std::max(wait, std::min(retry_after_ns, kRetryAfterMaxNs));
}

}  // namespace weir
