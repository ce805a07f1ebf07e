// compiler/parse/layout.cc — Line ends, brackets and declarations: the tokens of each declaration,
// ready for the parser.
#include "compiler/parse/layout.h"

#include <algorithm>

#include "WeirLexer.h"

namespace weirc {
namespace {

using L = WeirLexer;

constexpr size_t kUnclosedReportsMax = 3;
// A file with more errors than this is not a pipeline; Parse shows far fewer.
constexpr size_t kReportsMax = 1000;
// How far a bracket looks for its partner among open ones, and a `{` for its `match`: hostile input
// must not take forever.
constexpr size_t kLookBackMax = 1000;

template <typename... Types>
bool OneOfTypes(size_t type, Types... types) {
  return ((type == static_cast<size_t>(types)) || ...);
}

// A line that starts so goes on with the one before. A leading `-` is judged by its neighbour; `(`
// and `[` never go on.
bool ContinuesLineBefore(size_t type) {
  return OneOfTypes(type, L::BAR, L::PLUS, L::STAR, L::SLASH, L::PCT, L::EQ, L::NE, L::LT, L::LE,
                    L::GT, L::GE, L::QQ, L::QDOT, L::DOT, L::DOTDOT, L::ARROW, L::ASSIGN, L::COLON,
                    L::AND, L::OR, L::THEN, L::ELSE, L::COMMA, L::RBRACE, L::RPAR, L::RBRK,
                    L::LBRACE);
}

// A line that ends so goes on with the next one. A trailing `>` does not: it ends `list<string>`.
bool ContinuesOnNextLine(size_t type) {
  return OneOfTypes(type, L::BAR, L::PLUS, L::MINUS, L::STAR, L::SLASH, L::PCT, L::EQ, L::NE, L::LT,
                    L::LE, L::GE, L::QQ, L::QDOT, L::DOT, L::DOTDOT, L::ARROW, L::ASSIGN, L::COLON,
                    L::AND, L::OR, L::NOT, L::THEN, L::ELSE, L::TRY, L::IF, L::MATCH, L::COMMA,
                    L::LBRACE, L::LPAR, L::LBRK, L::IOPEN);
}

bool IsOpener(size_t type) { return OneOfTypes(type, L::LBRACE, L::LPAR, L::LBRK, L::IOPEN); }
bool IsCloser(size_t type) { return OneOfTypes(type, L::RBRACE, L::RPAR, L::RBRK); }
bool IsString(size_t type) { return OneOfTypes(type, L::QUOTE, L::TQUOTE); }

size_t PartnerOf(size_t type) {
  return type == L::LPAR   ? L::RPAR
         : type == L::LBRK ? L::RBRK
         : IsString(type)  ? L::UNQUOTE
                           : L::RBRACE;
}

bool Pairs(size_t opener, size_t closer) { return PartnerOf(opener) == closer; }

}  // namespace

LayoutResult LayOut(const SourceFile& file, const std::vector<Token>& raw,
                    Diagnostics& diagnostics) {
  return Layout(file, raw, diagnostics).Run();
}

LayoutResult Layout::Run() {
  for (size_t i = 0; i < raw_.size() && !abandoned_; ++i) {
    const Token& t = raw_[i];
    switch (t.type) {
      case L::LINE: LineEnd(); break;
      case L::COMMENT: AddComment(t); break;
      case L::FOREIGNCOMMENT: ForeignComment(t); break;
      case L::UNTERMINATED: Unterminated(t); break;
      case L::BAD: BadCharacter(&i); break;
      default: Visit(i); break;
    }
  }
  EndOfFile();
  EndChunk();
  return std::move(result_);
}

void Layout::Visit(size_t i) {
  if (diagnostics_.list().size() > kReportsMax) abandoned_ = true;
  const Token& t = raw_[i];
  switch (t.type) {
    case L::FOREIGN: Foreign(i); break;
    case L::BADNUM: BadNumber(i); break;
    case L::SQUOTED: SingleQuoted(i); break;
    case L::SEMICOLON:
      diagnostics_
          .Report(Code::kBadCharacter, SpanOf(t), "a line end or a comma separates", {"`;`"})
          .Help("remove the `;`");
      if (!open_.empty() && open_.back().type == L::LBRACE) {
        pending_line_end_ = true;
      }
      break;
    default: Add(t, i + 1); break;
  }
}

// --------------------------------------------------------------------------------------- line ends

void Layout::LineEnd() {
  pending_line_end_ = true;
  // Inside the braces of a "…" string the lexer has left the string: close what is open down to its
  // quote.
  size_t interpolation = open_.size();
  size_t in_string = InString();
  while (in_string > 0 && open_[in_string - 1].type == L::QUOTE) {
    interpolation = in_string - 1;
    in_string = open_[interpolation].in_string;
  }
  if (interpolation == open_.size()) return;
  // open_[interpolation] is the outermost "…" of this line; just above it stands its `{`.
  uint32_t begin = interpolation + 1 < open_.size() ? open_[interpolation + 1].begin
                                                    : open_[interpolation].begin;
  if (!line_had_string_error_) {
    diagnostics_
        .Report(Code::kUnclosedInterpolation, {file_.id(), begin, begin + 1},
                "no `}` before the end of the line")
        .Help("close it with `}\"`; for a brace as text write `{{`");
  }
  Excuse(interpolation);
  CloseOpenBrackets(interpolation, false, {});
}

// What was read since open_[from_open], a string that went wrong, is not worth another message.
void Layout::Excuse(size_t from_open) {
  line_had_string_error_ = true;
  chunk_.broken = true;
  for (size_t i = open_[from_open].token_index; i < chunk_.tokens.size(); ++i)
    chunk_.tokens[i].reported = true;
}

void Layout::Unterminated(const Token& t) {
  for (size_t k = open_.size(); k-- > 0;) {
    if (open_[k].type != L::QUOTE) continue;
    // A quote inside the braces of another string is most likely that one's end, its `{` left open:
    // LineEnd says so.
    bool nested = k >= 2 && open_[k - 1].type == L::IOPEN && open_[k - 2].type == L::QUOTE;
    if (nested) break;
    if (!line_had_string_error_) {
      uint32_t end = t.begin;
      diagnostics_
          .Report(Code::kUnterminatedString, {file_.id(), open_[k].begin, end},
                  "no `\"` before the end of the line")
          .Help("close it with `\"`; text of several lines stands between `\"\"\"` and `\"\"\"`");
    }
    Excuse(k);
    CloseOpenBrackets(k, false, {});
    break;
  }
  LineEnd();
}

// A string that is still open here eats all that follows: only it is reported.
void Layout::EndOfFile() {
  Token end;
  end.begin = end.end = static_cast<uint32_t>(file_.text().size());
  for (size_t k = open_.size(); k-- > 0;) {
    if (open_[k].type == L::QUOTE) return Unterminated(end);
    if (open_[k].type != L::TQUOTE) continue;
    // A `"""` inside the braces of another one is most likely that one's end.
    while (open_[k].in_string > 0 && open_[open_[k].in_string - 1].type == L::TQUOTE)
      k = open_[k].in_string - 1;
    if (k + 1 < open_.size()) {  // inside its braces
      diagnostics_
          .Report(Code::kUnclosedInterpolation,
                  {file_.id(), open_[k + 1].begin, open_[k + 1].begin + 1}, "no `}` follows")
          .Help("for a brace as text write `{{`");
    } else {
      diagnostics_.Report(Code::kUnterminatedString,
                          {file_.id(), open_[k].begin, open_[k].begin + 3},
                          "no `\"\"\"` before the end of the file");
    }
    Excuse(k);
    return CloseOpenBrackets(k, false, {});
  }
}

bool Layout::LooksLikeDeclaration(const Token& t, size_t next_raw) const {
  if (!StartsDeclaration(t.type) || next_raw >= raw_.size()) return false;
  size_t next = raw_[next_raw].type;
  if (IsName(next) || next == L::TQUOTE || next == L::QUOTE) return next != L::KIN;
  // `param match: …`: a reserved word where the name should be is still a declaration.
  return IsReserved(next) && !OneOfTypes(next, L::AND, L::OR, L::NOT, L::IF, L::THEN, L::ELSE);
}

// Decides what the line end before `t` means.
void Layout::SeparateLine(Token& t, size_t next_raw) {
  size_t previous = PreviousType();
  bool after_pipe = previous == L::BAR;
  bool declaration = !after_pipe && LooksLikeDeclaration(t, next_raw);
  bool at_margin = StartsLine(t.begin) && Indent(t.begin) == 0;
  bool glued_minus = t.type == L::MINUS && next_raw < raw_.size() &&
                     raw_[next_raw].begin == t.end &&
                     OneOfTypes(raw_[next_raw].type, L::INT, L::DEC, L::DURATION);
  bool continues = ContinuesOnNextLine(previous) || ContinuesLineBefore(t.type) ||
                   (t.type == L::MINUS && !glued_minus);

  if (declaration && at_margin) {
    CloseOpenBrackets(0, true, {});
    EndChunk();
    return;
  }
  if (!open_.empty()) {
    if (t.type == L::BAR && InStream()) {
      CloseOpenBrackets(0, true, SpanOf(t));
    } else if (open_.back().type == L::LBRACE && !continues) {
      Insert(L::NL);
    }
    return;
  }
  if (continues) return;
  if (InStream() && Indent(t.begin) > chunk_indent_) {
    if (StartsStep(t.type)) {
      diagnostics_.Report(Code::kMissingPipe, SpanOf(t), "this line starts without it")
          .Help("write `| " + std::string(TextOf(t)) + " …`");
      Insert(L::BAR);
      return;
    }
    if (OneOfTypes(t.type, L::ON, L::AS, L::BY, L::WITHIN, L::WITH, L::EVERY)) {
      diagnostics_
          .Report(Code::kBrokenHeader, SpanOf(t), "the line end before this word ends the step")
          .Help(
              "join this line to the one before; settings of a step stand in its `{ … }` on lines "
              "of their own");
      t.reported = true;
      return;
    }
  }
  EndChunk();
}

// ------------------------------------------------------------------------------------------ chunks

size_t Layout::PreviousType() const {
  return chunk_.tokens.empty() ? kEof : chunk_.tokens.back().type;
}

uint32_t Layout::PreviousEnd() const {
  return chunk_.tokens.empty() ? 0 : chunk_.tokens.back().end;
}

// One more than the place in open_ of the innermost open string; 0 when there is none.
size_t Layout::InString() const {
  if (open_.empty()) return 0;
  return IsString(open_.back().type) ? open_.size() : open_.back().in_string;
}

bool Layout::InStream() const {
  return !chunk_.tokens.empty() && chunk_.tokens[0].type == L::STREAM;
}

uint32_t Layout::Indent(uint32_t offset) const {
  std::string_view text = file_.text();
  uint32_t begin = file_.LineBegin(file_.LineOf(offset));
  uint32_t end = begin;
  while (end < text.size() && (text[end] == ' ' || text[end] == '\t')) ++end;
  return end - begin;
}

bool Layout::StartsLine(uint32_t offset) const {
  std::string_view text = file_.text();
  while (offset > 0 && (text[offset - 1] == ' ' || text[offset - 1] == '\t')) --offset;
  return offset == 0 || text[offset - 1] == '\n' ||
         static_cast<unsigned char>(text[offset - 1]) == 0xBF;  // a BOM
}

void Layout::Push(Token t) {
  t.depth = bracket_depth_;
  chunk_.tokens.push_back(t);
}

void Layout::Insert(size_t type) {
  Token t;
  t.type = type;
  t.begin = t.end = PreviousEnd();
  t.inserted = type != L::NL && type != L::BAR;
  Push(t);
}

void Layout::Add(Token t, size_t next_raw) {
  if (pending_line_end_) {
    pending_line_end_ = false;
    if (!chunk_.tokens.empty()) SeparateLine(t, next_raw);
  }
  if (chunk_.tokens.empty()) {
    chunk_indent_ = Indent(t.begin);
    line_had_string_error_ = false;
  }

  if (IsOpener(t.type) || IsString(t.type)) {
    OpenBracket(t);
  } else if (IsCloser(t.type) || t.type == L::UNQUOTE) {
    CloseBracket(t);
  } else if (t.type == L::COMMA && (PreviousType() == L::COMMA || IsOpener(PreviousType()))) {
    diagnostics_
        .Report(Code::kExpected, SpanOf(t), "nothing stands before this comma", {"an item", "`,`"})
        .Help("remove it");
  } else if (t.type == L::BAR && !open_.empty() && !IsString(open_.back().type)) {
    // In brackets a pipe has no meaning: it is the `or` of other languages.
    diagnostics_.Report(Code::kForeignOperator, SpanOf(t), "`|` only leads to the next step", {"|"})
        .Help("write `or` between conditions and between patterns");
    t.type = L::OR;
    Push(t);
  } else {
    Push(t);
  }
}

void Layout::OpenBracket(const Token& t) {
  Open open{t.type,
            t.begin,
            Indent(t.begin),
            t.type == L::LBRACE && BelongsToMatch(),
            chunk_.tokens.size(),
            InString()};
  Push(t);
  open_.push_back(open);
  if (!IsString(t.type)) ++bracket_depth_;
}

// Whether a `{` that comes next is the body of a `match`: only its subject stands between.
bool Layout::BelongsToMatch() const {
  size_t end = chunk_.tokens.size();
  for (size_t k = end; k-- > 0 && end - k < kLookBackMax;) {
    const Token& t = chunk_.tokens[k];
    if (t.depth > bracket_depth_ || (IsCloser(t.type) && t.depth == bracket_depth_)) continue;
    if (t.type == L::MATCH) return true;
    if (t.depth < bracket_depth_ || IsReserved(t.type) ||
        OneOfTypes(t.type, L::NL, L::COMMA, L::COLON, L::ASSIGN, L::ARROW, L::BAR)) {
      return false;
    }
  }
  return false;
}

void Layout::CloseBracket(const Token& t) {
  // A bracket pairs within its own string only.
  size_t floor = InString();
  if (t.type == L::UNQUOTE && floor > 0) --floor;
  if (open_.size() > kLookBackMax) floor = std::max(floor, open_.size() - kLookBackMax);
  size_t partner = open_.size();
  for (size_t k = open_.size(); k-- > floor;) {
    if (Pairs(open_[k].type, t.type)) {
      partner = k;
      break;
    }
  }
  if (partner == open_.size()) {
    if (!line_had_string_error_) {
      diagnostics_.Report(Code::kStrayCloser, SpanOf(t), "nothing is open here", {TextOf(t)})
          .Help("remove it");
    }
    chunk_.broken = true;
    return;
  }
  if (partner + 1 < open_.size()) CloseOpenBrackets(partner + 1, true, SpanOf(t));
  // A `}` at the margin of an outer `{` although an inner one is open: should the file end too
  // early, the inner one is to blame.
  if (t.type == L::RBRACE && open_.size() >= 2 && !suspect_ && StartsLine(t.begin)) {
    uint32_t indent = Indent(t.begin);
    const Open& outer = open_[open_.size() - 2];
    if (outer.type == L::LBRACE && indent == outer.line_indent && indent < open_.back().line_indent)
      suspect_ = open_.back();
  }
  if (!IsString(open_.back().type)) --bracket_depth_;
  open_.pop_back();
  Push(t);
}

// Inserts the partners of the brackets from the innermost one down to open_[down_to]. `found` is
// what came instead, if any.
void Layout::CloseOpenBrackets(size_t down_to, bool report, Span found) {
  size_t reported = 0;
  report = report && !line_had_string_error_;
  if (report && suspect_ && open_.size() > down_to) {
    diagnostics_.Report(Code::kUnclosedBracket, {file_.id(), suspect_->begin, suspect_->begin + 1},
                        "the indentation suggests that this one is left open", {"{"});
    chunk_.tokens[suspect_->token_index].reported = true;
    report = false;
  }
  while (open_.size() > down_to) {
    Open open = open_.back();
    Span span{file_.id(), open.begin, open.begin + (open.type == L::TQUOTE ? 3u : 1u)};
    if (report && reported++ < kUnclosedReportsMax) {
      if (IsString(open.type)) {
        diagnostics_.Report(Code::kUnterminatedString, span, "no end before the next declaration");
      } else if (open.type == L::IOPEN) {
        diagnostics_.Report(Code::kUnclosedInterpolation, span, "no `}` follows")
            .Help("for a brace as text write `{{`");
      } else {
        Reported r = diagnostics_.Report(Code::kUnclosedBracket, span, "", {FixedText(open.type)});
        chunk_.tokens[open.token_index].reported = true;
        std::string partner = "`" + std::string(FixedText(PartnerOf(open.type))) + "`";
        if (found.IsValid()) r.Secondary(found, "expected " + partner + " before this");
        else if (!chunk_.tokens.empty())
          r.Secondary({file_.id(), PreviousEnd(), PreviousEnd()},
                      "expected " + partner + " by here");
        if (open.type != L::LBRACE)
          chunk_.doubtful.emplace_back(open.begin, found.IsValid() ? found.begin : UINT32_MAX);
      }
      // What follows an interpolation left open in a """…""" string was read as code and is text,
      // or the other way round.
      if (open.type == L::IOPEN || open.type == L::TQUOTE) report = false;
    }
    if (open.type == L::IOPEN && open_.size() >= 2 && open_[open_.size() - 2].type == L::TQUOTE)
      abandoned_ = true;
    chunk_.broken = true;
    if (!IsString(open.type)) --bracket_depth_;
    open_.pop_back();
    Token closer;
    closer.type = PartnerOf(open.type);
    closer.begin = closer.end = PreviousEnd();
    closer.inserted = true;
    Push(closer);
  }
}

void Layout::EndChunk() {
  if (chunk_.tokens.empty()) return;
  CloseOpenBrackets(0, true, {});
  suspect_.reset();
  const Token& first = chunk_.tokens[0];
  if (!StartsDeclaration(first.type)) {
    // A line of nothing but what was already explained is not explained again.
    bool explained = std::all_of(chunk_.tokens.begin(), chunk_.tokens.end(),
                                 [](const Token& t) { return t.reported || t.inserted; });
    if (!last_chunk_was_bad_ && !explained && !first.reported) ReportBadStart(first);
    last_chunk_was_bad_ = true;
  } else {
    last_chunk_was_bad_ = false;
    Token end;
    end.type = kEof;
    end.begin = end.end = PreviousEnd();
    Push(end);
    result_.chunks.push_back(std::move(chunk_));
  }
  chunk_ = Chunk();
  open_.clear();
  bracket_depth_ = 0;
}

void Layout::AddComment(const Token& t) {
  ast::Comment comment;
  comment.span = SpanOf(t);
  comment.text = TextOf(t);
  while (!comment.text.empty() && (comment.text.back() == ' ' || comment.text.back() == '\t'))
    comment.text.remove_suffix(1);
  comment.is_doc = comment.text.starts_with("///") && !comment.text.starts_with("////");
  comment.own_line = StartsLine(t.begin);
  result_.comments.push_back(comment);
}

}  // namespace weirc
