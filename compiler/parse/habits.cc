// compiler/parse/habits.cc — What people write from other languages, seen in the tokens: named, and
// repaired if clear.
#include <map>

#include "WeirLexer.h"
#include "compiler/base/suggest.h"
#include "compiler/base/utf8.h"
#include "compiler/parse/layout.h"

namespace weirc {
namespace {

using L = WeirLexer;

struct ForeignOperator {
  size_t type;  // what it is repaired to; BAD when nobody can know
  const char* label;
  const char* help;
};

const std::map<std::string_view, ForeignOperator>& ForeignOperators() {
  static const std::map<std::string_view, ForeignOperator> operators = {
      {"&&", {L::AND, "this is `and`", "write `and`"}},
      {"&", {L::AND, "this is `and`; there are no operators on bits", "write `and`"}},
      {"||", {L::OR, "this is `or`; `|` only leads to the next step", "write `or`"}},
      {"===", {L::EQ, "`==` compares", "write `==`"}},
      {"!==", {L::NE, "`!=` compares", "write `!=`"}},
      {"<>", {L::NE, "`!=` compares", "write `!=`"}},
      {"!", {L::NOT, "this is `not`", "write `not`"}},
      {"?:", {L::QQ, "`??` gives a default for null", "write `??`"}},
      {":=", {L::ASSIGN, "a value is given with `=`, or with `:` in a block", "write `=`"}},
      {"::", {L::DOT, "names are joined with `.`", "write `.`"}},
      {"**", {L::BAD, "there is no operator for powers", "call a function, such as `power(a, b)`"}},
      {"^",
       {L::BAD, "there are no operators on bits, and none for powers",
        "call a function, such as `power(a, b)`"}},
      {"++", {L::BAD, "values do not change in Weir", "write `+ 1` where the value is used"}},
      {"+=",
       {L::BAD, "values do not change in Weir",
        "give the sum a name of its own: `let total = a + b`"}},
      {"-=",
       {L::BAD, "values do not change in Weir",
        "give the difference a name of its own: `let rest = a - b`"}},
      {"*=",
       {L::BAD, "values do not change in Weir",
        "give the product a name of its own: `let total = a * b`"}},
      {"/=",
       {L::BAD, "values do not change in Weir; `!=` compares",
        "write `!=`, or give the quotient a name of its own"}},
  };
  return operators;
}

struct Lookalike {
  const char* name;
  const char* help;
};

// Characters that word processors and web pages put in the place of those of the language.
const std::map<char32_t, Lookalike>& Lookalikes() {
  static const std::map<char32_t, Lookalike> lookalikes = {
      {0x201C, {"the typographic quote `“`", "write `\"`"}},
      {0x201D, {"the typographic quote `”`", "write `\"`"}},
      {0x201E, {"the typographic quote `„`", "write `\"`"}},
      {0x2018, {"the typographic quote `‘`", "write `\"`"}},
      {0x2019, {"the typographic quote `’`", "write `\"`"}},
      {0x00A0, {"a no-break space", "write a plain space"}},
      {0x2013, {"the dash `–`", "write `-`"}},
      {0x2014, {"the dash `—`", "write `-`"}},
      {0x2212, {"the minus sign `−`", "write `-`"}},
      {0x2026, {"the ellipsis `…`", "a range is written `..`"}},
      {0x2192, {"the arrow `→`", "write `->`"}},
      {0x2260, {"`≠`", "write `!=`"}},
      {0x2264, {"`≤`", "write `<=`"}},
      {0x2265, {"`≥`", "write `>=`"}},
      {0x00D7, {"`×`", "write `*`"}},
      {0x200B, {"an invisible character", "remove it"}},
      {0xFEFF, {"a byte order mark inside the file", "remove it"}},
      {0x3000, {"a wide space", "write a plain space"}},
  };
  return lookalikes;
}

}  // namespace

// Behind `on EVENT`.
bool Layout::InOnClause() const {
  for (size_t k = chunk_.tokens.size(); k-- > 0;) {
    size_t type = chunk_.tokens[k].type;
    if (type == L::ON) return true;
    if (!IsName(type) && type != L::OR) return false;
  }
  return false;
}

void Layout::Foreign(size_t i) {
  Token t = raw_[i];
  std::string text(TextOf(t));
  if (text == "=>") {
    if (!open_.empty() && open_.back().match_arms) {
      diagnostics_.Report(Code::kForeignOperator, SpanOf(t), "an arm is written with `->`", {text})
          .Help("write `->`");
      t.type = L::ARROW;
    } else if (InOnClause()) {
      diagnostics_
          .Report(Code::kForeignOperator, SpanOf(t), "no sign stands between event and action",
                  {text})
          .Help("write `on EVENT ACTION`, such as `on missing drop`");
      return;
    } else {
      diagnostics_.Report(Code::kLambda, SpanOf(t), "`=>` has no meaning here")
          .Help("give the computation a name: `fn f(x: int64) -> int64 = …`");
      t.type = L::BAD;
    }
  } else if (text == "...") {
    Reported r = diagnostics_.Report(Code::kSpread, SpanOf(t), "`...` has no meaning here");
    if (!open_.empty() && open_.back().type == L::LBRACE)
      r.Help("`let name = …` keeps all fields and adds one; `select` lists them");
    else r.Help("a range is written `1..5`");
    t.type = L::BAD;
  } else if (auto found = ForeignOperators().find(text); found != ForeignOperators().end()) {
    diagnostics_.Report(Code::kForeignOperator, SpanOf(t), found->second.label, {text})
        .Help(found->second.help);
    t.type = found->second.type;
  } else {
    Reported r = diagnostics_.Report(Code::kBadCharacter, SpanOf(t), "", {"`" + text + "`"});
    if (text == "$" || text == "@")
      r.Help("names are letters, digits and `_`; others stand in backticks");
    t.type = L::BAD;
  }
  t.reported = t.type == L::BAD;
  chunk_.broken = chunk_.broken || t.reported;
  Add(t, i + 1);
}

void Layout::BadCharacter(size_t* i) {
  Token t = raw_[*i];
  std::string_view text = file_.text();
  Utf8Character c = DecodeUtf8(text, t.begin);
  t.end = t.begin + c.size;
  while (*i + 1 < raw_.size() && raw_[*i + 1].begin < t.end) ++*i;
  t.reported = true;

  if (c.code == '\'' || c.code == '"') {
    diagnostics_.Report(Code::kSingleQuotes, SpanOf(t), "this quote is never closed")
        .Help("write `\"…\"`");
    SkipLine(i);
  } else if (c.code == '`') {
    diagnostics_.Report(Code::kBadCharacter, SpanOf(t),
                        "a name in backticks ends with one, on the same line", {"this backtick"});
    SkipLine(i);
  } else if (auto found = Lookalikes().find(c.code); found != Lookalikes().end()) {
    // A run of the same mistake on one line (a quoted word) is one error.
    diagnostics_.Report(Code::kBadCharacter, SpanOf(t), "", {found->second.name})
        .Help(found->second.help);
    if (c.code == 0xA0 || c.code == 0x200B || c.code == 0xFEFF || c.code == 0x3000) return;
    SkipLine(i);
  } else if (c.code < 0x20 || c.code == 0x7F) {
    static const char kHex[] = "0123456789ABCDEF";
    std::string name =
        std::string("the control character U+00") + kHex[c.code >> 4] + kHex[c.code & 15];
    diagnostics_.Report(Code::kBadCharacter, SpanOf(t), "", {name}).Help("remove it");
    return;
  } else {
    // Letters of other alphabets come in words: one error for all of it.
    while (*i + 1 < raw_.size() && raw_[*i + 1].begin == t.end &&
           (raw_[*i + 1].type == L::BAD || raw_[*i + 1].type == L::NAME)) {
      ++*i;
      t.end = raw_[*i].end;
    }
    while (t.end < text.size() && (static_cast<unsigned char>(text[t.end]) & 0xC0) == 0x80) ++t.end;
    if (PreviousType() == L::NAME && PreviousEnd() == t.begin) t.begin = chunk_.tokens.back().begin;
    diagnostics_.Report(Code::kBadCharacter, SpanOf(t), "", {"`" + std::string(TextOf(t)) + "`"})
        .Help("names are ASCII letters, digits and `_`; others stand in backticks");
  }
  t.type = L::BAD;
  chunk_.broken = true;
  Add(t, *i + 1);
}

void Layout::SkipLine(size_t* i) {
  line_had_string_error_ = true;
  while (*i + 1 < raw_.size() && raw_[*i + 1].type != L::LINE &&
         raw_[*i + 1].type != L::UNTERMINATED)
    ++*i;
}

void Layout::BadNumber(size_t i) {
  Token t = raw_[i];
  std::string text(TextOf(t));
  Reported r = diagnostics_.Report(Code::kBadNumber, SpanOf(t), "", {text});
  size_t digits = text.find_first_not_of("0123456789_.");
  std::string unit = digits == std::string::npos ? "" : text.substr(digits);
  if (text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o")) {
    r.Help("numbers are decimal");
  } else if (text.back() == '_') {
    r.Help("an underscore stands between two digits: `1_000`");
  } else if (unit == "min" || unit == "mins" || unit == "sec" || unit == "secs" || unit == "hr" ||
             unit == "hrs" || unit == "day" || unit == "days" || unit == "month" || unit == "y" ||
             unit == "S" || unit == "M" || unit == "H" || unit == "D" || unit == "mo") {
    r.Help("a duration has the units `ns us ms s m h d w`: `5m`, `1h30m`");
  } else if (unit == "L" || unit == "l" || unit == "f" || unit == "F" || unit == "n" ||
             unit == "u") {
    r.Help("a number has no suffix; its type follows from its use: `" + text.substr(0, digits) +
           "`");
  } else if (unit == "k" || unit == "K" || unit == "M" || unit == "kb" || unit == "mb") {
    r.Help("write all digits: `100_000`");
  } else {
    r.Help(
        "a name does not start with a digit; a duration has one of the units `ns us ms s m h d w`");
  }
  t.type = L::INT;
  t.reported = true;
  chunk_.broken = true;
  Add(t, i + 1);
}

void Layout::SingleQuoted(size_t i) {
  const Token& t = raw_[i];
  diagnostics_.Report(Code::kSingleQuotes, SpanOf(t), "these are single quotes").Help([&] {
    std::string inner(TextOf(t).substr(1, t.end - t.begin - 2));
    return "write `\"" + inner + "\"`";
  }());
  Token part = t;
  part.type = L::QUOTE;
  part.end = t.begin + 1;
  Add(part, i + 1);
  part.type = L::TEXT;
  part.begin = t.begin + 1;
  part.end = t.end - 1;
  if (part.begin < part.end) Add(part, i + 1);
  part.type = L::UNQUOTE;
  part.begin = t.end - 1;
  part.end = t.end;
  Add(part, i + 1);
}

void Layout::ForeignComment(const Token& t) {
  std::string_view text = TextOf(t);
  std::string mark(text.substr(0, text[0] == '#' ? 1 : 2));
  diagnostics_
      .Report(Code::kBadCharacter,
              {file_.id(), t.begin, t.begin + static_cast<uint32_t>(mark.size())},
              "a comment starts with `//`", {"`" + mark + "`"})
      .Help(mark == "--" ? "write `//`; between two values write `- -`"
                         : "write `//` before each line");
  if (text.find('\n') != std::string_view::npos) LineEnd();
}

void Layout::ReportBadStart(const Token& t) {
  std::string text(TextOf(t));
  std::string shown = t.type == L::QUOTE || t.type == L::TQUOTE ? "a string" : "`" + text + "`";
  Reported r = diagnostics_.Report(Code::kUnknownDeclaration, SpanOf(t), "", {shown});
  static const std::map<std::string_view, const char*> kHabits = {
      {"var",
       "a value that can be set from outside is a `param`; one computed for each record is a `| "
       "let` step"},
      {"const",
       "a value that can be set from outside is a `param`; one computed for each record is a `| "
       "let` step"},
      {"let",
       "`let` is a step of a stream: `| let name = …`; in a function it stands between its braces"},
      {"def", "a function is declared with `fn`"},
      {"func", "a function is declared with `fn`"},
      {"function", "a function is declared with `fn`"},
      {"class", "a record type is declared with `record`"},
      {"struct", "a record type is declared with `record`"},
      {"type", "a record type is declared with `record`"},
      {"schema", "a record type is declared with `record`"},
      {"interface", "a record type is declared with `record`"},
      {"message", "a record type is declared with `record`"},
      {"create", "declare it without `create`: `stream`, `table`, `source`, `sink` …"},
      {"insert", "a stream leaves through `sink NAME from STREAM = …`"},
      {"topic",
       "a topic is read by `source NAME: TYPE = CONNECTION.topic(\"…\")` and written by `sink NAME "
       "from STREAM = …`"},
      {"output", "a stream leaves through `sink NAME from STREAM = …`"},
      {"use", "another file is taken in with `import \"file.weir\"`"},
      {"include", "another file is taken in with `import \"file.weir\"`"},
      {"from",
       "another file is taken in with `import \"file.weir\"`; a stream starts with `stream NAME = "
       "SOURCE`"},
      {"if", "a condition is part of an expression: `if c then a else b`"},
      {"|", "a step belongs to a stream: `stream NAME = SOURCE` stands above the first `|`"},
  };
  std::string lower = text;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  bool settings = chunk_.tokens.size() > 1 && chunk_.tokens[1].type == L::COLON;
  if (settings) {
    r.Help("settings stand in braces behind the declaration: `{ " + text + ": … }`");
  } else if (lower == "select") {
    r.Help("name the stream and start from a source: `stream NAME = SOURCE | select { … }`");
  } else if (auto found = kHabits.find(lower); found != kHabits.end()) {
    r.Help(found->second);
  } else if (StartsStep(t.type)) {
    r.Help("a step belongs to a stream and starts with `|`");
  } else if (auto meant = DidYouMean(text, DeclarationWords())) {
    r.Help("did you mean `" + *meant + "`?");
  } else {
    r.Help("a declaration starts with " + OneOf(DeclarationWords()));
  }
}

}  // namespace weirc
