// tests/tidy/operations_test.cc — What an operator sees of a running pipeline is written in docs/operations.md, and what
// is written there exists: metrics, headers and reasons of dead letters, exit codes.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <set>

#include "tests/tidy/examples.h"

namespace weirc::tidy {
namespace {

namespace fs = std::filesystem;

std::set<std::string> Matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) found.insert((*at)[1]);
  return found;
}

// The runtime's own sources, tests aside.
std::string RuntimeText() {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator("runtime")) {
    std::string path = entry.path().string();
    if (path.ends_with("_test.cc") || !(path.ends_with(".cc") || path.ends_with(".h"))) continue;
    text += ReadWhole(path);
  }
  return text;
}

std::string Section(const std::string& title) {
  std::string docs = ReadWhole("docs/operations.md");
  size_t begin = docs.find("\n## " + title + "\n");
  REQUIRE(begin != std::string::npos);
  return docs.substr(begin, docs.find("\n## ", begin + 1) - begin);
}

}  // namespace

TEST_CASE("docs/operations.md names every metric, and no other") {
  std::string runtime = RuntimeText();
  std::set<std::string> made = Matches(runtime, R"re((?:AddGauge|MinGauge|AddHistogram)\("(weir_[a-z_]+)")re");
  for (const std::string& name : Matches(runtime, R"re(AddCounter\("(weir_[a-z_]+)")re")) made.insert(name + "_total");
  for (const std::string& name : Matches(runtime, R"re(AddInfo\("(weir_[a-z_]+)")re")) made.insert(name + "_info");
  REQUIRE(made.size() > 30);
  CHECK(Matches(ReadWhole("docs/operations.md"), "`(weir_[a-z_]+)`") == made);
}

TEST_CASE("docs/operations.md names every header of a dead letter, and no other") {
  std::set<std::string> made = Matches(ReadWhole("runtime/engine/dead_letter.cc"), R"re("(weir\.[a-z_]+)")re");
  REQUIRE(made.size() > 8);
  made.merge(Matches(ReadWhole("runtime/operate/letter.h"), R"re(kReplayOf\[\] = "(weir\.[a-z_]+)")re"));
  CHECK(Matches(Section("Dead letters"), R"re(`(weir\.[a-z_]+)`)re") == made);
}

TEST_CASE("docs/operations.md names every exit code of a pipeline, and no other") {
  std::set<std::string> made = Matches(ReadWhole("runtime/engine/exit_code.h"), R"re(k[A-Za-z]+ = ([0-9]+))re");
  REQUIRE(made.size() > 5);
  CHECK(Matches(Section("Exit codes"), R"re(\n\| ([0-9]+) \|)re") == made);
}

}  // namespace weirc::tidy
