// runtime/lookup bound to an engine's worker, with connectors from the engine's environment.
#pragma once

#include <functional>
#include <memory>

#include "runtime/engine/lookup_host.h"
#include "runtime/engine/worker.h"

namespace weir {

// What Environment::make_lookup_host wants. `seed` is that of the retries' jitter.
std::function<std::unique_ptr<LookupHost>(Worker& worker)> LookupHosts(uint64_t seed);

}  // namespace weir
