// Changing the graph: what passes are written with.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "compiler/plan/plan.h"

namespace weirc::plan {

// Appends a node behind `input` (-1 for sources) without touching the input's list of outputs.
Node& AddNode(Plan& plan, std::string name, Op op, int input);
// Puts a new node on the edge between `after`'s input and `after`; its rows are the input's.
Node& InsertBefore(Plan& plan, int after, std::string name, Op op);
// Takes a node with the same row in and out away; its outputs hang on its input from then on.
void Remove(Plan& plan, int id);
// Takes a node and everything behind it away.
void RemoveBranch(Plan& plan, int id);
// Makes Plan::order anew: sources in source order, each followed by what hangs on it, depth first.
void Renumber(Plan& plan);
// Calls `f` with each expression of the node over its input row (a window's values are not).
void ForEachInputExpr(const Node& node, const std::function<void(const typed::Expr&)>& f);
// Each owned expression, a window's values too.
void ForEachExpr(Node& node, const std::function<void(typed::ExprPtr&)>& f);
// Its routes: on_error first.
void ForEachRoute(const Node& node, const std::function<void(const typed::Route&)>& f);
// True when evaluating the node's own expressions may fail.
bool IsFallible(const Node& node);

}  // namespace weirc::plan
