// stdlib/text/pad_end.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"
#include "stdlib/text/pad.h"

namespace weir::fn {

/// fn pad_end(text: string, size: int64, fill: string) -> string
/// The text with as much of `fill` behind, repeated and cut, as makes it `size` characters long. As `pad_start` else.
///     pad_end("42", 5, ".")   // "42..."
///     pad_end("42", 5, "")   // "42"
inline Str PadEnd(Arena& arena, Str text, int64_t size, Str fill) { return Pad(arena, text, size, fill, false); }

}  // namespace weir::fn
