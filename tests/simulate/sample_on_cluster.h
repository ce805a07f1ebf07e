// The sample pipeline with transactions, and a simulated cluster with its topics.
#pragma once

#include <string>

#include "runtime/testing/memory_cluster.h"
#include "tests/recover/recover_rig.h"

namespace weir {

struct SampleOnCluster {
  SampleOnCluster(const SampleOptions& options, const RigInput& input, uint64_t seed);

  // All of the input is there.
  void AppendAll();
  // Empty, or what is wrong with what readers of committed records see.
  std::string Check();

  RecoverRig rig;
  MemoryCluster cluster;
};

}  // namespace weir
