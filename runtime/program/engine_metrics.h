// What the engine counts, under the names that dashboards know, and the status page.
#pragma once

#include <string>

#include "runtime/engine/metrics.h"
#include "runtime/program/program.h"
#include "runtime/serve/metrics.h"

namespace weir {

void CollectEngine(const Program& program, const MetricsSnapshot& snapshot, MetricsWriter* out);
// process_*: CPU, memory, open files, start; what /proc does not say is left out.
void CollectProcess(int64_t started_wall_ns, MetricsWriter* out);
// The plan, then the counters of each step and partition, for people.
std::string StatusPage(const Program& program, const MetricsSnapshot& snapshot, const std::string& state,
                       int64_t uptime_ns);

}  // namespace weir
