// Finds the live fields of every row.
#include "compiler/plan/passes/project_fields.h"

#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/live.h"

namespace weirc::plan {

using namespace typed;

namespace {

// The field a let, join or lookup adds.
int Added(const Node& node) { return static_cast<int>(node.output_row->fields.size()) - 1; }

bool GoesOn(const Route& route) { return route.kind == Route::kUse || route.kind == Route::kNone; }

bool IsDead(const Node& node) {
  bool adds_field = node.Is<LetOp>() || node.Is<TableJoinOp>() || node.Is<LookupOp>();
  if (!adds_field || IsFallible(node) || node.live.Field(Added(node)) != nullptr) return false;
  bool goes_on = true;
  ForEachRoute(node, [&](const Route& route) { goes_on = goes_on && (&route == &node.on_error || GoesOn(route)); });
  if (node.Is<TableJoinOp>()) return goes_on && node.As<TableJoinOp>().on_missing.kind == Route::kUse;
  return goes_on;
}

}  // namespace

Live InputLive(const Plan& plan, const Node& node) {
  Live in;
  switch (node.kind()) {
    case NodeKind::kSource: return in;
    case NodeKind::kWhere:
      in = node.live;
      AddUses(*node.As<WhereOp>().condition, &in);
      return in;
    case NodeKind::kSelect: {
      const SelectOp& op = node.As<SelectOp>();
      for (size_t i = 0; i < op.values.size(); ++i) {
        const Live* want = node.live.Field(static_cast<int>(i));
        if (want != nullptr || op.values[i]->fallible) AddUses(*op.values[i], want ? *want : Live{}, &in);
      }
      if (op.with_time) AddUses(*op.with_time, &in);
      return in;
    }
    case NodeKind::kLet:
    case NodeKind::kTableJoin:
    case NodeKind::kLookup: {
      int added = Added(node);
      for (int i = 0; i < added; ++i) {
        if (const Live* live = node.live.Field(i)) in.fields[i].Add(*live);
      }
      if (node.dead) return in;
      if (node.Is<LetOp>()) {
        const Live* want = node.live.Field(added);
        AddUses(*node.As<LetOp>().value, want ? *want : Live{}, &in);
      } else {
        ForEachInputExpr(node, [&](const Expr& e) { AddUses(e, &in); });
        ForEachRoute(node, [&](const Route& route) {
          if (route.kind == Route::kUse && route.use) AddUses(*route.use, &in);
        });
      }
      return in;
    }
    case NodeKind::kExchange:
      in = node.live;
      AddUses(node.As<ExchangeOp>().key, &in);
      return in;
    case NodeKind::kWindow: ForEachInputExpr(node, [&](const Expr& e) { AddUses(e, &in); }); return in;
    case NodeKind::kSink:
      in = Live::Whole();
      return in;
  }
  return in;
}

Live SourceLive(const Plan& plan, const Node& node) {
  Live live = node.live;
  const SourceDef& source = plan.typed->sources[static_cast<size_t>(node.As<SourceOp>().source)];
  if (source.time) AddUses(*source.time, &live);
  return live;
}

Plan ProjectFields(Plan plan) {
  for (Table& table : plan.tables) {
    table.live = Live{};
    table.used = false;
  }
  for (auto it = plan.order.rbegin(); it != plan.order.rend(); ++it) {
    Node& node = plan.node(*it);
    node.live = Live{};
    for (int output : node.outputs) node.live.Add(InputLive(plan, plan.node(output)));
    for (const Stream& stream : plan.streams) {
      if (stream.tapped && stream.node == node.id) node.live = Live::Whole();
    }
    node.dead = IsDead(node);
    if (node.Is<TableJoinOp>() && !node.dead) {
      Table& table = plan.tables[static_cast<size_t>(node.As<TableJoinOp>().table)];
      table.used = true;
      if (const Live* row = node.live.Field(Added(node))) table.live.Add(*row);
    }
  }
  return plan;
}

}  // namespace weirc::plan
