// UTF-8: validation sixteen bytes at a time where it is ASCII, counting, decoding.
#include "runtime/core/utf8.h"

#include <emmintrin.h>

#include <cstring>

namespace weir {

size_t ValidUtf8Prefix(const char* data, size_t size) {
  const auto* p = reinterpret_cast<const unsigned char*>(data);
  const auto* end = p + size;
  while (p != end) {
    while (end - p >= 16) {
      int high = _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
      if (high != 0) {
        p += __builtin_ctz(static_cast<unsigned>(high));
        break;
      }
      p += 16;
    }
    if (p == end) break;
    unsigned c = *p;
    size_t left = static_cast<size_t>(end - p);
    if (c < 0x80) {
      ++p;
    } else if (c < 0xc2) {  // a continuation byte, or overlong
      break;
    } else if (c < 0xe0) {
      if (left < 2 || (p[1] & 0xc0) != 0x80) break;
      p += 2;
    } else if (c < 0xf0) {
      if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) break;
      if (c == 0xe0 && p[1] < 0xa0) break;   // overlong
      if (c == 0xed && p[1] >= 0xa0) break;  // surrogates
      p += 3;
    } else if (c < 0xf5) {
      if (left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80) break;
      if (c == 0xf0 && p[1] < 0x90) break;   // overlong
      if (c == 0xf4 && p[1] >= 0x90) break;  // beyond U+10FFFF
      p += 4;
    } else {
      break;
    }
  }
  return static_cast<size_t>(p - reinterpret_cast<const unsigned char*>(data));
}

uint32_t CountCodePoints(Str text) {
  uint32_t count = 0;
  const char* p = text.data;
  const char* end = p + text.size;
  // Every byte that is no continuation (10xxxxxx, below -64 as a signed number) starts one.
  for (; end - p >= 16; p += 16) {
    __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    int starts = _mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_set1_epi8(-65)));
    count += static_cast<uint32_t>(__builtin_popcount(static_cast<unsigned>(starts)));
  }
  for (; p != end; ++p) count += static_cast<signed char>(*p) > -65 ? 1 : 0;
  return count;
}

uint32_t CodePointOffset(Str text, uint32_t index) {
  const char* p = text.data;
  const char* end = p + text.size;
  while (index > 0 && p < end) {
    p += Utf8Width(static_cast<unsigned char>(*p));
    --index;
  }
  return p < end ? static_cast<uint32_t>(p - text.data) : text.size;
}

uint32_t DecodeCodePoint(const char** at) {
  const auto* p = reinterpret_cast<const unsigned char*>(*at);
  unsigned c = p[0];
  if (c < 0x80) {
    *at += 1;
    return c;
  }
  if (c < 0xe0) {
    *at += 2;
    return (c & 0x1f) << 6 | (p[1] & 0x3fu);
  }
  if (c < 0xf0) {
    *at += 3;
    return (c & 0x0f) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
  }
  *at += 4;
  return (c & 0x07) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
}

}  // namespace weir
