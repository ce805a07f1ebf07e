// compiler/plan/passes/derive_promises.h — Each sink's delivery and order are known, with their reasons.
// Kafka sinks deliver at least once in this version; file sinks exactly once, for their lengths are committed with state
// and positions in the local store; stdout at least once; stdin may lose. Also: whether the local store is the truth.
// Test: tests/plan/promises_kafka.weir, promises_files.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan DerivePromises(Plan plan);

}  // namespace weirc::plan
