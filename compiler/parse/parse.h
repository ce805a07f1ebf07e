// compiler/parse/parse.h — Text in, Ast and diagnostics out.
#pragma once

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"

namespace weirc {

// Reads a whole file. Never fails and never throws: whatever the bytes are, the result is a tree
// that later stages can walk, and what was wrong is in `diagnostics`. Comments point into `file`,
// which must outlive the tree. Not for several threads at once (ANTLR's caches are shared).
ast::File Parse(const SourceFile& file, Diagnostics& diagnostics);

}  // namespace weirc
