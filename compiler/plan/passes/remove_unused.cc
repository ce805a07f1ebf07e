// Removes streams, sources and joins of tables nobody can see.
#include "compiler/plan/passes/remove_unused.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "compiler/plan/graph.h"

namespace weirc::plan {

using namespace typed;

namespace {

bool IsResult(const Route& route) { return route.kind == Route::kSend || route.kind == Route::kStop; }

// The node itself lets the world see something of a record.
bool IsSeen(const Plan& plan, const Node& node) {
  if (node.Is<SinkOp>()) return true;
  for (const Stream& stream : plan.streams) {
    if (stream.tapped && stream.node == node.id) return true;
  }
  bool seen = false;
  bool fallible = IsFallible(node) || node.Is<SourceOp>();
  ForEachRoute(node, [&](const Route& route) {
    if (&route == &node.on_error && !fallible) return;
    seen = seen || IsResult(route);
  });
  return seen;
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
