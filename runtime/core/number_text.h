// Integers and doubles as text.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

namespace weir {

inline constexpr size_t kInt64TextMax = 24;
inline constexpr size_t kDoubleTextMax = 48;

// Writes the decimal digits; returns the size. `buf` has room for kInt64TextMax, which may all be written to.
size_t FormatUint64(uint64_t v, char* buf);
size_t FormatInt64(int64_t v, char* buf);

// `-12`, `+12`; no spaces. False for anything else and for what does not fit.
[[nodiscard]] bool ParseInt64(Str text, int64_t* out);

// The shortest text that reads back as the same double; `NaN`, `Infinity`, `-Infinity` for those. Returns the size;
// `buf` has room for kDoubleTextMax.
size_t FormatDouble(double v, char* buf);

// The nearest double to `1`, `-1.5`, `.5`, `1e-7`, or to `NaN`, `Infinity`, `-Infinity`. False for anything else and
// for numbers beyond the largest double; what is smaller than the smallest becomes zero.
[[nodiscard]] bool ParseDouble(Str text, double* out);

}  // namespace weir
