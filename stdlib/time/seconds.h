// stdlib/time/seconds.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn seconds(value: duration) -> int64
/// The whole seconds of a duration, rounded toward zero.
///     seconds(90m)   // 5400
///     seconds(-1500ms)   // -1
inline int64_t Seconds(int64_t value) { return value / kNsPerSecond; }

}  // namespace weir::fn
