// How generated C++ calls a function of the standard library.
#include "compiler/emit/std_call.h"

#include "compiler/plan/std_functions.h"

namespace weirc::emit {

using namespace typed;

StdCall StdCallOf(int function, const std::vector<const Type*>& args, const Type* result, const Types& types) {
  StdCall call;
  call.name = "fn::" + plan::StdFunctionName(function);
  call.fails = plan::StdFunctionFails(function);
  (void)args, (void)result, (void)types;
  return call;
}

}  // namespace weirc::emit
