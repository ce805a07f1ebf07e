// The slow evaluator itself, on cases small enough to do by hand.
#include <catch2/catch.hpp>

#include "compiler/base/source.h"
#include "compiler/check/check.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/parse.h"
#include "tests/oracle/pipeline.h"

namespace oracle {
namespace {

struct Checked {
  weirc::SourceSet sources;
  weirc::Diagnostics diagnostics;
  weirc::ast::File tree;
  weirc::typed::TypedPipeline pipeline;
};

std::unique_ptr<Checked> Compile(const std::string& text) {
  auto checked = std::make_unique<Checked>();
  const weirc::SourceFile& file = checked->sources.Add("test.weir", text);
  checked->tree = weirc::Parse(file, checked->diagnostics);
  checked->pipeline = weirc::Check({&checked->tree}, weirc::CheckOptions{}, checked->diagnostics);
  REQUIRE_FALSE(checked->diagnostics.HasErrors());
  return checked;
}

std::vector<InputRecord> Lines(const std::vector<std::string>& values) {
  std::vector<InputRecord> records;
  for (const std::string& value : values) records.push_back({.value = value});
  return records;
}

std::vector<std::string> Values(const Result& result, int sink) {
  std::vector<std::string> values;
  for (const Output& output : result.outputs)
    if (output.sink == sink) values.push_back(output.value);
  return values;
}

constexpr char kBars[] = R"(pipeline bars version 1
record Trade { id: int64, symbol: string, price: decimal(18, 4), qty: int64, ts: timestamp }
deadletter dead
source trades: Trade = ndjson("trades.ndjson") { format: json, time: ts, lateness: 1s, on bad send dead }
stream big = trades | where qty >= 10 | select { id, symbol, price, qty, notional: price * qty }
stream bars = big
  | window tumbling 1s by symbol { on late send dead }
  | aggregate { symbol, start: window.start, n: count(), value: sum(notional), vwap: vwap(price, qty), high: max(price) }
sink out from big = ndjson("out.ndjson") { format: json }
sink bars_out from bars = ndjson("bars.ndjson") { format: json }
sink dead_out from dead = ndjson("dead.ndjson")
)";

TEST_CASE("records are filtered, multiplied and put into windows") {
  auto checked = Compile(kBars);
  Scenario scenario;
  scenario.sources = {{Lines({
      R"({"id":1,"symbol":"A","price":10.5,"qty":10,"ts":1000})",
      R"({"id":2,"symbol":"A","price":9,"qty":9,"ts":1100})",
      R"({"id":3,"symbol":"A","price":"11.25","qty":30,"ts":"1970-01-01T00:00:01.900Z"})",
      R"({"id":4,"symbol":"B","price":1e0,"qty":10,"ts":3000})",
      R"(not json)",
      R"({"id":5,"symbol":"A","price":5,"qty":10,"ts":1500})",
  })}};
  Result result = Run(checked->pipeline, scenario);
  CHECK(Values(result, 0) == std::vector<std::string>{
      R"({"id":1,"symbol":"A","price":10.5,"qty":10,"notional":105})",
      R"({"id":3,"symbol":"A","price":11.25,"qty":30,"notional":337.5})",
      R"({"id":4,"symbol":"B","price":1,"qty":10,"notional":10})",
      R"({"id":5,"symbol":"A","price":5,"qty":10,"notional":50})"});
  // Trade 4 moved the watermark to 2 s, so the first second is complete and trade 5 is late.
  CHECK(Values(result, 1) == std::vector<std::string>{
      R"({"symbol":"A","start":"1970-01-01T00:00:01Z","n":2,"value":442.5,"vwap":11.0625,"high":11.25})",
      R"({"symbol":"B","start":"1970-01-01T00:00:03Z","n":1,"value":10,"vwap":1,"high":1})"});
  REQUIRE(result.dead.size() == 2);
  CHECK(result.dead[0].reason == "bad_input");
  CHECK(result.dead[0].offset == 4);
  CHECK(result.dead[1].reason == "late");
  CHECK(result.dead[1].offset == 5);
}

TEST_CASE("half a unit in the last place goes to the even neighbour") {
  CHECK(DivideHalfEven(5, 2) == 2);
  CHECK(DivideHalfEven(7, 2) == 4);
  CHECK(DivideHalfEven(-5, 2) == -2);
  CHECK(DivideHalfEven(-7, 2) == -4);
  CHECK(DivideHalfEven(7, -3) == -2);
  CHECK(Rescale(12345, 3, 1) == 123);
  CHECK(Rescale(-12350, 3, 1) == -124);
}

}  // namespace
}  // namespace oracle
