// stdlib/time/from_milliseconds.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"
#include "runtime/core/time.h"

namespace weir::fn {

/// fn from_milliseconds(value: int64) -> duration overflows
/// A duration of that many milliseconds.
///     from_milliseconds(1500)   // 1500ms
///     from_milliseconds(9223372036854775807)   // fails
inline bool FromMilliseconds(int64_t value, int64_t* out) { return CheckedMul(value, kNsPerMs, out); }

}  // namespace weir::fn
