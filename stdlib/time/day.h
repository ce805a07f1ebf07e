// stdlib/time/day.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn day(day: date) -> int64
/// The day of the month, 1 to 31.
///     day(d"2026-01-02")   // 2
inline int64_t Day(int32_t day) { return CivilFromDays(day).day; }

/// fn day(time: timestamp) -> int64
/// The day of the month in UTC, 1 to 31.
///     day(t"2026-12-31T23:00:00Z")   // 31
inline int64_t DayOf(int64_t time) { return CivilFromDays(weir::DateOf(time)).day; }

}  // namespace weir::fn
