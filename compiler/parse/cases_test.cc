// compiler/parse/cases_test.cc — The traps of the grammar: line ends, separators, words, recovery.
// One line each.
#include <catch2/catch.hpp>

#include "compiler/diagnostics/render.h"
#include "compiler/parse/parse.h"

namespace weirc {
namespace {

// The codes of all errors, in order: "" for a correct program, "W0101 W0110" for one with two.
std::string Codes(const std::string& text) {
  SourceSet sources;
  Diagnostics diagnostics;
  Parse(sources.Add("a.weir", text), diagnostics);
  std::string codes;
  for (const Diagnostic& d : diagnostics.Sorted())
    codes += (codes.empty() ? "" : " ") + std::string(InfoOf(d.code).id);
  return codes;
}

std::string Select(const std::string& body) {
  return "stream s = t\n | select {\n" + body + "\n}\n";
}

struct Case {
  const char* what;
  std::string program;
  const char* codes;
};

}  // namespace

TEST_CASE("what is accepted and what is not") {
  const Case cases[] = {
      // Separators and entries
      {"an entry needs its colon",
       "lookup a(i: string) -> A = r.f() { retry: 3, backoff 20ms..500ms }", "W0101"},
      {"two entries on one line",
       "lookup a(i: string) -> A = r.f() { retry: 3, backoff: 20ms..500ms }", ""},
      {"two entries without a separator",
       "source s: T = m.topic(\"x\") { timeout: 100ms retry: 3 }", "W0110"},
      {"commas and line ends", Select("a,\n b\n , c,"), ""},
      {"shorthand of contextual words", Select("on\n missing\n order\n key"), ""},
      {"a clause is no field", Select("on missing use null"), "W0101"},
      {"order key without a key", "stream s = t | lookup a(b) as c { order key\n on missing drop }",
       "W0101"},
      {"order key key", "stream s = t | lookup a(b) as c { order key key\n on missing drop }", ""},
      {"order key a, b", "stream s = t | lookup a(b) as c { order key a, b\n on missing drop }",
       "W0128"},
      {"order as an entry", "stream s = t | lookup a(b) as c { order: key }", ""},
      {"union of several", "stream s = a | union b, c", "W0128"},
      {"by several", "stream s = a | window tumbling 1s by a, b", "W0128"},
      {"empty blocks", "source s: T = m.topic(\"x\") {}\ntest \"x\" {}", ""},
      {"flags among entries", "lookup a(b: string) -> C = c.d() { sync, pin, timeout: 5s }", ""},
      {"a phrase with in", "lookup a(b: string) -> C = c.d() { cache: 5 in 6 }", ""},
      {"a phrase without its entry", "source s: T = m.topic(\"x\") {\n table for 5s\n}", "W0110"},
      // Line ends
      {"a leading operator goes on", Select("a: b\n + c\n b: 1"), ""},
      {"a leading minus goes on", Select("a: b\n - c\n d"), ""},
      {"a glued minus does not", Select("a: b\n -1\n d"), "W0101"},
      {"a trailing operator goes on", Select("a: b +\n c\n d"), ""},
      {"a trailing > does not", Select("a: b >\n c\n d"), "W0101"},
      {"a leading > goes on", Select("a: b\n > c\n d"), ""},
      {"a leading ( does not", Select("a: f\n (b)\n c"), "W0101"},
      {"a leading [ does not", Select("a: f\n [b]\n c"), "W0101"},
      {"a leading . goes on", Select("a: f\n  .b\n c"), ""},
      {"a brace on its own line", "source s: T = m.topic(\"x\")\n{\n key: a\n}", ""},
      {"a leading or goes on", Select("a: x\n or y\n b: 1"), ""},
      {"a leading in does not", Select("a: x\n in\n b: 1"), ""},
      {"not behind and", Select("a: x and\n not y"), ""},
      {"comments between steps", "stream s = t\n\n // c\n\n | where a\n\n\n | where b", ""},
      {"comments at line ends", Select("a: b // x\n + c // y\n d"), ""},
      {"a header on two lines", "stream s = t | asof join q as q\n   on symbol", "W0139"},
      {"nested braces and brackets",
       Select("a: {\n b: 1\n c: 2\n}\nd: f({\n x\n y\n}, [\n1,\n2\n])"), ""},
      {"a list needs commas", Select("a: [\n 1\n 2\n]"), "W0101"},
      {"crlf", "deadletter a\r\ndeadletter b\r\n", ""},
      {"an empty file", "", ""},
      {"only a comment", "// x\n", ""},
      // Types
      {"types end with >",
       "record R {\n a: list<string>\n b: map<string, list<int64>>\n c: list<list<int64>>?\n}", ""},
      {">= behind a type", "param x: list<int64>= [1]", "W0133"},
      {"> = behind a type", "param x: list<int64> = [1]", ""},
      {"a default behind ?", "record R { a: string? = \"x\" }", ""},
      // Expressions
      {"?.", Select("a: b ?.c"), ""},
      {"x<-1 compares", "stream s = t | where x<-1", ""},
      {"a feed", "test \"x\" { t <- { a: 1 } }", ""},
      {"a feed with a space", "test \"x\" { t < - { a: 1 } }", "W0101"},
      {"a range", "stream s = t | where x in 1..5", ""},
      {"a range below zero", "stream s = t | join q as q on a within -2s..5s", ""},
      {"a point without digits", "stream s = t | where x == 1.", "W0107"},
      {"a number with letters", "stream s = t | where x == 5x", "W0107"},
      {"a chained comparison", "stream s = t | where a < b > c", "W0118"},
      {"a chained comparison in parentheses", "stream s = t | where (a < b) == c", ""},
      {"a chained range", "stream s = t | where a in 1..2..3", "W0119"},
      {"precedence without parentheses", "stream s = t | where not a == b and -x.y < 2 ?? 3", ""},
      {"not in", Select("a: b not in c"), ""},
      {"try in if", Select("a: if x then try a else b else c"), ""},
      {"try in a sum", Select("a: 1 + try x else 0"), "W0101"},
      {"if with braces", Select("a: if x { b } else { c }"), "W0115"},
      {"a constructor", "stream s = t | where x == Trade { a: 1 }", "W0135"},
      {"a lambda", Select("a: xs.map(x -> x.y)"), "W0130"},
      {"a spread", Select("...i, x: 1"), "W0131"},
      {"a reserved word", Select("match: 1"), "W0111"},
      {"a reserved word in backticks", Select("`match`: a.`then`"), ""},
      // match
      {"else as an arm", Select("a: match x {\n 1 -> 2\n else -> 3\n}"), "W0132"},
      {"a negative arm", Select("a: match x {\n 1 -> 2\n -1 -> 3\n}"), ""},
      {"a negative arm with a space", Select("a: match x {\n 1 -> 2\n - 1 -> 3\n}"), "W0101"},
      {"an outcome called like a declaration", Select("a: match x {\n record r -> 1\n}"), ""},
      // Steps and their names
      {"an alias called outcome", "stream s = t | lookup a(b) as outcome { pin }", ""},
      {"windows called by", "stream s = t | window session by symbol | window count 5 by by", ""},
      {"a trading window with a size", "stream s = t | window trading(XNYS) 1m by symbol", ""},
      // Strings
      {"an open string", "import \"abc\nparam b: int64 = 1", "W0104"},
      {"an open string before a declaration", "import \"abc\ndeadletter d", "W0104"},
      {"an open interpolation", "connection c = x { a: \"{b\"\n c: 1 }\nparam b: int64 = 1",
       "W0105"},
      {"a brace as text", "stream s = t | where p == \"{\"", "W0105"},
      {"a brace as text, doubled", "stream s = t | where p == \"{{}\" ", ""},
      {"a triple string",
       "table t = pg.query(\"\"\"\n select \"a\" from t where x = {y}\n\"\"\") { key: a }", ""},
      {"a triple string that ends in a quote",
       "table t = pg.query(\"\"\"select \"a\"\"\"\") { key: a }", "W0104"},
      {"an open triple string", "table t = pg.query(\"\"\"select a) { key: a }\ndeadletter x\n",
       "W0104"},
      {"an open interpolation in a triple string",
       "table t = pg.query(\"\"\"a {b \"\"\") { key: a }\ndeadletter x\n", "W0105"},
      // Declarations and brackets
      {"two declarations on one line", "deadletter a deadletter b", "W0101"},
      {"a negative default, then a declaration", "param a: int64 = 1\nparam b: int64 = -1", ""},
      {"a missing value eats nothing", "param a: int64 =\nconnection c = kafka\nsink",
       "W0101 W0101"},
      {"a stray brace", "param a: int64 = 1 }\nparam b: int64 = 2", "W0109"},
      {"an open brace before a declaration", "record R { a: int64\ndeadletter d\nstream s = d",
       "W0108"},
      {"an open parenthesis before a step", "stream s = t | where (a\n | where b", "W0108"},
      {"fields at the margin",
       "record R {\nsource: string\nstream: string\n}\ntest \"a\" {\nsource <- {\ntable: 1\n}\n}",
       ""},
      {"a step without its pipe", "stream s = t\n  where a\n  | where b", "W0138"},
      {"settings without braces",
       "source s: T = m.topic(\"x\")\n  format: json\n  key: a\ndeadletter d", "W0102"},
  };
  for (const Case& c : cases) {
    INFO(c.what << "\n" << c.program);
    CHECK(Codes(c.program) == c.codes);
  }
}

TEST_CASE("seven broken lines are seven errors") {
  CHECK(Codes("param x = 5\n"
              "stream a = t | filter x\n"
              "record R { a string, b: int64 }\n"
              "lookup l(id: string) -> A = r.get(\"/x\" { timeout: 1s }\n"
              "fn f(a: int64) -> int64 = a && b\n"
              "sink o = main.topic(\"x\")\n"
              "test \"x\" { expect a contain { b: 1 } }\n") ==
        "W0101 W0103 W0101 W0108 W0113 W0101 W0101");
}

TEST_CASE("errors inside one declaration do not hide each other") {
  CHECK(Codes("stream s = t\n"
              "  | where a =\n"
              "  | select { a: 1 +, b: , c: f(2, d: 5x }\n"
              "  | where ok\n"
              "  | lookup l(a) { on missing, retry 3, timeout: 1s }\n") ==
        "W0117 W0101 W0101 W0108 W0107 W0101 W0101");
}

TEST_CASE("what is broken keeps its name") {
  SourceSet sources;
  Diagnostics diagnostics;
  ast::File file =
      Parse(sources.Add("a.weir",
                        "record R { a: int64, b string, c: string }\nsource s = x\ndeadletter d\n"),
            diagnostics);
  REQUIRE(file.decls.size() == 3);
  CHECK(file.decls[0]->name.text == "R");
  CHECK(file.decls[0]->broken);
  CHECK(Cast<ast::RecordDecl>(file.decls[0]).fields.size() == 2);
  CHECK(file.decls[1]->name.text == "s");
  CHECK(file.decls[1]->broken);
  CHECK_FALSE(file.decls[2]->broken);
}

TEST_CASE("documentation belongs to what follows on the next line") {
  SourceSet sources;
  Diagnostics diagnostics;
  ast::File file = Parse(sources.Add("a.weir",
                                     "/// One.\n///  Two.\nrecord R { /// not this\n  /// A "
                                     "field.\n  a: int64, b: int64\n  // plain\n  c: int64\n}\n"
                                     "/// Apart.\n\ndeadletter d\n"),
                         diagnostics);
  REQUIRE(file.decls.size() == 2);
  CHECK(file.decls[0]->doc == "One.\n Two.");
  const auto& fields = Cast<ast::RecordDecl>(file.decls[0]).fields;
  CHECK(fields[0].doc == "A field.");
  CHECK(fields[1].doc == "");
  CHECK(fields[2].doc == "");
  CHECK(file.decls[1]->doc == "");
  CHECK(file.comments.size() == 6);
}

}  // namespace weirc
