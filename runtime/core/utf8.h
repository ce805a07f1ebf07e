// UTF-8: validation, counting and encoding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

namespace weir {

// How many bytes at the start are well-formed (RFC 3629: no surrogates, nothing overlong, at most U+10FFFF);
// `size` when all are.
size_t ValidUtf8Prefix(const char* data, size_t size);
inline bool ValidUtf8(Str text) { return ValidUtf8Prefix(text.data, text.size) == text.size; }

// Code points in well-formed text.
uint32_t CountCodePoints(Str text);

// The byte at which code point number `index` starts, or the size when there are not that many.
uint32_t CodePointOffset(Str text, uint32_t index);

// Bytes of the code point whose first byte this is, in well-formed text.
inline int Utf8Width(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

// Decodes one code point of well-formed text and moves `*at` behind it.
uint32_t DecodeCodePoint(const char** at);

// Writes one code point, which must not be a surrogate; returns its size, 1 to 4.
inline int EncodeUtf8(uint32_t code_point, char* out) {
  if (code_point < 0x80) {
    out[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    out[0] = static_cast<char>(0xc0 | code_point >> 6);
    out[1] = static_cast<char>(0x80 | (code_point & 0x3f));
    return 2;
  }
  if (code_point < 0x10000) {
    out[0] = static_cast<char>(0xe0 | code_point >> 12);
    out[1] = static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
    out[2] = static_cast<char>(0x80 | (code_point & 0x3f));
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | code_point >> 18);
  out[1] = static_cast<char>(0x80 | (code_point >> 12 & 0x3f));
  out[2] = static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
  out[3] = static_cast<char>(0x80 | (code_point & 0x3f));
  return 4;
}

}  // namespace weir
