// stdlib/text/trim.h
#pragma once

#include "runtime/core/str.h"
#include "stdlib/text/white_space.h"

namespace weir::fn {

/// fn trim(text: string) -> string
/// The text without white space at both ends. White space is what Unicode calls so: spaces of every width, tabs, line ends.
///     trim("  ab c\n")   // "ab c"
///     trim("   ")   // ""
inline Str Trim(Str text) { return WithoutSpaceAtEnd(WithoutSpaceAtStart(text)); }

}  // namespace weir::fn
