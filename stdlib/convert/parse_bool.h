// stdlib/convert/parse_bool.h
#pragma once

#include "runtime/core/str.h"

namespace weir::fn {

/// fn parse_bool(text: string) -> bool fails
/// Reads `true` or `false`, in lower case. Fails for anything else.
///     parse_bool("true")   // true
///     parse_bool("yes")   // fails
inline bool ParseBool(Str text, bool* out) {
  *out = text == Str("true");
  return *out || text == Str("false");
}

}  // namespace weir::fn
