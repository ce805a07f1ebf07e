// stdlib/convert/parse_float64.h
#pragma once

#include "runtime/core/number_text.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn parse_float64(text: string) -> float64 fails
/// Reads a number with optional point and exponent, or `NaN`, `Infinity`, `-Infinity`. Fails for anything else and for
/// numbers beyond the largest float64.
///     parse_float64("1.5e3")   // 1500.0
///     parse_float64("-0.25")   // -0.25
///     parse_float64("1,5")   // fails
///     parse_float64("1e999")   // fails
inline bool ParseFloat64(Str text, double* out) { return ParseDouble(text, out); }

}  // namespace weir::fn
