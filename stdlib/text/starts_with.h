// stdlib/text/starts_with.h
#pragma once

#include <cstring>

#include "runtime/core/str.h"

namespace weir::fn {

/// fn starts_with(text: string, prefix: string) -> bool
/// Whether the text begins with `prefix`. Every text begins with the empty one.
///     starts_with("XNYS-LIT", "XNYS")   // true
///     starts_with("XN", "XNYS")   // false
///     starts_with("XNYS", "")   // true
inline bool StartsWith(Str text, Str prefix) { return text.size >= prefix.size && text.Sub(0, prefix.size) == prefix; }

}  // namespace weir::fn
