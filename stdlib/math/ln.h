// stdlib/math/ln.h
#pragma once

namespace weir::fn {

/// fn ln(value: float64) -> float64 fails
/// The natural logarithm. Fails for zero and negative numbers.
///     ln(1.0)   // 0.0
///     ln(10.0)   // 2.30258509…
///     ln(0.0)   // fails
inline bool Ln(double value, double* out) {
  if (value <= 0) return false;
  *out = __builtin_log(value);
  return true;
}

}  // namespace weir::fn
