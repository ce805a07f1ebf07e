// The sample pipeline with transactions, and a simulated cluster with its topics.
#pragma once

#include <string>

#include "runtime/testing/memory_cluster.h"
#include "tests/recover/recover_rig.h"

namespace weir {

struct SampleOnCluster {
  // `outputs_at_once`: outside the transactions. A copy that dies loses what was not acknowledged.
  SampleOnCluster(const SampleOptions& options, const RigInput& input, uint64_t seed, bool outputs_at_once = false);

  // All of the input is there.
  void AppendAll();
  // Empty, or what is wrong with what readers of committed records see; of outputs at once, with what sinks wrote.
  std::string Check();

  RecoverRig rig;
  MemoryCluster cluster;
};

}  // namespace weir
