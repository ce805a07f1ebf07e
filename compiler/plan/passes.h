// All rewrites of the plan, in their order.
#pragma once

#include <functional>
#include <string_view>

#include "compiler/plan/plan.h"

namespace weirc::plan {

// Called after each pass with its name ("merge_lookups"): `--print-after` and timing.
using PassObserver = std::function<void(std::string_view name, const Plan& plan)>;

// From BuildPlan's plan to the one that is emitted.
Plan RunPasses(Plan plan, const PassObserver& observer = {});

}  // namespace weirc::plan
