// Records in memory, between what engines read and what they write.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/batch.h"
#include "runtime/engine/sink.h"

namespace weir {

// One record of a topic or an output.
struct MemoryRecord {
  std::string key, value;
  bool has_key = false;
  bool has_value = true;
  int64_t time_ns = kNoTime;
  std::vector<std::pair<std::string, std::string>> headers;
  bool operator==(const MemoryRecord&) const = default;
};

MemoryRecord RecordOf(const OutputBuffer& outputs, const OutputRecord& from);

class MemoryBatch : public Batch {
 public:
  // The record stays where it is as long as the batch lives.
  void Show(const MemoryRecord& record, int64_t offset);
  // The batch has a copy of its own.
  void Keep(const MemoryRecord& record, int64_t offset);

 private:
  std::deque<MemoryRecord> kept_;
  std::deque<std::vector<Header>> headers_;
  std::vector<Message> list_;
};

}  // namespace weir
