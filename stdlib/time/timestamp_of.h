// stdlib/time/timestamp_of.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"
#include "runtime/core/time.h"

namespace weir::fn {

/// fn timestamp_of(day: date) -> timestamp overflows
/// Midnight at the start of the day, in UTC. Overflows outside of the years 1678 to 2261.
///     timestamp_of(d"2026-01-02")   // t"2026-01-02T00:00:00Z"
///     timestamp_of(d"9999-01-01")   // fails
inline bool TimestampOf(int32_t day, int64_t* out) { return CheckedMul(int64_t{day}, kNsPerDay, out); }

}  // namespace weir::fn
