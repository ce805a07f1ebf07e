// What the sample pipeline must put out, worked out in the plainest way: a loop over each partition's records. Shares
// nothing with the engine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/testing/sample.h"

namespace weir {

struct SampleEvent {
  bool bad = false;         // not decodable: `text` is what is read
  std::string text;
  int64_t id = 0;
  std::string key;
  int64_t ts_ms = 0;
  int64_t qty = 0;
};
std::string EventJson(const SampleEvent& event);

// How the service answers for an id: decided by the id alone.
enum class SampleAnswer { kFound, kMissing, kRejected, kTimeout };
SampleAnswer AnswerFor(int64_t id);
std::string AnswerText(int64_t id);

struct SampleExpectation {
  std::vector<std::string> out, bars;  // values, per partition in order
  // "<reason> <partition> <offset>"
  std::vector<std::string> dead, late;
};

// `names`: the keys the table has, when the options have a table.
SampleExpectation ModelSample(const SampleOptions& options, const std::vector<std::vector<SampleEvent>>& partitions,
                              const std::vector<std::string>& names);

}  // namespace weir
