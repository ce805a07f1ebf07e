// Times by pattern, both ways. Not a function of the language.
#pragma once

#include <cstdint>

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

Str FormatPattern(Arena& arena, int64_t time, Str pattern);
bool ParsePattern(Str text, Str pattern, int64_t* out);

}  // namespace weir::fn
