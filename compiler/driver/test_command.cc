// weir test: every pipeline with `test` blocks becomes a program that runs them on virtual time.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "compiler/driver/child_process.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"
#include "compiler/driver/make_program.h"
#include "compiler/tools/format.h"

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

// Runs a program of tests; its exit code, or nothing, said why, when it could not run.
std::optional<int> RunTests(const Weir& weir, const std::string& program, const std::string& filter,
                            const std::string& update_path) {
  std::vector<std::string> words = {program};
  if (!filter.empty()) words.insert(words.end(), {"--filter", filter});
  if (!update_path.empty()) words.insert(words.end(), {"--update", update_path});
  ChildProcess child;
  std::string error;
  fflush(nullptr);
  if (!child.Start(words, {}, /*stdout_fd=*/1, &error)) {
    weir.talk.Error(error);
    return std::nullopt;
  }
  return child.Ended(/*wait=*/true);
}

// Puts what came out in place of the `expect … exactly` values that failed. `updates` holds a JSON object a line:
// {"line": of the expectation, "text": as a literal of the language}. Returns how many were replaced, or -1.
int ApplyUpdates(const Weir& weir, const Compilation& compilation, const std::string& updates) {
  const SourceFile& source = compilation.sources.files().front();
  std::map<uint32_t, std::pair<uint32_t, std::string>, std::greater<>> edits;  // by begin, from the end backwards
  std::istringstream lines(updates);
  for (std::string line; std::getline(lines, line);) {
    auto update = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!update.is_object()) continue;
    for (const typed::TestDef& test : compilation.typed.tests) {
      for (const typed::TestItem& item : test.items) {
        if (item.kind == typed::TestItem::kExactly && item.span.file == source.id() &&
            source.Locate(item.span.begin).line == update["line"].get<uint32_t>()) {
          edits[item.span.begin] = {item.span.end, update["text"].get<std::string>()};
        }
      }
    }
  }
  if (edits.empty()) return 0;
  auto format = [](const std::string& text) {
    SourceSet sources;
    Diagnostics diagnostics;
    return Format(sources.Add("-", text), diagnostics);
  };
  std::string text(source.text());
  const bool was_formatted = format(text) == text;
  for (const auto& [begin, edit] : edits) text.replace(begin, edit.first - begin, edit.second);
  std::string error;
  if (!WriteFile(compilation.path, was_formatted ? format(text) : text, &error)) {
    weir.talk.Error(error);
    return -1;
  }
  return static_cast<int>(edits.size());
}

int TestOne(const Weir& weir, const std::string& file, const TestArguments& arguments, bool update) {
  Compilation compilation;
  ProgramOptions options;
  options.tests = true;
  options.opt = OptLevel::kQuick;
  options.cached = true;
  Program program;
  int exit_code = MakeProgram(weir, file, options, &compilation, &program);
  if (exit_code != kExitClean) return exit_code;
  std::string update_path;
  if (update) {
    char path[] = "/tmp/weir-update-XXXXXX";
    int fd = mkstemp(path);
    if (fd >= 0) close(fd);
    update_path = path;
  }
  auto code = RunTests(weir, program.path, arguments.filter, update_path);
  if (!code) return kExitFailed;
  if (update) {
    std::string updates, error;
    ReadFile(update_path, &updates, &error);
    unlink(update_path.c_str());
    int replaced = ApplyUpdates(weir, compilation, updates);
    if (replaced < 0) return kExitFailed;
    if (replaced > 0) {
      weir.talk.Note("updated " + std::to_string(replaced) +
                     (replaced == 1 ? " expectation in " : " expectations in ") + file);
      return TestOne(weir, file, arguments, /*update=*/false);
    }
  }
  return *code == 0 ? kExitClean : *code == 1 ? kExitFindings : kExitFailed;
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
    int code = TestOne(weir, file, arguments, arguments.update);
    if (code == kExitFailed) return code;
    if (code != kExitClean) exit_code = code;
  }
  if (!any) weir.talk.Note("there are no test blocks here");
  return exit_code;
}

}  // namespace weirc
