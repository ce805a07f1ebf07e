// Merges equal lookups of one record.
#include "compiler/plan/passes/merge_lookups.h"

#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/values.h"

namespace weirc::plan {

using namespace typed;

namespace {

bool Same(const Plan& plan, const Route& a, const Route& b) {
  if (a.kind != b.kind || a.deadletter != b.deadletter || (a.use == nullptr) != (b.use == nullptr)) return false;
  TextOptions options;
  options.typed = plan.typed;
  options.exact = true;
  return a.use == nullptr || Text(*a.use, options) == Text(*b.use, options);
}

// What the record is asked with, as values that do not depend on where the step stands; empty when metadata that may
// change between two steps is part of it.
std::vector<std::string> Question(const Plan& plan, const Node& node) {
  const LookupOp& op = node.As<LookupOp>();
  std::vector<std::string> out{std::to_string(op.lookup), std::to_string(static_cast<int>(op.order))};
  for (const auto* list : {&op.args, &op.order_key}) {
    for (const ExprPtr& e : *list) {
      if (Any(*e, [](const Expr& x) { return x.kind == ExprKind::kMeta; })) return {};
      out.push_back(InputValue(plan, node.id, *e));
    }
    out.push_back("|");
  }
  return out;
}

bool SameRoutes(const Plan& plan, const LookupOp& a, const LookupOp& b) {
  return a.as_outcome == b.as_outcome && Same(plan, a.on_missing, b.on_missing) &&
         Same(plan, a.on_timeout, b.on_timeout) && Same(plan, a.on_rejected, b.on_rejected) &&
         Same(plan, a.on_error_outcome, b.on_error_outcome);
}

// The index of the field of `row` that holds the value `text`, or -1.
int FieldWith(const std::vector<std::string>& row, const std::string& text) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] == text) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

Plan MergeLookups(Plan plan) {
  for (int id : std::vector<int>(plan.order)) {
    if (!plan.node(id).Is<LookupOp>()) continue;
    std::vector<std::string> question = Question(plan, plan.node(id));
    if (question.empty()) continue;
    for (int at = plan.node(id).input; at >= 0; at = plan.node(at).input) {
      Node& first = plan.node(at);
      if (first.Is<WindowOp>()) break;  // what comes out of a window is another record
      if (!first.Is<LookupOp>()) continue;
      Node& second = plan.node(id);
      if (Question(plan, first) != question || !SameRoutes(plan, first.As<LookupOp>(), second.As<LookupOp>())) continue;
      int field = FieldWith(OutputValues(plan, second.input), OutputValues(plan, at).back());
      if (field < 0) continue;  // the first answer is no longer in the record
      ExprPtr value = MakeField(MakeRow(plan.typed->types->Record(second.input_row)), field);
      value->span = second.span;
      first.renames.push_back(second.name);
      second.op = LetOp{std::move(value)};
      break;
    }
  }
  return plan;
}

}  // namespace weirc::plan
