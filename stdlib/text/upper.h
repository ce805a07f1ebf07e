// stdlib/text/upper.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"
#include "stdlib/text/case_mapping.h"

namespace weir::fn {

/// fn upper(text: string) -> string
/// The text in upper case, letter by letter in every script that has cases (Unicode's simple mappings); no language's own
/// rules.
///     upper("Weir 7")   // "WEIR 7"
///     upper("café")   // "CAFÉ"
///     upper("река")   // "РЕКА"
///     upper("straße")   // "STRAßE"
inline Str Upper(Arena& arena, Str text) { return MapCase(arena, text, Case::kUpper); }

}  // namespace weir::fn
