// What the tests of the simulated cluster share.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/testing/memory_record.h"

namespace weir {

inline constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs;

inline MemoryRecord Record(const std::string& key, const std::string& value) {
  MemoryRecord record;
  record.has_key = true;
  record.key = key;
  record.value = value;
  return record;
}

}  // namespace weir
