// A pipeline file becomes an executable: what `weir build`, `weir run` and `weir test` have in common.
#pragma once

#include <string>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile.h"

namespace weirc {

struct ProgramOptions {
  bool tests = false;
  bool embedded = false;
  OptLevel opt = OptLevel::kBest;
  bool cached = false;         // into the cache of programs unless it is there; else to `output`
  std::string output;          // "" is the program's name, in the current folder
  bool keep_objects = false;
};

struct Program {
  std::string path;
  size_t bytes = 0;
  bool was_cached = false;
};

// Compiles `file` and says on the way what is wrong with it. kExitClean: `program` is there.
int MakeProgram(const Weir& weir, const std::string& file, const ProgramOptions& options,
                Compilation* compilation, Program* program);

// One line on stderr: "parse 2.1 ms · check 0.8 ms · … · link 120 ms · 640 ms in all".
void ShowTimings(const Talk& talk, const Compilation& compilation);

}  // namespace weirc
