// compiler/plan/passes/rekey.h — A window sees all records of its key in one task.
// Before: Source(key: symbol) → Window(by account)     After: Source → Exchange(account) → Window(by account)
// A window needs no exchange when equal `by` values imply equal keys of the tasks it runs on, that is, when every part
// of that key is one of the `by` values (or there is one task only, as for stdin).
// Keeps: the order of records of one key that come from one partition. Test: tests/plan/rekey.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan Rekey(Plan plan);

}  // namespace weirc::plan
