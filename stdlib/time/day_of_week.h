// stdlib/time/day_of_week.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn day_of_week(day: date) -> int64
/// 1 for Monday to 7 for Sunday.
///     day_of_week(d"2026-01-02")   // 5
///     day_of_week(d"1969-12-28")   // 7
inline int64_t DayOfWeek(int32_t day) {
  int64_t since_monday = (static_cast<int64_t>(day) + 3) % 7;  // 1970-01-01 was a Thursday
  return (since_monday < 0 ? since_monday + 7 : since_monday) + 1;
}

/// fn day_of_week(time: timestamp) -> int64
/// 1 for Monday to 7 for Sunday, in UTC.
///     day_of_week(t"2026-01-04T12:00:00Z")   // 7
inline int64_t DayOfWeekOf(int64_t time) { return DayOfWeek(weir::DateOf(time)); }

}  // namespace weir::fn
