// XXH3 and murmur2.
#define XXH_INLINE_ALL
#include "runtime/core/hash.h"

#define XXH_INLINE_ALL  // librdkafka carries the same symbols; ours stay inside this file
#include <xxhash.h>

#include <cstring>

namespace weir {

uint64_t Hash64(const void* data, size_t size) { return XXH3_64bits(data, size); }

uint64_t Hash64(const void* data, size_t size, uint64_t seed) { return XXH3_64bits_withSeed(data, size, seed); }

H128 Hash128(const void* data, size_t size) {
  XXH128_hash_t h = XXH3_128bits(data, size);
  return H128{h.low64, h.high64};
}

// org.apache.kafka.common.utils.Utils.murmur2. Java's bytes are signed, but its tail masks them, as unsigned ones here.
uint32_t Murmur2(Str key) {
  constexpr uint32_t m = 0x5bd1e995;
  uint32_t h = 0x9747b28cu ^ key.size;
  uint32_t words = key.size / 4;
  for (uint32_t i = 0; i < words; ++i) {
    uint32_t k;
    std::memcpy(&k, key.data + i * 4, 4);
    k *= m;
    k ^= k >> 24;
    k *= m;
    h *= m;
    h ^= k;
  }
  const auto* tail = reinterpret_cast<const unsigned char*>(key.data) + words * 4;
  switch (key.size & 3) {
    case 3: h ^= static_cast<uint32_t>(tail[2]) << 16; [[fallthrough]];
    case 2: h ^= static_cast<uint32_t>(tail[1]) << 8; [[fallthrough]];
    case 1:
      h ^= tail[0];
      h *= m;
      break;
    default: break;
  }
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return h;
}

}  // namespace weir
