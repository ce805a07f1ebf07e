#include "compiler/driver/compile.h"

#include <limits.h>
#include <stdlib.h>

#include <chrono>
#include <map>
#include <sstream>

#include "compiler/base/casting.h"
#include "compiler/check/check.h"
#include "compiler/driver/embedded_run.h"
#include "compiler/driver/files.h"
#include "compiler/emit/emit.h"
#include "compiler/parse/parse.h"
#include "compiler/plan/passes.h"

namespace weirc {
namespace {

// Measures the time from its making to its end.
class Stopwatch {
 public:
  Stopwatch(std::string stage, std::vector<Timing>* timings)
      : stage_(std::move(stage)), timings_(timings), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    timings_->push_back({stage_, std::chrono::duration<double, std::milli>(
                                     std::chrono::steady_clock::now() - start_)
                                     .count()});
  }

 private:
  std::string stage_;
  std::vector<Timing>* timings_;
  std::chrono::steady_clock::time_point start_;
};

std::string RealPath(const std::string& path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) ? std::string(buffer) : path;
}

// Parses the pipeline and, file by file, what it imports: each file once, however often it is named.
void ParseAll(Compilation* out, std::vector<CheckOptions::Import>* imports) {
  std::map<std::string, const ast::File*> seen;  // by real path
  out->trees.push_back(Parse(out->sources.files().front(), out->diagnostics));
  seen[RealPath(out->path)] = &out->trees.front();
  for (size_t i = 0; i < out->trees.size(); ++i) {
    const ast::File& tree = out->trees[i];
    const std::string folder = FolderOf(out->sources.Find(tree.file)->path());
    for (const ast::DeclPtr& decl : tree.decls) {
      const auto* import = As<ast::ImportDecl>(decl);
      if (import == nullptr || import->broken || !import->path) continue;
      std::string path(import->path->PlainText());
      if (!path.starts_with('/') && folder != ".") path = folder + "/" + path;
      const ast::File*& file = seen[RealPath(path)];
      if (file == nullptr) {
        std::string text, reason;
        if (!ReadFile(path, &text, &reason)) {
          out->diagnostics
              .Report(Code::kImportUnreadable, import->path->span, reason.substr(reason.rfind(": ") + 2),
                      {import->path->PlainText()})
              .Note("paths are relative to the importing file: this is `" + path + "`");
          seen.erase(RealPath(path));
          continue;
        }
        const SourceFile& source = out->sources.Add(path, std::move(text));
        out->trees.push_back(Parse(source, out->diagnostics));
        file = &out->trees.back();
      }
      imports->push_back({import, file});
    }
  }
}

}  // namespace

bool Compile(const std::string& path, const CompileOptions& options, Compilation* out,
             std::string* error) {
  out->path = path;
  out->name = StemOf(path);
  if (out->name == "pipeline") {
    std::string folder = StemOf(FolderOf(RealPath(path)));
    if (!folder.empty() && folder != "/") out->name = folder;
  }
  std::string text;
  if (!ReadFile(path, &text, error)) return false;
  out->sources.Add(path, std::move(text));
  std::vector<CheckOptions::Import> imports;
  {
    Stopwatch time("parse", &out->timings);
    ParseAll(out, &imports);
  }
  // A file with a syntax error is checked too: the checker is silent about broken declarations and says what else there
  // is to say.
  if (options.last < Stage::kCheck) return true;
  {
    Stopwatch time("check", &out->timings);
    std::vector<const ast::File*> files;
    for (const ast::File& tree : out->trees) files.push_back(&tree);
    CheckOptions check;
    check.imports = std::move(imports);
    check.default_name = out->name;
    check.sources = &out->sources;
    out->typed = Check(files, check, out->diagnostics);
  }
  if (options.embedded) {
    RedirectConnections(&out->typed);
    // Its transactions are not real.
    if (out->typed.delivery == typed::Delivery::kDefault) out->typed.delivery = typed::Delivery::kAtLeastOnce;
  }
  if (options.last < Stage::kPlan || out->diagnostics.HasErrors()) return true;
  {
    Stopwatch time("plan", &out->timings);
    plan::PlanOptions plan_options;
    plan_options.tests = options.tests;
    plan_options.embedded = options.embedded;
    out->plan = plan::RunPasses(plan::BuildPlan(out->typed, plan_options));
  }
  if (options.last < Stage::kEmit || out->diagnostics.HasErrors()) return true;
  {
    Stopwatch time("emit", &out->timings);
    EmitOptions emit_options;
    emit_options.weir_version = WEIR_VERSION;
    out->cpp = Emit(out->plan, out->sources, emit_options);
  }
  return true;
}

void ReportNativeFailure(const NativeResult& result, const std::string& kept_path,
                         Compilation* compilation) {
  bool link = result.failure == NativeResult::Failure::kLink;
  // The first "<file>:<line>:" in clang's words that is a file of the pipeline.
  Span span;
  std::istringstream lines(result.message);
  std::string first, line;
  while (std::getline(lines, line)) {
    if (first.empty()) first = line;
    for (const SourceFile& file : compilation->sources.files()) {
      if (span.IsValid() || !line.starts_with(file.path() + ":")) continue;
      int number = atoi(line.c_str() + file.path().size() + 1);
      if (number < 1) continue;
      uint32_t begin = file.LineBegin(number);
      std::string_view text = file.LineText(number);
      size_t indent = text.find_first_not_of(" \t");
      if (indent == std::string_view::npos) indent = 0;
      span = {file.id(), static_cast<uint32_t>(begin + indent),
              static_cast<uint32_t>(begin + text.size())};
      first = line;
    }
  }
  auto reported = compilation->diagnostics.Report(
      link ? Code::kGeneratedLink : Code::kGeneratedCode, span,
      span.IsValid() ? "it was made from this line" : "");
  reported.Note(first);
  std::string error;
  if (WriteFile(kept_path, compilation->cpp + "\n/*\n" + result.message + "*/\n", &error)) {
    reported.Note("the C++ and all that was said about it is in `" + kept_path + "`");
  }
  reported.Help("this is a bug of Weir, not of your pipeline: please report it with that file");
}

}  // namespace weirc
