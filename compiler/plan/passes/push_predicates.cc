// Moves conditions in front of steps they do not depend on.
#include "compiler/plan/passes/push_predicates.h"

#include <algorithm>
#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"

namespace weirc::plan {

using namespace typed;

namespace {

bool IsSilent(const Route& route) {
  return route.kind == Route::kNone || route.kind == Route::kUse || route.kind == Route::kDrop;
}

// Whether `where` may run before its input without anybody noticing.
bool MayPass(const Plan& plan, const Node& where, const Node& before) {
  bool adds_field = before.Is<LetOp>() || before.Is<TableJoinOp>() || before.Is<LookupOp>();
  if (!adds_field || before.outputs.size() != 1 || IsFallible(before)) return false;
  bool silent = true;
  ForEachRoute(before, [&](const Route& route) { silent = silent && (&route == &before.on_error || IsSilent(route)); });
  if (!silent) return false;
  for (const Stream& stream : plan.streams) {
    if (stream.tapped && stream.node == before.id) return false;
  }
  const Expr& condition = *where.As<WhereOp>().condition;
  int added = static_cast<int>(before.output_row->fields.size()) - 1;
  return !condition.fallible && !ReadsRowField(condition, added);
}

// before → where → rest   becomes   where → before → rest.
void Swap(Plan& plan, Node& before, Node& where) {
  std::vector<int>& outputs = plan.node(before.input).outputs;
  std::replace(outputs.begin(), outputs.end(), before.id, where.id);
  before.outputs = std::move(where.outputs);
  for (int output : before.outputs) plan.node(output).input = before.id;
  where.input = before.input;
  where.outputs = {before.id};
  before.input = where.id;
  where.input_row = where.output_row = before.input_row;
  for (Stream& stream : plan.streams) {
    if (stream.node == where.id) stream.node = before.id;
  }
}

// Expressions know the row by its type only; fields keep their index in a longer row.
void Retype(Expr& e, const Type* row) {
  if (e.kind == ExprKind::kRow) e.type = row;
  ForEachChild(e, [&](ExprPtr& child) { Retype(*child, row); });
}

}  // namespace

Plan PushPredicates(Plan plan) {
  for (int id : std::vector<int>(plan.order)) {
    Node& where = plan.node(id);
    if (!where.Is<WhereOp>()) continue;
    while (MayPass(plan, where, plan.node(where.input))) {
      Node& before = plan.node(where.input);
      Swap(plan, before, where);
      Retype(*where.As<WhereOp>().condition, plan.typed->types->Record(where.input_row));
    }
  }
  Renumber(plan);
  return plan;
}

}  // namespace weirc::plan
