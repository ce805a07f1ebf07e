// compiler/tools/format_test.cc — Formatting changes no meaning and comes to rest at once. Styles
// are shown in tests/fmt.
#include "compiler/tools/format.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "compiler/parse/parse.h"
#include "compiler/parse/print.h"

namespace weirc {
namespace {

struct Formatted {
  bool parses = false;
  std::string text;
  std::string tree;
  size_t comments = 0;
};

Formatted FormatText(const std::string& text) {
  SourceSet sources;
  const SourceFile& file = sources.Add("a.weir", text);
  Diagnostics diagnostics;
  ast::File tree = Parse(file, diagnostics);
  Formatted result;
  result.parses = !diagnostics.HasErrors();
  if (!result.parses) return result;
  result.tree = PrintAst(tree);
  result.comments = tree.comments.size();
  result.text = Format(file, diagnostics);
  return result;
}

// Same tree, same number of comments, and nothing more to do.
void CheckStable(const std::string& text) {
  Formatted once = FormatText(text);
  if (!once.parses) return;
  Formatted twice = FormatText(once.text);
  INFO(text);
  INFO("formatted:\n" << once.text);
  REQUIRE(twice.parses);
  CHECK(twice.tree == once.tree);
  CHECK(twice.comments == once.comments);
  CHECK(twice.text == once.text);
}

std::vector<std::string> Programs() {
  std::vector<std::string> programs;
  for (const char* folder : {"tests", "examples", "docs"}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".weir") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      std::string program = text.str();
      // A golden file's program ends before its first part.
      size_t part = program.find("\n--- ");
      programs.push_back(part == std::string::npos ? program : program.substr(0, part + 1));
    }
  }
  return programs;
}

}  // namespace

TEST_CASE("every program of the tree keeps its meaning and its comments") {
  std::vector<std::string> programs = Programs();
  REQUIRE(programs.size() > 10);
  for (const std::string& program : programs) CheckStable(program);
}

TEST_CASE("line ends put in or taken out anywhere lead to stable text") {
  // Mutations that keep a program correct are rare; many tries, fixed seed.
  std::mt19937 random(7);
  std::vector<std::string> programs = Programs();
  size_t correct = 0;
  for (const std::string& program : programs) {
    if (!FormatText(program).parses || program.size() > 12000) continue;
    for (int k = 0; k < 40; ++k) {
      std::string text = program;
      for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) {
        size_t at = random() % text.size();
        size_t space = text.find_first_of(" \n,{}()", at);
        if (space == std::string::npos) continue;
        switch (random() % 4) {
          case 0: text.insert(space, "\n"); break;
          case 1: text.insert(space, "  // note\n"); break;
          case 2:
            if (text[space] == '\n') text[space] = ' ';
            break;
          default: text.insert(space, "\n\n  // above\n"); break;
        }
      }
      Formatted once = FormatText(text);
      if (!once.parses) continue;
      ++correct;
      CheckStable(text);
    }
  }
  CHECK(correct > 100);
}

TEST_CASE("a file with errors comes back as it is") {
  SourceSet sources;
  const SourceFile& file = sources.Add("a.weir", "stream   s = t | filter a\n");
  Diagnostics diagnostics;
  CHECK(Format(file, diagnostics) == "stream   s = t | filter a\n");
  CHECK(diagnostics.HasErrors());
}

}  // namespace weirc
