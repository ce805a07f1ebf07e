// tests/golden/golden_file_test.cc — The harness itself must notice a difference.
#include "tests/golden/golden_file.h"

#include <catch2/catch.hpp>

namespace weirc::golden {

TEST_CASE("a golden file has a program, other files and the expected text") {
  GoldenFile file = ParseGolden(
      "a.weir", "// why\nimport \"b.weir\"\n--- file b.weir\nx\n--- expect\none\n--- file no\n");
  CHECK(file.program == "// why\nimport \"b.weir\"\n");
  REQUIRE(file.others.size() == 1);
  CHECK(file.others[0].first == "b.weir");
  CHECK(file.others[0].second == "x\n");
  CHECK(file.expected == "one\n--- file no\n");
  CHECK(file.WithExpected("two") ==
        "// why\nimport \"b.weir\"\n--- file b.weir\nx\n--- expect\ntwo\n");
}

TEST_CASE("a file without expected text says so") {
  GoldenFile file = ParseGolden("a.weir", "// why\nx");
  CHECK_FALSE(file.has_expected);
  CHECK(file.WithExpected("") == "// why\nx\n--- expect\n");
}

TEST_CASE("differences show both sides") {
  CHECK(Difference("a\nb\nc\n", "a\nb\nc\n").empty());
  CHECK(Difference("a\nb\nc\nd\n", "a\nx\nc\nd\n") == " a\n-b\n+x\n c\n d\n");
  CHECK(Difference("a\n", "") == "-a\n");
  CHECK(Difference("", "a\n") == "+a\n");
}

}  // namespace weirc::golden
