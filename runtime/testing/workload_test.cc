// What goes into a simulation follows from its seed, and is of the kinds that make a pipeline work.
#include "runtime/testing/workload.h"

#include <catch2/catch.hpp>
#include <set>

#include "runtime/core/hash.h"
#include "runtime/testing/json_value.h"

namespace weir {
namespace {

constexpr const char* kShape = R"({
  "sources": [{"name": "trades", "raw": false, "key": [["sym"]], "fields": [
    {"name": "id", "kind": "int64"}, {"name": "sym", "kind": "string"},
    {"name": "price", "kind": "decimal", "precision": 6, "scale": 2},
    {"name": "side", "kind": "enum", "texts": ["BUY", "SELL"]},
    {"name": "venue", "kind": "optional", "element": {"kind": "string"}, "may_miss": true},
    {"name": "ts", "kind": "timestamp"},
    {"name": "legs", "kind": "list", "element": {"kind": "record", "fields": [{"name": "n", "kind": "int32"}]}}]}],
  "tables": [{"name": "names", "raw": false, "key": [["sym"]], "fields": [{"name": "sym", "kind": "string"}]}],
  "lookups": [{"name": "account", "fields": [{"name": "tier", "kind": "string"}]}],
  "sinks": [{"name": "out", "order": "partition and key", "compare": "key and time", "why": "because"}]})";

struct Fixture {
  Fixture() {
    std::string error;
    REQUIRE(ParsePipelineShape(kShape, &shape, &error));
    SourceSpec source;
    source.name = "trades";
    source.lateness_ns = 2'000'000'000;
    program.sources.push_back(source);
    TableSpec table;
    table.name = "names";
    program.tables.push_back(table);
    LookupSpec lookup;
    lookup.name = "account";
    lookup.retries = 2;
    program.lookups.push_back(lookup);
    WindowSpec window;
    window.size_ns = 1'000'000'000;
    program.windows.push_back(window);
  }
  Workload Make(uint64_t seed, bool mild = false) {
    WorkloadOptions options;
    options.seed = seed;
    options.mild = mild;
    return Workload(program, shape, options);
  }
  Program program;
  PipelineShape shape;
};

TEST_CASE_METHOD(Fixture, "A description of a pipeline is read, and what is none is refused") {
  CHECK(shape.sources[0].record.fields[2].scale == 2);
  CHECK(shape.sources[0].record.fields[4].may_miss);
  CHECK(shape.sinks[0].order == SinkShape::kPartitionAndKey);
  CHECK(shape.sinks[0].compare == SinkShape::kKeyAndTime);
  PipelineShape none;
  std::string error;
  for (const char* text :
       {"", "[]", "{}",
        R"({"sources":[{"name":"x","fields":[{"name":"a","kind":"number"}]}],"tables":[],"lookups":[],"sinks":[]})",
        R"({"sources":[],"tables":[],"lookups":[],"sinks":[{"name":"o","order":"any","compare":"whole","why":""}]})"}) {
    error.clear();
    CHECK_FALSE(ParsePipelineShape(text, &none, &error));
    CHECK(error != "");
  }
}

TEST_CASE_METHOD(Fixture, "A seed gives the same records; another one gives others") {
  Workload one = Make(7), same = Make(7), other = Make(8);
  CHECK(one.inputs()[0].partitions == same.inputs()[0].partitions);
  CHECK(one.tables() == same.tables());
  CHECK(one.inputs()[0].partitions != other.inputs()[0].partitions);
}

TEST_CASE_METHOD(Fixture, "A key is in one partition, outputs can be traced, and some input is late or no record") {
  size_t late = 0, bad = 0, met = 0, records = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Workload workload = Make(seed);
    std::set<std::string> rows;
    for (const MemoryRecord& row : workload.tables().at("names")) rows.insert(row.key);
    const auto& partitions = workload.inputs()[0].partitions;
    for (size_t p = 0; p < partitions.size(); ++p) {
      int64_t newest = INT64_MIN;
      for (size_t i = 0; i < partitions[p].size(); ++i) {
        const MemoryRecord& record = partitions[p][i];
        ++records;
        const auto count = static_cast<int32_t>(partitions.size());
        CHECK(KafkaPartition(Str(std::string_view(record.key)), count) == static_cast<int32_t>(p));
        CHECK(workload.Origin(record) == &record);
        JsonValue value;
        std::string error;
        bad += ParseJson(record.value, &value, &error) && value.kind == JsonValue::kObject ? 0 : 1;
        met += rows.count(record.key);
        if (newest != INT64_MIN && record.time_ns < newest - 2'000'000'000) ++late;
        newest = std::max(newest, record.time_ns);
      }
    }
  }
  CHECK(records > 1000);
  CHECK(late > records / 100);
  CHECK(bad > records / 100);
  CHECK(met > records / 3);
  CHECK(met < records);
}

TEST_CASE_METHOD(Fixture, "Mild input stops nothing") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Workload workload = Make(seed, true);
    for (const auto& partition : workload.inputs()[0].partitions) {
      int64_t newest = INT64_MIN;
      for (const MemoryRecord& record : partition) {
        JsonValue value;
        std::string error;
        CHECK(ParseJson(record.value, &value, &error));
        CHECK((newest == INT64_MIN || record.time_ns >= newest - 2'000'000'000));
        newest = std::max(newest, record.time_ns);
      }
    }
    LookupRequest request;
    request.attempt = 1;
    CHECK(workload.Answer(0, request).answer.outcome == Outcome::kFound);
  }
}

// How a request ends must not rest on when or how often it is asked, or a crash would change what comes out.
TEST_CASE_METHOD(Fixture, "An answer follows from the request and the attempt alone, and all ends occur") {
  Workload workload = Make(3);
  std::set<int> ends;
  bool never = false, again = false;
  for (int i = 0; i < 300; ++i) {
    const std::string target = "/accounts/" + std::to_string(i);
    LookupRequest request;
    request.target = Str(std::string_view(target));
    std::string before;
    for (uint16_t attempt : {1, 2, 3, 1, 2, 3}) {
      request.attempt = attempt;
      ScriptedAnswer one = workload.Answer(0, request), two = workload.Answer(0, request);
      CHECK(one.kind == two.kind);
      CHECK(one.answer.outcome == two.answer.outcome);
      CHECK(one.answer.body == two.answer.body);
      never = never || one.kind == ScriptedAnswer::kNever;
      again = again || one.answer.transient;
      if (attempt == 3 && one.kind == ScriptedAnswer::kAnswer) ends.insert(static_cast<int>(one.answer.outcome));
    }
  }
  CHECK(never);
  CHECK(again);
  CHECK(ends == std::set<int>{static_cast<int>(Outcome::kFound), static_cast<int>(Outcome::kMissing),
                              static_cast<int>(Outcome::kRejected), static_cast<int>(Outcome::kError)});
}

}  // namespace
}  // namespace weir
