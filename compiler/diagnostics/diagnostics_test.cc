// compiler/diagnostics/diagnostics_test.cc — The sink keeps facts, sorts them and shows none twice.
#include "compiler/diagnostics/diagnostics.h"

#include <catch2/catch.hpp>
#include <set>

namespace weirc {

TEST_CASE("a report fills the message and takes labels, help and notes") {
  Diagnostics diagnostics;
  diagnostics.Report(Code::kExpected, {0, 3, 5}, "here", {"a name", "`{`"})
      .Secondary({0, 1, 2}, "opened here")
      .Help("write a name")
      .Note("names are ASCII");
  REQUIRE(diagnostics.list().size() == 1);
  const Diagnostic& d = diagnostics.list()[0];
  CHECK(d.message == "expected a name, found `{`");
  CHECK(d.severity == Severity::Error);
  CHECK(d.primary.text == "here");
  CHECK(d.secondary.size() == 1);
  CHECK(d.help[0] == "write a name");
  CHECK(d.notes[0] == "names are ASCII");
  CHECK(diagnostics.HasErrors());
  CHECK(diagnostics.HasErrorIn({0, 4, 9}));
  CHECK_FALSE(diagnostics.HasErrorIn({0, 6, 9}));
  CHECK_FALSE(diagnostics.HasErrorIn({1, 4, 9}));
}

TEST_CASE("numbers are arguments too, and only placeholders are replaced") {
  CHECK(FillMessage("{0} of {1} in {x} {", {7, "b"}) == "7 of b in {x} {");
}

TEST_CASE("the sorted list has file order and no repetition") {
  Diagnostics diagnostics;
  diagnostics.Report(Code::kBadDate, {1, 0, 1});
  diagnostics.Report(Code::kBadDate, {0, 9, 10});
  diagnostics.Report(Code::kBadTimestamp, {0, 3, 4});
  diagnostics.Report(Code::kBadDate, {0, 9, 10}, "another label, the same fact");
  diagnostics.Report(Code::kFileTooLarge, {}, "", {"8 MiB"});
  std::vector<Diagnostic> sorted = diagnostics.Sorted();
  REQUIRE(sorted.size() == 4);
  CHECK(sorted[0].code == Code::kFileTooLarge);
  CHECK(sorted[1].code == Code::kBadTimestamp);
  CHECK(sorted[2].primary.text == "");
  CHECK(sorted[3].primary.span.file == 1);
}

TEST_CASE("codes are unique, well formed and found by id") {
  std::set<std::string_view> ids, names;
  for (const CodeInfo& info : AllCodes()) {
    CHECK(info.id.size() == 5);
    CHECK(info.id[0] == 'W');
    CHECK(ids.insert(info.id).second);
    CHECK(names.insert(info.name).second);
    CHECK(FindCode(info.id) == info.code);
    CHECK_FALSE(info.message.empty());
    CHECK(info.message.back() != '.');
  }
  CHECK(FindCode("w0101") == Code::kExpected);
  CHECK(FindCode("101") == Code::kExpected);
  CHECK_FALSE(FindCode("W9999").has_value());
  CHECK_FALSE(FindCode("").has_value());
}

}  // namespace weirc
