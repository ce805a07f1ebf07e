// tests/tidy/reliability_test.cc — Every test that docs/reliability.md names exists under that name, and its file is one
// that the build runs.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>

#include "tests/tidy/examples.h"

namespace weirc::tidy {

TEST_CASE("every test that docs/reliability.md names exists and is run") {
  std::string page = ReadWhole("docs/reliability.md");
  // `path` "a name of Catch2"  or  `path` test_of_unittest
  std::regex named(R"re(`([a-z_/]+_test\.(?:cc|py))` (?:"([^"]+)"|(test_\w+)))re");
  size_t count = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), named), end; at != end; ++at, ++count) {
    std::filesystem::path path = (*at)[1].str();
    std::string test = (*at)[2].matched ? "TEST_CASE(\"" + (*at)[2].str() + "\"" : "def " + (*at)[3].str() + "(";
    INFO(path.string() << ": " << test);
    REQUIRE(std::filesystem::exists(path));
    CHECK(ReadWhole(path.string()).find(test) != std::string::npos);
    std::filesystem::path list = path.parent_path() / "CMakeLists.txt";
    CHECK(ReadWhole(list.string()).find(path.filename().string()) != std::string::npos);
  }
  CHECK(count > 40);
  // What looks like the path of a test has the test's name behind it.
  std::regex path_only(R"re(`[a-z_/]+_test\.(?:cc|py)`)re");
  auto paths = std::distance(std::sregex_iterator(page.begin(), page.end(), path_only), std::sregex_iterator());
  CHECK(static_cast<size_t>(paths) == count);
}

}  // namespace weirc::tidy
