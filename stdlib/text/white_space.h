// Cutting white space off. Not a function of the language.
#pragma once

#include "runtime/core/str.h"

namespace weir::fn {

// What has Unicode's property White_Space.
Str WithoutSpaceAtStart(Str text);
Str WithoutSpaceAtEnd(Str text);

}  // namespace weir::fn
