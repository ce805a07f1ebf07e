// stdlib/text/ends_with.h
#pragma once

#include "runtime/core/str.h"

namespace weir::fn {

/// fn ends_with(text: string, suffix: string) -> bool
/// Whether the text ends with `suffix`. Every text ends with the empty one.
///     ends_with("trades.csv", ".csv")   // true
///     ends_with("csv", ".csv")   // false
inline bool EndsWith(Str text, Str suffix) {
  return text.size >= suffix.size && text.Sub(text.size - suffix.size) == suffix;
}

}  // namespace weir::fn
