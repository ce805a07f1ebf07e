#include "runtime/operate/stored_value.h"

#include <catch2/catch.hpp>

#include "runtime/lookup/connector.h"
#include "runtime/window/aggregate.h"

namespace weir {
namespace {

constexpr Layout kPrice{ValueKind::kDecimal, "decimal(18, 4)", 18, 4};
constexpr Layout kWide{ValueKind::kDecimal, "decimal(38, 2)", 38, 2};
constexpr Layout kSum{ValueKind::kDecimal, "decimal(38, 4)", 38, 4};
constexpr Layout kSix{ValueKind::kDecimal, "decimal(38, 6)", 38, 6};
constexpr Str kSides[] = {"BUY", "SELL"};
constexpr Layout kSide{.kind = ValueKind::kEnum, .type = "Side", .names = {kSides, 2}};
constexpr Layout kMaybe{.kind = ValueKind::kOptional, .type = "string?", .element = &kStringLayout};
constexpr Layout kNumbers{.kind = ValueKind::kList, .type = "list<int64>", .element = &kInt64Layout};
constexpr Layout kPrices{.kind = ValueKind::kMap, .type = "map<decimal(18, 4)>", .element = &kPrice};
constexpr Column kLegFields[] = {{"side", &kSide}, {"note", &kMaybe}};
constexpr Layout kLeg{.kind = ValueKind::kRecord, .type = "Leg", .fields = {kLegFields, 2}};
constexpr Layout kLegs{.kind = ValueKind::kList, .type = "list<Leg>", .element = &kLeg};
constexpr Layout kAnswer{.kind = ValueKind::kOutcome, .type = "outcome", .element = &kLeg};

struct Bytes {
  Buffer buffer;
  RowWriter row{&buffer};
  Str str() const { return buffer.str(); }
};

std::string Object(const std::vector<NamedValue>& values) {
  Buffer buffer;
  JsonWriter out(&buffer);
  WriteObject(values, out);
  return std::string(buffer.str().view());
}

// The one value in `bytes`, as JSON.
std::string Json(const Layout& layout, Str bytes) {
  const Column column[] = {{"v", &layout}};
  std::vector<NamedValue> values;
  return ReadColumns({column, 1}, bytes, &values) ? values[0].json : "unreadable";
}

TEST_CASE("a stored value of each type is shown as an output would hold it") {
  struct Case {
    const Layout* layout;
    void (*write)(RowWriter& row);
    const char* json;
  };
  for (const Case& one : std::initializer_list<Case>{
           {&kBoolLayout, [](RowWriter& row) { row.Bool(true); }, "true"},
           {&kInt32Layout, [](RowWriter& row) { row.I32(-5); }, "-5"},
           {&kInt64Layout, [](RowWriter& row) { row.I64(INT64_MIN); }, "-9223372036854775808"},
           {&kFloat64Layout, [](RowWriter& row) { row.F64(0.1); }, "0.1"},
           {&kPrice, [](RowWriter& row) { row.I64(105000); }, "10.5"},
           {&kWide, [](RowWriter& row) { row.I128(-i128{12345}); }, "-123.45"},
           {&kStringLayout, [](RowWriter& row) { row.Str("a\"b\x1b"); }, "\"a\\\"b\\u001b\""},
           {&kBytesLayout, [](RowWriter& row) { row.Str(Str("\x00\x01\xff", 3)); }, "\"AAH/\""},
           {&kTimestampLayout, [](RowWriter& row) { row.I64(1'767'344'400'000'000'000); }, "\"2026-01-02T09:00:00Z\""},
           {&kDurationLayout, [](RowWriter& row) { row.I64(5'400'000'000'000); }, "\"1h30m\""},
           {&kDateLayout, [](RowWriter& row) { row.I32(0); }, "\"1970-01-01\""},
           {&kSide, [](RowWriter& row) { row.I32(1); }, "\"SELL\""},
           {&kMaybe, [](RowWriter& row) { row.OptTag(false); }, "null"},
           {&kMaybe, [](RowWriter& row) { row.OptTag(true), row.Str("x"); }, "\"x\""},
           {&kNumbers, [](RowWriter& row) { row.Count(0); }, "[]"},
           {&kNumbers, [](RowWriter& row) { row.Count(2), row.I64(1), row.I64(2); }, "[1,2]"},
           {&kPrices, [](RowWriter& row) { row.Count(1), row.Str("a"), row.I64(1); }, "{\"a\":0.0001}"},
           {&kLegs, [](RowWriter& row) { row.Count(1), row.I32(0), row.OptTag(false); }, R"([{"side":"BUY","note":null}])"},
           {&kAnswer, [](RowWriter& row) { row.I32(2), row.Str("no answer"); }, R"({"outcome":"timeout","reason":"no answer"})"},
           {&kAnswer, [](RowWriter& row) { row.I32(0), row.Str(""), row.I32(1), row.OptTag(false); },
            R"({"outcome":"found","value":{"side":"SELL","note":null}})"}}) {
    INFO(one.layout->type << " " << one.json);
    Bytes bytes;
    one.write(bytes.row);
    CHECK(Json(*one.layout, bytes.str()) == one.json);
    // Nothing that is cut off or has something behind it is taken for a value.
    for (uint32_t n = 0; n < bytes.str().size; ++n) CHECK(Json(*one.layout, bytes.str().Sub(0, n)) == "unreadable");
    bytes.row.Bool(false);
    CHECK(Json(*one.layout, bytes.str()) == "unreadable");
  }
}

TEST_CASE("what no program can have stored is not shown as something") {
  Bytes side, text, outcome;
  side.row.I32(2);
  CHECK(Json(kSide, side.str()) == "unreadable");
  text.row.Str("\xff");
  CHECK(Json(kStringLayout, text.str()) == "unreadable");
  outcome.row.I32(5);
  outcome.row.Str("");
  CHECK(Json(kAnswer, outcome.str()) == "unreadable");
}

TEST_CASE("a key of one string is its bytes, any other a row") {
  const Column text[] = {{"symbol", &kStringLayout}}, number[] = {{"id", &kInt64Layout}};
  const Column two[] = {text[0], number[0]};
  std::vector<NamedValue> values;
  REQUIRE(ReadKeyColumns({text, 1}, "ACME", &values));
  CHECK(Object(values) == R"({"symbol":"ACME"})");
  Bytes row;
  row.row.I64(7);
  values.clear();
  REQUIRE(ReadKeyColumns({number, 1}, row.str(), &values));
  CHECK(Object(values) == R"({"id":7})");
  Bytes both;
  both.row.Str("ACME");
  both.row.I64(7);
  values.clear();
  REQUIRE(ReadKeyColumns({two, 2}, both.str(), &values));
  CHECK(Object(values) == R"({"symbol":"ACME","id":7})");
  values.clear();
  CHECK(ReadKeyColumns({}, "", &values));
  CHECK_FALSE(ReadKeyColumns({}, "x", &values));
}

// ---- Windows --------------------------------------------------------------------------------------------------------

// {"name": result} and {"name": parts} of a window whose accumulators `save` wrote.
std::string Shown(const std::vector<AggregateLayout>& aggregates, const Bytes& bytes, bool counts_records = false) {
  WindowSpec spec;
  spec.aggregates = {aggregates.data(), static_cast<uint32_t>(aggregates.size())};
  spec.counts_records = counts_records;
  StoredWindow window;
  if (!ReadWindow(spec, bytes.str(), &window)) return "unreadable";
  std::vector<NamedValue> results, parts;
  for (const StoredAggregate& aggregate : window.aggregates) {
    results.push_back({aggregate.layout->name, aggregate.overflow ? "\"overflow\"" : aggregate.json});
    if (!aggregate.parts.empty()) parts.push_back({aggregate.layout->name, Object(aggregate.parts)});
  }
  return Object(results) + (parts.empty() ? "" : " " + Object(parts)) + (window.empty ? " empty" : "");
}

TEST_CASE("aggregates of ints and decimals are shown as the window would publish them") {
  const std::vector<AggregateLayout> layouts = {
      {"n", "count()", AggregateKind::kCount, &kInt64Layout},
      {"volume", "sum(qty)", AggregateKind::kSum, &kInt64Layout, &kInt64Layout},
      {"paid", "sum(price)", AggregateKind::kSum, &kSum, &kPrice},
      {"mean", "avg(price)", AggregateKind::kAvg, &kSix, &kPrice},
      {"vwap", "vwap(price, qty)", AggregateKind::kVwap, &kSix, &kPrice, &kInt64Layout},
  };
  Count n{};
  SumInt64 volume{};
  SumDecimal paid{};
  AvgDecimal mean{};
  VwapDecimal vwap{};
  for (int64_t price : {100000, 110000, 110000}) {  // 10, 11, 11
    n.Add();
    REQUIRE(volume.Add(3));
    REQUIRE(paid.Add(price));
    REQUIRE(mean.Add(price));
    REQUIRE(vwap.Add(price, 3));
  }
  Bytes bytes;
  n.Save(bytes.row), volume.Save(bytes.row), paid.Save(bytes.row), mean.Save(bytes.row), vwap.Save(bytes.row);
  CHECK(Shown(layouts, bytes) ==
        R"({"n":3,"volume":9,"paid":32,"mean":10.666667,"vwap":10.666667} )"
        R"({"mean":{"sum":32,"count":3},"vwap":{"amount":96,"quantity":9}})");
  for (uint32_t size = 0; size < bytes.str().size; ++size) {
    Bytes cut;
    cut.row.Raw(bytes.str().Sub(0, size));
    CHECK(Shown(layouts, cut) == "unreadable");
  }
}

TEST_CASE("averages of nothing are absent, those that fit no decimal say so") {
  const std::vector<AggregateLayout> layouts = {{"mean", "avg(price)", AggregateKind::kAvg, &kSix, &kPrice},
                                                {"vwap", "vwap(price, price)", AggregateKind::kVwap, &kSix, &kPrice, &kPrice}};
  Bytes none;
  AvgDecimal{}.Save(none.row);
  VwapDecimal{}.Save(none.row);
  CHECK(Shown(layouts, none) == R"({"mean":null,"vwap":null} {"mean":{"sum":0,"count":0},"vwap":{"amount":0,"quantity":0}})");
  Bytes large;
  AvgDecimal{Pow10(38) - 1, 1}.Save(large.row);
  VwapDecimal{Pow10(38) - 1, 1}.Save(large.row);
  CHECK(Shown(layouts, large).find(R"({"mean":"overflow","vwap":"overflow"})") == 0);
}

TEST_CASE("aggregates of floats are shown as the window would publish them") {
  const std::vector<AggregateLayout> layouts = {
      {"s", "sum(x)", AggregateKind::kSum, &kFloat64Layout, &kFloat64Layout},
      {"a", "avg(x)", AggregateKind::kAvg, &kFloat64Layout, &kFloat64Layout},
      {"v", "vwap(x, y)", AggregateKind::kVwap, &kFloat64Layout, &kFloat64Layout, &kFloat64Layout},
  };
  Bytes bytes;
  SumFloat64{1.5}.Save(bytes.row);
  AvgFloat64{3, 2}.Save(bytes.row);
  VwapFloat64{3, 0}.Save(bytes.row);
  CHECK(Shown(layouts, bytes) == R"({"s":1.5,"a":1.5,"v":null} {"a":{"sum":3,"count":2},"v":{"amount":3,"quantity":0}})");
}

TEST_CASE("the first, last, least and greatest are shown as what they are") {
  Bytes leg;
  leg.row.I32(1);
  leg.row.OptTag(false);
  const std::vector<AggregateLayout> layouts = {
      {"low", "min(price)", AggregateKind::kMin, &kPrice, &kPrice},
      {"high", "max(ts)", AggregateKind::kMax, &kTimestampLayout, &kTimestampLayout},
      {"side", "first(side)", AggregateKind::kFirst, &kSide, &kSide},
      {"note", "last(note)", AggregateKind::kLast, &kStringLayout, &kStringLayout},
      {"gone", "last(gone)", AggregateKind::kLast, &kStringLayout, &kStringLayout},
      {"leg", "last(leg)", AggregateKind::kLast, &kLeg, &kLeg},
  };
  Bytes bytes;
  Extreme<int64_t> low{}, high{};
  low.AddMin(25000);
  high.AddMax(1'767'344'400'000'000'000);
  Extreme<int32_t> side{};
  side.AddFirst(1);
  ExtremeStr note{}, gone{}, last{};
  note.AddLast("a text that is longer than what fits inside");
  last.AddLast(leg.str());
  low.Save(bytes.row), high.Save(bytes.row), side.Save(bytes.row);
  note.Save(bytes.row), gone.Save(bytes.row), last.Save(bytes.row);
  note.Drop(), last.Drop();
  CHECK(Shown(layouts, bytes) ==
        R"({"low":2.5,"high":"2026-01-02T09:00:00Z","side":"SELL","note":"a text that is longer than what fits inside",)"
        R"("gone":null,"leg":{"side":"SELL","note":null}})");
}

TEST_CASE("a window that could add no record publishes nothing") {
  const std::vector<AggregateLayout> sum = {{"s", "sum(qty)", AggregateKind::kSum, &kInt64Layout, &kInt64Layout}};
  for (int64_t records : {0, 2}) {
    Bytes bytes;
    SumInt64{5}.Save(bytes.row);
    Count{records}.Save(bytes.row);
    CHECK(Shown(sum, bytes, true) == std::string(R"({"s":5})") + (records == 0 ? " empty" : ""));
    CHECK(Shown(sum, bytes, false) == "unreadable");
    // Where the author counts, that count tells.
    std::vector<AggregateLayout> counted = sum;
    counted.push_back({"n", "count()", AggregateKind::kCount, &kInt64Layout});
    CHECK(Shown(counted, bytes) == R"({"s":5,"n":)" + std::to_string(records) + "}" + (records == 0 ? " empty" : ""));
  }
  // count(x) counts something else.
  Bytes bytes;
  Count{0}.Save(bytes.row);
  CHECK(Shown({{"n", "count(x)", AggregateKind::kCount, &kInt64Layout, &kInt64Layout}}, bytes) == R"({"n":0})");
}

}  // namespace
}  // namespace weir
