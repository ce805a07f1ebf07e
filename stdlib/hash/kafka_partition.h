// stdlib/hash/kafka_partition.h
#pragma once

#include <cstdint>

#include "runtime/core/hash.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn kafka_partition(key: string, partitions: int64) -> int64 fails
/// The partition that Kafka's default partitioner chooses for a key. Fails unless there are 1 to 2147483647 partitions.
///     kafka_partition("21", 12)   // 0
///     kafka_partition("foobar", 12)   // 6
///     kafka_partition("21", 0)   // fails
inline bool KafkaPartitionOf(Str key, int64_t partitions, int64_t* out) {
  if (partitions < 1 || partitions > INT32_MAX) return false;
  *out = KafkaPartition(key, static_cast<int32_t>(partitions));
  return true;
}

}  // namespace weir::fn
