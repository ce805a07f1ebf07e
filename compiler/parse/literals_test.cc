// compiler/parse/literals_test.cc — Values of literals at and beyond their bounds.
#include "compiler/parse/literals.h"

#include <catch2/catch.hpp>

namespace weirc {

TEST_CASE("integers hold 38 digits") {
  __int128 value = 0;
  CHECK(ParseInt("0", &value) == "");
  CHECK(value == 0);
  CHECK(ParseInt("1_000_000", &value) == "");
  CHECK(value == 1000000);
  CHECK(ParseInt("99999999999999999999999999999999999999", &value) == "");
  CHECK(value / 1000000000000000000 == static_cast<__int128>(99999999999999999) * 1000 + 999);
  CHECK(ParseInt("00000000000000000000000000000000000000000000001", &value) == "");
  CHECK(value == 1);
  CHECK(ParseInt("100000000000000000000000000000000000000", &value) != "");
}

TEST_CASE("decimals are digits and a scale") {
  std::string digits;
  int scale = 0;
  auto parse = [&](const char* text) { return ParseDecimal(text, &digits, &scale); };
  CHECK(parse("1_000.50") == "");
  CHECK(digits == "100050");
  CHECK(scale == 2);
  CHECK(parse("1e3") == "");
  CHECK(digits == "1");
  CHECK(scale == -3);
  CHECK(parse("0.0") == "");
  CHECK(digits == "0");
  CHECK(scale == 1);
  CHECK(parse("12.5e-2") == "");
  CHECK(digits == "125");
  CHECK(scale == 3);
  CHECK(parse("1e400") == "");
  CHECK(parse("1e401") != "");
  CHECK(parse("1e-401") != "");
  CHECK(parse("1e99999999999999999999") != "");
  CHECK(parse("0.123456789012345678901234567890123456789") != "");
}

TEST_CASE("durations are whole nanoseconds, largest unit first") {
  int64_t ns = 0;
  auto parse = [&](const char* text) { return ParseDuration(text, &ns); };
  CHECK(parse("1h30m") == "");
  CHECK(ns == 5400'000'000'000);
  CHECK(parse("1.5s") == "");
  CHECK(ns == 1'500'000'000);
  CHECK(parse("20ms") == "");
  CHECK(ns == 20'000'000);
  CHECK(parse("1w2d3h4m5s6ms7us8ns") == "");
  CHECK(ns == ((((9 * 24 + 3) * 60 + 4) * 60 + 5) * 1'000'000'000ll) + 6'007'008);
  CHECK(parse("0.5ns") != "");
  CHECK(parse("0.000000001s") == "");
  CHECK(ns == 1);
  CHECK(parse("5m1h") != "");
  CHECK(parse("1s1s") != "");
  CHECK(parse("15251w") != "");
  CHECK(parse("15250w") == "");
  CHECK(parse("99999999999999999999999s") != "");
}

TEST_CASE("timestamps are RFC 3339 with a zone") {
  int64_t ns = 0;
  auto parse = [&](const char* text) { return ParseTimestamp(text, &ns); };
  CHECK(parse("1970-01-01T00:00:00Z") == "");
  CHECK(ns == 0);
  CHECK(parse("2026-01-02T09:00:00Z") == "");
  CHECK(ns == 1767344400'000'000'000);
  CHECK(parse("2026-01-02T10:00:00+01:00") == "");
  CHECK(ns == 1767344400'000'000'000);
  CHECK(parse("2026-01-02 09:00:00.5Z") == "");
  CHECK(ns == 1767344400'500'000'000);
  CHECK(parse("1969-12-31T23:59:59.999999999Z") == "");
  CHECK(ns == -1);
  CHECK(parse("2024-02-29T00:00Z") == "");
  for (const char* bad :
       {"", "2026-01-02", "2026-01-02T09:00:00", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-01-02T24:00:00Z", "2026-01-02T09:60:00Z", "2026-01-02T09:00:60Z",
        "2026-01-02T09:00:00.Z", "2026-01-02T09:00:00.1234567891Z", "2026-01-02T09:00:00+1",
        "2026-01-02T09:00:00Zx", "1600-01-01T00:00:00Z", "2300-01-01T00:00:00Z", "now",
        "2026-1-2T09:00:00Z"}) {
    INFO(bad);
    CHECK(parse(bad) != "");
  }
}

TEST_CASE("dates are days of the Gregorian calendar") {
  int32_t days = 0;
  CHECK(ParseDate("1970-01-01", &days) == "");
  CHECK(days == 0);
  CHECK(ParseDate("2000-03-01", &days) == "");
  CHECK(days == 11017);
  CHECK(ParseDate("0001-01-01", &days) == "");
  CHECK(days == -719162);
  CHECK(ParseDate("9999-12-31", &days) == "");
  CHECK(days == 2932896);
  CHECK(ParseDate("1900-02-29", &days) != "");
  CHECK(ParseDate("2026-01-02T", &days) != "");
  CHECK(ParseDate("0000-01-01", &days) != "");
}

}  // namespace weirc
