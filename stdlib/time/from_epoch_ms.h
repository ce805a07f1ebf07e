// stdlib/time/from_epoch_ms.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn from_epoch_ms(value: int64) -> timestamp overflows
/// The time that many milliseconds after 1970-01-01T00:00:00Z.
///     from_epoch_ms(1767344400500)   // t"2026-01-02T09:00:00.5Z"
///     from_epoch_ms(9223372036854775807)   // fails
inline bool FromEpochMs(int64_t value, int64_t* out) { return TimestampFromMilliseconds(value, out); }

}  // namespace weir::fn
