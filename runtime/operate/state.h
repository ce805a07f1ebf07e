// `state list | get` of a produced binary: what the state held at its last commit.
#pragma once

#include <string>

#include "runtime/operate/operator.h"

namespace weir {

// The steps that keep something, with entries and bytes.
ExitCode ListState(Operator& op);
// What a step keeps of one key: the open windows of a window step, the records that wait in a lookup whose order key or own
// key it is. `key`: text, or a JSON string.
ExitCode GetState(Operator& op, const std::string& step, const std::string& key);

}  // namespace weir
