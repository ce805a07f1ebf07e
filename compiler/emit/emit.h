// Plan → C++: one file that includes runtime/program/generated.h and nothing else.
#pragma once

#include <string>

#include "compiler/base/source.h"
#include "compiler/plan/plan.h"

namespace weirc {

struct EmitOptions {
  // A `main` that runs the pipeline (or, for a plan with tests, its tests). Without: a function `CompiledProgram` in the
  // pipeline's namespace, so that many pipelines fit into one program.
  bool main = true;
  bool plan_text = true;  // carry what `plan` of the produced binary prints
  std::string weir_version = "0.1.0";
};

// The same plan and sources give the same bytes. `plan` has gone through RunPasses.
std::string Emit(const plan::Plan& plan, const SourceSet& sources, const EmitOptions& options = {});

// The namespace that holds a pipeline of this name: what a program of several pipelines calls CompiledProgram in.
std::string PipelineNamespace(const std::string& pipeline_name);

}  // namespace weirc
