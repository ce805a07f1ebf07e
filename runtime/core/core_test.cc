// Strings, arenas, buffers, lists, rows, hashes, UTF-8, Base64 and numbers as text.
#include <catch2/catch.hpp>

#include <cmath>
#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/base64.h"
#include "runtime/core/buffer.h"
#include "runtime/core/crc32c.h"
#include "runtime/core/hash.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/list.h"
#include "runtime/core/number_text.h"
#include "runtime/core/row.h"
#include "runtime/core/status.h"
#include "runtime/core/time.h"
#include "runtime/core/utf8.h"

using namespace weir;

namespace {

Str View(const std::string& text) { return Str(std::string_view(text)); }

template <class Write>
std::string Json(Write write) {
  Buffer buffer;
  JsonWriter out(&buffer);
  write(out);
  return std::string(buffer.str().view());
}

std::string DoubleText(double v) {
  char buf[kDoubleTextMax];
  return std::string(buf, FormatDouble(v, buf));
}

}  // namespace

TEST_CASE("Strings compare by bytes, and an empty one needs no data") {
  Str none;
  CHECK(none == "");
  CHECK(none < "a");
  CHECK(Str("a") < Str("ab"));
  CHECK(Str("b") > Str("ab"));
  CHECK(Str("\x7f") < Str("\x80"));
  CHECK(Str("a\0b").size == 3);
  CHECK(Str("a") != Str("b"));
  CHECK(Str("abcd").Sub(1, 2) == "bc");
  CHECK(Str("abcd").Sub(3) == "d");
  CHECK(Str("abcd").Sub(9, 2) == "");
  CHECK(Hash(none) == Hash(Str("")));
}

TEST_CASE("An arena aligns, keeps its blocks and takes large ones") {
  Arena arena;
  for (size_t align = 1; align <= 64; align *= 2) {
    for (size_t size : {size_t{1}, size_t{3}, size_t{64}, size_t{1000}, 3 * Arena::kBlockBytes}) {
      void* at = arena.Alloc(size, align);
      CHECK(reinterpret_cast<uintptr_t>(at) % align == 0);
      std::memset(at, 0xab, size);
    }
  }
  std::vector<std::pair<char*, char>> pieces;
  for (int i = 0; i < 20000; ++i) {
    char* at = arena.AllocChars(37);
    std::memset(at, i % 100, 37);
    pieces.emplace_back(at, static_cast<char>(i % 100));
  }
  for (auto [at, c] : pieces) {
    for (int k = 0; k < 37; ++k) REQUIRE(at[k] == c);
  }
  arena.Reset();
  size_t held = arena.bytes_held();
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20000; ++i) arena.AllocChars(37);
    arena.Reset();
  }
  CHECK(arena.bytes_held() == held);
  CHECK(arena.Copy("hello") == "hello");
  CHECK(arena.Copy(Str()) == "");
  char* a = arena.AllocChars(100);
  arena.Shrink(a, 100, 10);
  CHECK(arena.AllocChars(1) == a + 10);
}

TEST_CASE("An arena gives back what is beyond its limit") {
  Arena arena(1 << 20);
  arena.AllocChars(100);
  arena.AllocChars(10 << 20);
  arena.Reset();
  CHECK(arena.bytes_held() <= 1 << 20);
  Arena giant(1 << 20);
  giant.AllocChars(10 << 20);
  giant.Reset();
  CHECK(giant.bytes_held() == 0);
  CHECK(giant.Copy("again") == "again");
}

TEST_CASE("A buffer grows, is cut and keeps its memory") {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    buffer.Append(Str("0123456789").Sub(0, static_cast<uint32_t>(i % 11)));
    expected += std::string("0123456789").substr(0, static_cast<size_t>(i % 11));
  }
  CHECK(buffer.str().view() == expected);
  buffer.Truncate(3);
  buffer.Append('x');
  CHECK(buffer.str() == "001x");
  CHECK(buffer.From(2) == "1x");
  size_t capacity = buffer.capacity();
  buffer.Clear();
  CHECK(buffer.capacity() == capacity);
  Buffer moved = std::move(buffer);
  CHECK(moved.capacity() == capacity);
  moved.Trim(16);
  CHECK(moved.capacity() == 16);
  moved.Append(Str("still works after it was trimmed"));
  CHECK(moved.str() == "still works after it was trimmed");
}

TEST_CASE("Lists and maps keep their order") {
  Arena arena;
  ListBuilder<int64_t> numbers(arena);
  for (int64_t i = 0; i < 100; ++i) numbers.Add(i * i);
  List<int64_t> list = numbers.Finish();
  REQUIRE(list.size == 100);
  for (uint32_t i = 0; i < 100; ++i) CHECK(list[i] == i * i);
  MapBuilder<int64_t> entries(arena);
  *entries.Add("b") = 2;
  *entries.Add("a") = 1;
  CHECK(entries.Add("b") == nullptr);
  Map<int64_t> map = entries.Finish();
  REQUIRE(map.size == 2);
  CHECK(map.data[0].key == "b");
  CHECK(*map.Find("a") == 1);
  CHECK(map.Find("c") == nullptr);
  MapBuilder<int64_t> other(arena);
  *other.Add("a") = 1;
  *other.Add("b") = 2;
  CHECK(map == other.Finish());
  CHECK(Opt<Str>() == Opt<Str>());
  CHECK(Opt<Str>("a") != Opt<Str>());
  CHECK(Opt<int64_t>(3).Or(4) == 3);
  CHECK(Opt<int64_t>().Or(4) == 4);
}

TEST_CASE("Rows come back as they were written") {
  Buffer buffer;
  RowWriter out(&buffer);
  std::mt19937_64 random(1);
  std::vector<int64_t> numbers = {0, 1, -1, 63, 64, -64, -65, 8191, 8192, INT64_MAX, INT64_MIN};
  for (int i = 0; i < 500; ++i) numbers.push_back(static_cast<int64_t>(random()) >> (random() % 64));
  for (int64_t v : numbers) {
    out.I64(v);
    out.U64(static_cast<uint64_t>(v));
    out.I32(static_cast<int32_t>(v));
    out.I128(static_cast<i128>(v) * v);
    out.I128(-static_cast<i128>(v) * v);
    out.F64(static_cast<double>(v));
    out.Bool(v % 2 == 0);
  }
  out.I128(kI128Min);
  out.I128(kI128Max);
  out.Str("hello");
  out.Str(Str());
  out.OptTag(true);
  out.Count(3);
  out.Raw("xyz");
  RowReader in(buffer.str());
  for (int64_t v : numbers) {
    CHECK(in.I64() == v);
    CHECK(in.U64() == static_cast<uint64_t>(v));
    CHECK(in.I32() == static_cast<int32_t>(v));
    CHECK((in.I128() == static_cast<i128>(v) * v));
    CHECK((in.I128() == -static_cast<i128>(v) * v));
    CHECK(in.F64() == static_cast<double>(v));
    CHECK(in.Bool() == (v % 2 == 0));
  }
  CHECK((in.I128() == kI128Min));
  CHECK((in.I128() == kI128Max));
  CHECK(in.Str() == "hello");
  CHECK(in.Str() == "");
  CHECK(in.OptTag());
  CHECK(in.Count() == 3);
  CHECK(in.Raw(3) == "xyz");
  CHECK(in.AtEnd());
}

TEST_CASE("Rows that were cut off or damaged are noticed, and nothing beyond them is read") {
  Buffer buffer;
  RowWriter out(&buffer);
  out.I64(INT64_MIN);
  out.Str("hello");
  out.I128(kI128Min);
  out.F64(1.5);
  out.Bool(true);
  auto read = [](std::string_view bytes) {
    // Exactly as large as it is, so that AddressSanitizer sees a byte too many.
    std::vector<char> exact(bytes.begin(), bytes.end());
    RowReader in(Str(exact.data(), exact.size()));
    in.I64();
    in.Str();
    in.I128();
    in.F64();
    in.Bool();
    return in.AtEnd();
  };
  std::string bytes(buffer.str().view());
  CHECK(read(bytes));
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(read(std::string_view(bytes).substr(0, n)));
  CHECK_FALSE(read(bytes + "x"));
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = bytes;
    for (int k = 0; k < 3; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    read(damaged);
  }
  RowReader bad_bool(Str("\x02"));
  CHECK_FALSE(bad_bool.Bool());
  CHECK_FALSE(bad_bool.ok());
  CHECK(bad_bool.I64() == 0);
  RowReader long_varint(Str("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
  CHECK(long_varint.U64() == 0);
  CHECK_FALSE(long_varint.ok());
  RowReader endless(Str("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  endless.U64();
  CHECK_FALSE(endless.ok());
  RowReader far(Str("\xff\xff\xff\xff\x0f"));
  CHECK(far.Count() == 0);
  CHECK_FALSE(far.ok());
  RowReader wide_int(Str("\xff\xff\xff\xff\x7f"));
  CHECK(wide_int.I32() == 0);
  CHECK_FALSE(wide_int.ok());
}

TEST_CASE("Hashes are those that others compute") {
  CHECK(Hash(Str("")) == 0x2d06800538d394c2u);
  CHECK(Hash128(Str("")) == H128{0x6001c324468d497fu, 0x99aa06d3014798d8u});
  CHECK(Hash64("abc", 3, 0) == Hash(Str("abc")));
  CHECK(Hash64("abc", 3, 1) != Hash(Str("abc")));
  // From the tests of Kafka's Java client.
  CHECK(static_cast<int32_t>(Murmur2(Str("21"))) == -973932308);
  CHECK(static_cast<int32_t>(Murmur2(Str("foobar"))) == -790332482);
  CHECK(static_cast<int32_t>(Murmur2(Str("a-little-bit-long-string"))) == -985981536);
  CHECK(static_cast<int32_t>(Murmur2(Str("a-little-bit-longer-string"))) == -1486304829);
  CHECK(static_cast<int32_t>(Murmur2(Str("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"))) == -58897971);
  CHECK(static_cast<int32_t>(Murmur2(Str("abc"))) == 479470107);
  CHECK(Murmur2Positive(Str("21")) == (static_cast<uint32_t>(-973932308) & 0x7fffffff));
  for (const char* key : {"", "\x80", "\xff\xfe\xfd", "SYM001"}) {
    int32_t p = KafkaPartition(Str(std::string_view(key)), 7);
    CHECK((p >= 0 && p < 7));
  }
}

TEST_CASE("CRC-32C is Castagnoli's, by instruction and by table") {
  CHECK(Crc32c("123456789", 9) == 0xe3069283u);
  CHECK(Crc32c("", 0) == 0);
  std::mt19937_64 random(3);
  for (size_t n = 0; n < 300; ++n) {
    std::string bytes(n, 0);
    for (char& c : bytes) c = static_cast<char>(random());
    uint32_t whole = Crc32c(bytes.data(), n);
    REQUIRE(whole == Crc32cPortable(bytes.data(), n));
    REQUIRE(whole == Crc32c(bytes.data() + n / 3, n - n / 3, Crc32c(bytes.data(), n / 3)));
  }
}

TEST_CASE("UTF-8 is what RFC 3629 says, at every place in a text") {
  const std::string good[] = {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                              "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", std::string("\0", 1)};
  const std::string bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf",
                             "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "\xe2\x82\x28", "\xf0\x28\x8c\xbc"};
  for (size_t before = 0; before < 20; ++before) {
    for (const std::string& s : good) {
      for (size_t behind : {0, 1, 15, 16, 17}) {
        std::string text = std::string(before, 'x') + s + std::string(behind, 'y');
        CHECK(ValidUtf8(View(text)));
        CHECK(CountCodePoints(View(text)) == before + behind + (s.empty() ? 0 : 1));
      }
    }
    for (const std::string& s : bad) {
      std::string text = std::string(before, 'x') + s + std::string(20, 'y');
      CAPTURE(before, text);
      CHECK(ValidUtf8Prefix(text.data(), text.size()) == before);
      text.resize(before + s.size());
      CHECK(ValidUtf8Prefix(text.data(), text.size()) == before);
    }
  }
  for (uint32_t cp : {0u, 0x7fu, 0x80u, 0x7ffu, 0x800u, 0xd7ffu, 0xe000u, 0xffffu, 0x10000u, 0x10ffffu}) {
    char text[4];
    int n = EncodeUtf8(cp, text);
    CHECK(ValidUtf8Prefix(text, static_cast<size_t>(n)) == static_cast<size_t>(n));
    CHECK(Utf8Width(static_cast<unsigned char>(text[0])) == n);
    const char* p = text;
    CHECK(DecodeCodePoint(&p) == cp);
    CHECK(p == text + n);
  }
  Str mixed("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9z");
  CHECK(CodePointOffset(mixed, 0) == 0);
  CHECK(CodePointOffset(mixed, 2) == 3);
  CHECK(CodePointOffset(mixed, 4) == 10);
  CHECK(CodePointOffset(mixed, 5) == 11);
  CHECK(CodePointOffset(mixed, 50) == 11);
}

TEST_CASE("Base64 is canonical") {
  const std::pair<std::string, std::string> cases[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe", "//4="}};
  for (auto& [bytes, text] : cases) {
    std::string encoded(Base64Size(bytes.size()), '?');
    EncodeBase64(View(bytes), encoded.data());
    CHECK(encoded == text);
    std::string decoded(Base64BytesMax(text.size()), '?');
    size_t size = 0;
    REQUIRE(DecodeBase64(View(text), decoded.data(), &size));
    CHECK(decoded.substr(0, size) == bytes);
  }
  char out[64];
  size_t size;
  for (const char* text : {"Z", "Zg", "Zg=", "Zg==Zg==", "Zh==", "Zm9=", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm9-", "_m9v", "=Zm9"}) {
    CAPTURE(text);
    CHECK_FALSE(DecodeBase64(Str(std::string_view(text)), out, &size));
  }
}

TEST_CASE("Whole numbers as text") {
  char buf[kInt64TextMax];
  std::mt19937_64 random(4);
  std::vector<uint64_t> values = {0, UINT64_MAX, INT64_MAX};
  for (uint64_t power = 1, n = 0; n < 20; ++n, power *= 10) {
    values.push_back(power - 1);
    values.push_back(power);
    values.push_back(power + 1);
  }
  for (int i = 0; i < 50000; ++i) values.push_back(random() >> (random() % 64));
  for (uint64_t v : values) {
    REQUIRE(std::string(buf, FormatUint64(v, buf)) == std::to_string(v));
    auto s = static_cast<int64_t>(v);
    REQUIRE(std::string(buf, FormatInt64(s, buf)) == std::to_string(s));
    int64_t again;
    REQUIRE((ParseInt64(View(std::to_string(s)), &again) && again == s));
  }
  int64_t v = 7;
  CHECK((ParseInt64("+5", &v) && v == 5));
  for (const char* text : {"", "-", "+", "1x", " 1", "1 ", "1.0", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseInt64(Str(std::string_view(text)), &v));
  }
}

TEST_CASE("Doubles as text read back as the same double") {
  CHECK(DoubleText(0) == "0");
  CHECK(DoubleText(-0.0) == "-0");
  CHECK(DoubleText(1) == "1");
  CHECK(DoubleText(-1.5) == "-1.5");
  CHECK(DoubleText(100000) == "100000");
  CHECK(DoubleText(0.1) == "0.1");
  CHECK(DoubleText(1.25e17) == "125000000000000000");
  CHECK(DoubleText(1e18) == "1e+18");
  CHECK(DoubleText(1.5e-7) == "0.00000015");
  CHECK(DoubleText(1.5e-8) == "1.5e-8");
  CHECK(DoubleText(5e-324) == "5e-324");
  CHECK(DoubleText(-1.7976931348623157e308) == "-1.7976931348623157e+308");
  CHECK(DoubleText(NAN) == "NaN");
  CHECK(DoubleText(-INFINITY) == "-Infinity");
  std::mt19937_64 random(5);
  for (int i = 0; i < 50000; ++i) {
    uint64_t bits = random();
    double v, again;
    std::memcpy(&v, &bits, 8);
    if (std::isnan(v)) continue;
    if (i % 2 == 0) v = static_cast<double>(static_cast<int64_t>(bits >> (random() % 64))) / 1000;
    REQUIRE(ParseDouble(View(DoubleText(v)), &again));
    REQUIRE(again == v);
  }
  double v;
  CHECK((ParseDouble("1e-400", &v) && v == 0));
  CHECK((ParseDouble("0.0000001e-330", &v) && v == 0));
  CHECK((ParseDouble("-1e-400", &v) && std::signbit(v)));
  CHECK((ParseDouble(".5", &v) && v == 0.5));
  CHECK((ParseDouble("+2.", &v) && v == 2));
  CHECK((ParseDouble("NaN", &v) && std::isnan(v)));
  CHECK((ParseDouble("-Infinity", &v) && v == -INFINITY));
  for (const char* text : {"", "-", ".", "e5", "1e", "1e400", "-1e400", "10000000000e300", "inf", "nan", "infinity", "0x10", "1 ", " 1", "1,5", "--1", "+-1"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDouble(Str(std::string_view(text)), &v));
  }
}

TEST_CASE("Status says what failed") {
  CHECK(Status().ok());
  CHECK(Status().ToString() == "ok");
  Status s = Status::Unavailable("cannot reach localhost:9092");
  CHECK(s.ToString() == "unavailable: cannot reach localhost:9092");
  CHECK(s.Within("trades").message() == "trades: cannot reach localhost:9092");
  CHECK(Status::FromErrno(ENOENT, "opening a.weir").code() == StatusCode::kNotFound);
  CHECK(Status::FromErrno(ENOENT, "opening a.weir").message() == "opening a.weir: No such file or directory");
}

TEST_CASE("JSON is written with the commas and escapes it needs") {
  CHECK(Json([](JsonWriter& out) {
          out.BeginObject();
          out.Field("a\"b");
          out.Int64(-5);
          out.Field("list");
          out.BeginArray();
          out.Element();
          out.Null();
          out.Element();
          out.Bool(true);
          out.Element();
          out.BeginObject();
          out.EndObject();
          out.Element();
          out.BeginArray();
          out.EndArray();
          out.EndArray();
          out.Field("raw");
          out.Raw("[1,2]");
          out.EndObject();
        }) == R"({"a\"b":-5,"list":[null,true,{},[]],"raw":[1,2]})");
  CHECK(Json([](JsonWriter& out) { out.Decimal(int64_t{105000}, 4); }) == "10.5");
  CHECK(Json([](JsonWriter& out) { out.Decimal(i128{10500000}, 4); }) == "1050");
  CHECK(Json([](JsonWriter& out) { out.F64(0.1); }) == "0.1");
  CHECK(Json([](JsonWriter& out) { out.F64(NAN); }) == "null");
  CHECK(Json([](JsonWriter& out) { out.Bytes("hello"); }) == "\"aGVsbG8=\"");
  CHECK(Json([](JsonWriter& out) { out.Timestamp(500 * kNsPerMs); }) == "\"1970-01-01T00:00:00.5Z\"");
  CHECK(Json([](JsonWriter& out) { out.Milliseconds(1999999); }) == "1");
  CHECK(Json([](JsonWriter& out) { out.Date(1); }) == "\"1970-01-02\"");
  CHECK(Json([](JsonWriter& out) { out.Duration(90 * kNsPerMinute); }) == "\"1h30m\"");
  CHECK(Json([](JsonWriter& out) { out.Literal("{}"); }) == "{}");
}

TEST_CASE("Strings are escaped at every place and length") {
  for (int c = 0; c < 256; ++c) {
    if (c >= 0x80) continue;
    std::string escaped;
    switch (c) {
      case '"': escaped = "\\\""; break;
      case '\\': escaped = "\\\\"; break;
      case '\b': escaped = "\\b"; break;
      case '\f': escaped = "\\f"; break;
      case '\n': escaped = "\\n"; break;
      case '\r': escaped = "\\r"; break;
      case '\t': escaped = "\\t"; break;
      default: {
        char hex[8];
        std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned>(c));
        escaped = c < 0x20 ? hex : std::string(1, static_cast<char>(c));
      }
    }
    for (size_t size = 0; size < 40; ++size) {
      for (size_t at = 0; at <= size; at += 3) {
        std::string text = std::string(at, 'x') + static_cast<char>(c) + std::string(size - at, '\x7f');
        REQUIRE(Json([&](JsonWriter& out) { out.Str(View(text)); }) ==
                "\"" + std::string(at, 'x') + escaped + std::string(size - at, '\x7f') + "\"");
      }
    }
  }
  std::string large(100000, 'a');
  for (size_t i = 0; i < large.size(); i += 1000) large[i] = '"';
  std::string written = Json([&](JsonWriter& out) { out.Str(View(large)); });
  CHECK(written.size() == large.size() + 2 + 100);
}
