// What connectors and the engine hand each other: batches of records that are views into bytes somebody keeps alive.
#pragma once

#include <cstdint>

#include "runtime/core/str.h"

namespace weir {

// One header of a record. Kafka allows a header without a value.
struct Header {
  Str name;
  Str value;
  bool has_value = true;
};

struct Headers {
  const Header* data = nullptr;
  uint32_t size = 0;
};

// Event time, or any other time, that is not known.
inline constexpr int64_t kNoTime = INT64_MIN;

// One record as it was fetched. Everything is a view into its batch.
struct Message {
  Str key;
  Str value;
  bool has_key = false;
  bool has_value = false;  // no value: a tombstone
  int64_t offset = 0;      // Kafka: the offset. Files: the byte at which the line starts.
  int64_t next_offset = 0; // where reading goes on after this record
  int64_t timestamp_ns = kNoTime;  // what the broker says; files have none
  Headers headers;
};

// Records of one partition in offset order, and whatever keeps their bytes alive. Owned by whoever took it; released
// on the thread that took it.
class Batch {
 public:
  virtual ~Batch() = default;
  int32_t partition = 0;
  const Message* messages = nullptr;
  uint32_t size = 0;
};

}  // namespace weir
