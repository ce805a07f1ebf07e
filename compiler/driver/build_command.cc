// weir build: a pipeline becomes an executable, or one of the forms on the way is printed.
#include <stdio.h>

#include "compiler/check/print.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/compile.h"
#include "compiler/driver/make_program.h"
#include "compiler/parse/print.h"

namespace weirc {
namespace {

int Print(const Weir& weir, const BuildArguments& arguments, Stage last) {
  Compilation compilation;
  CompileOptions options;
  options.last = last;
  std::string error;
  if (!Compile(arguments.file, options, &compilation, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  weir.talk.Show(compilation.diagnostics, compilation.sources);
  std::string text;
  switch (last) {
    case Stage::kParse:  // a broken tree is worth looking at, too
      text = PrintAst(compilation.trees.front());
      break;
    case Stage::kCheck:
      text = PrintTyped(compilation.typed);
      break;
    case Stage::kPlan:
      if (!compilation.diagnostics.HasErrors()) text = plan::FormatPlan(compilation.plan);
      break;
    case Stage::kEmit:
      text = compilation.cpp;
      break;
  }
  fputs(text.c_str(), stdout);
  return compilation.diagnostics.HasErrors() ? kExitFindings : kExitClean;
}

}  // namespace

int BuildCommand(const Weir& weir, const BuildArguments& arguments) {
  if (arguments.print == "ast") return Print(weir, arguments, Stage::kParse);
  if (arguments.print == "typed") return Print(weir, arguments, Stage::kCheck);
  if (arguments.print == "plan") return Print(weir, arguments, Stage::kPlan);
  if (arguments.print == "cpp") return Print(weir, arguments, Stage::kEmit);
  if (!arguments.print.empty()) {
    weir.talk.Error("--print takes ast, typed, plan or cpp, not " + arguments.print);
    return kExitFailed;
  }
  Compilation compilation;
  ProgramOptions options;
  options.output = arguments.output;
  options.keep_objects = arguments.keep_objects;
  options.opt = arguments.quick ? OptLevel::kQuick : OptLevel::kBest;
  Program program;
  int exit_code = MakeProgram(weir, arguments.file, options, &compilation, &program);
  if (arguments.timings) ShowTimings(weir.talk, compilation);
  if (exit_code == kExitClean) {
    char size[32];
    snprintf(size, sizeof size, "%.1f MB", program.bytes / 1e6);
    weir.talk.Note(program.path + " (" + size + ", static)");
  }
  return exit_code;
}

}  // namespace weirc
