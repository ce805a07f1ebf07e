// What the planner asks of the standard library's index.
#include "compiler/plan/std_functions.h"

#include "stdlib/index.h"

namespace weirc::plan {

std::string StdFunctionName(int function) { return weir::stdlib::kFunctions[function].name; }

bool StdFunctionFails(int function) {
  return weir::stdlib::kFunctions[function].failing != weir::stdlib::Failing::kNever;
}

}  // namespace weirc::plan
