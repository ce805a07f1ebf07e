// stdlib/math/round_half_up.h
#pragma once

#include "runtime/core/decimal.h"

namespace weir::fn {

/// fn round_half_up(value: decimal(p, s), digits: const) -> decimal(p, digits)
/// Rounds at `digits` behind the point, half away from zero: the rounding of invoices. `digits` are at most as many as the
/// value has.
///     round_half_up(2.665, 2)   // 2.67
///     round_half_up(-2.5, 0)   // -3
inline i128 RoundHalfUp(i128 value, int digits, int s) {
  return digits >= s ? value : RoundDown(value, s - digits, Rounding::kHalfAwayFromZero);
}

}  // namespace weir::fn
