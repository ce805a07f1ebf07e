// How the process ends by what nobody caught: the system has nothing left for it (memory, file descriptors, threads), or it
// is our own mistake.
#pragma once

namespace weir {

// From now on an exception that nobody caught, in any thread, is said on standard error and ends the process at once, as a
// kill would: with ExitCode::kSystem when the system had nothing left, else with ExitCode::kInternal. Once, at the start of
// main.
void EndByUncaughtException();

}  // namespace weir
