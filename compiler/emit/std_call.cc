// How generated C++ calls a function of the standard library: as stdlib/README.md says.
#include "compiler/emit/std_call.h"

#include <cctype>

#include "stdlib/index.h"

namespace weirc::emit {

using namespace typed;

StdCall StdCallOf(int function, const std::vector<const Type*>& args, const Type* result, const Types& types) {
  const weir::stdlib::Function& row = weir::stdlib::kFunctions[function];
  StdCall call;
  call.name = std::string("fn::") + row.cpp_name;
  call.takes_arena = row.arena;
  call.fails = row.failing != weir::stdlib::Failing::kNever;
  if (!call.fails && result->Is(TypeKind::kDecimal)) call.cast = types.Of(result);
  // "0s,1p": the scale of argument 0, the precision of argument 1.
  for (const char* at = row.extras; *at != 0;) {
    size_t index = 0;
    while (std::isdigit(static_cast<unsigned char>(*at)) != 0) index = index * 10 + static_cast<size_t>(*at++ - '0');
    const Type* type = Present(args[index]);
    if (type->Is(TypeKind::kList) || type->Is(TypeKind::kMap)) type = Present(type->element);
    switch (*at++) {
      // An int stands where a decimal is taken: one without digits behind the point.
      case 's': call.extra.push_back(std::to_string(ScaleOf(type))); break;
      case 'p': call.extra.push_back(std::to_string(type->Is(TypeKind::kDecimal) ? type->precision : 19)); break;
      default: call.extra.push_back("k" + types.EnumName(type->enum_def) + "Names");
    }
    if (*at == ',') ++at;
  }
  return call;
}

}  // namespace weirc::emit
