// stdlib/text/replace.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn replace(text: string, part: string, by: string) -> string
/// The text with every `part` replaced, from the start on and without looking at what was put in. An empty `part` replaces
/// nothing.
///     replace("1.234.567", ".", "")   // "1234567"
///     replace("aaa", "aa", "b")   // "ba"
///     replace("abc", "", "x")   // "abc"
Str Replace(Arena& arena, Str text, Str part, Str by);

}  // namespace weir::fn
