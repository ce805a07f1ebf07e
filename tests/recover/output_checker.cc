#include "tests/recover/output_checker.h"

#include <map>
#include <set>

namespace weir {

std::string CheckOutput(const std::vector<std::string>& expected, const std::vector<std::string>& actual,
                        const OutputRules& rules) {
  std::map<std::string, int> wanted, seen;
  for (const std::string& record : expected) ++wanted[record];
  for (const std::string& record : actual) ++seen[record];
  for (auto& [record, count] : wanted) {
    if (seen[record] < count) return "lost: " + record;
  }
  for (auto& [record, count] : seen) {
    auto at = wanted.find(record);
    if (at == wanted.end()) return "not expected: " + record;
    if (rules.exactly_once && count > at->second) return "written twice: " + record;
  }
  if (!rules.order_key) return "";
  // Per key: the sequence of first occurrences must be the expected one.
  std::map<std::string, std::vector<std::string>> wanted_order, seen_order;
  for (const std::string& record : expected) wanted_order[rules.order_key(record)].push_back(record);
  std::set<std::string> first;
  for (const std::string& record : actual) {
    if (!rules.exactly_once && !first.insert(record).second) continue;
    seen_order[rules.order_key(record)].push_back(record);
  }
  for (auto& [key, order] : wanted_order) {
    const std::vector<std::string>& got = seen_order[key];
    for (size_t i = 0; i < order.size() && i < got.size(); ++i) {
      if (order[i] != got[i]) return "out of order: " + got[i] + " where " + order[i] + " belongs";
    }
  }
  return "";
}

}  // namespace weir
