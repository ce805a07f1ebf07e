// The way of a pipeline file through the compiler's stages, and the files it consists of.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/check/typed.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/native/native.h"
#include "compiler/parse/ast.h"
#include "compiler/plan/plan.h"

namespace weirc {

enum class Stage { kParse, kCheck, kPlan, kEmit };

struct Timing {
  std::string stage;
  double ms = 0;  // wall clock
};

// All that a compilation made on its way. Stages after an error were not run.
struct Compilation {
  std::string path;             // of the pipeline, as given
  std::string name;             // of the program: the file's, or its folder's when it is called pipeline.weir
  SourceSet sources;            // the pipeline first, then what it imports
  std::deque<ast::File> trees;  // one for each source
  Diagnostics diagnostics;
  typed::TypedPipeline typed;
  plan::Plan plan;
  std::string cpp;
  std::vector<Timing> timings;

  std::string CppName() const { return name + ".gen.cc"; }
};

struct CompileOptions {
  Stage last = Stage::kEmit;
  bool tests = false;     // keep `test` blocks, and what they look at
  bool embedded = false;  // for `weir run --embedded`
};

// Runs the stages up to `options.last`, or to the first one that finds an error. What was wrong with the program is in
// `out->diagnostics`; false, with the reason in `error`, only when the pipeline itself cannot be read.
bool Compile(const std::string& path, const CompileOptions& options, Compilation* out,
             std::string* error);

// A failure of Clang or lld on our own generated code, as a diagnostic at the line of the pipeline it came from. Keeps
// the C++ in `kept_path` for the report.
void ReportNativeFailure(const NativeResult& result, const std::string& kept_path,
                         Compilation* compilation);

}  // namespace weirc
