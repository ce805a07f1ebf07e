// tests/golden/stages.cc — The stages whose text the golden tests compare.
#include "tests/golden/stages.h"

#include <deque>

#include "compiler/check/check.h"
#include "compiler/check/print.h"
#include "compiler/diagnostics/render.h"
#include "compiler/emit/emit.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/print.h"
#include "compiler/plan/passes.h"
#include "compiler/tools/explain.h"
#include "compiler/tools/format.h"

namespace weirc::golden {
namespace {

// The program and what it imports, parsed and checked.
typed::TypedPipeline CheckAll(SourceSet& sources, Diagnostics& diagnostics) {
  std::deque<ast::File> trees;
  std::vector<const ast::File*> files;
  for (const SourceFile& source : sources.files()) {
    trees.push_back(Parse(source, diagnostics));
    files.push_back(&trees.back());
  }
  CheckOptions options;
  options.sources = &sources;
  for (const ast::File& tree : trees) {
    for (const ast::DeclPtr& decl : tree.decls) {
      const auto* import = As<ast::ImportDecl>(decl);
      if (import == nullptr || !import->path) continue;
      const SourceFile* source = sources.FindPath(import->path->PlainText());
      if (source != nullptr) {
        options.imports.push_back({import, files[source->id()]});
      } else {
        diagnostics.Report(Code::kImportUnreadable, import->path->span, "no such file",
                           {import->path->PlainText()});
      }
    }
  }
  return Check(files, options, diagnostics);
}

std::string CheckStage(SourceSet& sources) {
  Diagnostics diagnostics;
  CheckAll(sources, diagnostics);
  return RenderPlain(diagnostics, sources);
}

std::string TypedStage(SourceSet& sources) {
  Diagnostics diagnostics;
  typed::TypedPipeline pipeline = CheckAll(sources, diagnostics);
  return RenderPlain(diagnostics, sources) + PrintTyped(pipeline);
}

// A program whose text has `// with tests` keeps what its tests look at.
std::string PlanAndThen(SourceSet& sources,
                        std::string (*then)(const plan::Plan& plan, const SourceSet& sources)) {
  Diagnostics diagnostics;
  typed::TypedPipeline pipeline = CheckAll(sources, diagnostics);
  std::string said = RenderPlain(diagnostics, sources);
  if (diagnostics.HasErrors()) return said;
  plan::PlanOptions options;
  options.tests = sources.files().front().text().find("// with tests") != std::string_view::npos;
  return said + then(plan::RunPasses(plan::BuildPlan(pipeline, options)), sources);
}

std::string PlanStage(SourceSet& sources) {
  return PlanAndThen(
      sources, [](const plan::Plan& plan, const SourceSet&) { return plan::FormatPlan(plan); });
}

std::string EmitStage(SourceSet& sources) {
  return PlanAndThen(sources, [](const plan::Plan& plan, const SourceSet& set) {
    EmitOptions options;
    options.plan_text = false;
    options.main = set.files().front().text().find("// without main") == std::string_view::npos;
    return Emit(plan, set, options);
  });
}

// Diagnostics in their plain form, then the tree.
std::string ParseStage(SourceSet& sources) {
  Diagnostics diagnostics;
  ast::File file = Parse(sources.files().front(), diagnostics);
  return RenderPlain(diagnostics, sources) + PrintAst(file);
}

std::string FmtStage(SourceSet& sources) {
  Diagnostics diagnostics;
  std::string formatted = Format(sources.files().front(), diagnostics);
  return RenderPlain(diagnostics, sources) + formatted;
}

// What a terminal shows.
std::string RenderStage(SourceSet& sources) {
  Diagnostics diagnostics;
  RunFront(sources, diagnostics);
  std::string summary = RenderSummary(diagnostics);
  return RenderText(diagnostics, sources) + (summary.empty() ? "" : summary + "\n");
}

// The program's comment names the code: // explain: W0104
std::string ExplainStage(SourceSet& sources) {
  std::string_view text = sources.files().front().text();
  constexpr std::string_view kMark = "// explain: ";
  size_t at = text.find(kMark);
  auto code =
      at == std::string_view::npos ? std::nullopt : FindCode(text.substr(at + kMark.size(), 5));
  return code ? ExplainText(*code) : "no such code\n";
}

}  // namespace

const std::vector<Stage>& Stages() {
  static const std::vector<Stage> stages = {
      {"parse", ParseStage},     {"fmt", FmtStage},           {"render", RenderStage},
      {"explain", ExplainStage}, {"check", CheckStage, true}, {"typed", TypedStage},
      {"plan", PlanStage},       {"emit", EmitStage},
  };
  return stages;
}

const Stage* FindStage(std::string_view name) {
  for (const Stage& stage : Stages()) {
    if (stage.name == name) return &stage;
  }
  return nullptr;
}

void RunFront(SourceSet& sources, Diagnostics& diagnostics) { CheckAll(sources, diagnostics); }

}  // namespace weirc::golden
