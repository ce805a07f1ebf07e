// Upper and lower case of every script. Not a function of the language.
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/str.h"

namespace weir::fn {

enum class Case { kUpper, kLower };

// Maps each code point by Unicode's simple case mapping.
Str MapCase(Arena& arena, Str text, Case to);

}  // namespace weir::fn
