// compiler/tools/explain.h — `weir explain W0201`: the page of an error code, from docs/errors/,
// carried in the program.
#pragma once

#include <string>
#include <string_view>

#include "compiler/diagnostics/diagnostics.h"

namespace weirc {

// The page as it is in docs/errors/ (Markdown); empty for a code without a page.
std::string_view ErrorPage(Code code);

// The page for a terminal: programs indented, and with `color` headings and code marked. Empty for
// a code without a page.
std::string ExplainText(Code code, bool color = false);

}  // namespace weirc
