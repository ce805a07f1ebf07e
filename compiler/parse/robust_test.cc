// compiler/parse/robust_test.cc — No bytes crash the parser, hang it, or make it silent about what
// it could not read.
#include <catch2/catch.hpp>
#include <ctime>
#include <fstream>
#include <random>
#include <sstream>

#include "compiler/diagnostics/render.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/print.h"

namespace weirc {
namespace {

struct Outcome {
  std::string tree;
  std::vector<Diagnostic> diagnostics;
  bool Has(Code code) const {
    for (const Diagnostic& d : diagnostics) {
      if (d.code == code) return true;
    }
    return false;
  }
};

Outcome ParseText(const std::string& text) {
  SourceSet sources;
  Diagnostics diagnostics;
  const SourceFile& file = sources.Add("a.weir", text);
  ast::File tree = Parse(file, diagnostics);
  Outcome outcome;
  outcome.tree = PrintAst(tree, {&file});
  outcome.diagnostics = diagnostics.Sorted();
  // All renderers take it.
  RenderText(diagnostics, sources, {.color = true});
  RenderJson(diagnostics, sources);
  RenderGithub(diagnostics, sources);
  return outcome;
}

std::string Repeat(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("nesting of any kind is an error, not an overflow") {
  constexpr size_t kTimes = 30'000;
  const std::string programs[] = {
      "fn f() -> int64 = " + Repeat("(", kTimes) + "1" + Repeat(")", kTimes),
      "fn f() -> int64 = " + Repeat("(", kTimes),
      "fn f() -> int64 = " + Repeat("[", kTimes) + Repeat("]", kTimes),
      "fn f() -> int64 = " + Repeat("{a:", kTimes) + "1" + Repeat("}", kTimes),
      "fn f() -> int64 = " + Repeat("- ", kTimes) + "1",
      "fn f() -> int64 = " + Repeat("not ", kTimes) + "a",
      "fn f() -> int64 = " + Repeat("1 + ", kTimes) + "1",
      "fn f() -> int64 = " + Repeat("a ?? ", kTimes) + "1",
      "fn f() -> int64 = a" + Repeat(".b", kTimes),
      "fn f() -> int64 = f" + Repeat("(", kTimes),
      "fn f() -> int64 = " + Repeat("if a then b else ", 20'000) + "1",
      "fn f() -> int64 = " + Repeat("try ", kTimes) + "1",
      "fn f() -> " + Repeat("list<", kTimes) + "int64" + Repeat(">", kTimes) + " = 1",
      "fn f() -> int64 = match x { " + Repeat("(", kTimes) + "1" + Repeat(")", kTimes) + " -> 1 }",
      "fn f() -> int64 = " + Repeat("match x { 1 -> ", 20'000) + "1" + Repeat("}", 20'000),
      "fn f() -> string = " + Repeat("\"{", kTimes),
      "service s version 1 = x { " + Repeat("answer a() -> A = b { ", 20'000) +
          Repeat("}", 20'000) + "}",
  };
  for (const std::string& program : programs) {
    INFO(program.substr(0, 60));
    CHECK(ParseText(program).Has(Code::kTooDeep));
  }
}

TEST_CASE("the greatest depth is allowed and one more is not") {
  // Unary operators are one level each; the function's body is the first.
  CHECK(
      ParseText("fn f() -> int64 = " + Repeat("- ", ast::kDepthMax - 1) + "1").diagnostics.empty());
  CHECK(ParseText("fn f() -> int64 = " + Repeat("- ", ast::kDepthMax) + "1").Has(Code::kTooDeep));
  CHECK(ParseText("fn f() -> int64 = " + Repeat("(", 120) + "1" + Repeat(")", 120))
            .diagnostics.empty());
}

TEST_CASE("a deep declaration does not hide the next one") {
  Outcome outcome = ParseText("fn f() -> int64 = " + Repeat("(", 5000) + "1" + Repeat(")", 5000) +
                              "\nparam x = 1\n");
  CHECK(outcome.Has(Code::kTooDeep));
  CHECK(outcome.Has(Code::kExpected));
}

TEST_CASE("hostile input takes no more than linear time") {
  constexpr size_t kBytes = 50'000;
  auto fill = [](std::string_view piece) { return Repeat(piece, kBytes / piece.size()); };
  std::clock_t begin = std::clock();
  for (std::string_view piece : {")",         "(",      "{",           "}",      "\"",
                                 "\"{",       "`",      "|",           ",",      "\n",
                                 "a\n",       "a ",     "{}",          "[1,",    "5x ",
                                 "\xC3\xA9 ", "'",      "@",           "&&",     "stream s = t\n",
                                 "/*",        "\"\"\"", "| where a\n", "match {"}) {
    ParseText("fn f() -> int64 = " + fill(piece));
    ParseText(fill(piece));
    std::string names = "stream s = t | where f({";
    for (size_t i = 0; names.size() < kBytes; ++i)
      names += "a" + std::to_string(i) + std::string(piece) + ",\n";
    ParseText(names);
  }
  // A few seconds of CPU when linear; a quadratic step takes minutes.
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 40);
}

TEST_CASE("bytes that are no text are named") {
  CHECK(ParseText("param a: int64 = 1\n\xFF\n").Has(Code::kInvalidUtf8));
  CHECK(ParseText(std::string("param a: int64 = 1\0\n", 20)).Has(Code::kInvalidUtf8));
  CHECK(ParseText("\xFF\xFEp\0").Has(Code::kInvalidUtf8));
  CHECK(ParseText("// \xC3\n").Has(Code::kInvalidUtf8));
  CHECK(ParseText("param a: string = \"\xED\xA0\x80\"\n").Has(Code::kInvalidUtf8));
  CHECK(ParseText("param a: int64\x01 = 1\n").Has(Code::kBadCharacter));
  CHECK(ParseText("param a: int64 = 1\rparam b: int64 = 1\n").Has(Code::kBadCharacter));
  CHECK(ParseText(Repeat("// a comment of some length, repeated\n", 40'000))
            .Has(Code::kFileTooLarge));
}

TEST_CASE("a byte order mark and Windows line ends are fine") {
  Outcome plain =
      ParseText("record R {\n  a: int64\n  b: string\n}\nstream s = t\n  | where a > 1\n");
  Outcome windows = ParseText(
      "\xEF\xBB\xBFrecord R {\r\n  a: int64\r\n  b: string\r\n}\r\nstream s = t\r\n  | where a > "
      "1\r\n");
  CHECK(windows.diagnostics.empty());
  CHECK(plain.tree.substr(0, plain.tree.find('@')) ==
        windows.tree.substr(0, windows.tree.find('@')));
}

TEST_CASE("names and strings have a greatest length") {
  CHECK(ParseText("deadletter " + std::string(128, 'a')).diagnostics.empty());
  CHECK(ParseText("deadletter " + std::string(129, 'a')).Has(Code::kTooLong));
  CHECK(ParseText("param a: string = \"" + std::string(65536, 'a') + "\"").diagnostics.empty());
  CHECK(ParseText("param a: string = \"" + std::string(65537, 'a') + "\"").Has(Code::kTooLong));
}

TEST_CASE("there is an end to errors") {
  Outcome outcome = ParseText(Repeat("stream s = t | filter a\n", 200));
  CHECK(outcome.diagnostics.size() == 51);
  CHECK(outcome.diagnostics.back().code == Code::kTooManyErrors);
}

TEST_CASE("whatever a program is changed to, what could not be read was reported") {
  std::string program;
  for (const char* path : {"tests/parse/everything.weir", "tests/parse/trade_enrichment.weir"}) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    program += text.str().substr(0, text.str().find("\n--- expect")) + "\n";
  }
  REQUIRE(program.size() > 5000);
  static constexpr std::string_view kPieces[] = {
      "{",    "}",       "(",   ")",    "[",         "]",   "\"",     "\"\"\"", "`",
      "'",    "\n",      "|",   "->",   "=>",        "...", ",",      ":",      "=",
      "<-",   "match",   "if",  "then", "else",      "try", "select", "stream", "\xC3\xA9",
      "\x01", "//",      "/*",  "*/",   "5x",        "1.",  "t\"",    "\\",     "{{",
      "\r",   "param x", "not", "in",   "order key", "on "};
  std::mt19937 random(11);
  for (int round = 0; round < 1500; ++round) {
    std::string text = program;
    if (random() % 4 != 0) text = text.substr(random() % text.size(), random() % 3000);
    for (size_t n = 1 + random() % 6; n > 0 && !text.empty(); --n) {
      size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text.erase(at, 1 + random() % 10); break;
        case 1: text.insert(at, kPieces[random() % std::size(kPieces)]); break;
        case 2: text.insert(at, text.substr(random() % text.size(), random() % 60)); break;
        default:
          text[at] = static_cast<char>(random() % 3 != 0 ? 32 + random() % 95 : random());
          break;
      }
    }
    Outcome outcome = ParseText(text);
    INFO(text);
    bool whole = outcome.tree.find("<error>") == std::string::npos &&
                 outcome.tree.find("<missing>") == std::string::npos &&
                 outcome.tree.find("(broken)") == std::string::npos;
    if (!whole) CHECK_FALSE(outcome.diagnostics.empty());
  }
}

}  // namespace weirc
