// compiler/parse/print.h — The Ast as text: what `weir build --print ast` and tests/parse show.
#pragma once

#include <string>

#include "compiler/base/source.h"
#include "compiler/parse/ast.h"

namespace weirc {

struct PrintAstOptions {
  const SourceFile* spans =
      nullptr;  // given: every node is followed by its place, @line:column-line:column
};

// One node a line, children indented by two; expressions in one line, as fully parenthesised prefix
// forms. Trees that print the same mean the same: what `weir fmt` must not change.
std::string PrintAst(const ast::File& file, PrintAstOptions options = {});
std::string PrintAst(const ast::Expr& expr);
std::string PrintAst(const ast::TypeRef& type);

}  // namespace weirc
