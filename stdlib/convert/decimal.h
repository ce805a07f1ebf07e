// stdlib/convert/decimal.h
#pragma once

#include "runtime/core/decimal.h"
#include "runtime/core/str.h"

namespace weir::fn {

template <class D>
inline bool NarrowDecimal(bool good, i128 value, D* out) {
  if (good) *out = static_cast<D>(value);
  return good;
}

/// fn decimal(value: decimal(a, b), p: const, s: const) -> decimal(p, s) fails
/// The value with `s` digits behind the point, rounded half to even, and `p` in all. Fails when it does not fit.
///     decimal(12.345, 18, 2)   // 12.34
///     decimal(12.355, 18, 2)   // 12.36
///     decimal(5, 18, 4)   // 5
///     decimal(100.0, 4, 2)   // fails
template <class D>
inline bool DecimalFromDecimal(i128 value, int p, int s, int b, D* out) {
  i128 wide = 0;
  return NarrowDecimal(Rescale(value, b, s, p, &wide), wide, out);
}

/// fn decimal(value: float64, p: const, s: const) -> decimal(p, s) fails
/// The number as its shortest text has it, rounded half to even. Fails for NaN, infinities and what does not fit.
///     decimal(0.1, 18, 4)   // 0.1
///     decimal(2.675, 18, 2)   // 2.68
///     decimal(1e20, 18, 2)   // fails
template <class D>
inline bool DecimalFromFloat64(double value, int p, int s, D* out) {
  i128 wide = 0;
  return NarrowDecimal(DecimalFromDouble(value, p, s, &wide), wide, out);
}

/// fn decimal(value: string, p: const, s: const) -> decimal(p, s) fails
/// As `parse_decimal`.
///     decimal("12.5", 18, 4)   // 12.5
///     decimal("x", 18, 4)   // fails
template <class D>
inline bool DecimalFromString(Str value, int p, int s, D* out) {
  return weir::ParseDecimal(value, p, s, out) == DecimalError::kOk;
}

}  // namespace weir::fn
