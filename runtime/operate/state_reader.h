// What a pipeline's state holds as of its last commit, wherever that is: the changelog topics of a pipeline with transactions,
// also while it runs, or the local store of another, only while it does not.
#pragma once

#include <functional>

#include "runtime/core/status.h"
#include "runtime/engine/delta.h"
#include "runtime/operate/operator.h"

namespace weir {

enum class StateRead : uint8_t {
  kBeside,  // as it stands, also while the pipeline runs; kCorrupt where another version of the program wrote it
  kAlone,   // waits until no transaction is open that a copy left behind, so that what is read is all there will be: for
            // use without members in the group. Changelogs of other versions too
};

// The entries of one task, or of all tasks of a stage with partition -1, ordered by step, kind, partition and key. Views
// live until the visitor returns. Nothing where there is no state yet.
Status ReadState(Operator& op, int stage, int32_t partition, StateRead how, const std::function<Status(const DeltaEntry& entry)>& visitor);

}  // namespace weir
