// stdlib/text/repeat.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn repeat(text: string, times: int64) -> string fails
/// The text that many times. Fails when `times` is negative or the result has more than 16 MiB.
///     repeat("ab", 3)   // "ababab"
///     repeat("ab", 0)   // ""
///     repeat("ab", -1)   // fails
///     repeat("ab", 10000000)   // fails
bool Repeat(Arena& arena, Str text, int64_t times, Str* out);

}  // namespace weir::fn
