// stdlib/text/reverse.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn reverse(text: string) -> string
/// The characters (code points) from the last to the first.
///     reverse("abc")   // "cba"
///     reverse("été!")   // "!été"
Str Reverse(Arena& arena, Str text);

}  // namespace weir::fn
