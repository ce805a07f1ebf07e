// stdlib/math/is_finite.h
#pragma once

namespace weir::fn {

/// fn is_finite(value: float64) -> bool
/// Whether it is neither infinite nor "not a number".
///     is_finite(0.5)   // true
inline bool IsFinite(double value) { return __builtin_isfinite(value); }

}  // namespace weir::fn
