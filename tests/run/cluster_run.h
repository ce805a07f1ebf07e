// Runs a program's compiled form as it runs from Kafka to Kafka: its sources and sinks are topics of a simulated cluster,
// and each epoch is a transaction. One copy at a time, which dies where it is told to and starts again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/testing/cluster_faults.h"
#include "tests/run/engine_run.h"

namespace run {

struct ClusterPlan {
  uint64_t seed = 1;
  std::vector<int> workers = {1};      // of the first life, the second, …; the last one repeats
  // The step of the protocol that the first life ends at, the second, …, counted from its start; 0: at none.
  std::vector<uint64_t> stops;
  Answers answers = Answers::kAsWritten;
  weir::ClusterFaults faults;
  bool disks = false;                  // copies keep state on disks, which fail
  bool outputs_at_once = false;        // outside the transactions: a copy that dies loses what was not acknowledged
  std::string mutation;                // a step of the protocol that is done wrongly: see Faults::Mutated
};

struct ClusterResult {
  RunResult run;                                // its lives are those of copies; no counters
  uint64_t points = 0;                          // steps passed, by all lives
  size_t windows_shown = 0, rows_shown = 0;     // changes of the state that were read by their names (stored_names.h)
  std::map<std::string, uint64_t> steps, stopped, faults;
};

ClusterResult RunOnCluster(const RunCase& run, const RunInput& input, const Expected& expected, const ClusterPlan& plan);

}  // namespace run
