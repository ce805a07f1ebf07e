// stdlib/time/from_seconds.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"
#include "runtime/core/time.h"

namespace weir::fn {

/// fn from_seconds(value: int64) -> duration overflows
/// A duration of that many seconds.
///     from_seconds(90)   // 90s
///     from_seconds(9223372036854775807)   // fails
inline bool FromSeconds(int64_t value, int64_t* out) { return CheckedMul(value, kNsPerSecond, out); }

}  // namespace weir::fn
