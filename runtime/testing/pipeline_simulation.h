// One seed of `weir simulate`: a pipeline as it was compiled, on a simulated cluster, twice. First on one worker where
// nothing goes wrong, which says what is right; then as several copies while everything goes wrong that the seed says.
//
// What is at least once may be repeated; how often it was is counted.
//
// What the two runs have in common, so that they can be compared: the records of each partition, tables that are loaded
// before and do not change, answers that follow from the request, and sources that are idle only a minute after their
// last record.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/testing/pipeline_shape.h"
#include "runtime/testing/simulation.h"
#include "runtime/testing/workload.h"

namespace weir {

struct PipelineSimulationOptions {
  uint64_t seed = 1;
  int records = 40;               // of each source, about
  // What may go wrong, as FaultNames has it.
  std::set<std::string> faults;
  std::string mutation;           // a step of the protocol that is done wrongly: see Faults::Mutated
  bool keep_trace = false;
};

// Something that must not be, in the words of whoever wrote the pipeline.
struct Finding {
  std::string what;               // "lost", "repeated", "out of order", "changed", "never expected", "stuck", "ended"
  std::string sink;               // where it shows; empty: in no sink
  std::vector<std::string> lines;
};

struct PipelineSimulationResult {
  std::vector<Finding> findings;
  // Not empty: a route of the pipeline stops it with any input that can be made, so nothing was compared.
  std::string not_run;
  // Not empty: the same with some input, so this seed's is milder: nothing is broken, late, or refused by a service.
  std::string milder;
  std::map<std::string, uint64_t> steps, faults;
  uint64_t records = 0;           // that went in
  uint64_t outputs = 0;           // that were compared
  uint64_t repeated = 0;          // of them, where that is permitted
  uint64_t rows_at_faults = 0;    // waited for answers in copies that died
  int64_t virtual_ns = 0;
  std::string trace;
  uint64_t trace_hash = 0;
};

// All faults there are: of brokers, of copies, of services that are asked.
const std::vector<std::string>& FaultNames();

// Some of `program`'s outputs differ between runs by their nature; the shape says which, and why.
PipelineSimulationResult SimulatePipeline(const Program& program, const PipelineShape& shape,
                                          const PipelineSimulationOptions& options);

}  // namespace weir
