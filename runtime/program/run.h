// `run` of a produced binary: an engine on production's clock, loops, connectors, store and signals.
#pragma once

#include "runtime/engine/exit_code.h"
#include "runtime/engine/faults.h"
#include "runtime/program/program.h"
#include "runtime/program/settings.h"

namespace weir {

// Runs the pipeline until it ends or a signal ends it. SIGTERM, SIGINT and SIGHUP drain; a second one ends the process at
// once. To be called on a thread that has all three blocked, before others were started. Production has no `faults`.
ExitCode RunPipeline(const Program& program, const Settings& settings, Faults* faults);

// Main of a pipeline that tests stop in the middle of its commits: see runtime/engine/faults.h.
int MainWithFaults(const Compiled& compiled, int argc, char** argv, Faults* faults);

// The signals that end a pipeline, blocked for this thread and those it starts; SIGPIPE and SIGXFSZ are ignored.
void TakeSignals();

}  // namespace weir
