// stdlib/time/epoch_ms.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn epoch_ms(time: timestamp) -> int64
/// Milliseconds since 1970-01-01T00:00:00Z, rounded toward the past.
///     epoch_ms(t"2026-01-02T09:00:00.5009Z")   // 1767344400500
///     epoch_ms(t"1969-12-31T23:59:59.9999Z")   // -1
inline int64_t EpochMs(int64_t time) { return TimestampToMilliseconds(time); }

}  // namespace weir::fn
