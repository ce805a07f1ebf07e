// Compares what a run wrote with what it should have: nothing lost, nothing twice, nothing else, order kept.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace weir {

struct OutputRules {
  bool exactly_once = true;  // else records may repeat
  // Records for which this is equal keep their order (of their first occurrences); null: no order is promised.
  std::function<std::string(const std::string& record)> order_key;
};

// Empty when all is well, else what is wrong, with the record.
std::string CheckOutput(const std::vector<std::string>& expected, const std::vector<std::string>& actual,
                        const OutputRules& rules);

}  // namespace weir
