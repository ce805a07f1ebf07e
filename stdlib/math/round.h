// stdlib/math/round.h
#pragma once

#include "runtime/core/decimal.h"

namespace weir::fn {

/// fn round(value: decimal(p, s), digits: const) -> decimal(p, digits)
/// Rounds half to even at `digits` behind the point, which are at most as many as the value has.
///     round(2.675, 2)   // 2.68
///     round(2.665, 2)   // 2.66
///     round(-2.675, 2)   // -2.68
///     round(9.99, 1)   // 10
///     round(2.5, 0)   // 2
inline i128 RoundDecimal(i128 value, int digits, int s) {
  return digits >= s ? value : RoundDown(value, s - digits, Rounding::kHalfEven);
}

/// fn round(value: float64) -> float64
/// The nearest whole number, half to even.
///     round(2.5)   // 2.0
///     round(-3.7)   // -4.0
inline double RoundFloat64(double value) { return __builtin_roundeven(value); }

}  // namespace weir::fn
