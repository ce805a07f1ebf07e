// `reset` and `skip` of a produced binary: where a pipeline goes on, with its state or without, while no copy of it runs.
//
// A reset forgets in this order, so that one that dies on the way leaves a pipeline that refuses to start, or goes on with
// all of its state: the offsets of re-keyed rows, the topics of state and of re-keyed rows, then the offsets of the sources.
// An offset that it sets is marked as a start: state that is missing below it is no loss.
#pragma once

#include <string>
#include <vector>

#include "runtime/operate/operator.h"

namespace weir {

struct ResetOptions {
  std::vector<std::string> to;  // see ParseStartTargets
  bool keep_state = false;      // moves positions, and nothing else
};
ExitCode Reset(Operator& op, const ResetOptions& options);

// `record`: SOURCE/PARTITION@OFFSET, the record that the pipeline would read next. Its position moves past that one.
ExitCode Skip(Operator& op, const std::string& record);

}  // namespace weir
