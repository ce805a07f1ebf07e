// stdlib/convert/parse_duration.h
#pragma once

#include "runtime/core/str.h"
#include "runtime/core/time.h"

namespace weir::fn {

/// fn parse_duration(text: string) -> duration fails
/// Reads numbers with units, as durations are written in a pipeline. Fails for anything else.
///     parse_duration("1h30m")   // 90m
///     parse_duration("-1.5s")   // -1500ms
///     parse_duration("90")   // fails
inline bool ParseDuration(Str text, int64_t* out) { return weir::ParseDuration(text, out); }

}  // namespace weir::fn
