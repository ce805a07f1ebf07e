// stdlib/convert/parse_int64.h
#pragma once

#include "runtime/core/number_text.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn parse_int64(text: string) -> int64 fails
/// Reads digits with an optional sign. Fails for anything else, spaces included, and beyond 64 bits.
///     parse_int64("42")   // 42
///     parse_int64("-7")   // -7
///     parse_int64("1.0")   // fails
///     parse_int64(" 1")   // fails
///     parse_int64("9223372036854775808")   // fails
inline bool ParseInt64(Str text, int64_t* out) { return weir::ParseInt64(text, out); }

}  // namespace weir::fn
