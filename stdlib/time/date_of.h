// stdlib/time/date_of.h
#pragma once

#include <cstdint>

#include "runtime/core/time.h"

namespace weir::fn {

/// fn date_of(time: timestamp) -> date
/// The day, in UTC, in which the time falls.
///     date_of(t"2026-01-02T23:59:59Z")   // d"2026-01-02"
///     date_of(t"1969-12-31T23:59:59Z")   // d"1969-12-31"
inline int32_t DateOf(int64_t time) { return weir::DateOf(time); }

}  // namespace weir::fn
