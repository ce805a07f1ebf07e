// The sample pipeline on a simulated cluster: what goes in, what must come out.
#pragma once

#include <memory>
#include <string>

#include "runtime/testing/simulation.h"
#include "tests/recover/recover_rig.h"

namespace weir {

struct SampleSimulationResult {
  std::string wrong;      // empty, or what was lost, repeated, out of order or stuck
  SimulationReport report;
  uint64_t trace_hash = 0;
  std::string trace;      // when it was asked for
  std::string shape;      // of the pipeline, for messages
};

// Everything follows from the seed: the shape of the pipeline, its input, faults. `mutation`: a step of the protocol
// that is done wrongly.
SampleSimulationResult SimulateSample(uint64_t seed, const std::string& mutation = "", bool keep_trace = false);

// Runs the sample without faults, does something to what it left in the cluster, and starts it again.
enum class Meddling {
  kChangelogEmptied,
  kOffsetsSet,      // back to an earlier record
  kOffsetsDeleted,
  kOtherRekeyedRow,  // a re-keyed row is under way whose writer laid it out in another way
  kRowOfMovedStep,   // a request is pending in a stage in which its lookup stands no more
  kRowOfFormerStage,  // a request is pending in a stage that the pipeline has no more
};
struct MeddledStart {
  std::string said;   // empty, or how the second start ended
  std::string wrong;  // empty, or what is wrong with the output then
};
MeddledStart StartAfter(Meddling meddling);

}  // namespace weir
