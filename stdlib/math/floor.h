// stdlib/math/floor.h
#pragma once

#include "runtime/core/decimal.h"

namespace weir::fn {

/// fn floor(value: decimal(p, s)) -> decimal(p, 0)
/// The largest whole number that is not larger.
///     floor(2.75)   // 2
///     floor(-2.75)   // -3
inline i128 FloorDecimal(i128 value, int s) { return RoundDown(value, s, Rounding::kFloor); }

/// fn floor(value: float64) -> float64
/// The largest whole number that is not larger.
///     floor(-2.75)   // -3.0
inline double FloorFloat64(double value) { return __builtin_floor(value); }

}  // namespace weir::fn
