// compiler/base/utf8.h — UTF-8 as the compiler needs it: decode with care, count characters,
// encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weirc {

struct Utf8Character {
  char32_t code = 0;  // meaningless when not valid
  uint32_t size = 1;  // bytes taken; 1 for a byte that starts no valid character
  bool valid = false;
};

// The character at `offset`, which must be inside `text`. Overlong forms, surrogates, values above
// U+10FFFF and cut sequences are not valid.
Utf8Character DecodeUtf8(std::string_view text, size_t offset);

// Characters in `text`; each byte that is part of no valid character counts as one.
size_t CountCharacters(std::string_view text);

// Appends `code`, which must be a Unicode scalar value.
void AppendUtf8(char32_t code, std::string* out);

// Columns a terminal uses for a character: 0 for combining marks, 2 for wide East Asian characters
// and emoji, else 1.
int DisplayWidth(char32_t code);

}  // namespace weirc
