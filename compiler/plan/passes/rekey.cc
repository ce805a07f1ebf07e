// Puts exchanges where a window's key is not the one its tasks are divided by.
#include "compiler/plan/passes/rekey.h"

#include <algorithm>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/values.h"

namespace weirc::plan {

using namespace typed;

namespace {

bool HasOnePartition(const Plan& plan, const Node& feeder) {
  return feeder.Is<SourceOp>() && plan.typed->sources[static_cast<size_t>(feeder.As<SourceOp>().source)].endpoint.operation == "stdin";
}

// Why this window's rows must change tasks, in words; empty when they need not.
std::string ReasonToRekey(const Plan& plan, const Node& window) {
  const WindowOp& op = window.As<WindowOp>();
  Partitioning partitioning = PartitioningOf(plan, window.id);
  const Node& feeder = plan.node(partitioning.feeder);
  if (HasOnePartition(plan, feeder)) return "";
  TextOptions options;
  options.typed = plan.typed;
  std::string windows = op.by.empty() ? "the window spans all keys" : "windows are by `" + Text(op.by, options) + "`";
  if (!partitioning.declared) return windows + ", but `" + feeder.name + "` declares no `key:`";
  std::vector<std::string> by;
  for (const ExprPtr& e : op.by) by.push_back(InputValue(plan, window.id, *e));
  bool covered = std::all_of(partitioning.values.begin(), partitioning.values.end(), [&](const std::string& value) {
    return std::find(by.begin(), by.end(), value) != by.end();
  });
  bool to_one_task = feeder.Is<ExchangeOp>() && feeder.As<ExchangeOp>().key.empty();
  if (covered && (!partitioning.values.empty() || to_one_task)) return "";
  const std::vector<ExprPtr>& key = feeder.Is<ExchangeOp>()
                                        ? feeder.As<ExchangeOp>().key
                                        : plan.typed->sources[static_cast<size_t>(feeder.As<SourceOp>().source)].key;
  return windows + ", but `" + feeder.name + "` is keyed by `" + Text(key, options) + "`";
}

}  // namespace

Plan Rekey(Plan plan) {
  for (int id : std::vector<int>(plan.order)) {
    if (!plan.node(id).Is<WindowOp>()) continue;
    std::string reason = ReasonToRekey(plan, plan.node(id));
    if (reason.empty()) continue;
    Node& window = plan.node(id);
    ExchangeOp exchange;
    exchange.key = Clone(window.As<WindowOp>().by);
    exchange.reason = std::move(reason);
    Node& node = InsertBefore(plan, id, window.name + ".rekey", std::move(exchange));
    node.on_error = Clone(window.on_error);
  }
  Renumber(plan);
  return plan;
}

}  // namespace weirc::plan
