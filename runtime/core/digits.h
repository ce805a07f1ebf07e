// Sixteen decimal digits at once, for writing numbers.
#pragma once

#include <tmmintrin.h>

#include <cstdint>

namespace weir::digits {

// The sixteen digits of v < 10^16 as bytes 0 to 9, the first digit in the lowest byte.
//
// Two lanes of eight digits become four of four, eight of two, sixteen of one. Each step divides all lanes by 10^4, 100
// or 10 with a multiplication and a shift (exact in these ranges), and puts the remainder behind the quotient.
inline __m128i SpellSixteen(uint64_t v) {
  uint64_t high = v / 100000000;
  __m128i eight = _mm_set_epi64x(static_cast<int64_t>(v - high * 100000000), static_cast<int64_t>(high));
  __m128i q = _mm_srli_epi64(_mm_mul_epu32(eight, _mm_set1_epi64x(0xd1b71759)), 45);
  __m128i r = _mm_sub_epi32(eight, _mm_mul_epu32(q, _mm_set1_epi64x(10000)));
  __m128i four = _mm_or_si128(q, _mm_slli_epi64(r, 32));
  q = _mm_srli_epi16(_mm_mulhi_epu16(four, _mm_set1_epi16(5243)), 3);
  r = _mm_sub_epi16(four, _mm_mullo_epi16(q, _mm_set1_epi16(100)));
  __m128i two = _mm_or_si128(q, _mm_slli_epi32(r, 16));
  q = _mm_mulhi_epu16(two, _mm_set1_epi16(6554));
  r = _mm_sub_epi16(two, _mm_mullo_epi16(q, _mm_set1_epi16(10)));
  return _mm_or_si128(q, _mm_slli_epi16(r, 8));
}

// A bit for each digit that is not zero.
inline uint32_t NonZero(__m128i digits) {
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpgt_epi8(digits, _mm_setzero_si128())));
}

inline __m128i ToText(__m128i digits) { return _mm_or_si128(digits, _mm_set1_epi8('0')); }

// Drops the first n bytes, 0 to 16.
inline __m128i DropFirst(__m128i v, int n) {
  alignas(16) static constexpr int8_t kShift[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                                    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  return _mm_shuffle_epi8(v, _mm_loadu_si128(reinterpret_cast<const __m128i*>(kShift + n)));
}

inline void Store(char* out, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(out), v); }

}  // namespace weir::digits
