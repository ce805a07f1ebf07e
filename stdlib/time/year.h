// stdlib/time/year.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn year(day: date) -> int64
/// The year.
///     year(d"2026-01-02")   // 2026
inline int64_t Year(int32_t day) { return CivilFromDays(day).year; }

/// fn year(time: timestamp) -> int64
/// The year in UTC.
///     year(t"2026-01-02T00:00:00Z")   // 2026
inline int64_t YearOf(int64_t time) { return CivilFromDays(weir::DateOf(time)).year; }

}  // namespace weir::fn
