// stdlib/convert/int32.h
#pragma once

#include <cstdint>

#include "runtime/core/decimal.h"
#include "runtime/core/number_text.h"
#include "runtime/core/str.h"
#include "stdlib/convert/int64.h"

namespace weir::fn {

inline bool NarrowToInt32(bool good, int64_t value, int32_t* out) {
  if (!good || value != static_cast<int32_t>(value)) return false;
  *out = static_cast<int32_t>(value);
  return true;
}

/// fn int32(value: int64) -> int32 fails
/// The same number in 32 bits. Fails when it does not fit.
///     int32(42)   // 42
///     int32(2147483648)   // fails
inline bool Int32FromInt64(int64_t value, int32_t* out) { return NarrowToInt32(true, value, out); }

/// fn int32(value: decimal(p, s)) -> int32 fails
/// The same number. Fails when it is not whole or does not fit; `round`, `floor` and others make it whole first.
///     int32(42.00)   // 42
///     int32(42.50)   // fails
inline bool Int32FromDecimal(i128 value, int s, int32_t* out) {
  int64_t wide = 0;
  return NarrowToInt32(Int64FromDecimal(value, s, &wide), wide, out);
}

/// fn int32(value: float64) -> int32 fails
/// The same number. Fails when it is not whole or does not fit.
///     int32(-3.0)   // -3
///     int32(3.5)   // fails
inline bool Int32FromFloat64(double value, int32_t* out) {
  int64_t wide = 0;
  return NarrowToInt32(Int64FromFloat64(value, &wide), wide, out);
}

/// fn int32(value: string) -> int32 fails
/// Reads digits with an optional sign. Fails for anything else and beyond 32 bits.
///     int32("42")   // 42
///     int32("2147483648")   // fails
inline bool Int32FromString(Str value, int32_t* out) {
  int64_t wide = 0;
  return NarrowToInt32(weir::ParseInt64(value, &wide), wide, out);
}

}  // namespace weir::fn
