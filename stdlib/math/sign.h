// stdlib/math/sign.h
#pragma once

#include "runtime/core/int128.h"

namespace weir::fn {

/// fn sign(value: int64) -> int64
/// -1, 0 or 1.
///     sign(-5)   // -1
///     sign(0)   // 0
inline int64_t SignInt64(int64_t value) { return (value > 0) - (value < 0); }

/// fn sign(value: decimal(p, s)) -> int64
/// -1, 0 or 1.
///     sign(0.01)   // 1
///     sign(-0.01)   // -1
inline int64_t SignDecimal(i128 value) { return (value > 0) - (value < 0); }

/// fn sign(value: float64) -> int64
/// -1, 0 or 1; 0 for NaN.
///     sign(-0.5)   // -1
inline int64_t SignFloat64(double value) { return (value > 0) - (value < 0); }

}  // namespace weir::fn
