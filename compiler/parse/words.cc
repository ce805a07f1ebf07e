// compiler/parse/words.cc — What kind of word or sign a token is.
#include <initializer_list>
#include <map>

#include "WeirLexer.h"
#include "compiler/parse/tokens.h"

namespace weirc {
namespace {

using L = WeirLexer;

// Token types are small numbers: a table of flags.
enum Flag : uint8_t {
  kDeclaration = 1,
  kStep = 2,
  kNameWord = 4,
  kReserved = 8,
  kValueEnd = 16,
  kValueStart = 32
};

struct Tables {
  uint8_t flags[256] = {};
  std::string_view text[256];

  void Mark(Flag flag, std::initializer_list<size_t> types) {
    for (size_t type : types) flags[type] |= flag;
  }

  Tables() {
    Mark(kDeclaration, {L::PIPELINE, L::IMPORT, L::PARAM, L::SECRET, L::CONNECTION, L::ENUM,
                        L::RECORD, L::DEADLETTER, L::SOURCE, L::TABLE, L::LOOKUP, L::CALL,
                        L::EXTERN, L::FN, L::AGGREGATE, L::SERVICE, L::STREAM, L::SINK, L::TEST});
    Mark(kStep, {L::WHERE, L::SELECT, L::LET, L::UNION, L::SPLIT, L::FLATTEN, L::JOIN, L::ASOF,
                 L::OUTER, L::WINDOW, L::LOOKUP, L::CALL, L::AGGREGATE, L::DEDUP, L::REKEY});
    Mark(kReserved, {L::KTRUE, L::KFALSE, L::KNULL, L::IF, L::THEN, L::ELSE, L::MATCH, L::TRY,
                     L::AND, L::OR, L::NOT});
    // The grammar keeps contextual words in one run, from PIPELINE to WAIT.
    for (size_t type = L::PIPELINE; type <= L::WAIT; ++type) flags[type] |= kNameWord;
    Mark(kNameWord, {L::NAME, L::QNAME});
    for (size_t type = 0; type < 256; ++type) {
      if (flags[type] & kNameWord) flags[type] |= kValueEnd | kValueStart;
    }
    Mark(kValueEnd, {L::UNDERSCORE, L::KTRUE, L::KFALSE, L::KNULL, L::INT, L::DEC, L::DURATION,
                     L::TIMESTAMP, L::DATE, L::UNQUOTE, L::RPAR, L::RBRK, L::RBRACE, L::BADNUM});
    Mark(kValueStart,
         {L::UNDERSCORE, L::KTRUE, L::KFALSE, L::KNULL,  L::INT,   L::DEC,   L::DURATION,
          L::TIMESTAMP,  L::DATE,  L::QUOTE,  L::TQUOTE, L::LPAR,  L::LBRK,  L::LBRACE,
          L::MINUS,      L::NOT,   L::TRY,    L::IF,     L::MATCH, L::BADNUM});
    static const std::map<size_t, std::string_view> kTexts = {{L::KTRUE, "true"},
                                                              {L::KFALSE, "false"},
                                                              {L::KNULL, "null"},
                                                              {L::IF, "if"},
                                                              {L::THEN, "then"},
                                                              {L::ELSE, "else"},
                                                              {L::MATCH, "match"},
                                                              {L::TRY, "try"},
                                                              {L::AND, "and"},
                                                              {L::OR, "or"},
                                                              {L::NOT, "not"},
                                                              {L::PIPELINE, "pipeline"},
                                                              {L::VERSION, "version"},
                                                              {L::PARAM, "param"},
                                                              {L::SECRET, "secret"},
                                                              {L::CONNECTION, "connection"},
                                                              {L::ENUM, "enum"},
                                                              {L::RECORD, "record"},
                                                              {L::DEADLETTER, "deadletter"},
                                                              {L::SOURCE, "source"},
                                                              {L::TABLE, "table"},
                                                              {L::LOOKUP, "lookup"},
                                                              {L::CALL, "call"},
                                                              {L::STREAM, "stream"},
                                                              {L::SINK, "sink"},
                                                              {L::TEST, "test"},
                                                              {L::FN, "fn"},
                                                              {L::EXTERN, "extern"},
                                                              {L::IMPORT, "import"},
                                                              {L::SERVICE, "service"},
                                                              {L::ANSWER, "answer"},
                                                              {L::AGGREGATE, "aggregate"},
                                                              {L::RETURN, "return"},
                                                              {L::WHERE, "where"},
                                                              {L::SELECT, "select"},
                                                              {L::LET, "let"},
                                                              {L::UNION, "union"},
                                                              {L::SPLIT, "split"},
                                                              {L::FLATTEN, "flatten"},
                                                              {L::JOIN, "join"},
                                                              {L::ASOF, "asof"},
                                                              {L::OUTER, "outer"},
                                                              {L::WINDOW, "window"},
                                                              {L::DEDUP, "dedup"},
                                                              {L::REKEY, "rekey"},
                                                              {L::ON, "on"},
                                                              {L::ORDER, "order"},
                                                              {L::EMIT, "emit"},
                                                              {L::INPUT, "input"},
                                                              {L::NONE, "none"},
                                                              {L::KEY, "key"},
                                                              {L::FINAL, "final"},
                                                              {L::CHANGE, "change"},
                                                              {L::EVERY, "every"},
                                                              {L::USE, "use"},
                                                              {L::SEND, "send"},
                                                              {L::DROP, "drop"},
                                                              {L::STOP, "stop"},
                                                              {L::OUTCOME, "outcome"},
                                                              {L::FROM, "from"},
                                                              {L::AS, "as"},
                                                              {L::BY, "by"},
                                                              {L::WITHIN, "within"},
                                                              {L::WITH, "with"},
                                                              {L::TIME, "time"},
                                                              {L::KIN, "in"},
                                                              {L::ANSWERS, "answers"},
                                                              {L::AFTER, "after"},
                                                              {L::EXPECT, "expect"},
                                                              {L::CONTAINS, "contains"},
                                                              {L::EXACTLY, "exactly"},
                                                              {L::WAIT, "wait"},
                                                              {L::UNDERSCORE, "_"},
                                                              {L::LBRACE, "{"},
                                                              {L::RBRACE, "}"},
                                                              {L::LPAR, "("},
                                                              {L::RPAR, ")"},
                                                              {L::LBRK, "["},
                                                              {L::RBRK, "]"},
                                                              {L::ARROW, "->"},
                                                              {L::QDOT, "?."},
                                                              {L::QQ, "??"},
                                                              {L::QM, "?"},
                                                              {L::DOTDOT, ".."},
                                                              {L::DOT, "."},
                                                              {L::COMMA, ","},
                                                              {L::COLON, ":"},
                                                              {L::EQ, "=="},
                                                              {L::NE, "!="},
                                                              {L::LE, "<="},
                                                              {L::GE, ">="},
                                                              {L::LT, "<"},
                                                              {L::GT, ">"},
                                                              {L::ASSIGN, "="},
                                                              {L::PLUS, "+"},
                                                              {L::MINUS, "-"},
                                                              {L::STAR, "*"},
                                                              {L::SLASH, "/"},
                                                              {L::PCT, "%"},
                                                              {L::BAR, "|"},
                                                              {L::IOPEN, "{"}};
    for (auto& [type, word] : kTexts) text[type] = word;
  }
};

const Tables& TheTables() {
  static const Tables tables;
  return tables;
}

bool Has(size_t type, Flag flag) { return type < 256 && (TheTables().flags[type] & flag) != 0; }

std::vector<std::string> WordsWith(Flag flag) {
  std::vector<std::string> words;
  for (size_t type = 0; type < 256; ++type) {
    if (Has(type, flag)) words.emplace_back(FixedText(type));
  }
  return words;
}

}  // namespace

bool StartsDeclaration(size_t type) { return Has(type, kDeclaration); }
bool StartsStep(size_t type) { return Has(type, kStep); }
bool IsName(size_t type) { return Has(type, kNameWord); }
bool IsReserved(size_t type) { return Has(type, kReserved); }
bool EndsValue(size_t type) { return Has(type, kValueEnd); }
bool StartsValue(size_t type) { return Has(type, kValueStart); }
std::string_view FixedText(size_t type) {
  return type < 256 ? TheTables().text[type] : std::string_view();
}

const std::vector<std::string>& DeclarationWords() {
  static const std::vector<std::string> words = WordsWith(kDeclaration);
  return words;
}

const std::vector<std::string>& StepWords() {
  static const std::vector<std::string> words = WordsWith(kStep);
  return words;
}

}  // namespace weirc
