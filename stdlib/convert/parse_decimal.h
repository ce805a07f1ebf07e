// stdlib/convert/parse_decimal.h
#pragma once

#include "runtime/core/decimal.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn parse_decimal(text: string, p: const, s: const) -> decimal(p, s) fails
/// Reads a number exactly. Fails when it is none, has more than `s` digits (other than zeros) behind the point, or more
/// than `p` in all.
///     parse_decimal("12.50", 18, 4)   // 12.5
///     parse_decimal("1e3", 18, 4)   // 1000
///     parse_decimal("0.00001", 18, 4)   // fails
///     parse_decimal("1000", 4, 2)   // fails
///     parse_decimal("12345678901234567890.5", 38, 1)   // 12345678901234567890.5
template <class D>
inline bool ParseDecimal(Str text, int p, int s, D* out) {
  return weir::ParseDecimal(text, p, s, out) == DecimalError::kOk;
}

}  // namespace weir::fn
