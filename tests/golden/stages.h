// tests/golden/stages.h — The stages whose text the golden tests compare. One line in stages.cc
// adds one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"

namespace weirc::golden {

// Takes the program (the first file of the set) and what it imports, returns what is compared with
// the expected text.
using StageFunction = std::string (*)(SourceSet& sources);

struct Stage {
  std::string_view name;  // the folder under tests/
  StageFunction run;
  // Whether a file name must tell if the program has errors: ok_… or err_…
  bool named_by_outcome = false;
};

const std::vector<Stage>& Stages();
const Stage* FindStage(std::string_view name);

// All that the compiler says about a program, for the tests of error pages and of docs/: parse,
// then every later stage that reports to the author of a pipeline.
void RunFront(SourceSet& sources, Diagnostics& diagnostics);

}  // namespace weirc::golden
