// stdlib/math/min.h
#pragma once

#include "runtime/core/str.h"

namespace weir::fn {

/// fn min(a: int64, b: int64) -> int64
/// The smaller of two.
///     min(3, -2)   // -2
inline int64_t MinInt64(int64_t a, int64_t b) { return b < a ? b : a; }

/// fn min(a: decimal(p, s), b: decimal(p, s)) -> decimal(p, s)
/// The smaller of two, which are first brought to one type.
///     min(3.5, 3.25)   // 3.25
template <class D>
inline D MinDecimal(D a, D b) {
  return b < a ? b : a;
}

/// fn min(a: float64, b: float64) -> float64
/// The smaller of two; NaN when one is.
///     min(3.5, 3.25)   // 3.25
inline double MinFloat64(double a, double b) { return b < a || b != b ? b : a; }

/// fn min(a: timestamp, b: timestamp) -> timestamp
/// The earlier of two.
///     min(t"2026-01-02T00:00:00Z", t"2026-01-01T00:00:00Z")   // t"2026-01-01T00:00:00Z"
inline int64_t MinTimestamp(int64_t a, int64_t b) { return b < a ? b : a; }

/// fn min(a: date, b: date) -> date
/// The earlier of two.
///     min(d"2026-01-02", d"2026-01-01")   // d"2026-01-01"
inline int32_t MinDate(int32_t a, int32_t b) { return b < a ? b : a; }

/// fn min(a: duration, b: duration) -> duration
/// The shorter of two.
///     min(90s, 1m)   // 1m
inline int64_t MinDuration(int64_t a, int64_t b) { return b < a ? b : a; }

/// fn min(a: string, b: string) -> string
/// The first of two in the order of code points.
///     min("b", "ab")   // "ab"
inline Str MinString(Str a, Str b) { return b < a ? b : a; }

}  // namespace weir::fn
