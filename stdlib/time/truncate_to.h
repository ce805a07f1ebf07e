// stdlib/time/truncate_to.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"

namespace weir::fn {

/// fn truncate_to(time: timestamp, unit: duration) -> timestamp
/// The start of the unit, counted from 1970-01-01T00:00:00Z, in which the time falls. A unit that is not positive leaves
/// it as it is.
///     truncate_to(t"2026-01-02T09:31:15Z", 5m)   // t"2026-01-02T09:30:00Z"
///     truncate_to(t"2026-01-02T09:31:15Z", 1d)   // t"2026-01-02T00:00:00Z"
///     truncate_to(t"1969-12-31T23:59:59Z", 1h)   // t"1969-12-31T23:00:00Z"
///     truncate_to(t"2026-01-02T09:31:15Z", 0s)   // t"2026-01-02T09:31:15Z"
inline int64_t TruncateTo(int64_t time, int64_t unit) {
  if (unit <= 0) return time;
  int64_t rest = time % unit;
  if (rest < 0) rest += unit;
  int64_t start = time;
  (void)CheckedSub(time, rest, &start);  // before the first timestamp there is nothing: unchanged
  return start;
}

}  // namespace weir::fn
