// tests/tidy/docs_test.cc — The examples of docs/ are accepted and refused as they say.
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/tidy/examples.h"

namespace weirc::tidy {

TEST_CASE("the grammar's examples are accepted, or refused with the code they name") {
  std::vector<Example> examples = ExamplesOf("docs/grammar.md");
  size_t accepted = 0, rejected = 0;
  for (const Example& example : examples) {
    INFO(example.path << ":" << example.line << "\n" << example.program);
    std::vector<std::string> errors = ErrorsOf(example.program, /*parse_only=*/true);
    if (example.Is("accept")) {
      CHECK(errors == std::vector<std::string>());
      ++accepted;
    } else if (example.Is("reject")) {
      REQUIRE(example.words.size() > 1);
      CHECK(errors == std::vector<std::string>(example.words.begin() + 1, example.words.end()));
      ++rejected;
    } else {
      FAIL("an example of the grammar says accept or reject");
    }
  }
  CHECK(accepted > 40);
  CHECK(rejected > 60);
}

}  // namespace weirc::tidy
