// Which steps of a stage care for watermarks, and which hear of each.
#include <catch2/catch.hpp>

#include "runtime/engine/stage_graph.h"

namespace weir {
namespace {

TEST_CASE("lookups matter for time only when a window or an exchange stands behind them") {
  Program program;
  program.stages.resize(2);
  LookupStepSpec lookup;
  lookup.upstream = -1;
  program.lookup_steps.push_back(lookup);            // 0: behind the input, a window behind it
  program.lookup_steps.push_back(lookup);            // 1: behind the input, nothing behind it
  lookup.upstream = kWindowNode + 0;
  program.lookup_steps.push_back(lookup);            // 2: behind the first window
  WindowSpec window;
  window.upstream = 0;
  program.windows.push_back(window);                 // 0: behind lookup 0
  window.upstream = -1;
  program.windows.push_back(window);                 // 1: behind the input
  window.stage = 1;
  program.windows.push_back(window);                 // 2: in the other stage
  ExchangeSpec exchange;
  exchange.from_stage = 0;
  exchange.to_stage = 1;
  exchange.upstream = kWindowNode + 1;
  program.exchanges.push_back(exchange);             // behind window 1

  std::vector<StageGraph> graphs = BuildStageGraphs(program);
  REQUIRE(graphs.size() == 2);
  const StageGraph& first = graphs[0];
  auto node = [&](StageGraph::Kind kind, int index) {
    for (const StageGraph::Node& one : first.nodes) {
      if (one.kind == kind && one.index == index) return one;
    }
    FAIL("no such node");
    return StageGraph::Node{};
  };
  CHECK(first.roots.size() == 3);
  CHECK(first.eager);
  CHECK(first.windows);
  CHECK(node(StageGraph::kLookup, 0).timed);
  CHECK(!node(StageGraph::kLookup, 1).timed);
  CHECK(!node(StageGraph::kLookup, 2).timed);
  CHECK(!node(StageGraph::kWindow, 0).direct);
  CHECK(node(StageGraph::kWindow, 1).direct);
  CHECK(node(StageGraph::kExchange, 0).direct);
  CHECK(node(StageGraph::kWindow, 0).children.size() == 1);
  CHECK(first.lookup_node[2] >= 0);

  CHECK(graphs[1].nodes.size() == 1);
  CHECK(!graphs[1].eager);
  CHECK(graphs[1].lookup_node[0] == -1);
}

}  // namespace
}  // namespace weir
