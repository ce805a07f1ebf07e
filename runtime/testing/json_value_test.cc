// Records of tests as trees: what equals what.
#include <catch2/catch.hpp>

#include "runtime/testing/json_value.h"

namespace weir {
namespace {

JsonValue Json(const std::string& text) {
  JsonValue value;
  std::string error;
  INFO(text << ": " << error);
  REQUIRE(ParseJson(text, &value, &error));
  return value;
}

TEST_CASE("JSON is read and written") {
  std::string text = R"({"a": [1, -2.50, 1e3, "x\ny", true, null, {}], "b": {"c": []}})";
  CHECK(FormatJson(Json(text)) == text);
  CHECK(FormatJson(Json("  17 ")) == "17");
  JsonValue value;
  std::string error;
  for (const char* bad : {"", "{", "[1,]", "{\"a\":1,}", "tru", "1 2", "\"\xff\"", "nul"}) {
    INFO(bad);
    CHECK(!ParseJson(bad, &value, &error));
  }
}

TEST_CASE("numbers are compared as decimals, exactly") {
  CHECK(SameNumber("1050", "1050.00"));
  CHECK(SameNumber("1.05e3", "1050"));
  CHECK(SameNumber("0", "-0.0"));
  CHECK(SameNumber("1E-2", "0.01"));
  CHECK(!SameNumber("1050", "105"));
  CHECK(!SameNumber("1", "-1"));
  CHECK(!SameNumber("9007199254740993", "9007199254740992"));
  CHECK(!SameNumber("0.1", "0.1000000000000000055511151231257827"));
}

TEST_CASE("a part is a part, and absent is null") {
  JsonValue whole = Json(R"({"id": 1, "tag": null, "at": {"x": 1, "y": 2}, "list": [1, 2]})");
  CHECK(ContainsJson(whole, Json(R"({"id": 1.0})")));
  CHECK(ContainsJson(whole, Json(R"({"at": {"y": 2}})")));
  CHECK(ContainsJson(whole, Json(R"({"gone": null, "tag": null})")));
  CHECK(!ContainsJson(whole, Json(R"({"list": [1]})")));
  CHECK(!ContainsJson(whole, Json(R"({"id": "1"})")));
  CHECK(SameJson(whole, Json(R"({"list": [1, 2], "at": {"y": 2, "x": 1}, "id": 1})")));
  CHECK(!SameJson(whole, Json(R"({"id": 1})")));
}

TEST_CASE("literals of the language") {
  CHECK(FormatLiteral(Json(R"({"id": 1, "s": "a{b}", "match": [true, {}]})")) ==
        R"({ id: 1, s: "a{{b}", `match`: [true, {}] })");
}

}  // namespace
}  // namespace weir
