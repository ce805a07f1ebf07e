// Cuts the graph into stages and segments.
#include "compiler/plan/passes/assign_stages.h"

#include <utility>

#include "compiler/plan/graph.h"

namespace weirc::plan {

namespace {

class Cutter {
 public:
  explicit Cutter(Plan* plan) : plan_(*plan) { plan_.stages.clear(); }

  // `stage` and `segment` are those the node's input hands its records on in.
  void Visit(int id, int stage, int segment) {
    Node& node = plan_.node(id);
    if (node.input < 0) stage = NewStage(node);
    node.stage = stage;
    node.segment = segment < 0 ? segments_++ : segment;
    int next = node.segment;
    // An exchange's sending half runs in the stage the rows leave; what is behind it runs in the new one.
    if (node.Is<ExchangeOp>()) stage = NewStage(node);
    bool waits = node.Is<ExchangeOp>() || node.Is<WindowOp>() || (node.Is<LookupOp>() && !node.dead);
    if (waits) next = segments_++;
    for (int output : node.outputs) Visit(output, stage, next);
  }

 private:
  int NewStage(const Node& feeder) {
    plan_.stages.push_back(Stage{feeder.name, feeder.id});
    return static_cast<int>(plan_.stages.size()) - 1;
  }

  Plan& plan_;
  int segments_ = 0;
};

}  // namespace

Plan AssignStages(Plan plan) {
  Renumber(plan);
  Cutter cutter(&plan);
  for (int id : plan.order) {
    if (plan.node(id).input < 0) cutter.Visit(id, -1, -1);
  }
  return plan;
}

}  // namespace weirc::plan
