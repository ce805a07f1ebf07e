// The functions of the standard library as a table: what the checker resolves calls with and the emitter writes them from.
// README.md says how a row is read.
#pragma once

namespace weir::stdlib {

enum class Failing {
  kNever,
  kFails,      // must be handled
  kOverflows,  // fails only because a result does not fit its type, as arithmetic does
};

struct Function {
  const char* name;       // as a pipeline calls it; overloads have rows of their own, one after the other
  const char* group;      // the folder: text, convert, math, time, list, hash
  const char* signature;  // "round(value: decimal(p, s), digits: const) -> decimal(p, digits)"
  const char* params;     // "value: decimal(p, s); digits: const"
  const char* result;     // "decimal(p, digits)"
  Failing failing;
  bool pure;              // the same arguments give the same result; so far all are
  bool arena;             // the C++ function takes an Arena& first
  const char* cpp_name;   // in namespace weir::fn
  const char* extras;     // what it takes behind the arguments, "0s,1p": scale of argument 0's type, precision of 1's; "0n":
                          // the EnumNames of argument 0. Of a list, its elements'.
  const char* header;     // "stdlib/math/round.h"
  const char* doc;        // one paragraph of Markdown
  const char* examples;   // lines of "call   // result"
};

extern const Function kFunctions[];
extern const int kFunctionCount;

}  // namespace weir::stdlib
