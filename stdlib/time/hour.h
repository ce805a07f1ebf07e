// stdlib/time/hour.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn hour(time: timestamp) -> int64
/// The hour in UTC, 0 to 23.
///     hour(t"2026-01-02T09:30:15Z")   // 9
///     hour(t"1969-12-31T23:30:00Z")   // 23
inline int64_t Hour(int64_t time) { return TimeOfDay(time) / kNsPerHour; }

}  // namespace weir::fn
