// What the topics are called that a pipeline with transactions makes for itself.
#pragma once

#include <string>

#include "runtime/program/program.h"

namespace weir {

// Where the state of a stage's tasks is kept: `<pipeline>.<stage>.changelog`, one partition per task.
std::string ChangelogTopic(const Program& program, int stage);

// Where rows that are re-keyed travel: `<pipeline>.<step>.rekey`.
std::string RekeyTopic(const Program& program, int exchange);

// Which records `dead-letters replay` has sent again: `<pipeline>.dead-letters.replayed`.
std::string ReplayedTopic(const Program& program);

}  // namespace weir
