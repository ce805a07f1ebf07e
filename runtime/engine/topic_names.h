// What the topics are called that a pipeline with transactions makes for itself.
#pragma once

#include <string>

#include "runtime/program/program.h"

namespace weir {

// Where the state of a stage's tasks is kept: `<pipeline>.<stage>.changelog`, one partition per task.
std::string ChangelogTopic(const Program& program, int stage);

// Where rows that are re-keyed travel: `<pipeline>.<step>.rekey`.
std::string RekeyTopic(const Program& program, int exchange);

// What the name of a topic says that could be one of the above, of whatever version of the pipeline.
struct OwnTopicName {
  std::string of;  // the stage or step, as names of topics have it
  bool rekey = false;
};
// False: no version of this pipeline gives a topic this name. True says little: it may be one of a pipeline whose name begins
// with this one's and a dot, or anybody's.
bool ReadOwnTopicName(const Program& program, const std::string& topic, OwnTopicName* out);

// The topic of such a name: of one step, the rows that it re-keys, and the state of those who read them.
std::string TopicOf(const Program& program, const OwnTopicName& name);

// Which records `dead-letters replay` has sent again: `<pipeline>.dead-letters.replayed`.
std::string ReplayedTopic(const Program& program);

}  // namespace weir
