// compiler/check/check.h — Ast in, Typed and diagnostics out.
#pragma once

#include <vector>

#include "compiler/base/source.h"
#include "compiler/check/typed.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"

namespace weirc {

struct CheckOptions {
  // Which file an `import` means. Declarations of a file that is only imported `as x` are called
  // `x.name`.
  struct Import {
    const ast::ImportDecl* decl = nullptr;
    const ast::File* file = nullptr;
  };
  std::vector<Import> imports;
  // The name of a pipeline whose file has no `pipeline` line; usually the file's name.
  std::string default_name = "pipeline";
  // The texts behind the spans, for help that repeats what was written; may be null.
  const SourceSet* sources = nullptr;
};

// Checks a pipeline: the root file first, then all that it imports, each once. Never fails and
// never throws: what was wrong is in `diagnostics`, and expressions that could not be understood
// have the type Error. Only a pipeline without errors may go on to BuildPlan.
typed::TypedPipeline Check(const std::vector<const ast::File*>& files, const CheckOptions& options,
                           Diagnostics& diagnostics);

}  // namespace weirc
