// What `weir simulate` runs: many seeds of a pipeline on a simulated cluster, and what they found.
#pragma once

#include "runtime/program/program.h"

namespace weir {

//   --shape FILE       the pipeline as pipeline_shape.h reads it
//   --seeds N          how many, from
//   --first-seed S     on
//   --faults LIST      names with commas between, `all` or `none`; a name with a minus before it is taken out
//   --records N        of each source, about
//   --seconds-limit N  begins no other seed after this long; 0: no limit
//   --trace            every event of each seed, on stdout
//   --again TEXT       the command that runs the same again but for --first-seed and --seeds
//   --mutation STEP    a step of the protocol that is done wrongly, to see that it is found: see Faults::Mutated
//   --set NAME=VALUE   params; those without a default are zero or empty
//
// Exit code 0: nothing was found; 1: something was; 2: nothing could be simulated, or these words are wrong.
int SimulateMain(const Compiled& compiled, int argc, char** argv);

}  // namespace weir
