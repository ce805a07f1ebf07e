// What the examples of the functions do not show: long inputs, random ones, and the table.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <string>

#include "runtime/core/utf8.h"
#include "stdlib/all.h"
#include "stdlib/index.h"

using namespace weir;

namespace {

Str View(const std::string& text) { return Str(std::string_view(text)); }

std::string RandomText(std::mt19937_64& random, size_t pieces_max) {
  static const char* kPieces[] = {"a", "B", " ", "-", "é", "Σ", "ß", "€", "😹", "Ж", "aa", "-a", "\xe2\x80\x83", "ǆ", "ⱥ", "Ⱥ"};
  std::string text;
  for (size_t n = random() % (pieces_max + 1); n > 0; --n) text += kPieces[random() % std::size(kPieces)];
  return text;
}

// One code point after the other, as strings.
std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> out;
  for (size_t i = 0; i < text.size();) {
    auto n = static_cast<size_t>(Utf8Width(static_cast<unsigned char>(text[i])));
    out.push_back(text.substr(i, n));
    i += n;
  }
  return out;
}

std::string Joined(const std::vector<std::string>& parts, size_t from, size_t to) {
  std::string out;
  for (size_t i = from; i < to && i < parts.size(); ++i) out += parts[i];
  return out;
}

}  // namespace

TEST_CASE("Functions on text agree with slow ones on random text") {
  std::mt19937_64 random(1);
  Arena arena;
  for (int i = 0; i < 20000; ++i) {
    arena.Reset();
    std::string text = RandomText(random, 12), part = RandomText(random, 2), by = RandomText(random, 2);
    auto characters = Characters(text);
    auto size = static_cast<int64_t>(characters.size());
    CAPTURE(text, part, by);
    REQUIRE(fn::Length(View(text)) == size);

    int64_t from = static_cast<int64_t>(random() % 20) - 10, count = static_cast<int64_t>(random() % 12) - 1;
    int64_t start = from < 0 ? std::max<int64_t>(0, size + from) : from;
    REQUIRE(fn::SubstringFrom(View(text), from).view() == Joined(characters, static_cast<size_t>(start), characters.size()));
    REQUIRE(fn::Substring(View(text), from, count).view() ==
            Joined(characters, static_cast<size_t>(start), static_cast<size_t>(start + std::max<int64_t>(0, count))));

    std::string reversed;
    for (auto& c : characters) reversed = c + reversed;
    REQUIRE(fn::Reverse(arena, View(text)).view() == reversed);

    std::string replaced;
    for (size_t at = 0; at < text.size();) {
      if (!part.empty() && text.compare(at, part.size(), part) == 0) {
        replaced += by;
        at += part.size();
      } else {
        replaced += text[at++];
      }
    }
    REQUIRE(fn::Replace(arena, View(text), View(part), View(by)).view() == replaced);
    REQUIRE(fn::Contains(View(text), View(part)) == (text.find(part) != std::string::npos));

    List<Str> parts = fn::Split(arena, View(text), View(part));
    REQUIRE(parts.size >= 1);
    if (!part.empty()) REQUIRE(fn::Join(arena, parts, View(part)).view() == text);
    Opt<int64_t> index = fn::IndexOf(View(text), View(part));
    REQUIRE(index.has == (text.find(part) != std::string::npos));
    if (index.has) REQUIRE(index.value == static_cast<int64_t>(Characters(text.substr(0, text.find(part))).size()));

    Str upper = fn::Upper(arena, View(text)), lower = fn::Lower(arena, View(text));
    REQUIRE(ValidUtf8(upper));
    REQUIRE(ValidUtf8(lower));
    REQUIRE(fn::Length(upper) == size);
    REQUIRE(fn::Length(lower) == size);
    REQUIRE(fn::Upper(arena, upper) == upper);
    REQUIRE(fn::Lower(arena, lower) == lower);

    int64_t width = static_cast<int64_t>(random() % 20);
    Str padded = fn::PadStart(arena, View(text), width, View(part));
    REQUIRE(fn::Length(padded) == (part.empty() ? size : std::max(size, width)));
    REQUIRE(fn::EndsWith(padded, View(text)));
    REQUIRE(fn::StartsWith(fn::PadEnd(arena, View(text), width, View(part)), View(text)));

    Str trimmed = fn::Trim(View(text));
    REQUIRE(fn::Trim(trimmed) == trimmed);
    REQUIRE(fn::TrimStart(fn::TrimEnd(View(text))) == trimmed);
    REQUIRE(trimmed.view().find(' ') != 0);
  }
}

TEST_CASE("Every code point maps to a valid one of the other case and back where it can") {
  Arena arena;
  int pairs = 0;
  for (uint32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    if (c % 4096 == 0) arena.Reset();
    char text[4];
    auto n = static_cast<size_t>(EncodeUtf8(c, text));
    Str one(text + 0, n);
    Str upper = fn::Upper(arena, one), lower = fn::Lower(arena, one);
    CAPTURE(c);
    REQUIRE(ValidUtf8(upper));
    REQUIRE(ValidUtf8(lower));
    if (lower != one && fn::Upper(arena, lower) == one) ++pairs;
  }
  CHECK(pairs > 1300);
}

TEST_CASE("Padding has a limit") {
  Arena arena;
  CHECK(fn::PadStart(arena, "x", INT64_MAX, "ab").size == fn::kPaddedMax);
  CHECK(fn::PadEnd(arena, "x", INT64_MIN, "ab") == "x");
}

TEST_CASE("Positions beyond every text are harmless") {
  for (int64_t v : {INT64_MIN, INT64_MIN + 1, int64_t{-5000000000}, int64_t{5000000000}, INT64_MAX}) {
    CHECK(fn::SubstringFrom("été", v) == (v < 0 ? Str("été") : Str("")));
    CHECK(fn::Substring("été", v, INT64_MAX) == (v < 0 ? Str("été") : Str("")));
    CHECK(fn::Substring("été", 1, v) == (v < 0 ? Str("") : Str("té")));
    CHECK_FALSE(fn::Get(List<int64_t>{nullptr, 0}, v).has);
  }
}

TEST_CASE("Not-a-number and infinities") {
  double nan = std::nan(""), inf = INFINITY, out = 0;
  CHECK(fn::IsNan(nan));
  CHECK_FALSE(fn::IsFinite(inf));
  CHECK(std::isnan(fn::MinFloat64(nan, 1)));
  CHECK(std::isnan(fn::MinFloat64(1, nan)));
  CHECK(std::isnan(fn::MaxFloat64(nan, 1)));
  CHECK(std::isnan(fn::MaxFloat64(1, nan)));
  CHECK(std::isnan(fn::ClampFloat64(nan, 0, 1)));
  CHECK(fn::SignFloat64(nan) == 0);
  CHECK((fn::Sqrt(nan, &out) && std::isnan(out)));
  CHECK((fn::Exp(-inf, &out) && out == 0));
  CHECK((fn::Exp(inf, &out) && out == inf));
  CHECK((fn::Ln(inf, &out) && out == inf));
  int64_t whole = 7;
  CHECK_FALSE(fn::Int64FromFloat64(nan, &whole));
  CHECK_FALSE(fn::Int64FromFloat64(inf, &whole));
  CHECK_FALSE(fn::Int64FromFloat64(9223372036854775808.0, &whole));
  CHECK((fn::Int64FromFloat64(-9223372036854775808.0, &whole) && whole == INT64_MIN));
}

TEST_CASE("Times are what the C library's calendar says") {
  std::mt19937_64 random(2);
  Arena arena;
  for (int i = 0; i < 20000; ++i) {
    arena.Reset();
    auto ns = static_cast<int64_t>(random());
    std::time_t seconds = ns / 1000000000 - (ns % 1000000000 < 0 ? 1 : 0);
    std::tm tm;
    gmtime_r(&seconds, &tm);
    REQUIRE(fn::YearOf(ns) == tm.tm_year + 1900);
    REQUIRE(fn::MonthOf(ns) == tm.tm_mon + 1);
    REQUIRE(fn::DayOf(ns) == tm.tm_mday);
    REQUIRE(fn::Hour(ns) == tm.tm_hour);
    REQUIRE(fn::Minute(ns) == tm.tm_min);
    REQUIRE(fn::Second(ns) == tm.tm_sec);
    REQUIRE(fn::DayOfWeekOf(ns) == (tm.tm_wday == 0 ? 7 : tm.tm_wday));
    char text[64];
    size_t n = std::strftime(text, sizeof text, "%Y-%m-%d %j %H:%M:%S", &tm);
    REQUIRE(fn::FormatTimestamp(arena, ns, "%Y-%m-%d %j %H:%M:%S").view() == std::string_view(text, n));
    // Every time comes back through a pattern that keeps all of it.
    for (Str pattern : {Str("%F %T.%N"), Str("%N:%S:%M:%H:%j:%Y"), Str("%d.%m.%Y %H%M%S%N")}) {
      int64_t again = 0;
      REQUIRE((fn::ParseTimestampAs(fn::FormatTimestamp(arena, ns, pattern), pattern, &again) && again == ns));
    }
    int64_t unit = 1 + static_cast<int64_t>(random() % 100000000000000);
    int64_t start = fn::TruncateTo(ns, unit);
    REQUIRE((start <= ns && (start == ns || ns - start < unit) && (start % unit == 0 || start == ns)));
  }
  int64_t out;
  for (const char* text : {"", "2026", "2026-01-02 ", "x2026-01-02", "2026-1-02", "2026-13-02", "2026-00-02", "2026-01-00"}) {
    CAPTURE(text);
    CHECK_FALSE(fn::ParseTimestampAs(Str(std::string_view(text)), "%F", &out));
  }
  CHECK_FALSE(fn::ParseTimestampAs("2025 366", "%Y %j", &out));
  CHECK(fn::ParseTimestampAs("2024 366", "%Y %j", &out));
  CHECK_FALSE(fn::ParseTimestampAs("25:00:00", "%T", &out));
  CHECK_FALSE(fn::ParseTimestampAs("9999-01-01", "%F", &out));
  CHECK(fn::ParseTimestampAs("100%", "100%", &out));
  CHECK(fn::ParseTimestampAs("%q%", "%q%%", &out));
}

TEST_CASE("Nullable elements stay nullable once") {
  Arena arena;
  ListBuilder<Opt<int64_t>> builder(arena);
  builder.Add(Opt<int64_t>(1));
  builder.Add(Opt<int64_t>());
  List<Opt<int64_t>> list = builder.Finish();
  static_assert(std::is_same_v<decltype(fn::Get(list, 0)), Opt<int64_t>>);
  CHECK(fn::Get(list, 0) == Opt<int64_t>(1));
  CHECK(fn::Last(list) == Opt<int64_t>());
}

TEST_CASE("Decimals of both widths") {
  i128 wide = 0;
  int64_t small = 0;
  CHECK((fn::DecimalFromString(Str("1.5"), 18, 4, &small) && small == 15000));
  CHECK((fn::DecimalFromString(Str("1.5"), 38, 4, &wide) && wide == 15000));
  CHECK(fn::AbsDecimal(int64_t{-5}) == 5);
  CHECK((fn::AbsDecimal(i128{-5}) == 5));
  i128 top = Pow10(38) - 1;
  i128 values[] = {top, 1};
  CHECK_FALSE(fn::SumDecimal(List<i128>{values, 2}, &wide));
  CHECK((fn::SumDecimal(List<i128>{values, 1}, &wide) && wide == top));
  CHECK((fn::RoundHalfUp(top, 0, 38) == 1));
}

TEST_CASE("The table is complete and its rows are what they say") {
  CHECK(stdlib::kFunctionCount >= 100);
  std::set<std::string> signatures;
  for (int i = 0; i < stdlib::kFunctionCount; ++i) {
    const stdlib::Function& f = stdlib::kFunctions[i];
    CAPTURE(f.signature);
    CHECK(signatures.insert(f.signature).second);
    std::string expected = std::string(f.name) + "(";
    for (const char* c = f.params; *c != 0; ++c) {
      if (*c == ';') {
        expected += ',';
      } else {
        expected += *c;
      }
    }
    expected += ") -> " + std::string(f.result);
    if (f.failing == stdlib::Failing::kFails) expected += " fails";
    if (f.failing == stdlib::Failing::kOverflows) expected += " overflows";
    CHECK(expected == f.signature);
    CHECK(std::strlen(f.doc) > 5);
    CHECK(std::string(f.header) == "stdlib/" + std::string(f.group) + "/" + f.name + ".h");
  }
  for (const char* name : {"length", "upper", "lower", "trim", "trim_start", "trim_end", "starts_with", "ends_with", "contains", "index_of",
                           "substring", "replace", "split", "split_once", "join", "repeat", "pad_start", "pad_end", "concat", "to_string",
                           "parse_int64", "parse_decimal", "parse_float64", "parse_timestamp", "parse_date", "parse_duration",
                           "parse_bool", "int32", "int64", "float64", "decimal", "abs", "min", "max", "round", "floor", "ceil", "truncate",
                           "sign", "sqrt", "ln", "exp", "pow", "clamp", "is_nan", "date_of", "hour", "minute", "second", "day_of_week",
                           "truncate_to", "add", "between", "milliseconds", "epoch_ms", "from_epoch_ms", "seconds", "format_timestamp",
                           "get", "first", "last", "sum", "xxh64", "murmur2"}) {
    bool found = false;
    for (int i = 0; i < stdlib::kFunctionCount; ++i) found |= std::strcmp(stdlib::kFunctions[i].name, name) == 0;
    CAPTURE(name);
    CHECK(found);
  }
}
