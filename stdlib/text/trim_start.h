// stdlib/text/trim_start.h
#pragma once

#include "runtime/core/str.h"
#include "stdlib/text/white_space.h"

namespace weir::fn {

/// fn trim_start(text: string) -> string
/// The text without white space in front.
///     trim_start("  ab ")   // "ab "
inline Str TrimStart(Str text) { return WithoutSpaceAtStart(text); }

}  // namespace weir::fn
