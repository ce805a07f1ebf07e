// compiler/diagnostics/render_test.cc — Layouts, and that no byte of a source file harms a terminal
// or a JSON reader.
#include "compiler/diagnostics/render.h"

#include <catch2/catch.hpp>

namespace weirc {
namespace {

Span Find(const SourceFile& file, std::string_view text) {
  uint32_t at = static_cast<uint32_t>(file.text().find(text));
  return {file.id(), at, at + static_cast<uint32_t>(text.size())};
}

}  // namespace

TEST_CASE("text shows the line, the span and the other place that matters") {
  SourceSet sources;
  const SourceFile& file = sources.Add(
      "enrich.weir", "record Order { amount: int64 }\n\nstream s = t\n  | where amonut > 0\n");
  Diagnostics diagnostics;
  diagnostics
      .Report(Code::kReservedWord, Find(file, "amonut"), "did you mean `amount`?", {"amonut"})
      .Secondary(Find(file, "Order"), "the record")
      .Help("write `amount`")
      .Note("line one\nline two");
  CHECK(RenderText(diagnostics, sources) == R"(error[W0111]: `amonut` is a reserved word, not a name
  --> enrich.weir:4:11
   |
 1 | record Order { amount: int64 }
   |        ----- the record
...
 4 |   | where amonut > 0
   |           ^^^^^^ did you mean `amount`?
   |
   = help: write `amount`
   = note: line one
           line two

)");
  CHECK(RenderSummary(diagnostics) == "1 error");
}

TEST_CASE("labels on one line do not overwrite each other") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a.weir", "let total = price + rebate\n");
  Diagnostics diagnostics;
  diagnostics.Report(Code::kChainedRange, Find(file, "+"), "adds")
      .Secondary(Find(file, "price"), "this is a decimal")
      .Secondary(Find(file, "rebate"), "this is a string");
  CHECK(RenderText(diagnostics, sources) == R"(error[W0119]: a range has two ends
  --> a.weir:1:19
   |
 1 | let total = price + rebate
   |             ----- ^ ------ this is a string
   |             |     |
   |             |     adds
   |             |
   |             this is a decimal

)");
}

TEST_CASE("tabs, wide characters and hostile bytes keep marks in place") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a.weir", "\t\xE4\xB8\xAD\x1b[31m\xFF x");
  Diagnostics diagnostics;
  diagnostics.Report(Code::kBadDate, Find(file, "x"), "here");
  std::string text = RenderText(diagnostics, sources);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("     \xE4\xB8\xAD\xE2\x90\x9B[31m\xEF\xBF\xBD x\n") != std::string::npos);
  CHECK(text.find("\n   |              ^ here\n") != std::string::npos);
}

TEST_CASE("a line of a megabyte is cut around its mark") {
  SourceSet sources;
  const SourceFile& file =
      sources.Add("a.weir", std::string(500000, 'a') + "X" + std::string(500000, 'b'));
  Diagnostics diagnostics;
  diagnostics.Report(Code::kBadDate, Find(file, "X"), "here");
  std::string text = RenderText(diagnostics, sources);
  CHECK(text.size() < 1000);
  CHECK(text.find("aX") != std::string::npos);
}

TEST_CASE("color marks the parts and nothing else") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a.weir", "x");
  Diagnostics diagnostics;
  diagnostics.Report(Code::kBadDate, Find(file, "x"), "here");
  std::string colored = RenderText(diagnostics, sources, {.color = true});
  CHECK(colored.find("\x1b[1;31merror[W0123]\x1b[0m") == 0);
}

TEST_CASE("json is one object a line and always valid UTF-8") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a\"b.weir", "one\ntwo");
  Diagnostics diagnostics;
  diagnostics.Report(Code::kReservedWord, Find(file, "two"), "l\xFF", {"two"})
      .Secondary(Find(file, "one"), "s")
      .Help("h");
  CHECK(
      RenderJson(diagnostics, sources) ==
      R"({"code":"W0111","severity":"error","message":"`two` is a reserved word, not a name",)"
      R"("file":"a\"b.weir","line":2,"column":1,"end_line":2,"end_column":4,"label":"l\ufffd",)"
      R"("secondary":[{"file":"a\"b.weir","line":1,"column":1,"end_line":1,"end_column":4,"label":"s"}],)"
      R"("help":["h"],"notes":[]})"
      "\n");
}

TEST_CASE("github gets a workflow command") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a,b.weir", "one\ntwo");
  Diagnostics diagnostics;
  diagnostics.Report(Code::kReservedWord, Find(file, "two"), "100%", {"two"}).Help("h");
  CHECK(RenderGithub(diagnostics, sources) ==
        "::error file=a%2Cb.weir,line=2,endLine=2,col=1,endColumn=4,title=W0111::`two` is a "
        "reserved word, not a name: "
        "100%25%0Ahelp: h\n");
}

TEST_CASE("plain has one line for each fact") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a.weir", "one\ntwo");
  Diagnostics diagnostics;
  diagnostics.Report(Code::kReservedWord, Find(file, "two"), "l", {"two"})
      .Secondary(Find(file, "one"), "s")
      .Note("n");
  CHECK(RenderPlain(diagnostics, sources) ==
        "error[W0111] 2:1-2:4: `two` is a reserved word, not a name\n  label: l\n  1:1-1:4: s\n  "
        "note: n\n");
}

}  // namespace weirc
