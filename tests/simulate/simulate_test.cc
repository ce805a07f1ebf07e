#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "tests/simulate/sample_simulation.h"

namespace weir {
namespace {

uint64_t Seeds(uint64_t otherwise) {
  const char* text = std::getenv("WEIR_SEEDS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST_CASE("whatever dies, nothing is lost, repeated or out of order", "[simulate]") {
  uint64_t first = 1;
  if (const char* text = std::getenv("WEIR_FIRST_SEED")) first = std::strtoull(text, nullptr, 10);
  // A line per event of each run, to look at one seed.
  const bool trace = std::getenv("WEIR_TRACE") != nullptr;
  const uint64_t seeds = Seeds(10'000);
  std::map<std::string, uint64_t> steps, faults;
  uint64_t rows = 0, wrong = 0;
  for (uint64_t seed = first; seed < first + seeds && wrong < 10; ++seed) {
    SampleSimulationResult result = SimulateSample(seed, "", trace);
    if (trace) std::cerr << result.trace;
    INFO("seed " << seed << ": " << result.shape << "\n" << result.report.where << ClusterFaults::Draw(seed).ToString());
    CHECK(result.wrong == "");
    wrong += result.wrong.empty() ? 0 : 1;
    for (const auto& [step, times] : result.report.steps) steps[step] += times;
    for (const auto& [fault, times] : result.report.faults) faults[fault] += times;
    rows += result.report.rows_at_faults;
  }
  std::cout << seeds << " seeds; steps of the protocol:\n";
  for (const auto& [step, times] : steps) std::cout << "  " << times << "  " << step << "\n";
  std::cout << "faults, and what followed:\n";
  for (const auto& [fault, times] : faults) std::cout << "  " << times << "  " << fault << "\n";
  std::cout << "  " << rows << "  rows that waited for answers in copies that died\n";
  if (seeds < 1000) return;
  // A fault that never happened proves nothing.
  for (const char* step :
       {"transaction.outputs_acknowledged", "transaction.fenced", "transaction.begun", "transaction.output_written", "transaction.rekeyed_written",
        "transaction.changes_written", "transaction.flushed", "transaction.offsets_sent", "transaction.committed",
        "transaction.done", "transaction.aborted", "recovery.offsets_read", "recovery.end_asked", "recovery.replayed",
        "recovery.done"}) {
    INFO(step);
    CHECK(steps[step] != 0);
  }
  for (const char* fault :
       {"abort demanded", "answer lost", "change followed by a standby", "commits kept small", "producer throttled", "coordinator unavailable", "copy killed", "copy paused", "copy paused at a step", "copy stopped", "disk changed a byte",
        "disk cut a file off", "disk full", "disk lost power", "disk read failed", "disk refused a name", "disk sync failed",
        "disk sync lied", "disk was swapped for an old one", "end lag",
        "foreign transaction", "late copy accepted", "late copy refused", "leader moved", "log compacted",
        "marker lag", "news late",
        "outcome unknown", "partition added", "producer fenced", "queue full", "rebalance", "rebalance at commit", "request delayed",
        "request late", "request lost", "session expired", "small fetch", "transaction timed out", "unstable offsets"}) {
    INFO(fault);
    CHECK(faults[fault] != 0);
  }
  CHECK(rows > 1000);
}

TEST_CASE("a seed gives the same run, byte for byte", "[simulate]") {
  for (uint64_t seed : {3, 8, 15, 22, 38}) {
    SampleSimulationResult one = SimulateSample(seed, "", true), two = SimulateSample(seed, "", true);
    CHECK(one.trace == two.trace);
    CHECK(one.trace_hash == two.trace_hash);
    CHECK(one.trace_hash != SimulateSample(seed + 1000).trace_hash);
  }
}

TEST_CASE("state that is gone below committed offsets is not begun anew in silence", "[simulate]") {
  MeddledStart start = StartAfter(Meddling::kChangelogEmptied);
  CHECK_THAT(start.said, Catch::StartsWith("a copy ended with code 3: the changelog of `events`, partition 0, is empty"));
  CHECK(start.wrong == "");
}

TEST_CASE("offsets that somebody set while the state stayed are refused, with what to do", "[simulate]") {
  MeddledStart start = StartAfter(Meddling::kOffsetsSet);
  CHECK_THAT(start.said, Catch::StartsWith("a copy ended with code 3: ") && Catch::Contains("source `events`, partition 0") &&
                             Catch::Contains("offset is 7") && Catch::Contains("Set them back to 60"));
  CHECK(start.wrong == "");
}

TEST_CASE("a re-keyed row of a version with other fields is not taken for one of this version", "[simulate]") {
  MeddledStart start = StartAfter(Meddling::kOtherRekeyedRow);
  CHECK_THAT(start.said, Catch::StartsWith("a copy ended with code 3: topic `") && Catch::Contains("have other fields") &&
                             Catch::Contains("--stop-at-end"));
  CHECK(start.wrong == "");
}

TEST_CASE("a request that is pending where its lookup stands no more is not forgotten in silence", "[simulate]") {
  MeddledStart start = StartAfter(Meddling::kRowOfMovedStep);
  CHECK_THAT(start.said, Catch::StartsWith("a copy ended with code 3: the state in topic ") && Catch::Contains("events.changelog") &&
                             Catch::Contains("pending requests") && Catch::Contains("`state list`"));
  CHECK(start.wrong == "");
}

TEST_CASE("a request that is pending in a stage that is no more is not forgotten in silence", "[simulate]") {
  MeddledStart start = StartAfter(Meddling::kRowOfFormerStage);
  CHECK_THAT(start.said, Catch::StartsWith("a copy does not start: topic `") && Catch::Contains(".former.changelog`") &&
                             Catch::Contains("1 pending request of `enriched.account`") && Catch::Contains("`state list`"));
  CHECK(start.wrong == "");
}

TEST_CASE("offsets that are deleted or expired while the state stays are taken from the state", "[simulate]") {
  MeddledStart start = StartAfter(Meddling::kOffsetsDeleted);
  CHECK(start.said == "");
  CHECK(start.wrong == "");
}

// Each breaks one promise on purpose.
TEST_CASE("a wrong protocol is noticed", "[simulate]") {
  for (const char* mutation : {"offsets before changelog", "no fencing", "epoch without offsets",
                               "changelog end is the last stable offset", "late answer accepted",
                               "row removed before its output", "producer kept", "watermark ahead of its data",
                               "restored rows unsorted", "local store written early", "offset above rows that wait",
                               "outputs not acknowledged"}) {
    uint64_t caught = 0, first = 0;
    uint64_t seeds = Seeds(10'000);
    for (uint64_t seed = 1; seed <= seeds && caught == 0; ++seed) {
      if (SimulateSample(seed, mutation).wrong.empty() || !SimulateSample(seed).wrong.empty()) continue;
      ++caught;
      if (first == 0) first = seed;
    }
    std::cout << "  " << mutation << ": first caught by seed " << first << "\n";
    INFO(mutation << " in " << seeds << " seeds");
    CHECK(caught != 0);
  }
}

}  // namespace
}  // namespace weir
