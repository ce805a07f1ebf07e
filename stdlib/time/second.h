// stdlib/time/second.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn second(time: timestamp) -> int64
/// The second of the minute, 0 to 59.
///     second(t"2026-01-02T09:30:15.9Z")   // 15
inline int64_t Second(int64_t time) { return TimeOfDay(time) / kNsPerSecond % 60; }

}  // namespace weir::fn
