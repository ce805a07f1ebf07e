// compiler/check/stdlib_index.h — The standard library as the checker sees it: names, parameters,
// results, and which of several functions of one name a call means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/type_rules.h"
#include "compiler/check/typed.h"

// (weirc::stdlib wraps weir::stdlib, the generated table of stdlib/index.h; indices are those of
// its rows.)
namespace weirc::stdlib {

// What a call means, once its arguments have types.
struct Match {
  int function = -1;                           // index for CallStdExpr; -1: none fits
  std::vector<const typed::Type*> parameters;  // what each argument is converted to
  const typed::Type* result = nullptr;
  bool fallible = false;
  bool overflow_only = false;
};

// True when at least one function has this name.
bool Exists(std::string_view name);
// All names, in alphabetical order, each once.
const std::vector<std::string>& Names();
// "round(value: decimal(p, s), digits: int64) -> decimal(38, digits)", one for each function of the
// name.
std::vector<std::string> Signatures(std::string_view name);
// Parameter names of the functions of this name that take `count` arguments; empty when none does.
std::vector<std::string> ParameterNames(std::string_view name, size_t count);

// An argument as overload resolution sees it. A literal number has no firm type yet.
struct Argument {
  const typed::Type* type = nullptr;
  bool is_int_literal = false;
  bool is_decimal_literal = false;
  __int128 literal = 0;  // of an int literal: what `decimal(x, 18, 2)` takes its digits from
};
// The function whose parameters take the arguments with the fewest conversions.
Match Resolve(typed::TypeTable& types, std::string_view name,
              const std::vector<Argument>& arguments);

// to_string for a type that has text.
int ToStringFunction(const typed::Type* type);

// As a pipeline calls it: "upper".
std::string NameOf(int function);
bool Fails(int function);

}  // namespace weirc::stdlib
