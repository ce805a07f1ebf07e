// Times beside the C library's calendar.
#include "runtime/core/time.h"

#include <catch2/catch.hpp>

#include <ctime>
#include <random>
#include <string>

using namespace weir;

namespace {

bool Parse(const std::string& text, int64_t* ns) { return ParseTimestamp(Str(std::string_view(text)), ns); }
std::string Text(int64_t ns) {
  char buf[kTimestampTextMax];
  return std::string(buf, FormatTimestamp(ns, buf));
}
bool ParseDays(const std::string& text, int32_t* days) { return ParseDate(Str(std::string_view(text)), days); }
std::string DateText(int32_t days) {
  char buf[kDateTextMax];
  return std::string(buf, FormatDate(days, buf));
}
bool ParseFor(const std::string& text, int64_t* ns) { return ParseDuration(Str(std::string_view(text)), ns); }
std::string DurationText(int64_t ns) {
  char buf[kDurationTextMax];
  return std::string(buf, FormatDuration(ns, buf));
}
int64_t At(const std::string& text) {
  int64_t ns = 0;
  CAPTURE(text);
  REQUIRE(Parse(text, &ns));
  return ns;
}

}  // namespace

TEST_CASE("Timestamps read RFC 3339 with any offset and fraction") {
  int64_t base = 1767344400 * kNsPerSecond;
  CHECK(At("2026-01-02T09:00:00Z") == base);
  CHECK(At("2026-01-02t09:00:00z") == base);
  CHECK(At("2026-01-02 09:00:00Z") == base);
  CHECK(At("2026-01-02T10:00:00+01:00") == base);
  CHECK(At("2026-01-01T23:30:00-09:30") == base);
  CHECK(At("2026-01-02T09:00:00-00:00") == base);
  CHECK(At("2026-01-02T09:00:00.5Z") == base + 500 * kNsPerMs);
  CHECK(At("2026-01-02T09:00:00.123456789Z") == base + 123456789);
  CHECK(At("2026-01-02T09:00:00.123456789000Z") == base + 123456789);
  CHECK(At("1969-12-31T23:59:59.999999999Z") == -1);
  CHECK(At("1677-09-21T00:12:43.145224192Z") == INT64_MIN);
  CHECK(At("2262-04-11T23:47:16.854775807Z") == INT64_MAX);
  CHECK(At("2024-02-29T00:00:00Z") == 1709164800 * kNsPerSecond);
}

TEST_CASE("A leap second is the first second of the next day, and only where one can be") {
  CHECK(At("2016-12-31T23:59:60Z") == At("2017-01-01T00:00:00Z"));
  CHECK(At("2016-12-31T23:59:60.25Z") == At("2017-01-01T00:00:00.25Z"));
  CHECK(At("2017-01-01T00:59:60+01:00") == At("2017-01-01T00:00:00Z"));
  int64_t ns;
  CHECK_FALSE(Parse("2016-12-30T23:59:60Z", &ns));
  CHECK_FALSE(Parse("2016-12-31T22:59:60Z", &ns));
  CHECK_FALSE(Parse("2016-12-31T23:59:60+01:00", &ns));
  CHECK_FALSE(Parse("2016-12-31T23:59:61Z", &ns));
}

TEST_CASE("Timestamps refuse everything else") {
  int64_t ns = 7;
  for (const char* text :
       {"", "2026-01-02", "2026-01-02T09:00:00", "2026-01-02T09:00Z", "2026-1-2T09:00:00Z", "2026-01-02T24:00:00Z",
        "2026-01-02T09:60:00Z", "2026-02-29T09:00:00Z", "2026-13-01T09:00:00Z", "2026-00-01T09:00:00Z",
        "2026-01-00T09:00:00Z", "2026-01-32T09:00:00Z", "2026-01-02T09:00:00.Z", "2026-01-02T09:00:00.1234567891Z",
        "2026-01-02T09:00:00.5", "2026-01-02T09:00:00+0100", "2026-01-02T09:00:00+01", "2026-01-02T09:00:00+24:00",
        "2026-01-02T09:00:00+01:60", "2026-01-02T09:00:00Zx", " 2026-01-02T09:00:00Z", "2026-01-02T09:00:00 Z",
        "2026/01/02T09:00:00Z", "2026-01-02_09:00:00Z", "+2026-01-02T09:00:00Z", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z",
        "2026-01-02T09:00:0aZ", "2026-01-02T09:00:00,5Z", "2100-02-29T00:00:00Z", "2026-01-02T09:00:00.999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(Parse(text, &ns));
  }
  CHECK(ns == 7);
  // No prefix of a timestamp is one.
  std::string whole = "2026-01-02T09:00:00.123456789+01:00";
  for (size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(Parse(whole.substr(0, n), &ns));
}

TEST_CASE("Timestamps are written with the shortest exact fraction") {
  CHECK(Text(0) == "1970-01-01T00:00:00Z");
  CHECK(Text(-1) == "1969-12-31T23:59:59.999999999Z");
  CHECK(Text(1767344400 * kNsPerSecond + 500 * kNsPerMs) == "2026-01-02T09:00:00.5Z");
  CHECK(Text(1) == "1970-01-01T00:00:00.000000001Z");
  CHECK(Text(INT64_MIN) == "1677-09-21T00:12:43.145224192Z");
  CHECK(Text(INT64_MAX) == "2262-04-11T23:47:16.854775807Z");
  std::mt19937_64 random(1);
  for (int i = 0; i < 50000; ++i) {
    auto ns = static_cast<int64_t>(random());
    if (i % 2 == 0) ns -= ns % kNsPerSecond;
    if (i % 3 == 0) ns -= ns % kNsPerMs;
    std::string text = Text(ns);
    CAPTURE(text);
    REQUIRE(At(text) == ns);
    std::time_t seconds = ns / kNsPerSecond - (ns % kNsPerSecond < 0 ? 1 : 0);
    std::tm tm;
    gmtime_r(&seconds, &tm);
    char expected[32];
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &tm);
    REQUIRE(text.substr(0, 19) == expected);
  }
}

TEST_CASE("Milliseconds round toward the past and are checked") {
  CHECK(TimestampToMilliseconds(1999999) == 1);
  CHECK(TimestampToMilliseconds(-1) == -1);
  CHECK(TimestampToMilliseconds(-1000000) == -1);
  int64_t ns;
  CHECK((TimestampFromMilliseconds(5, &ns) && ns == 5000000));
  CHECK_FALSE(TimestampFromMilliseconds(INT64_MAX, &ns));
  CHECK_FALSE(TimestampFromMilliseconds(INT64_MIN, &ns));
}

TEST_CASE("Dates") {
  int32_t days = 7;
  CHECK((ParseDays("1970-01-01", &days) && days == 0));
  CHECK((ParseDays("2026-01-02", &days) && days == 20455));
  CHECK((ParseDays("0000-01-01", &days) && days == -719528));
  CHECK((ParseDays("9999-12-31", &days) && days == 2932896));
  CHECK((ParseDays("2000-02-29", &days) && days == 11016));
  for (const char* text : {"", "2026-1-2", "2026-01-2", "1900-02-29", "2026-02-30", "2026-04-31", "20260102", "2026-01-02T", "2026-01-0x"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDays(text, &days));
  }
  CHECK(DateText(0) == "1970-01-01");
  CHECK(DateText(-1) == "1969-12-31");
  CHECK(DateText(2932897) == "+10000-01-01");
  CHECK(DateText(-719529) == "-0001-12-31");
  CHECK(DateText(INT32_MIN) == "-5877641-06-23");
  CHECK(DateText(INT32_MAX) == "+5881580-07-11");
  for (int32_t d = -719528; d <= 2932896; d += 17) {
    CivilDate date = CivilFromDays(d);
    REQUIRE(DaysFromCivil(date) == d);
    REQUIRE(IsValidDate(date));
    int32_t again;
    REQUIRE((ParseDays(DateText(d), &again) && again == d));
  }
  CHECK(DateOf(-1) == -1);
  CHECK(DateOf(INT64_MIN) == -106752);
  CHECK(TimeOfDay(-1) == kNsPerDay - 1);
}

TEST_CASE("Durations") {
  int64_t ns = 7;
  const std::pair<const char*, int64_t> read[] = {
      {"0s", 0},          {"1h30m", 90 * kNsPerMinute},  {"250ms", 250 * kNsPerMs}, {"1.5s", 1500 * kNsPerMs},
      {"-2d", -2 * kNsPerDay}, {"1w", 7 * kNsPerDay},    {"3us", 3000},             {"7ns", 7},
      {"30m1h", 90 * kNsPerMinute}, {"0.000000001s", 1}, {"1d2h3m4s5ms6us7ns", 93784005006007},
      {"0.5us", 500},     {"-9223372036854775808ns", INT64_MIN}};
  for (auto [text, expected] : read) {
    CAPTURE(text);
    if (std::string(text) == "-9223372036854775808ns") {
      CHECK_FALSE(ParseFor(text, &ns));  // more than 18 digits in one number
      continue;
    }
    CHECK(ParseFor(text, &ns));
    CHECK(ns == expected);
  }
  for (const char* text : {"", "-", "5", "s", "1.s", ".5s", "1 s", "1x", "1h30", "0.5ns", "0.0000000001s", "999999999999999999s", "--1s",
                           "1e3s", "1S", "1µs"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseFor(text, &ns));
  }
  CHECK(DurationText(0) == "0s");
  CHECK(DurationText(90 * kNsPerMinute) == "1h30m");
  CHECK(DurationText(1500 * kNsPerMs) == "1s500ms");
  CHECK(DurationText(-2 * kNsPerDay) == "-2d");
  CHECK(DurationText(93784005006007) == "1d2h3m4s5ms6us7ns");
  CHECK(DurationText(INT64_MIN) == "-106751d23h47m16s854ms775us808ns");
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    auto v = static_cast<int64_t>(random()) >> (random() % 64);
    int64_t again;
    REQUIRE((ParseFor(DurationText(v), &again) && again == v));
  }
  CHECK((ParseFor(DurationText(INT64_MIN), &ns) && ns == INT64_MIN));
}
