// weir check and weir plan: what is wrong with pipelines, and what they will do. Nothing is contacted or written.
#include <stdio.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile.h"
#include "compiler/driver/files.h"

namespace weirc {

int CheckCommand(const Weir& weir, const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  std::string error;
  if (!FindPipelines(paths, &files, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  int exit_code = kExitClean;
  for (const std::string& file : files) {
    Compilation compilation;
    CompileOptions options;
    options.last = Stage::kPlan;
    options.tests = true;
    if (!Compile(file, options, &compilation, &error)) {
      weir.talk.Error(error);
      return kExitFailed;
    }
    weir.talk.Show(compilation.diagnostics, compilation.sources);
    if (compilation.diagnostics.HasErrors()) exit_code = kExitFindings;
  }
  if (exit_code == kExitClean && weir.talk.format == TalkFormat::kText) {
    weir.talk.Note(files.size() == 1 ? files[0] + " is right"
                                     : std::to_string(files.size()) + " pipelines are right");
  }
  return exit_code;
}

int PlanCommand(const Weir& weir, const std::string& file) {
  Compilation compilation;
  CompileOptions options;
  options.last = Stage::kPlan;
  std::string error;
  if (!Compile(file, options, &compilation, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  weir.talk.Show(compilation.diagnostics, compilation.sources);
  if (compilation.diagnostics.HasErrors()) return kExitFindings;
  fputs(plan::FormatPlan(compilation.plan).c_str(), stdout);
  return kExitClean;
}

}  // namespace weirc
