// stdlib/time/add_days.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"

namespace weir::fn {

/// fn add_days(day: date, days: int64) -> date overflows
/// The date that many days later, or earlier when negative.
///     add_days(d"2026-02-27", 2)   // d"2026-03-01"
///     add_days(d"2026-01-01", -1)   // d"2025-12-31"
///     add_days(d"2026-01-01", 9000000000)   // fails
inline bool AddDays(int32_t day, int64_t days, int32_t* out) {
  int64_t sum = 0;
  if (!CheckedAdd(int64_t{day}, days, &sum) || sum != static_cast<int32_t>(sum)) return false;
  *out = static_cast<int32_t>(sum);
  return true;
}

}  // namespace weir::fn
