// stdlib/time/days_between.h
#pragma once

#include <cstdint>

namespace weir::fn {

/// fn days_between(from: date, to: date) -> int64
/// How many days later `to` is; negative when it is earlier.
///     days_between(d"2026-02-27", d"2026-03-01")   // 2
///     days_between(d"2026-01-01", d"2025-12-31")   // -1
inline int64_t DaysBetween(int32_t from, int32_t to) { return static_cast<int64_t>(to) - from; }

}  // namespace weir::fn
