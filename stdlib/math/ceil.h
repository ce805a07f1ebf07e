// stdlib/math/ceil.h
#pragma once

#include "runtime/core/decimal.h"

namespace weir::fn {

/// fn ceil(value: decimal(p, s)) -> decimal(p, 0)
/// The smallest whole number that is not smaller.
///     ceil(2.25)   // 3
///     ceil(-2.75)   // -2
inline i128 CeilDecimal(i128 value, int s) { return RoundDown(value, s, Rounding::kCeiling); }

/// fn ceil(value: float64) -> float64
/// The smallest whole number that is not smaller.
///     ceil(2.25)   // 3.0
inline double CeilFloat64(double value) { return __builtin_ceil(value); }

}  // namespace weir::fn
