// What `state get` shows of a pipeline: that every change a run ever wrote to its changelogs can be read by the tables that
// the compiler gives for it.
#pragma once

#include <string>

#include "runtime/program/program.h"
#include "runtime/testing/memory_cluster.h"

namespace run {

struct StoredNames {
  std::string problem;            // of the first change that cannot be read, or shows another key than it is stored by
  size_t windows = 0, rows = 0;   // how many were read
};

StoredNames ReadStoredNames(const weir::Program& program, const weir::MemoryCluster& cluster);

}  // namespace run
