// `check` of a produced binary: connects to everything that is declared and says all that is wrong.
#pragma once

#include <string>
#include <vector>

#include "runtime/engine/connectors.h"
#include "runtime/program/program.h"

namespace weir {

struct Checked {
  std::string what;     // "source `trades`"
  std::string where;    // "topic trades, 4 partitions", "http://host:8080"
  uint32_t line = 0;
  std::string problem;  // empty: all is well; else with host, topic or path and what to do
  std::string warning;  // what costs something
};

// Not ok: the pipeline keeps its state in Kafka, and the state directory holds one of a version that kept it there.
Status BeginsBesideState(const Program& program, const std::string& state_dir);

// Reads partitions, looks at topics, those that the pipeline has for itself too, opens a connection to each service, looks
// whether files and the state directory can be written. Changes nothing anywhere. Each part waits up to `wait_ns_max`.
std::vector<Checked> CheckAll(const Program& program, Connectors& connectors, const ConnectorContext& context,
                              const std::string& state_dir, int64_t wait_ns_max);

}  // namespace weir
