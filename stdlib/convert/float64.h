// stdlib/convert/float64.h
#pragma once

#include "runtime/core/decimal.h"
#include "runtime/core/number_text.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn float64(value: float64) -> float64
/// The number itself.
///     float64(1.5)   // 1.5
inline double Float64FromFloat64(double value) { return value; }

/// fn float64(value: int64) -> float64
/// The nearest float64; whole numbers beyond 2^53 may not be exact.
///     float64(42)   // 42.0
inline double Float64FromInt64(int64_t value) { return static_cast<double>(value); }

/// fn float64(value: decimal(p, s)) -> float64
/// The nearest float64.
///     float64(0.10)   // 0.1
inline double Float64FromDecimal(i128 value, int s) { return DecimalToDouble(value, s); }

/// fn float64(value: string) -> float64 fails
/// As `parse_float64`.
///     float64("0.1")   // 0.1
///     float64("")   // fails
inline bool Float64FromString(Str value, double* out) { return ParseDouble(value, out); }

}  // namespace weir::fn
