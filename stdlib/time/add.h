// stdlib/time/add.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"

namespace weir::fn {

/// fn add(time: timestamp, by: duration) -> timestamp overflows
/// The time that much later; `+` does the same.
///     add(t"2026-01-02T09:00:00Z", 90m)   // t"2026-01-02T10:30:00Z"
///     add(t"2026-01-02T09:00:00Z", -1s)   // t"2026-01-02T08:59:59Z"
///     add(t"2262-04-11T00:00:00Z", 1d)   // fails
inline bool Add(int64_t time, int64_t by, int64_t* out) { return CheckedAdd(time, by, out); }

}  // namespace weir::fn
