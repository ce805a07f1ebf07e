#include "runtime/engine/commit_mode.h"

namespace weir {

CommitMode CommitModeOf(const Program& program) {
  if (program.transactional) return CommitMode::kTransactions;
  // Anything is remembered between records, or a source keeps no offsets of its own.
  if (program.stateful || !program.windows.empty() || !program.exchanges.empty()) return CommitMode::kStore;
  for (const SourceSpec& source : program.sources) {
    if (source.operation != "topic") return CommitMode::kStore;
  }
  return CommitMode::kOffsets;
}

}  // namespace weir
