#include "runtime/operate/stored_key.h"

#include <catch2/catch.hpp>

#include "runtime/core/buffer.h"
#include "runtime/core/row.h"
#include "runtime/operate/stored_value.h"

namespace weir {
namespace {

using Catch::Matchers::Contains;

constexpr Layout kPrice{ValueKind::kDecimal, "decimal(18, 4)", 18, 4};
constexpr Layout kWide{ValueKind::kDecimal, "decimal(38, 2)", 38, 2};
constexpr Str kSides[] = {"BUY", "SELL"};
constexpr Layout kSide{.kind = ValueKind::kEnum, .type = "Side", .names = {kSides, 2}};

constexpr Column kText[] = {{"symbol", &kStringLayout}};
constexpr Column kNumber[] = {{"id", &kInt64Layout}};
constexpr Column kTwo[] = {{"symbol", &kStringLayout}, {"account", &kStringLayout}};

template <size_t N>
List<Column> All(const Column (&columns)[N]) {
  return {columns, N};
}

// What `text` names, as JSON of its columns; a message when it is no key.
std::string Read(const List<Column>& columns, const std::string& text) {
  std::string key;
  Status status = ReadKey(columns, text, &key);
  if (!status.ok()) return "no: " + status.message();
  std::vector<NamedValue> values;
  if (!ReadKeyColumns(columns, Str(std::string_view(key)), &values)) return "not what was written";
  Buffer buffer;
  JsonWriter out(&buffer);
  WriteObject(values, out);
  return std::string(buffer.str().view());
}

TEST_CASE("a key of one string is any text, and JSON where that fits") {
  CHECK(Read(All(kText), "ACME") == R"({"symbol":"ACME"})");
  CHECK(Read(All(kText), "12") == R"({"symbol":"12"})");
  CHECK(Read(All(kText), "") == R"({"symbol":""})");
  CHECK(Read(All(kText), "null") == R"({"symbol":"null"})");
  CHECK(Read(All(kText), R"("AC\u004dE")") == R"({"symbol":"ACME"})");
  CHECK(Read(All(kText), R"({"symbol":"ACME"})") == R"({"symbol":"ACME"})");
  CHECK(Read(All(kText), R"(["ACME"])") == R"({"symbol":"ACME"})");
  // Text that only looks like it.
  CHECK(Read(All(kText), "[x]") == R"({"symbol":"[x]"})");
  CHECK(Read(All(kText), R"("ACME)") == R"({"symbol":"\"ACME"})");
  CHECK(Read(All(kText), R"({"other":"ACME"})") == R"({"symbol":"{\"other\":\"ACME\"}"})");
  CHECK_THAT(Read(All(kText), "\xff"), Contains("not UTF-8"));
  // Its bytes are the text itself.
  std::string key;
  REQUIRE(ReadKey(All(kText), R"(["ACME"])", &key).ok());
  CHECK(key == "ACME");
}

TEST_CASE("a key of one column of each type is its value, plain or as JSON") {
  struct Case {
    const Layout* layout;
    const char *plain, *json;
  };
  for (const Case& one : std::initializer_list<Case>{{&kBoolLayout, "true", "true"},
                                                     {&kInt32Layout, "-7", "-7"},
                                                     {&kInt64Layout, "9007199254740993", "9007199254740993"},
                                                     {&kPrice, "10.5", "10.5"},
                                                     {&kPrice, "\"10.50\"", "10.5"},
                                                     {&kWide, "123456789012345678901234567890.25", "123456789012345678901234567890.25"},
                                                     {&kTimestampLayout, "2026-01-02T09:00:00Z", "\"2026-01-02T09:00:00Z\""},
                                                     {&kTimestampLayout, "1767344400000", "\"2026-01-02T09:00:00Z\""},
                                                     {&kDurationLayout, "90m", "\"1h30m\""},
                                                     {&kDateLayout, "2026-01-02", "\"2026-01-02\""},
                                                     {&kBytesLayout, "AAEC", "\"AAEC\""},
                                                     {&kSide, "SELL", "\"SELL\""}}) {
    const Column column[] = {{"k", one.layout}};
    const std::string object = std::string("{\"k\":") + one.json + "}";
    INFO(one.layout->type << " " << one.plain);
    CHECK(Read(All(column), one.plain) == object);
    CHECK(Read(All(column), one.json) == object);
    CHECK(Read(All(column), object) == object);
    CHECK(Read(All(column), std::string("[") + one.json + "]") == object);
  }
}

TEST_CASE("a key of several columns is an object in any order, or an array in theirs") {
  const char* both = R"({"symbol":"ACME","account":"a1"})";
  CHECK(Read(All(kTwo), both) == both);
  CHECK(Read(All(kTwo), R"( { "account" : "a1", "symbol" : "ACME" } )") == both);
  CHECK(Read(All(kTwo), R"(["ACME","a1"])") == both);
  // As the state has it: one after the other.
  std::string key;
  REQUIRE(ReadKey(All(kTwo), both, &key).ok());
  Buffer buffer;
  RowWriter row(&buffer);
  row.Str("ACME");
  row.Str("a1");
  CHECK(key == buffer.str().view());
}

TEST_CASE("what is no key is answered with what one is") {
  CHECK(Read(All(kNumber), "ACME") == "no: `ACME` is no key: a key is `id` (int64), written 1 or '{\"id\":1}'");
  CHECK_THAT(Read(All(kNumber), "1.5"), Contains("is no key"));
  CHECK_THAT(Read(All(kNumber), R"("1")"), Contains("is no key"));
  const char* expected =
      "a key is `symbol` (string), `account` (string), written '{\"symbol\":\"some symbol\",\"account\":\"some account\"}' or "
      "'[\"some symbol\",\"some account\"]'";
  CHECK(Read(All(kTwo), "ACME") == std::string("no: `ACME` is no key: ") + expected);
  CHECK_THAT(Read(All(kTwo), R"(["ACME"])"), Contains("because it has 1 value for 2 columns") && Contains(expected));
  CHECK_THAT(Read(All(kTwo), R"({"symbol":"ACME"})"), Contains("`account` is missing"));
  CHECK_THAT(Read(All(kTwo), R"({"symbol":"ACME","acount":"a1"})"), Contains("no column `acount`; did you mean `account`?"));
  CHECK_THAT(Read(All(kTwo), R"({"symbol":"ACME","symbol":"B"})"), Contains("twice"));
  CHECK_THAT(Read(All(kTwo), R"(["ACME",1])"), Contains("`1` is not a string, which `account` is"));
  CHECK_THAT(Read(All(kTwo), R"(["ACME","a1"] x)"), Contains("no JSON"));
  CHECK_THAT(Read(All(kTwo), R"({"symbol":"ACME",)"), Contains("no JSON"));
  CHECK_THAT(Read(All(kTwo), R"(["ACME",null])"), Contains("`null` is not a string"));
  const Column side[] = {{"side", &kSide}};
  CHECK_THAT(Read(All(side), "HOLD"), Contains("`side` (Side: BUY SELL), written BUY or"));
  const Column price[] = {{"price", &kPrice}};
  CHECK_THAT(Read(All(price), "1.00001"), Contains("`price` (decimal(18, 4))"));
  CHECK(Read({}, "").substr(0, 2) == "{}");
  CHECK_THAT(Read({}, "ACME"), Contains("one window for all records"));
}

}  // namespace
}  // namespace weir
