// stdlib/math/abs.h
#pragma once

#include "runtime/core/decimal.h"

namespace weir::fn {

/// fn abs(value: int64) -> int64 overflows
/// The number without its sign. Overflows for the smallest int64 only.
///     abs(-5)   // 5
///     abs(5)   // 5
///     abs(-9223372036854775808)   // fails
inline bool AbsInt64(int64_t value, int64_t* out) {
  if (value == INT64_MIN) return false;
  *out = value < 0 ? -value : value;
  return true;
}

/// fn abs(value: decimal(p, s)) -> decimal(p, s)
/// The number without its sign.
///     abs(-5.25)   // 5.25
template <class D>
inline D AbsDecimal(D value) {
  return value < 0 ? -value : value;
}

/// fn abs(value: float64) -> float64
/// The number without its sign.
///     abs(-5.25)   // 5.25
inline double AbsFloat64(double value) { return __builtin_fabs(value); }

}  // namespace weir::fn
