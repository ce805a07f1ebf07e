// tests/tidy/codes_test.cc — Every error code is explained, shown and used. What is missing for a
// new one, this says.
#include <catch2/catch.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "compiler/diagnostics/diagnostics.h"
#include "tests/tidy/examples.h"

namespace weirc::tidy {
namespace {

namespace fs = std::filesystem;

std::string PagePath(const CodeInfo& info) { return "docs/errors/" + std::string(info.id) + ".md"; }

// Bugs of Weir itself cannot be shown by a program.
bool IsInternal(const CodeInfo& info) { return info.id.starts_with("W09"); }

std::vector<std::string> Sources(const char* folder,
                                 std::initializer_list<std::string_view> extensions) {
  std::vector<std::string> paths;
  if (!fs::exists(folder)) return paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string extension = entry.path().extension().string();
    if (std::find(extensions.begin(), extensions.end(), extension) != extensions.end())
      paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("every code has a page that begins with it, and every page a code") {
  std::set<std::string> ids;
  for (const CodeInfo& info : AllCodes()) {
    INFO(info.id << " " << info.name << ": write " << PagePath(info));
    ids.insert(std::string(info.id));
    std::string page = ReadWhole(PagePath(info));
    CHECK(page.starts_with("# " + std::string(info.id) + ": "));
  }
  for (const std::string& path : Sources("docs/errors", {".md"})) {
    INFO(path << " explains a code that codes.def does not have");
    CHECK(ids.count(fs::path(path).stem().string()) == 1);
  }
}

TEST_CASE("a page's failing example fails with its code, and the fixed one is fixed") {
  for (const CodeInfo& info : AllCodes()) {
    if (IsInternal(info) || !fs::exists(PagePath(info))) continue;
    std::string id(info.id);
    std::string page = ReadWhole(PagePath(info));
    size_t failing = 0, fixed = 0;
    for (const Example& example : ExamplesOf(PagePath(info))) {
      INFO(example.path << ":" << example.line << "\n" << example.program.substr(0, 2000));
      std::vector<std::string> errors = ErrorsOf(example.program, /*parse_only=*/false);
      std::vector<std::string> all =
          ErrorsOf(example.program, /*parse_only=*/false, /*warnings=*/true);
      bool has_code = std::count(all.begin(), all.end(), id) > 0;
      if (example.Is("fail")) {
        ++failing;
        CHECK(has_code);
        // Another code only if the page speaks of it.
        for (const std::string& other : errors) {
          INFO("also " << other);
          CHECK((other == id || page.find(other) != std::string::npos));
        }
      } else if (example.Is("fixed")) {
        ++fixed;
        CHECK(errors == std::vector<std::string>());
        CHECK_FALSE(has_code);
      } else {
        FAIL_CHECK("an example says fail or fixed");
      }
    }
    INFO(PagePath(info));
    CHECK(failing > 0);
    CHECK(fixed > 0);
  }
}

TEST_CASE("every code is shown by a test and reported somewhere") {
  // Golden files show codes in their expected part; what cannot stand in such a file is shown by a
  // test in C++.
  std::set<std::string> shown;
  for (const std::string& path : Sources("tests", {".weir"})) {
    std::string text = ReadWhole(path);
    size_t expect = text.find("\n--- expect");
    if (expect == std::string::npos) continue;
    for (size_t at = expect; (at = text.find("[W", at)) != std::string::npos; ++at)
      shown.insert(text.substr(at + 1, 5));
  }
  std::map<std::string, std::pair<bool, bool>> used;  // by Code::kName: reported, tested
  for (const std::string& path : Sources("compiler", {".cc", ".h", ".inc"})) {
    bool test = path.ends_with("_test.cc");
    std::string text = ReadWhole(path);
    for (size_t at = 0; (at = text.find("Code::k", at)) != std::string::npos;) {
      at += 7;
      size_t end = at;
      while (end < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
        ++end;
      auto& [reported, tested] = used[text.substr(at, end - at)];
      (test ? tested : reported) = true;
    }
  }
  for (const CodeInfo& info : AllCodes()) {
    auto [reported, tested] = used[std::string(info.name)];
    INFO(info.id << " " << info.name);
    CHECK(reported);
    if (!IsInternal(info)) CHECK((shown.count(std::string(info.id)) == 1 || tested));
  }
}

TEST_CASE("there are as many codes as promised") {
  std::set<std::string_view> ids;
  for (const CodeInfo& info : AllCodes()) ids.insert(info.id);
  CHECK(ids.size() >= 60);
}

}  // namespace weirc::tidy
