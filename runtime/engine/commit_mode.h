// Where a pipeline keeps what it has done, which its sources, sinks and `deliver` decide.
#pragma once

#include <cstdint>

#include "runtime/program/program.h"

namespace weir {

enum class CommitMode : uint8_t {
  kOffsets,       // in the group's offsets, which follow delivery
  kStore,         // in the local store: epochs.h
  kTransactions,  // in Kafka: transactional_commit.h
};
CommitMode CommitModeOf(const Program& program);

}  // namespace weir
