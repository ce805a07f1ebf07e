// `state list | get` of a produced binary: what the state held at its last commit.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/operate/operator.h"

namespace weir {

struct StateOptions {
  std::string step;
  bool has_key = false;
  std::string key;       // as ReadKey takes it
  int64_t limit = 50;    // of a step's list; 0: all
  bool json = false;     // an object per line
};

// Without a step: the steps that keep something, with entries, bytes and what their keys are. With one: what it keeps, a
// line each.
ExitCode ListState(Operator& op, const StateOptions& options);
// What a step keeps of one key: the open windows of a window step, with what each would publish now; the records that wait
// in a lookup whose order key or own key it is, with arguments and fields.
ExitCode GetState(Operator& op, const StateOptions& options);

}  // namespace weir
