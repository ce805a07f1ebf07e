// How generated C++ calls a function of the standard library.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/typed.h"
#include "compiler/emit/types.h"

namespace weirc::emit {

struct StdCall {
  std::string name;                // "fn::Upper"
  bool takes_arena = false;        // first argument
  std::vector<std::string> extra;  // behind the arguments: precisions, scales, names of an enum
  std::string cast;                // the result's C++ type, where what is returned must be cast to it
  bool fails = false;              // returns bool; the result goes to a pointer, the last argument
};

StdCall StdCallOf(int function, const std::vector<const typed::Type*>& args, const typed::Type* result,
                  const Types& types);

}  // namespace weirc::emit
