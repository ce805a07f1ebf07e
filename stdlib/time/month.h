// stdlib/time/month.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn month(day: date) -> int64
/// The month, 1 to 12.
///     month(d"2026-01-02")   // 1
inline int64_t Month(int32_t day) { return CivilFromDays(day).month; }

/// fn month(time: timestamp) -> int64
/// The month in UTC, 1 to 12.
///     month(t"2026-12-31T23:00:00Z")   // 12
inline int64_t MonthOf(int64_t time) { return CivilFromDays(weir::DateOf(time)).month; }

}  // namespace weir::fn
