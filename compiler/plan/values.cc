// Where the values of a row come from.
#include "compiler/plan/values.h"

#include <cstdio>

#include "compiler/plan/expr.h"
#include "compiler/plan/passes/derive_state.h"

namespace weirc::plan {

using namespace typed;

namespace {

// A long text by a hash of it: values made of values made of values would double at each step.
std::string Short(const std::string& text) {
  if (text.size() <= 48) return text;
  char hex[40];
  std::snprintf(hex, sizeof hex, "~%016llx%016llx", static_cast<unsigned long long>(LayoutHash(text)),
                static_cast<unsigned long long>(LayoutHash("+" + text)));
  return hex;
}

std::string Exact(const Plan& plan, const Expr& e, const std::vector<std::string>& row) {
  // The row as a whole has no one text: what reads it is named by the row's fields.
  TextOptions options;
  options.typed = plan.typed;
  options.row = &row;
  options.exact = true;
  std::string text = Text(e, options);
  if (e.kind == ExprKind::kField || e.kind == ExprKind::kLiteral) return text;
  if (Any(e, [](const Expr& x) { return x.kind == ExprKind::kRow; })) {
    bool whole = false;
    std::function<void(const Expr&)> walk = [&](const Expr& x) {
      if (x.kind == ExprKind::kRow) whole = true;
      if (x.kind == ExprKind::kField && As<FieldExpr>(x).base->kind == ExprKind::kRow) return;
      ForEachChild(x, walk);
    };
    walk(e);
    if (whole) {
      text += "|";
      for (const std::string& field : row) text += field + ",";
    }
  }
  return Short("(" + text + ")");
}

std::string Own(const Node& node, const std::string& field) { return "#" + std::to_string(node.id) + "." + field; }

}  // namespace

std::vector<std::string> OutputValues(const Plan& plan, int id) {
  const Node& node = plan.node(id);
  std::vector<std::string> in;
  if (node.input >= 0) in = OutputValues(plan, node.input);
  switch (node.kind()) {
    case NodeKind::kSource: {
      const SourceDef& source = plan.typed->sources[node.As<SourceOp>().source];
      std::vector<std::string> out;
      for (const Field& field : source.record->fields) out.push_back(source.name + "." + field.name);
      return out;
    }
    case NodeKind::kWhere:
    case NodeKind::kExchange:
    case NodeKind::kSink: return in;
    case NodeKind::kSelect: {
      std::vector<std::string> out;
      for (const ExprPtr& value : node.As<SelectOp>().values) out.push_back(Exact(plan, *value, in));
      return out;
    }
    case NodeKind::kLet: {
      in.push_back(Exact(plan, *node.As<LetOp>().value, in));
      return in;
    }
    case NodeKind::kTableJoin:
    case NodeKind::kLookup:
      in.push_back(Own(node, node.output_row->fields.back().name));
      return in;
    case NodeKind::kWindow: {
      const WindowOp& op = node.As<WindowOp>();
      std::vector<std::string> key;
      for (const ExprPtr& by : op.by) key.push_back(Exact(plan, *by, in));
      std::vector<std::string> out;
      for (size_t i = 0; i < op.values.size(); ++i) {
        const Expr& value = *op.values[i];
        bool of_key = value.kind == ExprKind::kField && As<FieldExpr>(value).base->kind == ExprKind::kRow;
        out.push_back(of_key ? key[As<FieldExpr>(value).field] : Own(node, node.output_row->fields[i].name));
      }
      return out;
    }
  }
  return in;
}

std::string InputValue(const Plan& plan, int id, const Expr& e) {
  return Exact(plan, e, OutputValues(plan, plan.node(id).input));
}

Partitioning PartitioningOf(const Plan& plan, int id) {
  for (int at = plan.node(id).Is<SourceOp>() ? id : plan.node(id).input; at >= 0; at = plan.node(at).input) {
    const Node& node = plan.node(at);
    Partitioning p;
    p.feeder = at;
    if (node.Is<ExchangeOp>()) {
      p.declared = true;
      for (const ExprPtr& key : node.As<ExchangeOp>().key) p.values.push_back(InputValue(plan, at, *key));
      return p;
    }
    if (node.Is<SourceOp>()) {
      const SourceDef& source = plan.typed->sources[node.As<SourceOp>().source];
      std::vector<std::string> row = OutputValues(plan, at);
      p.declared = !source.key.empty();
      for (const ExprPtr& key : source.key) p.values.push_back(Exact(plan, *key, row));
      return p;
    }
  }
  return {};
}

}  // namespace weirc::plan
