// compiler/plan/passes/fold_constants.h — What is known when the pipeline is compiled is not computed when it runs.
// Before: Where(10 * 10 <= qty and true) → Where(1 < 2)     After: Where(100 <= qty)
// Operands that are literals become one literal when the result is exact (an operation that would fail stays, and fails
// when it runs); `and`, `or`, `if` with a literal condition keep the side that counts; a `try` that cannot fail is its
// operand; a condition that is always true goes. Floats are left to the C++ compiler. Params are not constants.
// Keeps: everything. Test: tests/plan/fold_constants.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan FoldConstants(Plan plan);

}  // namespace weirc::plan
