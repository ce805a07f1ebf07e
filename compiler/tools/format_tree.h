// compiler/tools/format_tree.h — A file as the formatter sees it: items in brackets, with their
// comments and line ends.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/parse/ast.h"
#include "compiler/parse/source_tokens.h"

namespace weirc::format {

struct Group;

// A token or a bracketed group inside an item.
struct Piece {
  SourceTokenKind kind = SourceTokenKind::kWord;
  std::string text;  // of a token
  uint32_t begin = 0;
  std::unique_ptr<Group> group;
  bool line_before = false;                   // stands on a new line in the source
  std::vector<std::string> leading_comments;  // on lines of their own before it
  std::string trailing_comment;  // at the end of its line, if the item goes on behind it
};

// A comment on a line of its own.
struct CommentLine {
  std::string text;
  bool blank_before = false;
};

// What stands between two separators: a declaration, an entry, a field, an argument …
struct Item {
  std::vector<CommentLine> leading;
  bool blank_before = false;  // an empty line between it (or its comments' end) and what is above
  bool line_before = false;   // starts on another line than the item before ends
  std::vector<Piece> pieces;
  std::string trailing_comment;
};

struct Group {
  char open = '{';
  std::vector<Item> items;
  std::string open_comment;           // behind the bracket on its line
  std::vector<CommentLine> dangling;  // behind the last item
  bool line_after_open =
      false;  // the author broke the line there: the group stays on several lines
  bool trailing_comma = false;
  bool is_type = false;  // decimal(18, 4): breaks for a comment only
};

// What tokens alone do not tell, by offset.
struct Marks {
  std::set<uint32_t> tight_brackets;  // ( of calls, parameters and types, [ of an index
  std::set<uint32_t> type_brackets;   // ( of types alone
  std::set<uint32_t> type_angles;     // < and > of types
  std::set<uint32_t> unary_minus;
  std::set<uint32_t> feed_arrows;  // the < of <-
};

// The declarations of a file without errors; comments behind the last one are `dangling`.
Marks FindMarks(const ast::File& file, const std::vector<SourceToken>& tokens);
Group BuildTree(const SourceFile& file, const std::vector<SourceToken>& tokens,
                const std::vector<ast::Comment>& comments, const Marks& marks);

// The text of the tree in the one style.
std::string LayOutText(const Group& file, const Marks& marks);

}  // namespace weirc::format
