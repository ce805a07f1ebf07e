// stdlib/text/lower.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"
#include "stdlib/text/case_mapping.h"

namespace weir::fn {

/// fn lower(text: string) -> string
/// The text in lower case, letter by letter in every script that has cases (Unicode's simple mappings); no language's own
/// rules.
///     lower("Weir 7")   // "weir 7"
///     lower("CAFÉ")   // "café"
///     lower("ΣΑΣ")   // "σασ"
inline Str Lower(Arena& arena, Str text) { return MapCase(arena, text, Case::kLower); }

}  // namespace weir::fn
