// Where the values of a row come from. Two fields, perhaps of different steps, with equal names here hold equal values
// for the same record, whatever they are called in between.
#pragma once

#include <string>
#include <vector>

#include "compiler/plan/plan.h"

namespace weirc::plan {

// One text per field of the node's output row: "trades.symbol" for a field that was only passed on, "(price * qty)" of
// such texts for a computed one, "#7.name" for what a join, lookup or window brought.
std::vector<std::string> OutputValues(const Plan& plan, int node);
// The same for an expression over the node's input row.
std::string InputValue(const Plan& plan, int node, const typed::Expr& e);

// By which values the tasks that run this node are divided: the source's key, or that of the exchange that feeds the
// stage. `declared` is false for a source without `key:`.
struct Partitioning {
  bool declared = false;
  std::vector<std::string> values;  // as OutputValues
  int feeder = -1;                  // the source's or exchange's node
};
Partitioning PartitioningOf(const Plan& plan, int node);

}  // namespace weirc::plan
