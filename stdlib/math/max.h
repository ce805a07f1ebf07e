// stdlib/math/max.h
#pragma once

#include "runtime/core/str.h"

namespace weir::fn {

/// fn max(a: int64, b: int64) -> int64
/// The larger of two.
///     max(3, -2)   // 3
inline int64_t MaxInt64(int64_t a, int64_t b) { return a < b ? b : a; }

/// fn max(a: decimal(p, s), b: decimal(p, s)) -> decimal(p, s)
/// The larger of two, which are first brought to one type.
///     max(3.5, 3.25)   // 3.5
template <class D>
inline D MaxDecimal(D a, D b) {
  return a < b ? b : a;
}

/// fn max(a: float64, b: float64) -> float64
/// The larger of two; NaN when one is.
///     max(3.5, 3.25)   // 3.5
inline double MaxFloat64(double a, double b) { return a < b || b != b ? b : a; }

/// fn max(a: timestamp, b: timestamp) -> timestamp
/// The later of two.
///     max(t"2026-01-02T00:00:00Z", t"2026-01-01T00:00:00Z")   // t"2026-01-02T00:00:00Z"
inline int64_t MaxTimestamp(int64_t a, int64_t b) { return a < b ? b : a; }

/// fn max(a: date, b: date) -> date
/// The later of two.
///     max(d"2026-01-02", d"2026-01-01")   // d"2026-01-02"
inline int32_t MaxDate(int32_t a, int32_t b) { return a < b ? b : a; }

/// fn max(a: duration, b: duration) -> duration
/// The longer of two.
///     max(90s, 1m)   // 90s
inline int64_t MaxDuration(int64_t a, int64_t b) { return a < b ? b : a; }

/// fn max(a: string, b: string) -> string
/// The last of two in the order of code points.
///     max("b", "ab")   // "b"
inline Str MaxString(Str a, Str b) { return a < b ? b : a; }

}  // namespace weir::fn
