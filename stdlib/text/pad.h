// Filling texts up. Not a function of the language.
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

inline constexpr int64_t kPaddedMax = 4096;

Str Pad(Arena& arena, Str text, int64_t size, Str fill, bool in_front);

}  // namespace weir::fn
