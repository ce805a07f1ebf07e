#include "runtime/engine/stage_graph.h"

namespace weir {

namespace {

bool MarkTimed(StageGraph& graph, int node, bool direct) {
  StageGraph::Node& at = graph.nodes[node];
  bool lookup = at.kind == StageGraph::kLookup;
  at.timed = !lookup;
  at.direct = direct;
  for (int child : at.children) at.timed |= MarkTimed(graph, child, direct && !lookup);
  if (lookup && at.timed) graph.eager = true;
  return at.timed;
}

}  // namespace

std::vector<StageGraph> BuildStageGraphs(const Program& program) {
  std::vector<StageGraph> graphs(program.stages.size());
  std::vector<int> lookup_node(program.lookup_steps.size()), window_node(program.windows.size());
  for (size_t i = 0; i < program.lookup_steps.size(); ++i) {
    StageGraph& graph = graphs[program.lookup_steps[i].stage];
    lookup_node[i] = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back({StageGraph::kLookup, static_cast<int>(i), {}});
  }
  for (size_t i = 0; i < program.windows.size(); ++i) {
    StageGraph& graph = graphs[program.windows[i].stage];
    window_node[i] = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back({StageGraph::kWindow, static_cast<int>(i), {}});
    graph.windows = true;
  }
  auto attach = [&](StageGraph& graph, int upstream, int node) {
    if (upstream < 0) {
      graph.roots.push_back(node);
    } else if (upstream >= kWindowNode) {
      graph.nodes[window_node[upstream - kWindowNode]].children.push_back(node);
    } else {
      graph.nodes[lookup_node[upstream]].children.push_back(node);
    }
  };
  for (size_t i = 0; i < program.lookup_steps.size(); ++i) {
    const LookupStepSpec& spec = program.lookup_steps[i];
    attach(graphs[spec.stage], spec.upstream, lookup_node[i]);
  }
  for (size_t i = 0; i < program.windows.size(); ++i) {
    const WindowSpec& spec = program.windows[i];
    attach(graphs[spec.stage], spec.upstream, window_node[i]);
  }
  for (size_t i = 0; i < program.exchanges.size(); ++i) {
    const ExchangeSpec& spec = program.exchanges[i];
    StageGraph& graph = graphs[spec.from_stage];
    int node = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back({StageGraph::kExchange, static_cast<int>(i), {}});
    attach(graph, spec.upstream, node);
  }
  for (StageGraph& graph : graphs) {
    graph.lookup_node.assign(program.lookup_steps.size(), -1);
    for (int root : graph.roots) MarkTimed(graph, root, true);
  }
  for (size_t i = 0; i < program.lookup_steps.size(); ++i) {
    graphs[program.lookup_steps[i].stage].lookup_node[i] = lookup_node[i];
  }
  return graphs;
}

}  // namespace weir
