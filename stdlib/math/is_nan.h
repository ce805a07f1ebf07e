// stdlib/math/is_nan.h
#pragma once

namespace weir::fn {

/// fn is_nan(value: float64) -> bool
/// Whether it is "not a number".
///     is_nan(0.5)   // false
inline bool IsNan(double value) { return value != value; }

}  // namespace weir::fn
