// stdlib/time/milliseconds.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn milliseconds(value: duration) -> int64
/// The whole milliseconds of a duration, rounded toward zero.
///     milliseconds(1500ms)   // 1500
///     milliseconds(-1500us)   // -1
inline int64_t Milliseconds(int64_t value) { return value / kNsPerMs; }

}  // namespace weir::fn
