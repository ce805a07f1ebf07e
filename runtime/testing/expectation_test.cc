// What a failing expectation says.
#include <catch2/catch.hpp>

#include "runtime/testing/expectation.h"

namespace weir {
namespace {

std::vector<JsonValue> Records(const std::string& text) {
  JsonValue value;
  std::string error;
  REQUIRE(ParseJson(text, &value, &error));
  return value.items;
}

std::string Lines(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

TEST_CASE("contains names the closest record and the fields that differ") {
  auto actual = Records(R"([{"id": 1, "tier": "gold", "n": 2}, {"id": 2, "tier": "none", "n": 3}])");
  CHECK(CompareContains(Records(R"([{"id": 1, "tier": "gold"}])"), actual).empty());
  CHECK(Lines(CompareContains(Records(R"([{"id": 1, "tier": "none", "n": 2, "more": 5}])"), actual)) ==
        "none of the 2 records contains this\n"
        "  expected { id: 1, tier: \"none\", n: 2, more: 5 }\n"
        "  closest  { id: 1, tier: \"gold\", n: 2 }\n"
        "    `tier`: expected \"none\", got \"gold\"\n"
        "    `more`: expected 5, but there is no such field\n");
  CHECK(Lines(CompareContains(Records(R"([{"id": 1}])"), {})) ==
        "the stream put out no record\n  expected { id: 1 }\n");
}

TEST_CASE("exactly tells what is missing, what is too many and what is in another order") {
  auto actual = Records(R"([{"id": 1}, {"id": 2}])");
  CHECK(CompareExactly(Records(R"([{"id": 1.0}, {"id": 2}])"), actual, true, false).empty());
  CHECK(CompareExactly(Records(R"([{"id": 2}, {"id": 1}])"), actual, false, false).empty());
  CHECK(Lines(CompareExactly(Records(R"([{"id": 2}, {"id": 1}])"), actual, true, false)) ==
        "the same records in another order\n  record 1 should be { id: 2 }\n  but is             { id: 1 }\n");
  CHECK(Lines(CompareExactly(Records(R"([{"id": 1}])"), actual, true, false)) ==
        "expected 1 record, got 2 records\n  not expected { id: 2 }\n");
  CHECK(Lines(CompareExactly(Records(R"([{"id": 1}, {"id": 3}])"), actual, true, false)) ==
        "expected 2 records, got 2 records\n"
        "  expected { id: 3 }\n"
        "  closest  { id: 2 }\n"
        "    `id`: expected 3, got 2\n");
  // A record that has more fields than were named is another one, except for dead letters.
  auto more = Records(R"([{"id": 1, "x": 1}])");
  CHECK(!CompareExactly(Records(R"([{"id": 1}])"), more, true, false).empty());
  CHECK(CompareExactly(Records(R"([{"id": 1}])"), more, true, true).empty());
  CHECK(CompareExactly({}, {}, true, false).empty());
}

}  // namespace
}  // namespace weir
