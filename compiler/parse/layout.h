// compiler/parse/layout.h — Between lexer and parser: line ends, brackets, declarations, and habits
// from other languages.
//
// The rule for line ends (R1): inside ( ) and [ ] they mean nothing; elsewhere one separates two
// items, unless the line before it ends with an operator or the one after it starts with one. At
// the top level, where it separates, it ends a declaration; so does a declaration word at the very
// start of a line whatever is still open, which keeps one forgotten bracket from eating the file
// (R10).
#pragma once

#include <optional>

#include "compiler/parse/tokens.h"

namespace weirc {

class Layout {
 public:
  Layout(const SourceFile& file, const std::vector<Token>& raw, Diagnostics& diagnostics)
      : file_(file), raw_(raw), diagnostics_(diagnostics) {}

  LayoutResult Run();

 private:
  struct Open {
    size_t type;              // LBRACE LPAR LBRK IOPEN, or QUOTE TQUOTE for a string
    uint32_t begin;           // of the bracket
    uint32_t line_indent;     // blanks before the first token of its line
    bool match_arms = false;  // the braces of a `match`
    size_t token_index = 0;   // in the chunk
    // One more than the place in open_ of the innermost string around it; 0 outside of strings.
    size_t in_string = 0;
  };

  // --- what comes from the lexer
  void Visit(size_t i);
  void LineEnd();
  void AddComment(const Token& t);
  void Unterminated(const Token& t);
  void Foreign(size_t i);
  void BadCharacter(size_t* i);
  void BadNumber(size_t i);
  void SingleQuoted(size_t i);
  void ForeignComment(const Token& t);
  void SkipLine(size_t* i);

  // --- building chunks
  void Add(Token t, size_t next_raw);
  void SeparateLine(Token& t, size_t next_raw);
  bool LooksLikeDeclaration(const Token& t, size_t next_raw) const;
  void Push(Token t);
  void Insert(size_t type);
  void OpenBracket(const Token& t);
  void CloseBracket(const Token& t);
  void CloseOpenBrackets(size_t down_to, bool report, Span found);
  void EndChunk();
  void EndOfFile();
  void ReportBadStart(const Token& t);
  void Excuse(size_t from_open);
  bool BelongsToMatch() const;
  bool InOnClause() const;

  size_t PreviousType() const;
  uint32_t PreviousEnd() const;
  Span SpanOf(const Token& t) const { return {file_.id(), t.begin, t.end}; }
  std::string_view TextOf(const Token& t) const { return file_.Text(SpanOf(t)); }
  uint32_t Indent(uint32_t offset) const;  // blanks at the start of the line of `offset`
  bool StartsLine(uint32_t offset) const;  // nothing but blanks before it on its line
  bool InStream() const;
  size_t InString() const;

  const SourceFile& file_;
  const std::vector<Token>& raw_;
  Diagnostics& diagnostics_;
  LayoutResult result_;
  Chunk chunk_;
  std::vector<Open> open_;
  uint32_t bracket_depth_ = 0;  // entries of open_ that are brackets, not strings
  uint32_t chunk_indent_ = 0;
  bool pending_line_end_ = false;
  bool line_had_string_error_ = false;  // what is unpaired in this chunk may stand in the string
  bool last_chunk_was_bad_ = false;     // a run of lines that start no declaration is one error
  bool abandoned_ = false;  // the lexer has lost track: nothing behind here means anything
  std::optional<Open>
      suspect_;  // a `{` whose partner seems to have been taken by a bracket outside of it
};

}  // namespace weirc
