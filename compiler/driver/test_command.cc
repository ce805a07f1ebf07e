// weir test: every pipeline with `test` blocks becomes a program that runs them on virtual time.
#include <stdio.h>

#include "compiler/driver/child_process.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"
#include "compiler/driver/make_program.h"

namespace weirc {
namespace {

// Whether a file has test blocks, by its syntax alone. A file with errors counts: they must show.
bool HasTests(const std::string& file) {
  Compilation compilation;
  CompileOptions options;
  options.last = Stage::kParse;
  std::string error;
  if (!Compile(file, options, &compilation, &error) || compilation.diagnostics.HasErrors()) return true;
  for (const ast::DeclPtr& decl : compilation.trees.front().decls) {
    if (decl->kind == ast::DeclKind::kTest) return true;
  }
  return false;
}

int TestOne(const Weir& weir, const std::string& file, const TestArguments& arguments) {
  Compilation compilation;
  ProgramOptions options;
  options.tests = true;
  options.opt = OptLevel::kQuick;
  options.cached = true;
  Program program;
  int exit_code = MakeProgram(weir, file, options, &compilation, &program);
  if (exit_code != kExitClean) return exit_code;
  std::vector<std::string> words = {program.path};
  if (!arguments.filter.empty()) {
    words.push_back("--filter");
    words.push_back(arguments.filter);
  }
  ChildProcess child;
  std::string error;
  fflush(nullptr);
  if (!child.Start(words, {}, /*stdout_fd=*/1, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  int code = *child.Ended(/*wait=*/true);
  return code == 0 ? kExitClean : code == 1 ? kExitFindings : kExitFailed;
}

}  // namespace

int TestCommand(const Weir& weir, const TestArguments& arguments) {
  std::vector<std::string> files;
  std::string error;
  if (!FindPipelines(arguments.paths.empty() ? std::vector<std::string>{"."} : arguments.paths, &files, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  int exit_code = kExitClean;
  bool any = false;
  for (const std::string& file : files) {
    if (!HasTests(file)) continue;
    any = true;
    int code = TestOne(weir, file, arguments);
    if (code == kExitFailed) return code;
    if (code != kExitClean) exit_code = code;
  }
  if (!any) weir.talk.Note("there are no test blocks here");
  return exit_code;
}

}  // namespace weirc
