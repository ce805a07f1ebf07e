// stdlib/text/substring.h
#pragma once

#include "runtime/core/str.h"
#include "runtime/core/utf8.h"

namespace weir::fn {

/// fn substring(text: string, from: int64) -> string
/// The text from character number `from` on, counted from 0; a negative number counts from the end. Empty when there is
/// nothing there.
///     substring("ACC-0042", 4)   // "0042"
///     substring("ACC-0042", -2)   // "42"
///     substring("été", 1)   // "té"
///     substring("abc", 9)   // ""
///     substring("abc", -9)   // "abc"
inline Str SubstringFrom(Str text, int64_t from) {
  if (from < 0) {
    from += CountCodePoints(text);
    if (from < 0) from = 0;
  }
  if (from >= text.size) return Str("", size_t{0});
  return text.Sub(CodePointOffset(text, static_cast<uint32_t>(from)));
}

/// fn substring(text: string, from: int64, count: int64) -> string
/// At most `count` characters from number `from` on. What is not there is left out.
///     substring("ACC-0042", 0, 3)   // "ACC"
///     substring("été", 1, 1)   // "t"
///     substring("abc", 2, 5)   // "c"
///     substring("abc", -2, 1)   // "b"
///     substring("abc", 1, -1)   // ""
inline Str Substring(Str text, int64_t from, int64_t count) {
  Str rest = SubstringFrom(text, from);
  if (count <= 0) return Str("", size_t{0});
  if (count >= rest.size) return rest;
  return rest.Sub(0, CodePointOffset(rest, static_cast<uint32_t>(count)));
}

}  // namespace weir::fn
