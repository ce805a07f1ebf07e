// Compiles run programs to C++ at build time.
//
//   weir_run_generate PROGRAM.weir OUT.cc
//   weir_run_generate --list OUT.cc NAME…      the table of those that are linked in
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "compiler/base/source.h"
#include "compiler/check/check.h"
#include "compiler/diagnostics/render.h"
#include "compiler/emit/emit.h"
#include "compiler/parse/parse.h"
#include "compiler/plan/passes.h"
#include "tests/run/run_file.h"

namespace {

int WriteList(const char* path, char** names, int count) {
  std::ofstream out(path, std::ios::binary);
  out << "#include \"tests/run/run_case.h\"\n";
  for (int i = 0; i < count; ++i)
    out << "namespace " << weirc::PipelineNamespace(names[i]) << " { const weir::Compiled& CompiledProgram(); }\n";
  out << "namespace run {\nconst LinkedProgram kLinkedPrograms[] = {\n";
  for (int i = 0; i < count; ++i)
    out << "    {\"" << names[i] << "\", &" << weirc::PipelineNamespace(names[i]) << "::CompiledProgram},\n";
  out << "};\nconst int kLinkedProgramCount = " << count << ";\n}  // namespace run\n";
  return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "--list") == 0) return WriteList(argv[2], argv + 3, argc - 3);
  if (argc != 3) return 2;
  std::stringstream text;
  text << std::ifstream(argv[1], std::ios::binary).rdbuf();
  run::RunFile file = run::ParseRunFile(argv[1], text.str());
  weirc::SourceSet sources;
  weirc::Diagnostics diagnostics;
  const weirc::SourceFile& source = sources.Add(argv[1], file.program);
  weirc::ast::File tree = weirc::Parse(source, diagnostics);
  weirc::CheckOptions options;
  options.default_name = file.name;
  options.sources = &sources;
  weirc::typed::TypedPipeline typed = weirc::Check({&tree}, options, diagnostics);
  if (typed.name != file.name && file.problem.empty()) file.problem = file.path + ": the pipeline must be called like its file";
  if (!file.problem.empty() || diagnostics.HasErrors()) {
    std::fprintf(stderr, "%s%s\n", weirc::RenderText(diagnostics, sources).c_str(), file.problem.c_str());
    return 1;
  }
  weirc::plan::Plan plan = weirc::plan::RunPasses(weirc::plan::BuildPlan(typed));
  weirc::EmitOptions emit;
  emit.main = false;
  emit.plan_text = false;
  std::ofstream(argv[2], std::ios::binary) << weirc::Emit(plan, sources, emit);
  return 0;
}
