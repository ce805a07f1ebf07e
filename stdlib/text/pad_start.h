// stdlib/text/pad_start.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"
#include "stdlib/text/pad.h"

namespace weir::fn {

/// fn pad_start(text: string, size: int64, fill: string) -> string
/// The text with as much of `fill` in front, repeated and cut, as makes it `size` characters long. A text that is long
/// enough stays as it is, and so does every text when `fill` is empty. Sizes beyond 4096 count as 4096.
///     pad_start("42", 5, "0")   // "00042"
///     pad_start("42", 7, "ab")   // "ababa42"
///     pad_start("12345", 3, "0")   // "12345"
///     pad_start("é", 3, "·")   // "··é"
inline Str PadStart(Arena& arena, Str text, int64_t size, Str fill) { return Pad(arena, text, size, fill, true); }

}  // namespace weir::fn
