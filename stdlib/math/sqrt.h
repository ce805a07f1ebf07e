// stdlib/math/sqrt.h
#pragma once

namespace weir::fn {

/// fn sqrt(value: float64) -> float64 fails
/// The square root. Fails for negative numbers.
///     sqrt(6.25)   // 2.5
///     sqrt(2.0)   // 1.41421356…
///     sqrt(-1.0)   // fails
inline bool Sqrt(double value, double* out) {
  if (value < 0) return false;
  *out = __builtin_sqrt(value);
  return true;
}

}  // namespace weir::fn
