// Compares what a sink got in two runs of a pipeline over the same input.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/program/program.h"
#include "runtime/testing/memory_record.h"
#include "runtime/testing/pipeline_shape.h"

namespace weir {

struct OutputDifference {
  std::string what;              // "lost", "repeated", "out of order", "changed", "never expected"
  const MemoryRecord* right = nullptr;   // that should be there; null: nothing in its place
  const MemoryRecord* wrong = nullptr;   // that is there; null: nothing
};

struct OutputComparison {
  std::vector<OutputDifference> differences;  // the first of each sort
  size_t repeated = 0;                        // records that are there more often than they should be
};

// At least once a record may be repeated, which is then no difference; order is that of first occurrences. It is looked at
// only where nothing else is wrong.
OutputComparison CompareOutputs(const SinkShape& sink, Delivery delivery, const std::vector<MemoryRecord>& right,
                                const std::vector<MemoryRecord>& actual);

}  // namespace weir
