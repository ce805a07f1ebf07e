// Compares what a sink got in two runs of a pipeline over the same input.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/testing/memory_record.h"
#include "runtime/testing/pipeline_shape.h"

namespace weir {

struct OutputDifference {
  std::string what;              // "lost", "repeated", "out of order", "changed"
  const MemoryRecord* right = nullptr;   // that should be there; null: nothing in its place
  const MemoryRecord* wrong = nullptr;   // that is there; null: nothing
};

// The first difference of each sort; empty when there is none. Order is looked at only where nothing else is wrong.
std::vector<OutputDifference> CompareOutputs(const SinkShape& sink, const std::vector<MemoryRecord>& right,
                                             const std::vector<MemoryRecord>& actual);

}  // namespace weir
