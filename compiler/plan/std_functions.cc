// What the planner asks of the standard library's index.
#include "compiler/plan/std_functions.h"

namespace weirc::plan {

std::string StdFunctionName(int function) { return "std" + std::to_string(function); }
bool StdFunctionFails(int) { return false; }

}  // namespace weirc::plan
