// Changing the graph.
#include "compiler/plan/graph.h"

#include <algorithm>
#include <utility>

namespace weirc::plan {

using namespace typed;

Node& AddNode(Plan& plan, std::string name, Op op, int input) {
  auto node = std::make_unique<Node>();
  node->id = static_cast<int>(plan.nodes.size());
  node->name = std::move(name);
  node->op = std::move(op);
  node->input = input;
  if (input >= 0) node->input_row = node->output_row = plan.node(input).output_row;
  plan.nodes.push_back(std::move(node));
  return *plan.nodes.back();
}

Node& InsertBefore(Plan& plan, int after, std::string name, Op op) {
  int input = plan.node(after).input;
  Node& node = AddNode(plan, std::move(name), std::move(op), input);
  node.stream = plan.node(after).stream;
  node.span = plan.node(after).span;
  node.outputs = {after};
  std::vector<int>& outputs = plan.node(input).outputs;
  std::replace(outputs.begin(), outputs.end(), after, node.id);
  plan.node(after).input = node.id;
  return node;
}

void Remove(Plan& plan, int id) {
  Node& node = plan.node(id);
  std::vector<int>& outputs = plan.node(node.input).outputs;
  auto at = std::find(outputs.begin(), outputs.end(), id);
  at = outputs.erase(at);
  outputs.insert(at, node.outputs.begin(), node.outputs.end());
  for (int output : node.outputs) plan.node(output).input = node.input;
  for (Stream& stream : plan.streams) {
    if (stream.node == id) stream.node = node.input;
  }
  plan.nodes[static_cast<size_t>(id)].reset();
}

void RemoveBranch(Plan& plan, int id) {
  for (int output : std::vector<int>(plan.node(id).outputs)) RemoveBranch(plan, output);
  Node& node = plan.node(id);
  if (node.input >= 0) std::erase(plan.node(node.input).outputs, id);
  for (Stream& stream : plan.streams) {
    if (stream.node == id) stream.node = -1;
  }
  plan.nodes[static_cast<size_t>(id)].reset();
}

void Renumber(Plan& plan) {
  plan.order.clear();
  std::function<void(int)> visit = [&](int id) {
    plan.order.push_back(id);
    for (int output : plan.node(id).outputs) visit(output);
  };
  for (const auto& node : plan.nodes) {
    if (node && node->input < 0) visit(node->id);
  }
}

void ForEachExpr(Node& node, const std::function<void(ExprPtr&)>& f) {
  auto one = [&](ExprPtr& e) {
    if (e) f(e);
  };
  auto all = [&](std::vector<ExprPtr>& list) {
    for (ExprPtr& e : list) one(e);
  };
  switch (node.kind()) {
    case NodeKind::kSource: return;
    case NodeKind::kWhere: return one(node.As<WhereOp>().condition);
    case NodeKind::kSelect:
      all(node.As<SelectOp>().values);
      return one(node.As<SelectOp>().with_time);
    case NodeKind::kLet: return one(node.As<LetOp>().value);
    case NodeKind::kTableJoin: return all(node.As<TableJoinOp>().key);
    case NodeKind::kLookup:
      all(node.As<LookupOp>().args);
      return all(node.As<LookupOp>().order_key);
    case NodeKind::kExchange: return all(node.As<ExchangeOp>().key);
    case NodeKind::kWindow: {
      WindowOp& op = node.As<WindowOp>();
      all(op.by);
      for (Aggregate& aggregate : op.aggregates) all(aggregate.args);
      return all(op.values);
    }
    case NodeKind::kSink: return all(node.As<SinkOp>().key);
  }
}

void ForEachInputExpr(const Node& node, const std::function<void(const Expr&)>& f) {
  if (node.Is<WindowOp>()) {
    const WindowOp& op = node.As<WindowOp>();
    for (const ExprPtr& e : op.by) f(*e);
    for (const Aggregate& aggregate : op.aggregates) {
      for (const ExprPtr& e : aggregate.args) f(*e);
    }
    return;
  }
  ForEachExpr(const_cast<Node&>(node), [&](ExprPtr& e) { f(*e); });
}

void ForEachRoute(const Node& node, const std::function<void(const Route&)>& f) {
  f(node.on_error);
  if (node.Is<TableJoinOp>()) f(node.As<TableJoinOp>().on_missing);
  if (node.Is<WindowOp>()) f(node.As<WindowOp>().on_late);
  if (node.Is<LookupOp>()) {
    const LookupOp& op = node.As<LookupOp>();
    f(op.on_missing);
    f(op.on_timeout);
    f(op.on_rejected);
    f(op.on_error_outcome);
  }
}

bool IsFallible(const Node& node) {
  bool fallible = false;
  ForEachExpr(const_cast<Node&>(node), [&](ExprPtr& e) { fallible = fallible || e->fallible; });
  if (node.Is<WindowOp>()) {
    // Sums may overflow although their arguments do not fail.
    for (const Aggregate& a : node.As<WindowOp>().aggregates) {
      fallible = fallible || a.kind == AggregateKind::kSum || a.kind == AggregateKind::kAvg || a.kind == AggregateKind::kVwap;
    }
  }
  return fallible;
}

}  // namespace weirc::plan
