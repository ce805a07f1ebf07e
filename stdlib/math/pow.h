// stdlib/math/pow.h
#pragma once

namespace weir::fn {

/// fn pow(base: float64, exponent: float64) -> float64 fails
/// `base` to the power of `exponent`. Fails when the result is no finite number though both are.
///     pow(2.0, 10.0)   // 1024.0
///     pow(2.0, 0.5)   // 1.41421356…
///     pow(-1.0, 0.5)   // fails
///     pow(0.0, -1.0)   // fails
///     pow(10.0, 400.0)   // fails
inline bool Pow(double base, double exponent, double* out) {
  double result = __builtin_pow(base, exponent);
  bool finite = __builtin_isfinite(base) && __builtin_isfinite(exponent);
  if (finite && !__builtin_isfinite(result)) return false;
  *out = result;
  return true;
}

}  // namespace weir::fn
