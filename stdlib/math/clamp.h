// stdlib/math/clamp.h
#pragma once

namespace weir::fn {

/// fn clamp(value: int64, low: int64, high: int64) -> int64
/// The value, or the nearer limit when it is outside of them. `low` when the limits are the wrong way round.
///     clamp(7, 0, 5)   // 5
///     clamp(-7, 0, 5)   // 0
///     clamp(3, 0, 5)   // 3
inline int64_t ClampInt64(int64_t value, int64_t low, int64_t high) {
  if (value > high) value = high;
  return value < low ? low : value;
}

/// fn clamp(value: decimal(p, s), low: decimal(p, s), high: decimal(p, s)) -> decimal(p, s)
/// The value, or the nearer limit when it is outside of them.
///     clamp(7.25, 0.5, 5.0)   // 5
template <class D>
inline D ClampDecimal(D value, D low, D high) {
  if (value > high) value = high;
  return value < low ? low : value;
}

/// fn clamp(value: float64, low: float64, high: float64) -> float64
/// The value, or the nearer limit when it is outside of them; NaN stays NaN.
///     clamp(-7.5, 0.0, 5.0)   // 0.0
inline double ClampFloat64(double value, double low, double high) {
  if (value > high) value = high;
  return value < low ? low : value;
}

}  // namespace weir::fn
