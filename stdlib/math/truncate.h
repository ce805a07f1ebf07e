// stdlib/math/truncate.h
#pragma once

#include "runtime/core/decimal.h"

namespace weir::fn {

/// fn truncate(value: decimal(p, s)) -> decimal(p, 0)
/// The value without its fraction: rounded toward zero.
///     truncate(2.75)   // 2
///     truncate(-2.75)   // -2
inline i128 TruncateDecimal(i128 value, int s) { return RoundDown(value, s, Rounding::kTowardZero); }

/// fn truncate(value: float64) -> float64
/// The value without its fraction.
///     truncate(-2.75)   // -2.0
inline double TruncateFloat64(double value) { return __builtin_trunc(value); }

}  // namespace weir::fn
