// stdlib/time/format_timestamp.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"
#include "stdlib/time/pattern.h"

namespace weir::fn {

/// fn format_timestamp(time: timestamp, pattern: string) -> string
/// The time in UTC as the pattern says: `%Y` year, `%m` month, `%d` day, `%j` day of the year, `%H` hour, `%M` minute, `%S`
/// second, `%L` milliseconds, `%f` microseconds, `%N` nanoseconds (three, six and nine digits), `%F` for `%Y-%m-%d`, `%T` for
/// `%H:%M:%S`, `%%` for a percent sign. Everything else stands for itself.
///     format_timestamp(t"2026-01-02T09:30:00.25Z", "%Y%m%d-%H:%M:%S.%L")   // "20260102-09:30:00.250"
///     format_timestamp(t"2026-01-02T09:30:00Z", "%F, day %j")   // "2026-01-02, day 002"
///     format_timestamp(t"2026-01-02T09:30:00Z", "100%% %q")   // "100% %q"
inline Str FormatTimestamp(Arena& arena, int64_t time, Str pattern) { return FormatPattern(arena, time, pattern); }

}  // namespace weir::fn
