// Where a partition of a topic begins that the pipeline has no position for: what a source's `start:` or the setting says.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/core/time.h"
#include "runtime/program/program.h"

namespace weir {

struct StartPolicy {
  enum Kind : uint8_t { kEarliest, kLatest, kTime } kind = kEarliest;
  int64_t time_ns = 0;  // kTime: the first record whose timestamp is not before it; the end when there is none
};

// `earliest`, `latest`, a timestamp (RFC 3339) or a date (its midnight, UTC). False: none of them.
[[nodiscard]] inline bool ParseStartPolicy(const std::string& text, StartPolicy* policy) {
  *policy = StartPolicy();
  if (text == "earliest") return true;
  policy->kind = StartPolicy::kLatest;
  if (text == "latest") return true;
  policy->kind = StartPolicy::kTime;
  Str bytes{std::string_view(text)};
  int32_t days = 0;
  if (!ParseDate(bytes, &days)) return ParseTimestamp(bytes, &policy->time_ns);
  return !__builtin_mul_overflow(int64_t{days}, kNsPerDay, &policy->time_ns);
}

// The source's own; earliest where it says nothing. False: what it says is none.
[[nodiscard]] inline bool StartPolicyOf(const SourceSpec& source, StartPolicy* policy) {
  *policy = StartPolicy();
  for (const Property& property : source.properties) {
    if (property.name == "start") return ParseStartPolicy(property.value, policy);
  }
  return true;
}

// What the log says of partitions that have no offset: without state that would remember better, nobody can tell whether that is a
// first start, or the group's offsets have expired. `begin`: where, in words.
inline std::string BeginsWithoutOffsets(size_t without, size_t partitions, const std::string& source, const std::string& begin) {
  return "the group has no offset for " + std::to_string(without) + " of the " + std::to_string(partitions) + " partitions of " +
         source + " that are read here: as at a first start they begin at " + begin;
}

}  // namespace weir
