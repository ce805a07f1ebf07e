// compiler/plan/passes/remove_unused.h — Steps whose results nobody can see are not run.
// Before: Source → Where → Sink                 After: Source → Where → Sink
//              └─→ Select (no sink, no test)
// A step stays when a sink or a test is behind it. The checker has warned about streams that nobody reads: they do not
// run, so they send no dead letters either. Keeps: the outputs of all other streams. Test: tests/plan/remove_unused.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan RemoveUnused(Plan plan);

}  // namespace weirc::plan
