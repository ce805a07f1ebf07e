// stdlib/text/contains.h
#pragma once

#include "runtime/core/str.h"
#include "stdlib/text/find.h"

namespace weir::fn {

/// fn contains(text: string, part: string) -> bool
/// Whether `part` occurs in the text. The empty text occurs in every text.
///     contains("XNYS-LIT", "-L")   // true
///     contains("XNYS-LIT", "DARK")   // false
///     contains("", "")   // true
inline bool Contains(Str text, Str part) { return Find(text, part) != kNotFound; }

}  // namespace weir::fn
