// runtime/lookup bound to an engine's worker, with connectors from the engine's environment.
#pragma once

#include <functional>
#include <memory>

#include "runtime/engine/lookup_host.h"
#include "runtime/engine/worker.h"
#include "runtime/serve/metrics.h"

namespace weir {

// What Environment::make_lookup_host wants. `seed` is that of the retries' jitter; `metrics`, unless null, hears of each
// host for as long as it lives and must outlive it.
std::function<std::unique_ptr<LookupHost>(Worker& worker)> EngineLookups(uint64_t seed, MetricsRegistry* metrics);

}  // namespace weir
