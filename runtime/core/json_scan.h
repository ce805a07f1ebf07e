// The inner loops of reading JSON: eight digits at a time, sixteen bytes of a string at a time. Private to
// json_reader.h and its .cc files.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>

namespace weir::json_scan {

inline uint64_t Load8(const char* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

inline __m128i Load16(const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// A bit for each of sixteen bytes that are the same.
inline uint32_t Same16(const char* a, const char* b) {
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(Load16(a), Load16(b))));
}

// Turns eight characters into digit values: what was '0' to '9' becomes 0 to 9.
inline uint64_t ToDigits(uint64_t chars) { return chars ^ 0x3030303030303030u; }

// The lowest set bit is bit 7 of the first byte that is no digit; 0 when all eight are digits. Bytes behind the first
// may be wrong, because the addition carries.
inline uint64_t NonDigits(uint64_t digits) {
  return ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
}

// The number that eight digit values spell; the first is in the lowest byte.
inline uint64_t EightDigits(uint64_t d) {
  d = d * 10 + (d >> 8);
  return (((d & 0x000000ff000000ffu) * 0x000f424000000064u) +
          (((d >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
         32;
}

// A bit for each of the sixteen bytes at which copying a string must stop: the quote, the backslash, control
// characters and (so that UTF-8 is looked at) everything that is not ASCII.
inline uint32_t StringStops(__m128i v) {
  __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  __m128i other = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));  // signed: bytes from 0x80 on are negative
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other)));
}

}  // namespace weir::json_scan
