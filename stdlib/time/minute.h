// stdlib/time/minute.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn minute(time: timestamp) -> int64
/// The minute of the hour, 0 to 59.
///     minute(t"2026-01-02T09:30:15Z")   // 30
inline int64_t Minute(int64_t time) { return TimeOfDay(time) / kNsPerMinute % 60; }

}  // namespace weir::fn
