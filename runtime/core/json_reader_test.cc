// Typed values and records.
#include "runtime/core/json_reader.h"

#include <catch2/catch.hpp>

#include <random>

#include "runtime/core/json_walk.h"
#include "runtime/core/time.h"

using namespace weir;
using weir_test::Exact;

namespace {

// Reads one value with `read`, with `behind` after it; what stands behind decides between the fast and the careful ways.
template <class T, class Read>
JsonErrorCode ReadOne(std::string_view text, std::string_view behind, T* out, Read read) {
  Exact exact(std::string(text) + std::string(behind));
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(exact.str(), &context);
  bool good = read(in, out);
  if (good && behind.empty()) good = in.End();
  if (good && !behind.empty()) good = in.position() == text.size() || in.Peek() == behind[0];
  REQUIRE(good == context.ok());
  return context.error.code;
}

const std::string kBehind[] = {"", ",", "}", ",\"b\":1}", ",\"symbol\":\"SYM1\",\"x\":[1,2,3]}", "                    "};

auto kInt64 = [](JsonReader& in, int64_t* out) { return in.Int64(out); };
auto kInt32 = [](JsonReader& in, int32_t* out) { return in.Int32(out); };
auto kDouble = [](JsonReader& in, double* out) { return in.Float64(out); };
auto kTimestamp = [](JsonReader& in, int64_t* out) { return in.Timestamp(out); };
auto kDuration = [](JsonReader& in, int64_t* out) { return in.Duration(out); };
auto kDate = [](JsonReader& in, int32_t* out) { return in.Date(out); };

std::string Describe(const JsonContext& context) {
  Buffer buffer;
  context.Describe(&buffer);
  return std::string(buffer.str().view());
}

struct Leg {
  int64_t no = 0;
  Str side;
};
struct Order {
  int64_t order_id = 0;
  Str symbol;
  int64_t price = 0;
  bool has_note = false;
  Str note;
  Leg legs[4];
  int leg_count = 0;
  int seen_labels = 0;
};

constexpr JsonField kLegTable[] = {"no", "side"};
constexpr JsonFields kLegFields(kLegTable);
constexpr JsonField kOrderTable[] = {"order_id", "symbol", "price", "note", "legs", "labels_of_the_order_as_sent"};
constexpr JsonFields kOrderFields(kOrderTable);

bool DecodeLeg(JsonReader& reader, Leg* out) {
  JsonReader in = reader;
  if (!in.BeginObject()) return false;
  uint64_t seen = 0;
  for (int f, next = 0; (f = in.NextField(kLegFields, next)) >= 0; next = f + 1) {
    if (f == kUnknownField) {
      if (!in.Skip()) return false;
      f = next - 1;
      continue;
    }
    if (!in.Once(&seen, kLegFields, f)) return false;
    switch (f) {
      case 0: if (!in.Int64(&out->no)) return false; break;
      case 1: if (!in.String(&out->side)) return false; break;
    }
  }
  if (!in.ok() || !in.Complete(kLegFields, seen, 0x3)) return false;
  reader = in;
  return true;
}

bool DecodeOrder(JsonReader& reader, Order* out) {
  JsonReader in = reader;
  if (!in.BeginObject()) return false;
  uint64_t seen = 0;
  for (int f, next = 0; (f = in.NextField(kOrderFields, next)) >= 0; next = f + 1) {
    if (f == kUnknownField) {
      if (!in.Skip()) return false;
      f = next - 1;
      continue;
    }
    if (!in.Once(&seen, kOrderFields, f)) return false;
    switch (f) {
      case 0: if (!in.Int64(&out->order_id)) return false; break;
      case 1: if (!in.String(&out->symbol)) return false; break;
      case 2: if (!in.Decimal64(18, 4, &out->price)) return false; break;
      case 3:
        if (!in.Null()) {
          if (!in.String(&out->note)) return false;
          out->has_note = true;
        }
        break;
      case 4: {
        if (!in.BeginArray()) return false;
        while (in.NextElement()) {
          if (out->leg_count == 4) return in.Refuse(JsonErrorCode::kRange, in.position(), "four legs");
          JsonReader inner = in;
          if (!DecodeLeg(inner, &out->legs[out->leg_count++])) return false;
          in = inner;
        }
        if (!in.ok()) return false;
        break;
      }
      case 5: {
        if (!in.BeginObject()) return false;
        Str key, value;
        while (in.NextKey(&key)) {
          if (!in.String(&value)) return false;
          ++out->seen_labels;
        }
        if (!in.ok()) return false;
        break;
      }
    }
  }
  if (!in.ok() || !in.Complete(kOrderFields, seen, 0x7)) return false;
  reader = in;
  return true;
}

struct Decoded {
  Order order;
  bool good = false;
  std::string said;
  JsonErrorCode code = JsonErrorCode::kNone;
};

Decoded Decode(std::string_view text, Arena* arena, const Exact& exact) {
  Decoded d;
  JsonContext context(arena);
  JsonReader in(exact.str(), &context);
  d.good = DecodeOrder(in, &d.order) && in.End();
  REQUIRE(d.good == context.ok());
  d.code = context.error.code;
  if (!d.good) d.said = Describe(context);
  return d;
}

std::string ErrorOf(std::string_view text) {
  Arena arena;
  Exact exact(text);
  return Decode(text, &arena, exact).said;
}

}  // namespace

TEST_CASE("Int64 reads every whole number, wherever it stands") {
  std::vector<int64_t> values = {0, INT64_MIN, INT64_MAX, INT64_MIN + 1, INT64_MAX - 1};
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) values.push_back(static_cast<int64_t>(random()) >> (random() % 64));
  for (int64_t power : kPow10) {
    for (int64_t v : {power - 1, power, power + 1}) {
      values.push_back(v);
      values.push_back(-v);
    }
  }
  for (int64_t v : values) {
    std::string text = std::to_string(v);
    for (const std::string& behind : kBehind) {
      int64_t out = 77;
      CAPTURE(text, behind);
      CHECK(ReadOne(text, behind, &out, kInt64) == JsonErrorCode::kNone);
      CHECK(out == v);
      out = 77;
      CHECK(ReadOne("  " + text, behind, &out, kInt64) == JsonErrorCode::kNone);
      CHECK(out == v);
    }
  }
}

TEST_CASE("Int64 refuses what is no whole number of 64 bits") {
  const std::pair<const char*, JsonErrorCode> cases[] = {
      {"9223372036854775808", JsonErrorCode::kRange},
      {"-9223372036854775809", JsonErrorCode::kRange},
      {"99999999999999999999", JsonErrorCode::kRange},
      {"123456789012345678901234567890", JsonErrorCode::kRange},
      {"1.0", JsonErrorCode::kType},
      {"1e3", JsonErrorCode::kType},
      {"1E3", JsonErrorCode::kType},
      {"-1.5", JsonErrorCode::kType},
      {"123456789.5", JsonErrorCode::kType},
      {"12345678901234567.5", JsonErrorCode::kType},
      {"\"1\"", JsonErrorCode::kType},
      {"true", JsonErrorCode::kType},
      {"null", JsonErrorCode::kType},
      {"[1]", JsonErrorCode::kType},
      {"{}", JsonErrorCode::kType},
      {"01", JsonErrorCode::kSyntax},
      {"-01", JsonErrorCode::kSyntax},
      {"00", JsonErrorCode::kSyntax},
      {"0123456789012", JsonErrorCode::kSyntax},
      {"+1", JsonErrorCode::kSyntax},
      {"x", JsonErrorCode::kSyntax},
      {".5", JsonErrorCode::kSyntax},
  };
  for (auto [text, code] : cases) {
    for (const std::string& behind : kBehind) {
      // The decoder of a record meets the delimiter next, which is where `1.0` is refused; here End does.
      std::string whole = "[" + std::string(text) + (behind.empty() ? "" : ",3") + "]" + std::string(behind.size(), ' ');
      Exact exact(whole);
      Arena arena;
      JsonContext context(&arena);
      JsonReader in(exact.str(), &context);
      int64_t out;
      CAPTURE(whole);
      REQUIRE((in.BeginArray() && in.NextElement()));
      bool good = in.Int64(&out) && !in.NextElement() && in.ok();
      CHECK_FALSE(good);
      CHECK(context.error.code == code);
    }
    Exact exact{std::string_view(text)};
    Arena arena;
    JsonContext context(&arena);
    JsonReader in(exact.str(), &context);
    int64_t out;
    CHECK_FALSE((in.Int64(&out) && in.End()));
    CHECK(context.error.code == code);
  }
  int64_t out;
  CHECK(ReadOne("", "", &out, kInt64) == JsonErrorCode::kTruncated);
  CHECK(ReadOne("-", "", &out, kInt64) == JsonErrorCode::kTruncated);
}

TEST_CASE("Int32 has the range of 32 bits") {
  int32_t out;
  for (const std::string& behind : kBehind) {
    CHECK(ReadOne("2147483647", behind, &out, kInt32) == JsonErrorCode::kNone);
    CHECK(out == INT32_MAX);
    CHECK(ReadOne("-2147483648", behind, &out, kInt32) == JsonErrorCode::kNone);
    CHECK(out == INT32_MIN);
    CHECK(ReadOne("2147483648", behind, &out, kInt32) == JsonErrorCode::kRange);
    CHECK(ReadOne("-2147483649", behind, &out, kInt32) == JsonErrorCode::kRange);
    CHECK(ReadOne("4294967296", behind, &out, kInt32) == JsonErrorCode::kRange);
  }
}

TEST_CASE("Float64 reads the nearest double") {
  std::vector<std::string> texts = {"0", "-0", "0.1", "1.5", "123.456", "1234567.1234567", "12345678.5", "0.12345678",
                                    "1e22", "1e23", "1e-5", "-2.5E+3", "4.9e-324", "1e-400", "1.7976931348623157e308",
                                    "0.30000000000000004", "9007199254740993", "123456789012345678901234567890"};
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", static_cast<int>(random() % 9), static_cast<double>(random() % 100000000) / 997);
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    for (const std::string& behind : kBehind) {
      double out;
      CAPTURE(text, behind);
      CHECK(ReadOne(text, behind, &out, kDouble) == JsonErrorCode::kNone);
      CHECK(out == std::strtod(text.c_str(), nullptr));
      CHECK(std::signbit(out) == (text[0] == '-'));
    }
  }
  double out;
  CHECK(ReadOne("1e309", "", &out, kDouble) == JsonErrorCode::kRange);
  CHECK(ReadOne("-1e309", "", &out, kDouble) == JsonErrorCode::kRange);
  CHECK(ReadOne("\"1\"", "", &out, kDouble) == JsonErrorCode::kType);
  CHECK(ReadOne("01.5", "", &out, kDouble) == JsonErrorCode::kSyntax);
  CHECK(ReadOne("1.", "                        ", &out, kDouble) == JsonErrorCode::kSyntax);
}

TEST_CASE("Decimals are exact at every length, from numbers and from strings") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    int scale = static_cast<int>(random() % 10);
    int precision = scale + 1 + static_cast<int>(random() % (18 - scale));
    int whole_digits = static_cast<int>(random() % 12), behind_digits = static_cast<int>(random() % 12);
    std::string text = random() % 4 == 0 ? "-" : "";
    text += std::to_string(whole_digits == 0 ? 0 : random() % static_cast<uint64_t>(kPow10[whole_digits]));
    if (behind_digits != 0) {
      text += '.';
      for (int k = 0; k < behind_digits; ++k) text += static_cast<char>('0' + (k > scale ? 0 : random() % 10));
    }
    if (random() % 10 == 0) text += "e" + std::to_string(static_cast<int>(random() % 9) - 4);
    int64_t expected = 0;
    DecimalError error = ParseDecimal(Str(std::string_view(text)), precision, scale, &expected);
    JsonErrorCode code = error == DecimalError::kOk        ? JsonErrorCode::kNone
                         : error == DecimalError::kInexact ? JsonErrorCode::kInexact
                                                           : JsonErrorCode::kRange;
    REQUIRE(error != DecimalError::kSyntax);
    const std::string& behind = kBehind[random() % std::size(kBehind)];
    CAPTURE(text, precision, scale, behind);
    int64_t out = 0;
    auto read = [&](JsonReader& in, int64_t* v) { return in.Decimal64(precision, scale, v); };
    REQUIRE(ReadOne(text, behind, &out, read) == code);
    if (code == JsonErrorCode::kNone) REQUIRE(out == expected);
    out = 0;
    REQUIRE(ReadOne("\"" + text + "\"", behind, &out, read) == code);
    if (code == JsonErrorCode::kNone) REQUIRE(out == expected);
    i128 wide = 0;
    auto read_wide = [&](JsonReader& in, i128* v) { return in.Decimal128(precision, scale, v); };
    REQUIRE(ReadOne(text, behind, &wide, read_wide) == code);
    if (code == JsonErrorCode::kNone) REQUIRE(wide == expected);
  }
}

TEST_CASE("Decimals refuse what is no number, and say how") {
  auto read = [](JsonReader& in, int64_t* v) { return in.Decimal64(18, 4, v); };
  int64_t out;
  for (const std::string& behind : kBehind) {
    CAPTURE(behind);
    CHECK(ReadOne("1.23456", behind, &out, read) == JsonErrorCode::kInexact);
    CHECK(ReadOne("123456789012345", behind, &out, read) == JsonErrorCode::kRange);
    CHECK(ReadOne("01.5", behind, &out, read) == JsonErrorCode::kSyntax);
    CHECK(ReadOne("-01.5", behind, &out, read) == JsonErrorCode::kSyntax);
    CHECK(ReadOne("+1", behind, &out, read) == JsonErrorCode::kSyntax);
    CHECK(ReadOne("true", behind, &out, read) == JsonErrorCode::kType);
    CHECK(ReadOne("\"x\"", behind, &out, read) == JsonErrorCode::kFormat);
    CHECK(ReadOne("\"\"", behind, &out, read) == JsonErrorCode::kFormat);
    CHECK(ReadOne("1.5000000000", behind, &out, read) == JsonErrorCode::kNone);
    CHECK(out == 15000);
    CHECK(ReadOne("15e-1", behind, &out, read) == JsonErrorCode::kNone);
    CHECK(out == 15000);
    CHECK(ReadOne("-0.0", behind, &out, read) == JsonErrorCode::kNone);
    CHECK(out == 0);
  }
  CHECK(ReadOne("1.", "", &out, read) == JsonErrorCode::kTruncated);
  CHECK(ReadOne("1.", ",\"a\":\"aaaaaaaaaaaaaaaaaaaaa\"", &out, read) == JsonErrorCode::kSyntax);
  CHECK(ReadOne("1e", ",\"a\":\"aaaaaaaaaaaaaaaaaaaaa\"", &out, read) == JsonErrorCode::kSyntax);
}

TEST_CASE("Bytes beyond ASCII behind a number do not disturb it") {
  // The eight bytes that are looked at reach into what follows; only a delimiter may.
  for (const char* behind : {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", ",\xff\xff\xff\xff\xff\xff\xff\xff\xff", ".\xff\xff\xff\xff\xff\xff\xff\xff\xff"}) {
    Exact exact("[12" + std::string(behind) + "]");
    Arena arena;
    JsonContext context(&arena);
    JsonReader in(exact.str(), &context);
    int64_t out = 0;
    REQUIRE((in.BeginArray() && in.NextElement()));
    if (in.Decimal64(18, 4, &out)) {
      CHECK(out == 120000);
      int64_t more;
      CHECK_FALSE((in.NextElement() && in.Int64(&more)));
    }
    CHECK_FALSE(context.ok());
  }
}

TEST_CASE("Strings are views where they can be, and decoded where they must") {
  const std::pair<const char*, std::string_view> cases[] = {
      {"\"\"", ""},
      {"\"a\"", "a"},
      {"\"0123456789abcdef\"", "0123456789abcdef"},
      {"\"0123456789abcdef0123456789abcdefXYZ\"", "0123456789abcdef0123456789abcdefXYZ"},
      {"\"\\n\"", "\n"},
      {"\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\"", "a\"b\\c/d\b\f\n\r\t"},
      {"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude39\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9"},
      {"\"\xc3\xa9t\xc3\xa9\"", "\xc3\xa9t\xc3\xa9"},
      {"\"0123456789abcde\\t0123456789abcde\xc3\xa9\"", "0123456789abcde\t0123456789abcde\xc3\xa9"},
  };
  for (auto [text, expected] : cases) {
    for (const std::string& behind : kBehind) {
      CAPTURE(text, behind);
      Exact exact(std::string(text) + behind);
      Arena arena;
      JsonContext context(&arena);
      JsonReader in(exact.str(), &context);
      Str out;
      REQUIRE(in.String(&out));
      CHECK(out.view() == expected);
      CHECK(in.position() == std::string_view(text).size());
      bool inside = out.data >= exact.str().data && out.data <= exact.str().end();
      CHECK(inside == (std::string_view(text).find('\\') == std::string_view::npos));
    }
  }
  Str out;
  auto read = [](JsonReader& in, Str* v) { return in.String(v); };
  CHECK(ReadOne("5", "", &out, read) == JsonErrorCode::kType);
  CHECK(ReadOne("\"abc", "", &out, read) == JsonErrorCode::kTruncated);
  CHECK(ReadOne("\"0123456789abcdef0123", "", &out, read) == JsonErrorCode::kTruncated);
  CHECK(ReadOne("\"\\u0000\"", "", &out, read) == JsonErrorCode::kNone);
}

TEST_CASE("Timestamps come in milliseconds or as RFC 3339") {
  int64_t out;
  for (const std::string& behind : kBehind) {
    CAPTURE(behind);
    CHECK(ReadOne("1767344400000", behind, &out, kTimestamp) == JsonErrorCode::kNone);
    CHECK(out == 1767344400000 * kNsPerMs);
    CHECK(ReadOne("0", behind, &out, kTimestamp) == JsonErrorCode::kNone);
    CHECK(out == 0);
    CHECK(ReadOne("-5", behind, &out, kTimestamp) == JsonErrorCode::kNone);
    CHECK(out == -5 * kNsPerMs);
    CHECK(ReadOne("9223372036854", behind, &out, kTimestamp) == JsonErrorCode::kNone);
    CHECK(out == 9223372036854 * kNsPerMs);
    CHECK(ReadOne("9223372036855", behind, &out, kTimestamp) == JsonErrorCode::kRange);
    CHECK(ReadOne("1767344400000000000", behind, &out, kTimestamp) == JsonErrorCode::kRange);
    CHECK(ReadOne("\"2026-01-02T09:00:00Z\"", behind, &out, kTimestamp) == JsonErrorCode::kNone);
    CHECK(out == 1767344400000 * kNsPerMs);
    CHECK(ReadOne("\"2026-01-02\"", behind, &out, kTimestamp) == JsonErrorCode::kFormat);
    CHECK(ReadOne("true", behind, &out, kTimestamp) == JsonErrorCode::kType);
  }
}

TEST_CASE("Dates, durations, booleans, bytes, enums and null") {
  int64_t ns;
  int32_t days;
  CHECK(ReadOne("\"1h30m\"", "", &ns, kDuration) == JsonErrorCode::kNone);
  CHECK(ns == 90 * kNsPerMinute);
  CHECK(ReadOne("\"soon\"", "", &ns, kDuration) == JsonErrorCode::kFormat);
  CHECK(ReadOne("5", "", &ns, kDuration) == JsonErrorCode::kType);
  CHECK(ReadOne("\"1970-01-02\"", "", &days, kDate) == JsonErrorCode::kNone);
  CHECK(days == 1);
  CHECK(ReadOne("\"1970-02-30\"", "", &days, kDate) == JsonErrorCode::kFormat);
  CHECK(ReadOne("1", "", &days, kDate) == JsonErrorCode::kType);
  auto read_bool = [](JsonReader& in, bool* v) { return in.Bool(v); };
  bool flag = false;
  CHECK(ReadOne(" true", "", &flag, read_bool) == JsonErrorCode::kNone);
  CHECK(flag);
  CHECK(ReadOne("false", ",", &flag, read_bool) == JsonErrorCode::kNone);
  CHECK_FALSE(flag);
  CHECK(ReadOne("1", "", &flag, read_bool) == JsonErrorCode::kType);
  CHECK(ReadOne("tru", "", &flag, read_bool) == JsonErrorCode::kSyntax);

  Exact exact(R"(["aGVsbG8=", "", "aGVsbG8", 5])");
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(exact.str(), &context);
  Str bytes;
  REQUIRE((in.BeginArray() && in.NextElement() && in.Bytes(&bytes)));
  CHECK(bytes == "hello");
  REQUIRE((in.NextElement() && in.Bytes(&bytes)));
  CHECK(bytes.empty());
  REQUIRE(in.NextElement());
  CHECK_FALSE(in.Bytes(&bytes));
  CHECK(context.error.code == JsonErrorCode::kFormat);

  static constexpr EnumName kTable[] = {"B", "S", "CONTINUOUS_TRADING", "CONTINUOUS_AUCTION", ""};
  static constexpr EnumNames kNames(kTable);
  auto read_enum = [](JsonReader& r, int32_t* v) { return r.Enum(kNames, v); };
  const std::pair<const char*, int32_t> values[] = {
      {"\"B\"", 0}, {"\"S\"", 1}, {"\"CONTINUOUS_TRADING\"", 2}, {"\"CONTINUOUS_AUCTION\"", 3}, {"\"\"", 4}, {"\"\\u0053\"", 1}};
  for (auto [text, expected] : values) {
    for (const std::string& behind : kBehind) {
      int32_t v = -1;
      CAPTURE(text, behind);
      CHECK(ReadOne(text, behind, &v, read_enum) == JsonErrorCode::kNone);
      CHECK(v == expected);
    }
  }
  int32_t v;
  for (const std::string& behind : kBehind) {
    CHECK(ReadOne("\"b\"", behind, &v, read_enum) == JsonErrorCode::kEnum);
    CHECK(ReadOne("\"CONTINUOUS_TRADINX\"", behind, &v, read_enum) == JsonErrorCode::kEnum);
    CHECK(ReadOne("\"CONTINUO\"", behind, &v, read_enum) == JsonErrorCode::kEnum);
    CHECK(ReadOne("1", behind, &v, read_enum) == JsonErrorCode::kType);
  }

  auto read_null = [](JsonReader& r, int*) { return r.Null() || r.Skip(); };
  int unused;
  CHECK(ReadOne(" null", "", &unused, read_null) == JsonErrorCode::kNone);
  CHECK(ReadOne("nul", "", &unused, read_null) == JsonErrorCode::kTruncated);
}

TEST_CASE("Raw gives a value's bytes unchanged") {
  Exact exact(R"({"a":  {"x" : [1, 2.50, "é\n"]}  , "b":1})");
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(exact.str(), &context);
  Str key, raw;
  REQUIRE((in.BeginObject() && in.NextKey(&key) && in.Raw(&raw)));
  CHECK(raw.view() == R"({"x" : [1, 2.50, "é\n"]})");
  REQUIRE((in.NextKey(&key) && in.Raw(&raw)));
  CHECK(raw == "1");
  CHECK_FALSE(in.NextKey(&key));
  CHECK(in.End());
}

TEST_CASE("A record's fields may come in any order, spacing and company") {
  const char* texts[] = {
      R"({"order_id":17,"symbol":"ACME","price":12.5,"note":null,"legs":[{"no":1,"side":"B"},{"no":2,"side":"S"}],"labels_of_the_order_as_sent":{"a":"b"}})",
      R"({"order_id": 17, "symbol": "ACME", "price": 12.5, "note": null, "legs": [{"no": 1, "side": "B"}, {"no": 2, "side": "S"}], "labels_of_the_order_as_sent": {"a": "b"}})",
      R"({"labels_of_the_order_as_sent":{"a":"b"},"legs":[{"side":"B","no":1},{"side":"S","no":2}],"note":null,"price":12.5,"symbol":"ACME","order_id":17})",
      R"( { "price" : 12.5 , "order_id" : 17 , "legs" : [ { "no" : 1 , "side" : "B" } , { "no" : 2 , "side" : "S" } ] , "symbol" : "ACME" , "labels_of_the_order_as_sent" : { "a" : "b" } } )",
      R"({"x":1,"order_id":17,"y":{"order_id":3},"symbol":"ACME","order_i":0,"order_idx":0,"price":12.5,"z":[[{}]],"legs":[{"no":1,"q":"","side":"B"},{"no":2,"side":"S","r":null}],"labels_of_the_order_as_sent":{"a":"b"},"labels_of_the_order_as_senT":1})",
      R"({"order\u005fid":17,"symbol":"\u0041CME","price":"12.50","legs":[{"no":1,"side":"B"},{"no":2,"side":"S"}],"labels_of_the_order_as_sent":{"a":"b"}})",
      "{\n\t\"order_id\":\n17,\r\n\"symbol\":\t\"ACME\",\"price\"\n:1.25e1,\"legs\":[\n{\"no\":1,\"side\":\"B\"}\n,\n{\"no\":2,\"side\":\"S\"}\n]\n,\"labels_of_the_order_as_sent\":{\n\"a\"\n:\n\"b\"\n}\n}",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    Arena arena;
    Exact exact{std::string_view(text)};
    Decoded d = Decode(text, &arena, exact);
    CAPTURE(d.said);
    REQUIRE(d.good);
    CHECK(d.order.order_id == 17);
    CHECK(d.order.symbol == "ACME");
    CHECK(d.order.price == 125000);
    CHECK_FALSE(d.order.has_note);
    REQUIRE(d.order.leg_count == 2);
    CHECK(d.order.legs[0].no == 1);
    CHECK(d.order.legs[0].side == "B");
    CHECK(d.order.legs[1].no == 2);
    CHECK(d.order.legs[1].side == "S");
    CHECK(d.order.seen_labels == 1);
    // Cut off anywhere it is refused.
    std::string_view view(text);
    for (size_t size = 0; size <= view.rfind('}'); ++size) {
      Exact part(view.substr(0, size));
      CHECK_FALSE(Decode(view.substr(0, size), &arena, part).good);
    }
  }
}

TEST_CASE("Errors say where, which field, what was expected and what was found") {
  CHECK(ErrorOf(R"({"order_id":"x"})") == "byte 12: field `order_id`: expected an int64, found the string `\"x\"`");
  CHECK(ErrorOf(R"({"order_id":1.5,"symbol":"A","price":1})") ==
        "byte 12: field `order_id`: expected a whole number without point and exponent, found `1.5`");
  CHECK(ErrorOf(R"({"order_id":99999999999999999999,"symbol":"A","price":1})") ==
        "byte 12: field `order_id`: `99999999999999999999` does not fit an int64");
  CHECK(ErrorOf(R"({"order_id":1,"symbol":"A","price":1.23456})") ==
        "byte 35: field `price`: `1.23456` has more digits than a decimal(18, 4) keeps");
  CHECK(ErrorOf(R"({"order_id":1,"symbol":"A","price":123456789012345})") ==
        "byte 35: field `price`: `123456789012345` does not fit a decimal(18, 4)");
  CHECK(ErrorOf(R"({"order_id":1,"symbol":"A"})") == "byte 27: field `price` is missing");
  CHECK(ErrorOf(R"({"symbol":"A","price":1,"symbol":"B","order_id":1})") == "byte 33: field `symbol` occurs twice");
  CHECK(ErrorOf(R"({"order_id":1,"symbol":"A","price":1,"legs":[{"no":1}]})") == "byte 53: field `side` is missing");
  CHECK(ErrorOf(R"({"order_id":1,"symbol":"A","price":1} x)") == "byte 38: something follows the value: `x`");
  CHECK(ErrorOf(R"({"order_id":1,"symbol":"A","price":1)") ==
        "byte 36: field `price`: the text ends where `,` or `}` is expected");
  CHECK(ErrorOf(R"({"order_id":1 "symbol":"A"})") ==
        "byte 14: field `order_id`: expected `,` or `}`, found the string `\"symbol\"`");
  CHECK(ErrorOf("{\"order_id\":1,\"symbol\":\"A\xff\"}") ==
        "byte 25: field `symbol`: no valid Unicode: expected valid UTF-8, found `\\xff\"`");
  CHECK(ErrorOf("[]") == "byte 0: expected an object, found an array");
  CHECK(ErrorOf("") == "byte 0: the text ends where an object is expected");
  CHECK(ErrorOf(R"({"order_id":1,"x":[tru],"symbol":"A","price":1})") == "byte 19: expected a value, found `tru`");
}

TEST_CASE("A context is good for the next record after an error") {
  Arena arena;
  JsonContext context(&arena);
  Exact bad("{\"order_id\":x}"), good(R"({"order_id":1,"symbol":"A","price":1})");
  Order order;
  JsonReader first(bad.str(), &context);
  CHECK_FALSE(DecodeOrder(first, &order));
  JsonReader second(good.str(), &context);
  CHECK((DecodeOrder(second, &order) && second.End()));
  CHECK(context.ok());
}

TEST_CASE("Maps notice a key that comes twice") {
  Exact exact(R"({"a":1,"b":2,"a":3})");
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(exact.str(), &context);
  Str key;
  int64_t value;
  REQUIRE((in.BeginObject() && in.NextKey(&key) && in.Int64(&value)));
  CHECK_FALSE(in.DuplicateKey(key));
  CHECK(Describe(context) == "byte 6: field `a` occurs twice");
}

TEST_CASE("A record of many fields finds each of them") {
  static constexpr JsonField kTable[] = {
      "f0",  "f1",  "f2",  "f3",  "f4",  "f5",  "f6",  "f7",  "f8",  "f9",  "f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17",
      "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28", "f29", "f30", "f31", "f32", "f33", "f34", "f35",
      "customer_name", "customer_namf", "customer_name_of_the_other_side", "customer_name_of_the_other_sidf", "", "a\"b", "\xc3\xa9"};
  static constexpr JsonFields kFields(kTable);
  for (size_t i = 0; i < std::size(kTable); ++i) {
    std::string name(kTable[i].name.view());
    std::string escaped = name == "a\"b" ? "a\\\"b" : name;
    for (int expected : {static_cast<int>(i), 0, 5, -1, 1000}) {
      for (const char* tail : {":1}", ":1,\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\":1}", " : 1}"}) {
        Exact exact("{\"" + escaped + "\"" + tail);
        Arena arena;
        JsonContext context(&arena);
        JsonReader in(exact.str(), &context);
        CAPTURE(name, expected, tail);
        REQUIRE(in.BeginObject());
        REQUIRE(in.NextField(kFields, expected) == static_cast<int>(i));
        int64_t v;
        REQUIRE(in.Int64(&v));
        CHECK(v == 1);
      }
    }
  }
  for (const char* name : {"f", "f36", "F1", "customer_namg", "customer_name_of_the_other_sidg", "f00", "f1 "}) {
    Exact exact("{\"" + std::string(name) + "\":1}");
    Arena arena;
    JsonContext context(&arena);
    JsonReader in(exact.str(), &context);
    REQUIRE(in.BeginObject());
    CHECK(in.NextField(kFields, 1) == kUnknownField);
  }
}
