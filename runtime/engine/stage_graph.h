// How watermarks travel inside a task: from the stage's input through lookups and windows to what stands behind them.
#pragma once

#include <vector>

#include "runtime/program/program.h"

namespace weir {

// The steps of one stage that care for watermarks, as a forest below the stage's input. Shared by all its tasks.
struct StageGraph {
  enum Kind : uint8_t { kLookup, kWindow, kExchange };
  struct Node {
    Kind kind;
    int index;                  // of lookup step, window or exchange in the program
    std::vector<int> children;  // into nodes
    bool timed = false;         // a window or an exchange is this or stands behind it: the watermark matters
    bool direct = false;        // no lookup between the stage's input and this: its watermark is the input's
  };
  std::vector<Node> nodes;
  std::vector<int> roots;
  std::vector<int> lookup_node;  // by lookup step: its node, -1 when it is of another stage
  bool eager = false;            // there is a timed lookup: it wants to know of every move of the watermark
  bool windows = false;          // keyed state: partitions must follow the key
};

// One per stage of the program.
std::vector<StageGraph> BuildStageGraphs(const Program& program);

}  // namespace weir
