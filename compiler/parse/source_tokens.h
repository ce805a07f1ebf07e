// compiler/parse/source_tokens.h — The tokens of a correct file for tools that rewrite its text,
// free of ANTLR.
#pragma once

#include <string_view>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/parse/ast.h"

namespace weirc {

enum class SourceTokenKind : uint8_t {
  kWord,     // names and keywords, backticks included
  kLiteral,  // numbers, durations, dates, timestamps
  kString,   // from quote to quote, whatever is between
  kOpen,     // ( [ {
  kClose,    // ) ] }
  kComma,
  kSeparator,  // a line end that separates; its span is empty
  kSign,       // operators and the rest
  kEnd,        // of a declaration; its span is empty
};

struct SourceToken {
  SourceTokenKind kind;
  std::string_view text;  // points into the file
  Span span;
};

// All tokens of all declarations in their order, each declaration followed by kEnd, and the
// comments apart. Only for a file that Parse found no error in; otherwise the result is of no use.
std::vector<SourceToken> SourceTokens(const SourceFile& file, std::vector<ast::Comment>* comments);

}  // namespace weirc
