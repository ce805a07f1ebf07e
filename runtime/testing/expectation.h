// What a test expected of a stream against what the stream put out, in words.
#pragma once

#include <string>
#include <vector>

#include "runtime/testing/json_value.h"

namespace weir {

// Each line of the result says one thing that differs; empty: all is as expected. Records are printed as literals.

// `expect s contains …`: each of `wanted` is a part of some record.
std::vector<std::string> CompareContains(const std::vector<JsonValue>& wanted, const std::vector<JsonValue>& actual);

// `expect s exactly …`: the same records, each as often; in the same order when `ordered`. With `parts` (dead letters) a
// record may have fields that the wanted one does not name.
std::vector<std::string> CompareExactly(const std::vector<JsonValue>& wanted, const std::vector<JsonValue>& actual,
                                        bool ordered, bool parts);

}  // namespace weir
