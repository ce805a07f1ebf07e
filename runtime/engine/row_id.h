// The id of a pending row: where it came from, the same before and after any crash. It is the idempotency key.
#pragma once

#include "runtime/core/hash.h"
#include "runtime/engine/meta.h"
#include "runtime/program/program.h"

namespace weir {

// XXH3-128 over (pipeline, step's name, the source's topic or path, partition, offset, ordinal), or for records that a
// window made (pipeline, step's name, window's step name, key, start, ordinal).
H128 RowId(const Program& program, uint32_t step, const Meta& meta);

}  // namespace weir
