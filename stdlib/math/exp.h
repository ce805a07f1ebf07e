// stdlib/math/exp.h
#pragma once

namespace weir::fn {

/// fn exp(value: float64) -> float64 fails
/// e to this power. Fails when the result is beyond the largest float64.
///     exp(0.0)   // 1.0
///     exp(1.0)   // 2.71828182…
///     exp(1000.0)   // fails
inline bool Exp(double value, double* out) {
  double result = __builtin_exp(value);
  if (__builtin_isinf(result) && !__builtin_isinf(value)) return false;
  *out = result;
  return true;
}

}  // namespace weir::fn
