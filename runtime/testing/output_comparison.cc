#include "runtime/testing/output_comparison.h"

#include <map>
#include <set>

#include "runtime/testing/workload.h"

namespace weir {

namespace {

void Add(std::string* text, const std::string& part) {
  *text += part;
  *text += '\0';
}

// Records for which it is equal are the same record.
std::string TextOf(const SinkShape& sink, const MemoryRecord& record) {
  std::string text;
  if (sink.compare == SinkShape::kNothing) return text;
  Add(&text, record.has_key ? "k" + record.key : "");
  Add(&text, std::to_string(record.time_ns));
  if (sink.compare == SinkShape::kKeyAndTime) return text;
  Add(&text, record.has_value ? "v" + record.value : "");
  for (const auto& [name, value] : record.headers) {
    Add(&text, name);
    Add(&text, value);
  }
  return text;
}

// Records for which it is equal come in the same order in every run; empty: no order is promised.
std::string SequenceOf(const SinkShape& sink, const MemoryRecord& record) {
  const std::string origin = OriginOf(record);
  const std::string partition = "p" + origin.substr(0, origin.rfind('/'));
  const std::string key = record.has_key ? "k" + record.key : "-";
  switch (sink.order) {
    case SinkShape::kNone: return "";
    case SinkShape::kPartition: return partition;
    case SinkShape::kPartitionAndKey: return partition + '\0' + key;
    case SinkShape::kKey: return key;
    case SinkShape::kAll: return "all";
  }
  return "";
}

struct Both {
  std::vector<const MemoryRecord*> right, actual;
};

// The first two records that stand in each other's place in some sequence. Where records may be repeated, first occurrences
// keep their order: whoever writes them once more begins at a commit, before which all have arrived.
void CompareOrder(const SinkShape& sink, Delivery delivery, const std::vector<MemoryRecord>& right,
                  const std::vector<MemoryRecord>& actual, OutputComparison* out) {
  std::map<std::string, Both> sequences;
  auto add = [&](const std::vector<MemoryRecord>& records, std::vector<const MemoryRecord*> Both::*side) {
    std::set<std::string> seen;
    for (const MemoryRecord& record : records) {
      if (delivery == Delivery::kAtLeastOnce && !seen.insert(TextOf(sink, record)).second) continue;
      (sequences[SequenceOf(sink, record)].*side).push_back(&record);
    }
  };
  add(right, &Both::right);
  add(actual, &Both::actual);
  sequences.erase("");
  for (const auto& [name, both] : sequences) {
    for (size_t i = 0; i < both.right.size() && i < both.actual.size(); ++i) {
      if (TextOf(sink, *both.right[i]) == TextOf(sink, *both.actual[i])) continue;
      out->differences.push_back({"out of order", both.right[i], both.actual[i]});
      return;
    }
  }
}

}  // namespace

OutputComparison CompareOutputs(const SinkShape& sink, Delivery delivery, const std::vector<MemoryRecord>& right,
                                const std::vector<MemoryRecord>& actual) {
  OutputComparison comparison;
  std::vector<OutputDifference>& differences = comparison.differences;
  if (sink.compare == SinkShape::kNothing) return comparison;
  std::map<std::string, Both> records;
  for (const MemoryRecord& record : right) records[TextOf(sink, record)].right.push_back(&record);
  for (const MemoryRecord& record : actual) records[TextOf(sink, record)].actual.push_back(&record);
  const MemoryRecord *lost = nullptr, *repeated = nullptr;
  std::vector<const MemoryRecord*> unknown;
  for (const auto& [text, both] : records) {
    if (both.actual.size() < both.right.size() && lost == nullptr) lost = both.right.back();
    if (both.right.empty()) {
      unknown.push_back(both.actual.back());
    } else if (both.actual.size() > both.right.size()) {
      comparison.repeated += both.actual.size() - both.right.size();
      if (repeated == nullptr) repeated = both.actual.back();
    }
  }
  // A record that came out otherwise is neither lost nor new: it has the origin of one that is not there, or its key.
  const MemoryRecord* changed = unknown.empty() ? nullptr : unknown.front();
  if (lost != nullptr) {
    for (const MemoryRecord* one : unknown) {
      const bool of_window = OriginOf(*lost).empty();
      bool same = of_window ? one->key == lost->key && one->time_ns == lost->time_ns : OriginOf(*one) == OriginOf(*lost);
      if (same) changed = one;
    }
  }
  if (changed != nullptr) {
    differences.push_back({lost != nullptr ? "changed" : "never expected", lost, changed});
  } else if (lost != nullptr) {
    differences.push_back({"lost", lost, nullptr});
  }
  if (repeated != nullptr && delivery == Delivery::kExactlyOnce) differences.push_back({"repeated", nullptr, repeated});
  if (differences.empty()) CompareOrder(sink, delivery, right, actual, &comparison);
  return comparison;
}

}  // namespace weir
