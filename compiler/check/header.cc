// compiler/check/header.cc — `pipeline NAME version N { deliver: …, commit: … }`.
#include "compiler/check/passes.h"

namespace weirc::check {

void CheckHeader(Context& context) {
  context.out.name = context.options.default_name;
  const ast::PipelineDecl* header = nullptr;
  for (const ast::File* file : context.files) {
    for (const ast::DeclPtr& decl : file->decls) {
      const auto* pipeline = As<ast::PipelineDecl>(decl);
      if (pipeline == nullptr) continue;
      if (file != context.files.front()) {
        context.Report(Code::kHeaderInImport, pipeline->keyword, "this file is imported")
            .Help("move what both pipelines need into a file without a `pipeline` line");
        continue;
      }
      if (header != nullptr) {
        context.Report(Code::kDuplicateHeader, pipeline->keyword, "")
            .Secondary(header->keyword, "the first is here");
        continue;
      }
      header = pipeline;
    }
  }
  if (header == nullptr) return;
  if (header->name) context.out.name = header->name.text;
  if (header->version) {
    if (header->version->value < 1 || header->version->value > 1'000'000) {
      context.Report(Code::kOutOfBounds, header->version->span, "", {"version", "1", "1000000"});
    } else {
      context.out.version = static_cast<int>(header->version->value);
    }
  }
  if (header->broken) return;
  CheckBlock(context, header->block, {.what = "a pipeline", .entries = {{"deliver"}, {"commit"}}});
  EntryReader entries(context, header->block, "a pipeline");
  switch (entries.Word("deliver", {"exactly_once", "at_least_once"})) {
    case 0: context.out.delivery = typed::Delivery::kExactlyOnce; break;
    case 1: context.out.delivery = typed::Delivery::kAtLeastOnce; break;
    default: break;
  }
  context.out.commit = entries.Duration("commit");
}

}  // namespace weirc::check
