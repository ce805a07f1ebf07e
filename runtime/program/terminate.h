// What a process says when the system has nothing left for it: memory, file descriptors, threads.
#pragma once

namespace weir {

// From now on an exception that nobody caught, in any thread, ends the process with ExitCode::kSystem when it is of that
// kind: at once, as a kill would. Any other is our own mistake and still aborts. Once, at the start of main.
void EndWhenSystemIsExhausted();

}  // namespace weir
