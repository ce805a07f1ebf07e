// compiler/tools/format.h — `weir fmt`: one style, comments kept, meaning unchanged.
#pragma once

#include <string>

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"

namespace weirc {

// The file in the style of docs/language.md's examples. A file with syntax errors comes back as it
// is, and the errors go to `diagnostics`. Formatting the result again changes nothing, and it
// parses to the same Ast.
std::string Format(const SourceFile& file, Diagnostics& diagnostics);

}  // namespace weirc
