// The examples of docs/language.md are programs: each ```weir block passes the checker. `weir
// prelude` declares what the `weir part` blocks behind it go on from; `weir` alone stands for
// itself.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "compiler/check/check.h"
#include "compiler/diagnostics/render.h"
#include "compiler/parse/parse.h"

namespace weirc {
namespace {

struct Block {
  int line = 0;
  std::string kind, text;
};

std::vector<Block> WeirBlocks(const std::string& path) {
  std::ifstream in(path);
  std::vector<Block> blocks;
  std::string line;
  int number = 0;
  bool inside = false;
  while (std::getline(in, line)) {
    ++number;
    if (inside) {
      inside = line != "```";
      if (inside) blocks.back().text += line + "\n";
    } else if (line.starts_with("```weir")) {
      inside = true;
      blocks.push_back({number, line.size() > 8 ? line.substr(8) : "", ""});
    }
  }
  return blocks;
}

TEST_CASE("the examples of docs/language.md pass the checker") {
  std::vector<Block> blocks = WeirBlocks("docs/language.md");
  REQUIRE(blocks.size() > 5);
  std::string prelude;
  for (const Block& block : blocks) {
    if (block.kind == "prelude") prelude = block.text;
    std::string text = block.kind == "part" ? prelude + block.text : block.text;
    SourceSet sources;
    Diagnostics diagnostics;
    ast::File tree =
        Parse(sources.Add("language.md:" + std::to_string(block.line), text), diagnostics);
    CheckOptions options;
    options.sources = &sources;
    Check({&tree}, options, diagnostics);
    INFO(RenderText(diagnostics, sources));
    CHECK_FALSE(diagnostics.HasErrors());
  }
}

}  // namespace
}  // namespace weirc
