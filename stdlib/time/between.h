// stdlib/time/between.h
#pragma once

#include <cstdint>

#include "runtime/core/int128.h"

namespace weir::fn {

/// fn between(from: timestamp, to: timestamp) -> duration overflows
/// How much later `to` is; negative when it is earlier. `to - from` does the same.
///     between(t"2026-01-02T09:00:00Z", t"2026-01-02T10:30:00Z")   // 90m
///     between(t"2026-01-02T09:00:01Z", t"2026-01-02T09:00:00Z")   // -1s
///     between(t"1700-01-01T00:00:00Z", t"2200-01-01T00:00:00Z")   // fails
inline bool Between(int64_t from, int64_t to, int64_t* out) { return CheckedSub(to, from, out); }

}  // namespace weir::fn
