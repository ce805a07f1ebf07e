// compiler/plan/passes/push_predicates.h — Records that are filtered out are filtered early.
// Before: Source → Let(a) → Join(t) → Where(qty > 9)     After: Source → Where(qty > 9) → Let(a) → Join(t)
// A condition moves in front of a let, join or lookup that it does not read, when nobody can tell: the step in front
// cannot fail, and a record it cannot serve is dropped or goes on, not sent to a dead letter stream. It must be the only
// step behind (no other stream or test sees the records it would hold back).
// Keeps: record order, dead letters. Changes: how many records the steps in front count. Test: tests/plan/push_predicates.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan PushPredicates(Plan plan);

}  // namespace weirc::plan
