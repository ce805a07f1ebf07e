// Eight decimal digits at once, for writing numbers.
#pragma once

#include <cstdint>

namespace weir {

inline constexpr uint64_t kZeros = 0x3030303030303030u;  // eight times '0'

// The eight digits of v < 10^8 as bytes 0 to 9, the first digit in the lowest byte. Or-ing kZeros makes text of it.
// Counting zero bits from below gives the leading zeros, from above the trailing ones.
inline uint64_t SpellEight(uint32_t v) {
  // Halves of four digits, then pairs, then digits; each step divides all lanes by a multiplication and a shift.
  uint64_t halves = (v / 10000) | static_cast<uint64_t>(v % 10000) << 32;
  uint64_t top = ((halves * 10486) >> 20) & 0x0000007f0000007fu;
  uint64_t pairs = top | (halves - 100 * top) << 16;
  uint64_t tens = ((pairs * 103) >> 10) & 0x000f000f000f000fu;
  return tens | (pairs - 10 * tens) << 8;
}

}  // namespace weir
