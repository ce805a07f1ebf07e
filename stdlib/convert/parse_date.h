// stdlib/convert/parse_date.h
#pragma once

#include "runtime/core/str.h"
#include "runtime/core/time.h"

namespace weir::fn {

/// fn parse_date(text: string) -> date fails
/// Reads year, month and day as `2026-01-02`. Fails for anything else and for days that are not in the calendar.
///     parse_date("2024-02-29")   // d"2024-02-29"
///     parse_date("2026-02-29")   // fails
inline bool ParseDate(Str text, int32_t* out) { return weir::ParseDate(text, out); }

}  // namespace weir::fn
