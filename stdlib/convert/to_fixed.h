// stdlib/convert/to_fixed.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/decimal.h"
#include "runtime/core/str.h"
#include "stdlib/convert/to_string.h"

namespace weir::fn {

/// fn to_fixed(value: decimal(p, s)) -> string
/// With all digits of the fraction that its type has.
///     to_fixed(10.50)   // "10.50"
///     to_fixed(7)   // "7"
inline Str ToFixed(Arena& arena, i128 value, int s) {
  return FormatInArena(arena, kDecimalTextMax, [=](char* out) { return FormatDecimalFixed(value, s, out); });
}

}  // namespace weir::fn
