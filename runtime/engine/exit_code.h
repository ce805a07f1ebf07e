// How a pipeline's process ends. The numbers are documented in docs/operations.md and never change their meaning.
#pragma once

namespace weir {

enum class ExitCode : int {
  kOk = 0,
  kUsage = 1,        // bad arguments or settings
  kStateMismatch = 3,  // the stored state does not fit this program, or is damaged
  kConnector = 4,    // a source, sink or lookup could not start, or failed for good while running
  kStopped = 5,      // an `on … stop` route was taken
  kWriteFailed = 6,  // the disk or the store could not be written
  kRefused = 7,      // going on would not be safe: a second copy, offsets lost, partitions added below keyed state
  kInternal = 70,    // our own mistake
  kSystem = 71,      // the system has no memory, file descriptor or thread left for the process
};

}  // namespace weir
