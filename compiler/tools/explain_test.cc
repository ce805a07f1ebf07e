// compiler/tools/explain_test.cc — Every page must be readable without a Markdown viewer.
#include "compiler/tools/explain.h"

#include <catch2/catch.hpp>

namespace weirc {

TEST_CASE("a page shows its title and its programs") {
  std::string text = ExplainText(Code::kUnterminatedString);
  CHECK(text.starts_with("W0104"));
  CHECK(text.find("```") == std::string::npos);
  CHECK(text.find("This fails:\n") != std::string::npos);
  CHECK(text.find("This works:\n") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(ExplainText(Code::kUnterminatedString, true).starts_with("\x1b[1mW0104"));
}

}  // namespace weirc
