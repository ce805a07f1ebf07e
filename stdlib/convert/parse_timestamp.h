// stdlib/convert/parse_timestamp.h
#pragma once

#include "runtime/core/str.h"
#include "runtime/core/time.h"
#include "stdlib/time/pattern.h"

namespace weir::fn {

/// fn parse_timestamp(text: string) -> timestamp fails
/// Reads RFC 3339 with any offset and up to nine digits of a second. Fails for anything else and outside of the years
/// 1678 to 2261.
///     parse_timestamp("2026-01-02T10:00:00.5+01:00")   // t"2026-01-02T09:00:00.5Z"
///     parse_timestamp("2026-01-02")   // fails
inline bool ParseTimestamp(Str text, int64_t* out) { return weir::ParseTimestamp(text, out); }

/// fn parse_timestamp(text: string, pattern: string) -> timestamp fails
/// Reads a time in UTC that is written as `pattern` says, with the letters of `format_timestamp`. Digits are as many as
/// written there; what the pattern does not have is the smallest possible. Fails when the text is not so or the date is
/// not in the calendar.
///     parse_timestamp("20260102-09:30:00.250", "%Y%m%d-%H:%M:%S.%L")   // t"2026-01-02T09:30:00.25Z"
///     parse_timestamp("02/01/2026", "%d/%m/%Y")   // t"2026-01-02T00:00:00Z"
///     parse_timestamp("31/02/2026", "%d/%m/%Y")   // fails
///     parse_timestamp("02/01/2026 ", "%d/%m/%Y")   // fails
inline bool ParseTimestampAs(Str text, Str pattern, int64_t* out) { return ParsePattern(text, pattern, out); }

}  // namespace weir::fn
