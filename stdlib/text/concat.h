// stdlib/text/concat.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn concat(a: string, b: string) -> string
/// One text after the other. `"{a}{b}"` does the same.
///     concat("SYM", "001")   // "SYM001"
///     concat("", "")   // ""
Str Concat(Arena& arena, Str a, Str b);

/// fn concat(a: string, b: string, c: string) -> string
/// Three texts, one after another.
///     concat("a", "-", "b")   // "a-b"
Str Concat(Arena& arena, Str a, Str b, Str c);

}  // namespace weir::fn
