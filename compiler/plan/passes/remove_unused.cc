// Removes streams, sources and joins of tables nobody can see.
#include "compiler/plan/passes/remove_unused.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "compiler/plan/graph.h"

namespace weirc::plan {

namespace {

// The node itself lets the world see a record.
bool IsSeen(const Plan& plan, const Node& node) {
  return node.Is<SinkOp>() || std::any_of(plan.streams.begin(), plan.streams.end(), [&](const Stream& stream) {
           return stream.tapped && stream.node == node.id;
         });
}

}  // namespace

Plan RemoveUnused(Plan plan) {
  std::vector<bool> needed(plan.nodes.size(), false);
  for (auto it = plan.order.rbegin(); it != plan.order.rend(); ++it) {
    const Node& node = plan.node(*it);
    bool behind = std::any_of(node.outputs.begin(), node.outputs.end(),
                              [&](int output) { return needed[static_cast<size_t>(output)]; });
    needed[static_cast<size_t>(*it)] = behind || IsSeen(plan, node);
  }
  for (auto it = plan.order.rbegin(); it != plan.order.rend(); ++it) {
    if (!needed[static_cast<size_t>(*it)]) RemoveBranch(plan, *it);
  }
  Renumber(plan);
  return plan;
}

}  // namespace weirc::plan
