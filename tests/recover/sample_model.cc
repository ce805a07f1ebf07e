#include "tests/recover/sample_model.h"

#include <algorithm>

namespace weir {

std::string EventJson(const SampleEvent& event) {
  if (event.bad) return event.text;
  return "{\"id\":" + std::to_string(event.id) + ",\"key\":\"" + event.key + "\",\"ts\":" + std::to_string(event.ts_ms) +
         ",\"qty\":" + std::to_string(event.qty) + "}";
}

SampleAnswer AnswerFor(int64_t id) {
  switch (id * 7919 % 23) {
    case 3: return SampleAnswer::kMissing;
    case 5: return SampleAnswer::kRejected;
    case 7: return SampleAnswer::kTimeout;
    default: return SampleAnswer::kFound;
  }
}

std::string AnswerText(int64_t id) { return "answer " + std::to_string(id * 31 % 1009); }

SampleExpectation ModelSample(const SampleOptions& options, const std::vector<std::vector<SampleEvent>>& partitions,
                              const std::vector<std::string>& names) {
  SampleExpectation expectation;
  struct Bar {
    int64_t count = 0, sum = 0, low = INT64_MAX;
    std::string last;
  };
  // Re-keyed windows gather what all partitions bring; others stand in their partition.
  std::map<int, std::map<std::pair<int64_t, std::string>, Bar>> bars;
  for (size_t p = 0; p < partitions.size(); ++p) {
    int64_t max_ms = INT64_MIN;
    for (size_t offset = 0; offset < partitions[p].size(); ++offset) {
      const SampleEvent& event = partitions[p][offset];
      std::string place = std::to_string(p) + " " + std::to_string(offset);
      if (event.bad) {
        if (options.bad_deadletter >= 0) expectation.dead.push_back("bad_input " + place);
        continue;
      }
      int64_t watermark_ms = max_ms == INT64_MIN ? INT64_MIN : max_ms - options.lateness_ns / 1'000'000;
      max_ms = std::max(max_ms, event.ts_ms);
      if (options.with_table && std::find(names.begin(), names.end(), event.key) == names.end()) {
        expectation.dead.push_back("missing_row " + place);
        continue;
      }
      std::string answer = "null", last = "-";
      if (options.with_lookup) {
        SampleAnswer how = AnswerFor(event.id);
        if (how == SampleAnswer::kRejected) {
          expectation.dead.push_back("lookup_rejected " + place);
          continue;
        }
        if (how == SampleAnswer::kTimeout) {
          expectation.dead.push_back("lookup_timeout " + place);
          continue;
        }
        if (how == SampleAnswer::kFound) {
          last = AnswerText(event.id);
          answer = "\"" + last + "\"";
        }
      }
      std::string second = "null";
      if (options.with_second_lookup && AnswerFor(event.id + 1'000'000) == SampleAnswer::kFound) {
        second = "\"" + AnswerText(event.id + 1'000'000) + "\"";
      }
      expectation.out.push_back("{\"id\":" + std::to_string(event.id) + ",\"key\":\"" + event.key +
                                "\",\"qty\":" + std::to_string(event.qty) + ",\"partition\":" + std::to_string(p) +
                                ",\"answer\":" + answer + ",\"second\":" + second + "}");
      if (!options.with_window) continue;
      int64_t start_ms = event.ts_ms - ((event.ts_ms % 1000) + 1000) % 1000;
      if (watermark_ms != INT64_MIN && start_ms + 1000 <= watermark_ms) {
        expectation.late.push_back("late " + place);
        continue;
      }
      Bar& bar = bars[options.rekeyed ? 0 : static_cast<int>(p)][{start_ms, event.key}];
      ++bar.count;
      bar.sum += event.qty;
      bar.low = std::min(bar.low, event.qty);
      bar.last = last;
    }
  }
  for (auto& [p, by_start] : bars) {
    for (auto& [at, bar] : by_start) {
      std::string last = options.rekeyed ? "" : bar.last;
      if (!options.rekeyed && options.order == OrderMode::kNone) last = "?";
      expectation.bars.push_back("{\"key\":\"" + at.second + "\",\"start\":" + std::to_string(at.first) +
                                 ",\"count\":" + std::to_string(bar.count) + ",\"sum\":" + std::to_string(bar.sum) +
                                 ",\"low\":" + std::to_string(bar.low) + ",\"last\":\"" + last + "\"}");
    }
  }
  return expectation;
}

}  // namespace weir
