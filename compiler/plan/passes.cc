// The list of passes: one a line, in the order in which they run.
//
// What is not here, because it did not pay when measured (1 million trades of 166 bytes, callgrind): copying the JSON text of
// fields that pass through unchanged. Writing numbers anew takes 5 % of a record's instructions, the text would have to be
// checked for its canonical form, and every row would grow by it. Partial aggregates in front of a re-keying: rows cross
// between threads of one process, so they would save little and cost the exact order of `first` and `last`.
#include "compiler/plan/passes.h"

#include <utility>

#include "compiler/plan/passes/assign_stages.h"
#include "compiler/plan/passes/derive_promises.h"
#include "compiler/plan/passes/derive_state.h"
#include "compiler/plan/passes/fold_constants.h"
#include "compiler/plan/passes/merge_lookups.h"
#include "compiler/plan/passes/project_fields.h"
#include "compiler/plan/passes/push_predicates.h"
#include "compiler/plan/passes/remove_unused.h"

namespace weirc::plan {

Plan RunPasses(Plan plan, const PassObserver& observer) {
  struct Pass {
    std::string_view name;
    Plan (*run)(Plan);
  };
  static constexpr Pass kPasses[] = {
      {"fold_constants", FoldConstants},    // first: what cannot fail any more may move
      {"remove_unused", RemoveUnused},      // before the others spend work on it
      {"merge_lookups", MergeLookups},      // makes lets, which conditions may pass
      {"push_predicates", PushPredicates},
      {"project_fields", ProjectFields},    // after all that changes which fields are read
      {"assign_stages", AssignStages},      // knows dead lookups
      {"derive_state", DeriveState},        // layouts depend on the live fields
      {"derive_promises", DerivePromises},
  };
  for (const Pass& pass : kPasses) {
    plan = pass.run(std::move(plan));
    if (observer) observer(pass.name, plan);
  }
  return plan;
}

}  // namespace weirc::plan
