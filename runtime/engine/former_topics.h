// Topics that an earlier version of the pipeline made for itself, for a stage or a re-keying that this program does not have: it was
// dropped, or has another name. Nobody reads them any more, so what waits in them would be lost in silence.
//
// Whose a topic is says not its name, which a pipeline `a.b` may have given it as well as `a`, but what is in it: each task of a
// stage notes in its changelog, with its first commit, whose it is and how far it has read its input. So a changelog speaks
// for itself, and for the topic of re-keyed rows that its tasks read.
#pragma once

#include <string>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/engine/connectors.h"
#include "runtime/engine/topic_access.h"
#include "runtime/program/program.h"

namespace weir {

struct FormerTopic {
  std::string topic;
  std::string purpose;  // "which held the state of `trades` in an earlier version"
  bool own = false;     // an earlier version of this pipeline made it, and nobody else
  bool rekey = false;
  std::string waits;    // "3 pending requests of `enriched.a`"; empty: nothing
  std::string problem;  // why a start would lose something
  std::string warning;  // else
  uint32_t line = 0;    // of the connection through which it was found
};

// Those of one cluster, as far as this client may see them. One that holds nothing of Weir's, or is another pipeline's, is
// left out.
Status FindFormerTopics(const Program& program, TopicAccess& access, std::vector<FormerTopic>* out);
// Of all clusters whose topics the program reads. None where the local store is the truth: then nothing of the pipeline is in
// Kafka but what it reads and writes.
Status FindFormerTopics(const Program& program, Connectors& connectors, const ConnectorContext& context, int64_t wait_ns_max,
                        std::vector<FormerTopic>* out);

}  // namespace weir
