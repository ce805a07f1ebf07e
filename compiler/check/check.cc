// compiler/check/check.cc — The checker's passes in their order.
#include "compiler/check/check.h"

#include "compiler/check/passes.h"

namespace weirc {

typed::TypedPipeline Check(const std::vector<const ast::File*>& files, const CheckOptions& options,
                           Diagnostics& diagnostics) {
  check::Context context(files, options, diagnostics);
  if (files.empty()) return std::move(context.out);
  check::DeclareNames(context);
  check::ReportLaterDeclarations(context);
  check::CheckHeader(context);
  check::CheckTypes(context);
  check::CheckParams(context);
  check::CheckFunctions(context);    // before all that calls them: whether they can fail
  check::CheckConnections(context);  // before what goes through them
  check::CheckSources(context);
  check::CheckTables(context);
  check::CheckLookups(context);
  check::CheckStreams(context);
  check::CheckSinks(context);
  check::CheckTests(context);
  check::CheckUsage(context);  // last: what all the others have used
  return std::move(context.out);
}

}  // namespace weirc
