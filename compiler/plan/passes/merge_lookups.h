// compiler/plan/passes/merge_lookups.h — Two lookups with one service and one key become one request.
// Before: Source → Lookup(a, k) as x → Lookup(a, k) as y     After: Source → Lookup(a, k) as x → Let(y = x)
// Equal means: the same lookup, arguments that hold equal values for the same record, the same order and the same routes.
// Keeps: record order, error routes; the second lookup never fails where the first did not. Its name goes on as a rename
// of the first. Test: tests/plan/merge_lookups.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan MergeLookups(Plan plan);

}  // namespace weirc::plan
