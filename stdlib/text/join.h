// stdlib/text/join.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/list.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn join(parts: list<string>, between: string) -> string
/// The parts one after another, with `between` between them. (Steps that meet another stream are `| join …`.)
///     join(["a", "b", "c"], ", ")   // "a, b, c"
///     join(["a"], ", ")   // "a"
///     join([], ", ")   // ""
Str Join(Arena& arena, List<Str> parts, Str between);

}  // namespace weir::fn
