// What the planner asks of the standard library's index.
#pragma once

#include <string>

namespace weirc::plan {

// As a pipeline calls it: "upper".
std::string StdFunctionName(int function);
// True when a call may fail (`fails` in its signature).
bool StdFunctionFails(int function);

}  // namespace weirc::plan
