// Hashes that are kept: their values are stored on disk and sent to Kafka, so they never change.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

namespace weir {

// 128 bits, for ids of rows.
struct H128 {
  uint64_t low = 0;
  uint64_t high = 0;
};
inline bool operator==(H128 a, H128 b) { return a.low == b.low && a.high == b.high; }
inline bool operator!=(H128 a, H128 b) { return !(a == b); }
inline bool operator<(H128 a, H128 b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }

// XXH3, 64 and 128 bits.
uint64_t Hash64(const void* data, size_t size);
uint64_t Hash64(const void* data, size_t size, uint64_t seed);
H128 Hash128(const void* data, size_t size);
inline uint64_t Hash(Str text) { return Hash64(text.data, text.size); }
inline H128 Hash128(Str text) { return Hash128(text.data, text.size); }

// A fast mix of one integer for tables in memory; every bit of the result depends on every bit of `x`.
inline uint64_t HashInt(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  return x;
}
inline uint64_t HashCombine(uint64_t a, uint64_t b) {
  return HashInt(a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2)));
}

// The murmur2 of Kafka's Java client, and the partition its default partitioner chooses for a key.
uint32_t Murmur2(Str key);
inline uint32_t Murmur2Positive(Str key) { return Murmur2(key) & 0x7fffffffu; }
inline int32_t KafkaPartition(Str key, int32_t partitions) {
  return static_cast<int32_t>(Murmur2Positive(key) % static_cast<uint32_t>(partitions));
}

}  // namespace weir
