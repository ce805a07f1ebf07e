// Lines of generated C++ say where they come from.
#include "compiler/emit/cpp_writer.h"

#include <string>

#include <catch2/catch.hpp>

namespace weirc::emit {

namespace {

Span Of(const SourceFile& file, const std::string& text) {
  auto begin = static_cast<uint32_t>(file.text().find(text));
  return {file.id(), begin, begin + static_cast<uint32_t>(text.size())};
}

}  // namespace

TEST_CASE("User lines are mapped to the pipeline, and ours back") {
  SourceSet sources;
  const SourceFile& file = sources.Add("dir/p.weir", "first\nsecond\nthird\n");
  CppWriter out(sources, "p.gen.cc");
  out.Line("one();");
  Code code;
  code.At(Of(file, "second"));
  code.Add("two();");
  code.At(Of(file, "third"));
  code.Add("three();");  // the next line of the same file: no directive needed
  code.At({});
  code.Open("if (x) {");
  code.At(Of(file, "first"));
  code.Add("four();");
  code.At({});
  code.Close();
  out.Write(code);
  CHECK(out.Take() ==
        "one();\n"
        "#line 2 \"dir/p.weir\"\n"
        "two();\n"
        "three();\n"
        "#line 6 \"p.gen.cc\"\n"
        "if (x) {\n"
        "#line 1 \"dir/p.weir\"\n"
        "  four();\n"
        "#line 10 \"p.gen.cc\"\n"
        "}\n");
}

TEST_CASE("Absolute paths of the machine do not get into the output") {
  SourceSet sources;
  const SourceFile& file = sources.Add("/home/somebody/p.weir", "text // and more\n");
  CppWriter out(sources, "p.gen.cc");
  out.UserComment(Of(file, "text"));
  CHECK(out.Take() == "// p.weir:1  text\n");
}

}  // namespace weirc::emit
