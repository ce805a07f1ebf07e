// stdlib/convert/int64.h
#pragma once

#include <cstdint>

#include "runtime/core/decimal.h"
#include "runtime/core/number_text.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn int64(value: int64) -> int64
/// The same number in 64 bits.
///     int64(42)   // 42
inline int64_t Int64FromInt64(int64_t value) { return value; }

/// fn int64(value: decimal(p, s)) -> int64 fails
/// The same number. Fails when it is not whole or does not fit; `round`, `floor` and others make it whole first.
///     int64(42.00)   // 42
///     int64(42.50)   // fails
///     int64(9223372036854775808.0)   // fails
inline bool Int64FromDecimal(i128 value, int s, int64_t* out) { return DecimalToInt64(value, s, out); }

/// fn int64(value: float64) -> int64 fails
/// The same number. Fails when it is not whole or does not fit.
///     int64(-3.0)   // -3
///     int64(3.5)   // fails
///     int64(1e19)   // fails
inline bool Int64FromFloat64(double value, int64_t* out) {
  // Both limits are doubles; the upper one is the first that does not fit.
  if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) return false;
  auto whole = static_cast<int64_t>(value);
  if (static_cast<double>(whole) != value) return false;
  *out = whole;
  return true;
}

/// fn int64(value: string) -> int64 fails
/// As `parse_int64`.
///     int64("42")   // 42
///     int64("x")   // fails
inline bool Int64FromString(Str value, int64_t* out) { return weir::ParseInt64(value, out); }

}  // namespace weir::fn
