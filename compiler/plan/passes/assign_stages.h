// compiler/plan/passes/assign_stages.h — The graph is cut where rows change tasks or wait, and what runs in one go is known.
// Stage: a source or exchange and all that follows up to the next exchange. Segment: the steps of a record from where it
// enters (source, resumed lookup, fired window, exchange) to where it waits or leaves; emit makes them functions that
// call each other once, so that the C++ compiler makes one of them.
// Test: tests/plan/rekey.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan AssignStages(Plan plan);

}  // namespace weirc::plan
