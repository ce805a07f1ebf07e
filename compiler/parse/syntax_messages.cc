// compiler/parse/syntax_messages.cc — What a person reads when a sentence of the language is wrong.
#include "compiler/parse/syntax_messages.h"

#include <algorithm>
#include <map>

#include "WeirParser.h"
#include "compiler/base/suggest.h"

namespace weirc {
namespace {

using P = WeirParser;

constexpr size_t kShownMax = 40;

std::string Quote(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool IsOperator(size_t type) {
  return type == P::STAR || type == P::SLASH || type == P::PCT || type == P::PLUS ||
         type == P::MINUS || type == P::DOTDOT || type == P::QQ || type == P::EQ || type == P::NE ||
         type == P::LT || type == P::LE || type == P::GT || type == P::GE || type == P::KIN ||
         type == P::NOT || type == P::AND || type == P::OR || type == P::DOT || type == P::QDOT ||
         type == P::LPAR || type == P::LBRK;
}

std::string List(const std::vector<std::string>& parts) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " or " : ", ";
    text += parts[i];
  }
  return text;
}

}  // namespace

struct SyntaxMessages::Site {
  const Chunk& chunk;
  size_t index;
  const std::vector<size_t>& rules;
  const std::vector<bool>& expected;

  const Token& At(size_t i) const { return chunk.tokens[std::min(i, chunk.tokens.size() - 1)]; }
  size_t Type(size_t i) const { return At(i).type; }
  size_t Found() const { return Type(index); }
  size_t Next() const { return Type(index + 1); }
  size_t Previous(size_t back = 1) const { return index >= back ? Type(index - back) : kEof; }
  bool Expects(size_t type) const { return type < expected.size() && expected[type]; }
  // A value is complete: an operator would have fitted.
  bool AfterValue() const { return Expects(P::PLUS) && Expects(P::EQ); }
  bool Innermost(size_t rule) const { return !rules.empty() && rules[0] == rule; }
  bool Inside(size_t rule) const {
    return std::find(rules.begin(), rules.end(), rule) != rules.end();
  }
  bool LineBefore() const { return Previous() == P::NL; }
};

Span SyntaxMessages::SpanOf(const Site& s, size_t index) const {
  const Token& t = s.At(index);
  if (t.type == P::NL || t.type == kEof || EndsStep(s, index)) {
    uint32_t end = index > 0 ? s.At(index - 1).end : t.begin;
    return {file_.id(), end, end};
  }
  return {file_.id(), t.begin, t.end};
}

// A `|` or a closing bracket on a new line: what is missing is missing at the end of the line
// before.
bool SyntaxMessages::EndsStep(const Site& s, size_t index) const {
  size_t type = s.Type(index);
  bool ends = type == P::BAR || type == P::RBRACE || type == P::RPAR || type == P::RBRK;
  return index > 0 && ends && file_.LineOf(s.At(index).begin) != file_.LineOf(s.At(index - 1).end);
}

std::string SyntaxMessages::TextOf(const Site& s, size_t index) const {
  std::string text(file_.Text(SpanOf(s, index)));
  if (text.size() > kShownMax) text = text.substr(0, kShownMax) + "…";
  return text;
}

std::string SyntaxMessages::Found(const Site& s, size_t index) const {
  const Token& t = s.At(index);
  if (EndsStep(s, index)) return t.type == P::BAR ? "the end of the step" : "the end of the line";
  switch (t.type) {
    case P::NL: return "the end of the line";
    case kEof: return "the end of the declaration";
    case P::TEXT:
    case P::QUOTE:
    case P::TQUOTE:
    case P::UNQUOTE: return "a string";
    case P::INT:
    case P::DEC: return "the number " + Quote(TextOf(s, index));
    case P::DURATION: return "the duration " + Quote(TextOf(s, index));
    default: return Quote(TextOf(s, index));
  }
}

std::string SyntaxMessages::Expected(const Site& s) const {
  if (s.Innermost(P::RuleStep) && s.Previous() == P::BAR) return "a step";
  if (s.Inside(P::RuleTypeRef) && s.Expects(P::NAME) && !s.Expects(P::INT)) return "a type";
  if (s.Innermost(P::RuleTestBody) && s.Expects(P::NAME))
    return "a feed, a stub, `wait` or `expect`";
  // The start of an item in braces.
  bool at_item = s.Previous() == P::NL || s.Previous() == P::COMMA || s.Previous() == P::LBRACE;
  if (at_item && s.Innermost(P::RuleRecordLit)) return "a field";
  if (at_item && s.Innermost(P::RuleRecordBody)) return "a field";
  if (at_item && s.Innermost(P::RuleEnumBody)) return "a name";
  if (at_item && s.Innermost(P::RuleMatchBody)) return "an arm";
  if (at_item && s.Innermost(P::RuleBlock)) return "an entry or a clause";
  bool after_value = s.AfterValue();
  bool value = !after_value && s.Expects(P::NAME) && s.Expects(P::INT) && s.Expects(P::LBRK);
  bool pattern =
      !after_value && !value && s.Expects(P::NAME) && s.Expects(P::INT) && s.Expects(P::UNDERSCORE);
  bool name = !after_value && s.Expects(P::NAME);
  std::vector<std::string> parts;
  if (value) parts.push_back("a value");
  else if (pattern) parts.push_back("a pattern");
  else if (name) parts.push_back(s.Innermost(P::RuleBlock) ? "an entry or a clause" : "a name");
  if (!value && !pattern && !after_value) {
    if (s.Expects(P::INT)) parts.push_back("a number");
    if (s.Expects(P::QUOTE)) parts.push_back("a string");
  }
  bool separators = s.Expects(P::NL) && s.Expects(P::COMMA);
  if (separators) {
    parts.push_back("a comma");
    parts.push_back("a new line");
  }
  static const size_t kSigns[] = {P::LBRACE, P::RBRACE, P::LPAR,  P::COMMA, P::RPAR,
                                  P::LBRK,   P::RBRK,   P::ARROW, P::COLON, P::ASSIGN,
                                  P::LT,     P::GT,     P::DOT,   P::BAR,   P::QM,
                                  P::MINUS,  P::THEN,   P::ELSE,  P::OR,    P::IF};
  for (size_t type : kSigns) {
    if (!s.Expects(type)) continue;
    if (separators && type == P::COMMA) continue;
    if ((value || pattern) && StartsValue(type)) continue;
    if ((after_value || value) && IsOperator(type)) continue;
    // What a type may have besides is no help where it should have ended.
    if (s.Expects(P::QM) && !after_value && (type == P::LPAR || type == P::LT || type == P::QM))
      continue;
    if (type == P::DOT && (s.Expects(P::CONTAINS) || s.Expects(P::BAR) || s.Expects(P::AS)))
      continue;
    parts.push_back(type == P::LT && s.Inside(P::RuleTestItem) ? "`<-`" : Quote(FixedText(type)));
  }
  if (!s.Expects(P::NAME)) {
    for (size_t type = P::PIPELINE; type <= P::WAIT; ++type) {
      if (s.Expects(type) && !(after_value && type == P::KIN))
        parts.push_back(Quote(FixedText(type)));
    }
  }
  if (parts.empty() || (s.Inside(P::RuleDecl) == false && s.Innermost(P::RuleChunk)))
    parts.push_back("the end of the declaration");
  if (parts.size() > 6) parts.resize(6);
  return List(parts);
}

void SyntaxMessages::Report(const Chunk& chunk, size_t index, const std::vector<size_t>& rules,
                            const std::vector<bool>& expected) {
  Site s{chunk, index, rules, expected};
  const Token& found = s.At(index);
  if (found.reported || found.inserted) return;
  if (index > 0 && s.At(index - 1).reported) return;
  for (auto& [begin, end] : chunk.doubtful) {
    if (found.begin > begin && found.begin < end) return;
  }
  if (Habits(s) || TypeHabits(s) || StepHabits(s) || BlockHabits(s) || ExpressionHabits(s)) return;
  Plain(s);
}

// A misplaced sentence of another language, or a reserved word.
bool SyntaxMessages::Habits(const Site& s) {
  if (s.Found() == P::ELSE && s.Inside(P::RuleMatchBody) &&
      (s.Innermost(P::RuleMatchBody) || s.Innermost(P::RuleArm))) {
    diagnostics_
        .Report(Code::kElseArm, SpanOf(s, s.index), "the arm for everything else starts with `_`")
        .Help("write `_ -> …`");
    return true;
  }
  bool name_wanted = s.Expects(P::NAME) && !s.Expects(P::LBRK) && !s.AfterValue();
  if (IsReserved(s.Found()) &&
      (name_wanted || (s.Expects(P::NAME) && s.Next() == P::COLON && !s.AfterValue()))) {
    std::string word = TextOf(s, s.index);
    diagnostics_.Report(Code::kReservedWord, SpanOf(s, s.index), "", {word})
        .Help("in backticks it is a name: `` `" + word + "` ``");
    return true;
  }
  // stream s = SELECT a FROM b
  if (s.Type(0) == P::STREAM) {
    for (size_t i = 1; i < s.index; ++i) {
      if (s.Type(i) != P::ASSIGN) continue;
      std::string word = TextOf(s, i + 1);
      std::string lower = Lower(word);
      if (s.index == i + 2 && (lower == "select" || lower == "from" || lower == "with")) {
        diagnostics_
            .Report(Code::kSqlQuery, SpanOf(s, i + 1),
                    "here stands the source, and the steps follow", {word})
            .Help("write `stream " + TextOf(s, 1) + " = SOURCE | where … | select { … }`");
        return true;
      }
      break;
    }
  }
  return false;
}

bool SyntaxMessages::TypeHabits(const Site& s) {
  if (s.Found() == P::GE && s.Inside(P::RuleTypeRef) && s.Expects(P::GT)) {
    diagnostics_
        .Report(Code::kGenericEquals, SpanOf(s, s.index),
                "the `>` of the type and the `=` of the value")
        .Help("put a space between them: `> =`");
    return true;
  }
  return false;
}

bool SyntaxMessages::StepHabits(const Site& s) {
  if (s.Previous() == P::BAR && s.Innermost(P::RuleStep) && s.Found() != kEof) {
    if (!IsName(s.Found())) return false;
    std::string word = TextOf(s, s.index);
    static const std::map<std::string_view, const char*> kHabits = {
        {"filter", "records are kept with `where CONDITION`"},
        {"having", "records are kept with `where CONDITION`, also behind `aggregate`"},
        {"map", "fields are chosen and computed with `select { … }`"},
        {"project", "fields are chosen and computed with `select { … }`"},
        {"transform", "fields are chosen and computed with `select { … }`"},
        {"extend", "a field is added with `let NAME = VALUE`"},
        {"mutate", "a field is added with `let NAME = VALUE`"},
        {"set", "a field is added with `let NAME = VALUE`"},
        {"group",
         "groups are made by a window: `window tumbling 1s by KEY`, then `aggregate { … }`"},
        {"groupby",
         "groups are made by a window: `window tumbling 1s by KEY`, then `aggregate { … }`"},
        {"group_by",
         "groups are made by a window: `window tumbling 1s by KEY`, then `aggregate { … }`"},
        {"reduce",
         "groups are made by a window: `window tumbling 1s by KEY`, then `aggregate { … }`"},
        {"enrich",
         "another system is asked with `lookup NAME(KEY) as ALIAS`, a table with `join TABLE on "
         "KEY`"},
        {"fetch", "another system is asked with `lookup NAME(KEY) as ALIAS`"},
        {"left", "a join keeps records without a partner by `on missing use null` in its block"},
        {"inner", "a join is inner with `on missing drop` in its block"},
        {"merge", "streams are put together with `union STREAM`"},
        {"concat", "streams are put together with `union STREAM`"},
        {"distinct", "repeated records are removed with `dedup by KEY within 10m`"},
        {"unique", "repeated records are removed with `dedup by KEY within 10m`"},
        {"unnest", "a list becomes records with `flatten LIST as ITEM`"},
        {"explode", "a list becomes records with `flatten LIST as ITEM`"},
        {"flatmap", "a list becomes records with `flatten LIST as ITEM`"},
        {"partition", "records are distributed anew with `rekey by KEY`"},
        {"route", "a stream is divided with `split { NAME: CONDITION, rest: otherwise }`"},
        {"branch", "a stream is divided with `split { NAME: CONDITION, rest: otherwise }`"},
        {"switch", "a stream is divided with `split { NAME: CONDITION, rest: otherwise }`"},
        {"into", "a stream leaves through a declaration of its own: `sink NAME from STREAM = …`"},
        {"to", "a stream leaves through a declaration of its own: `sink NAME from STREAM = …`"},
        {"sink", "a stream leaves through a declaration of its own: `sink NAME from STREAM = …`"},
        {"write", "a stream leaves through a declaration of its own: `sink NAME from STREAM = …`"},
        {"publish",
         "a stream leaves through a declaration of its own: `sink NAME from STREAM = …`"},
        {"orderby",
         "a stream has the order of its partitions; a lookup keeps it with `order input` or `order "
         "key KEY`"},
        {"sort",
         "a stream has the order of its partitions; a lookup keeps it with `order input` or `order "
         "key KEY`"},
    };
    Reported r = diagnostics_.Report(Code::kUnknownStep, SpanOf(s, s.index), "", {word});
    if (auto found = kHabits.find(Lower(word)); found != kHabits.end()) {
      r.Help(found->second);
    } else if (auto meant = DidYouMean(word, StepWords())) {
      r.Help("did you mean `" + *meant + "`?");
    } else if (s.index >= 2 &&
               file_.LineOf(s.At(s.index - 1).begin) == file_.LineOf(s.At(s.index - 2).end)) {
      r.Help("`|` leads to the next step; between two conditions write `or`");
    } else {
      r.Help("the steps are " + OneOf(StepWords(), "and"));
    }
    return true;
  }
  // select a, b
  if ((s.Previous() == P::SELECT || s.Previous() == P::AGGREGATE || s.Previous() == P::SPLIT) &&
      s.Expects(P::LBRACE) && s.Inside(P::RuleStep)) {
    std::string word = TextOf(s, s.index - 1);
    Reported r =
        diagnostics_.Report(Code::kExpected, SpanOf(s, s.index), "", {"`{`", Found(s, s.index)});
    if (s.Found() == P::STAR)
      r.Help("all fields stay without a `select`; `let NAME = VALUE` adds one");
    else if (word == "split") r.Help("write `split { NAME: CONDITION, rest: otherwise }`");
    else r.Help("its fields stand in braces: `" + word + " { a, b, c: a + b }`");
    return true;
  }
  // by a, b
  if (s.Found() == P::COMMA && s.At(s.index).depth == 0 && s.Type(0) == P::STREAM &&
      EndsValue(s.Previous())) {
    for (size_t i = s.index; i-- > 0 && s.Type(i) != P::BAR;) {
      if (s.At(i).depth != 0) continue;
      size_t type = s.Type(i);
      const char* what = type == P::BY      ? "keys"
                         : type == P::UNION ? "streams"
                         : type == P::ON    ? "fields"
                                            : nullptr;
      if (what == nullptr) continue;
      std::string first(file_.Text({file_.id(), s.At(i + 1).begin, s.At(s.index - 1).end}));
      diagnostics_
          .Report(Code::kCommaWithoutParentheses, SpanOf(s, s.index),
                  "outside of brackets a comma ends the step", {what})
          .Help("write `" + TextOf(s, i) + " (" + first + ", " + TextOf(s, s.index + 1) + ")`");
      return true;
    }
  }
  return false;
}

bool SyntaxMessages::BlockHabits(const Site& s) {
  // { timeout: 100ms retry: 3 }: `retry` was taken for a word of the first entry.
  if (s.Found() == P::COLON && s.Inside(P::RulePhrase) && IsName(s.Previous()) && !s.AfterValue()) {
    diagnostics_
        .Report(Code::kMissingSeparator, SpanOf(s, s.index - 1), "here starts another entry",
                {Quote(TextOf(s, s.index - 1))})
        .Help("put a comma before it, or a line of its own");
    return true;
  }
  bool record = s.Innermost(P::RuleRecordLit);
  bool list = record || s.Innermost(P::RuleEnumBody) || s.Innermost(P::RuleRecordBody) ||
              s.Innermost(P::RuleMatchBody) || s.Innermost(P::RuleTestBody) ||
              s.Innermost(P::RuleBlock);
  if (list && s.Expects(P::NL) && s.Expects(P::COMMA)) {
    if (record && (s.Previous() == P::ON || s.Previous() == P::ORDER || s.Previous() == P::EMIT) &&
        IsName(s.Found())) {
      diagnostics_
          .Report(Code::kExpected, SpanOf(s, s.index), "",
                  {"a comma, a new line, `:` or `}`", Found(s, s.index)})
          .Help(
              "these braces hold fields; `on`, `order` and `emit` stand in the block of a lookup, "
              "join, window or source");
      return true;
    }
    // { order by key }: `order` was taken for a flag.
    if (s.Innermost(P::RuleBlock) && (s.Previous() == P::ORDER || s.Previous() == P::EMIT) &&
        IsName(s.Found())) {
      bool order = s.Previous() == P::ORDER;
      std::string word =
          s.Found() == P::BY && IsName(s.Next()) ? TextOf(s, s.index + 1) : TextOf(s, s.index);
      diagnostics_
          .Report(Code::kExpected, SpanOf(s, s.index), "",
                  {order ? "`input`, `none` or `key`" : "`final`, `on change` or `every`",
                   Found(s, s.index)})
          .Help(order ? "write `order key " + word + "`, `order input` or `order none`"
                      : "write `emit every 500ms`, `emit on change` or `emit final`");
      return true;
    }
    if (s.Found() == P::ASSIGN && IsName(s.Previous())) {
      diagnostics_.Report(Code::kExpected, SpanOf(s, s.index), "", {"`:`", "`=`"})
          .Help("in braces a value is given with `:`: `" + TextOf(s, s.index - 1) + ": …`");
      return true;
    }
    bool bare_name = IsName(s.Previous()) && (s.Previous(2) == P::LBRACE ||
                                              s.Previous(2) == P::COMMA || s.Previous(2) == P::NL);
    if ((record || s.Innermost(P::RuleBlock)) && bare_name && StartsValue(s.Found()) &&
        !IsName(s.Found())) {
      diagnostics_.Report(Code::kExpected, SpanOf(s, s.index), "", {"`:`", Found(s, s.index)})
          .Help("write `" + TextOf(s, s.index - 1) + ": " + TextOf(s, s.index) + "`");
      return true;
    }
    bool starts_item =
        IsName(s.Found()) || s.Found() == P::QUOTE || s.Found() == P::TQUOTE ||
        (s.Innermost(P::RuleMatchBody) && StartsValue(s.Found()) && s.Found() != P::LBRACE);
    if (EndsValue(s.Previous()) && starts_item && !IsOperatorWord(TextOf(s, s.index))) {
      const char* what = s.Innermost(P::RuleMatchBody)              ? "arm"
                         : record || s.Innermost(P::RuleRecordBody) ? "field"
                         : s.Innermost(P::RuleEnumBody)             ? "value"
                                                                    : "entry";
      std::string shown =
          s.Found() == P::QUOTE || s.Found() == P::TQUOTE ? "a string" : Quote(TextOf(s, s.index));
      diagnostics_
          .Report(Code::kMissingSeparator, SpanOf(s, s.index),
                  std::string("here starts another ") + what, {shown})
          .Help("put a comma before it, or a line of its own");
      return true;
    }
  }
  // { retry 3 } and { retry = 3 }
  if (s.Expects(P::COLON) && IsName(s.Previous()) &&
      (s.Inside(P::RuleItem) || s.Innermost(P::RuleField) || s.Innermost(P::RuleParam)) &&
      s.Found() != P::NL && s.Found() != kEof && s.Found() != P::RBRACE) {
    bool type = s.Innermost(P::RuleField) || s.Innermost(P::RuleParam);
    Reported r = diagnostics_.Report(Code::kExpected, SpanOf(s, s.index), "",
                                     {Expected(s), Found(s, s.index)});
    if (type && (s.Found() == P::COMMA || s.Found() == P::RPAR))
      r.Help("a parameter has a type: `" + TextOf(s, s.index - 1) + ": string`");
    else if (type && IsName(s.Found()))
      r.Help("write `" + TextOf(s, s.index - 1) + ": " + TextOf(s, s.index) + "`");
    else if (!type && s.Found() == P::ASSIGN)
      r.Help("in a block a value is given with `:`: `" + TextOf(s, s.index - 1) + ": …`");
    else if (!type && StartsValue(s.Found())) r.Help("write `" + TextOf(s, s.index - 1) + ": …`");
    return true;
  }
  // on missing: send dead
  if (s.Inside(P::RuleItem) && s.Expects(P::SEND) && s.Expects(P::DROP) && !s.Expects(P::NAME)) {
    Reported r = diagnostics_.Report(Code::kExpected, SpanOf(s, s.index), "",
                                     {"`or`, `use`, `send`, `drop` or `stop`", Found(s, s.index)});
    if (s.Found() == P::COLON || s.Found() == P::ARROW)
      r.Help("write `on EVENT ACTION`, without a sign between them");
    else if (s.Found() == P::COMMA) r.Help("write `on EVENT or EVENT ACTION`");
    else if (IsName(s.Found())) {
      static const std::vector<std::string> kActions = {"use", "send", "drop", "stop"};
      std::string word = Lower(TextOf(s, s.index));
      if (word == "ignore" || word == "skip" || word == "discard") r.Help("write `drop`");
      else if (word == "fail" || word == "abort" || word == "panic" || word == "raise" ||
               word == "throw")
        r.Help("write `stop`");
      else if (word == "default" || word == "set" || word == "with") r.Help("write `use VALUE`");
      else if (word == "to" || word == "route" || word == "deadletter")
        r.Help("write `send DEADLETTER`");
      else if (auto meant = DidYouMean(word, kActions)) r.Help("did you mean `" + *meant + "`?");
    }
    return true;
  }
  return false;
}

bool SyntaxMessages::IsOperatorWord(const std::string& word) {
  static const char* const kWords[] = {"is", "like", "between", "mod", "div", "xor", "eq",
                                       "ne", "lt",   "gt",      "le",  "ge",  "isnt"};
  std::string lower = Lower(word);
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const char* w) { return lower == w; });
}

bool SyntaxMessages::ExpressionHabits(const Site& s) {
  std::string text = TextOf(s, s.index);
  Span span = SpanOf(s, s.index);
  if (s.AfterValue()) {
    if (s.Found() == P::LBRACE && s.Expects(P::THEN)) {
      diagnostics_.Report(Code::kIfBraces, span, "braces hold a record here")
          .Help("write `if c then a else b`");
      return true;
    }
    if (s.Found() == P::AS && !s.Expects(P::AS)) {
      std::string type = IsName(s.Next()) ? TextOf(s, s.index + 1) : "int64";
      diagnostics_.Report(Code::kCastWithAs, span, "a conversion is a call")
          .Help("write `" + type + "(…)`");
      return true;
    }
    if (s.Found() == P::ASSIGN && !s.Expects(P::ASSIGN)) {
      diagnostics_.Report(Code::kAssignmentInExpression, span, "`==` compares").Help("write `==`");
      return true;
    }
    if (s.Found() == P::QM) {
      diagnostics_.Report(Code::kForeignOperator, span, "a choice is written with words", {"?"})
          .Help("write `if c then a else b`; a default for null is `a ?? b`");
      return true;
    }
    if (s.Found() == P::ARROW && s.Innermost(P::RuleMatchBody)) {
      diagnostics_.Report(Code::kExpected, span, "", {"a comma or a new line", "`->`"})
          .Help(
              "a line that starts with `-` goes on with the line before; a negative number has no "
              "space: `-1 -> …`");
      return true;
    }
    if (s.Found() == P::ARROW && (s.Inside(P::RuleArgs) || s.Inside(P::RuleStep))) {
      diagnostics_
          .Report(Code::kLambda, span,
                  "`->` leads to the value of a match arm, or to a result type")
          .Help("give the computation a name: `fn f(x: int64) -> int64 = …`");
      return true;
    }
    if (s.Found() == P::LBRACE && IsName(s.Previous()) && s.index > 0) {
      std::string name = TextOf(s, s.index - 1);
      if (name[0] >= 'A' && name[0] <= 'Z') {
        diagnostics_
            .Report(Code::kRecordConstructor,
                    {file_.id(), s.At(s.index - 1).begin, s.At(s.index - 1).end},
                    "the type follows from where the value is used")
            .Help("write `{ … }` alone");
        return true;
      }
    }
    if (IsName(s.Found()) && IsOperatorWord(text)) {
      static const std::map<std::string_view, const char*> kWords = {
          {"is", "null is compared with `== null` and `!= null`"},
          {"isnt", "null is compared with `== null` and `!= null`"},
          {"like", "call a function, such as `starts_with(text, \"A\")`"},
          {"between", "write `x in 1..5`"},
          {"mod", "write `%`"},
          {"div", "write `/`"},
          {"xor", "write `!=`"},
          {"eq", "write `==`"},
          {"ne", "write `!=`"},
          {"lt", "write `<`"},
          {"gt", "write `>`"},
          {"le", "write `<=`"},
          {"ge", "write `>=`"}};
      diagnostics_.Report(Code::kForeignOperator, span, "", {text}).Help(kWords.at(Lower(text)));
      return true;
    }
  }
  if (s.Expects(P::ELSE) && s.Found() != P::ELSE) {
    if (size_t at = OpenChoice(s); at < s.chunk.tokens.size()) {
      bool is_try = s.Type(at) == P::TRY;
      diagnostics_.Report(Code::kMissingElse, span, "no `else` by here", {is_try ? "try" : "if"})
          .Secondary(SpanOf(s, at),
                     is_try ? "what may fail needs another value" : "both ways need a value")
          .Help(is_try ? "write `try a else b`" : "write `if c then a else b`");
      return true;
    }
  }
  if ((s.Found() == P::TRY || s.Found() == P::IF) && IsOperator(s.Previous()) &&
      s.Expects(P::INT)) {
    diagnostics_.Report(Code::kExpected, span, "", {"a value", Quote(text)})
        .Help("put it in parentheses: `(" + text + (text == "if" ? " … then" : "") + " … else …)`");
    return true;
  }
  if (s.Found() == P::DOT && s.Next() == P::INT && s.Expects(P::INT)) {
    diagnostics_
        .Report(Code::kBadNumber, Join(span, SpanOf(s, s.index + 1)),
                "a digit stands before the point", {"." + TextOf(s, s.index + 1)})
        .Help("write `0." + TextOf(s, s.index + 1) + "`");
    return true;
  }
  if (s.Previous() == P::DOT && s.Previous(2) == P::INT && s.Expects(P::NAME)) {
    std::string number = TextOf(s, s.index - 2);
    diagnostics_
        .Report(Code::kBadNumber, Join(SpanOf(s, s.index - 2), SpanOf(s, s.index - 1)),
                "a digit follows the point", {number + "."})
        .Help("write `" + number + ".0`; a range is `" + number + "..9`");
    return true;
  }
  return false;
}

// The `if` or `try` that still waits for its `else` at this place; behind the last token when there
// is none.
size_t SyntaxMessages::OpenChoice(const Site& s) {
  bool closer = s.Found() == P::RBRACE || s.Found() == P::RPAR || s.Found() == P::RBRK;
  uint32_t depth = s.At(s.index).depth + (closer ? 1 : 0);
  size_t closed = 0;
  for (size_t i = s.index; i-- > 0;) {
    const Token& t = s.At(i);
    if (t.depth > depth) continue;
    if (t.depth < depth) break;
    if (t.type == P::NL || t.type == P::COLON || t.type == P::ASSIGN || t.type == P::BAR) break;
    if (t.type == P::ELSE) ++closed;
    if (t.type == P::IF || t.type == P::TRY) {
      if (closed == 0) return i;
      --closed;
    }
  }
  return s.chunk.tokens.size();
}

void SyntaxMessages::Plain(const Site& s) {
  std::string expected = Expected(s);
  bool two_declarations = s.Type(s.index) != kEof && StartsDeclaration(s.Found()) &&
                          IsName(s.Next()) && s.Innermost(P::RuleChunk);
  if (two_declarations) expected = "a new line";
  Reported r =
      diagnostics_.Report(Code::kExpected, SpanOf(s, s.index), "", {expected, Found(s, s.index)});
  std::vector<std::string> keywords;
  if (IsName(s.Found()) && !s.Expects(P::NAME)) {
    for (size_t type = P::PIPELINE; type <= P::WAIT; ++type) {
      if (s.Expects(type)) keywords.emplace_back(FixedText(type));
    }
  }
  if (auto meant = DidYouMean(TextOf(s, s.index), keywords)) {
    r.Help("did you mean `" + *meant + "`?");
  } else if (two_declarations) {
    r.Help("each declaration starts on a line of its own");
  } else if (s.LineBefore() && (s.Found() == P::LPAR || s.Found() == P::LBRK)) {
    r.Help("a line that starts with `" + TextOf(s, s.index) +
           "` does not go on with the line before: put it at that line's end");
  } else if (s.LineBefore() && s.Found() == P::MINUS) {
    r.Help("to go on with the line before, put a space behind the `-`");
  } else if (s.Expects(P::COMMA) && (s.Expects(P::RPAR) || s.Expects(P::RBRK)) &&
             !s.Expects(P::NL) && StartsValue(s.Found()) && EndsValue(s.Previous())) {
    r.Help("in `( )` and `[ ]` a line end separates nothing: put a comma between the items");
  } else if (s.Inside(P::RuleString) && !(s.Innermost(P::RuleString) && s.Expects(P::QUOTE))) {
    r.Help("`{` in a string starts an expression; for a brace as text write `{{`");
  } else if (s.Found() == P::LBRACE && s.AfterValue() && s.Inside(P::RuleDecl)) {
    r.Help("this step takes no settings");
  } else if (s.Found() == P::ASSIGN && s.Expects(P::COLON) && s.Previous(2) == P::PARAM) {
    r.Help("a param has a type: `param " + TextOf(s, s.index - 1) + ": string = …`");
  } else if (s.Found() == P::DOT && s.Expects(P::QM) && s.Expects(P::LT) && IsName(s.Next())) {
    r.Help("the types of an imported file have their own names: `" + TextOf(s, s.index + 1) + "`");
  } else if (s.Found() == P::COLON && s.Previous(2) == P::LET) {
    r.Help("the type follows from the value: `let " + TextOf(s, s.index - 1) + " = …`");
  } else if (s.Found() == P::ASSIGN && s.Expects(P::COLON)) {
    r.Help("a type stands between: `" + TextOf(s, s.index - 1) + ": TYPE = …`");
  } else if (s.Found() == P::ASSIGN && s.Expects(P::LBRACE)) {
    r.Help("remove the `=`");
  } else if (s.Expects(P::LT) && s.Expects(P::LPAR) && !s.Expects(P::INT) && !s.AfterValue() &&
             s.Inside(P::RuleTestItem)) {
    r.Help("rows are fed with `NAME <- { … }`, a lookup is stubbed with `NAME(KEY) answers …`");
  }
}

}  // namespace weirc
