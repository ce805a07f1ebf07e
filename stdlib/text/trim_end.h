// stdlib/text/trim_end.h
#pragma once

#include "runtime/core/str.h"
#include "stdlib/text/white_space.h"

namespace weir::fn {

/// fn trim_end(text: string) -> string
/// The text without white space behind.
///     trim_end(" ab  ")   // " ab"
inline Str TrimEnd(Str text) { return WithoutSpaceAtEnd(text); }

}  // namespace weir::fn
