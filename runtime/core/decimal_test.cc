// Decimals beside unbounded integers.
#include "runtime/core/decimal.h"

#include <catch2/catch.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <cmath>
#include <random>
#include <string>

using namespace weir;
using Big = boost::multiprecision::cpp_int;  // the second opinion: slow, obvious, unbounded

namespace {

Big ToBig(i128 v) {
  u128 m = Magnitude(v);
  Big b = (Big(static_cast<uint64_t>(m >> 64)) << 64) + static_cast<uint64_t>(m);
  return v < 0 ? Big(-b) : b;
}

Big Power(int n) {
  Big p = 1;
  for (; n > 0; --n) p *= 10;
  return p;
}

// a / b rounded half to even.
Big DivideHalfEven(Big a, Big b) {
  bool negative = (a < 0) != (b < 0);
  if (a < 0) a = -a;
  if (b < 0) b = -b;
  Big q = a / b, twice = (a % b) * 2;
  if (twice > b || (twice == b && q % 2 == 1)) q += 1;
  return negative ? Big(-q) : q;
}

bool Fits(const Big& v, int digits = 38) { return v < Power(digits) && v > -Power(digits); }

// All lengths equally likely, with runs of nines and zeros, where carries live.
i128 Random(std::mt19937_64& random) {
  int digits = static_cast<int>(random() % 39);
  i128 v = 0;
  int style = static_cast<int>(random() % 4);
  for (int i = 0; i < digits; ++i) {
    int d = style == 0 ? 9 : style == 1 ? (i == 0 ? 1 : 0) : static_cast<int>(random() % 10);
    v = v * 10 + d;
  }
  if (style == 1 && random() % 2 == 0 && v > 0) v += static_cast<i128>(random() % 3) - 1;
  return random() % 2 == 0 ? v : -v;
}

std::string Text(i128 v, int scale) {
  char buf[kDecimalTextMax];
  return std::string(buf, FormatDecimal(v, scale, buf));
}

std::string Fixed(i128 v, int scale) {
  char buf[kDecimalTextMax];
  return std::string(buf, FormatDecimalFixed(v, scale, buf));
}

DecimalError Parse(const std::string& text, int precision, int scale, i128* out) {
  return ParseDecimal(Str(std::string_view(text)), precision, scale, out);
}

i128 Parsed(const std::string& text, int precision, int scale) {
  i128 v = 0;
  CAPTURE(text);
  REQUIRE(Parse(text, precision, scale, &v) == DecimalError::kOk);
  return v;
}

bool Same(i128 a, i128 b) { return a == b; }  // Catch cannot print them

// What FormatDecimal should say, the slow way.
std::string SlowText(i128 v, int scale) {
  Big m = ToBig(v);
  bool negative = m < 0;
  if (negative) m = -m;
  std::string digits = m.str();
  while (static_cast<int>(digits.size()) <= scale) digits.insert(digits.begin(), '0');
  std::string text = digits.substr(0, digits.size() - static_cast<size_t>(scale));
  std::string behind = digits.substr(digits.size() - static_cast<size_t>(scale));
  while (!behind.empty() && behind.back() == '0') behind.pop_back();
  if (!behind.empty()) text += "." + behind;
  return negative ? "-" + text : text;
}

}  // namespace

TEST_CASE("Powers of ten are what they should be") {
  for (int i = 0; i <= 38; ++i) CHECK(ToBig(kPow10Wide[i]) == Power(i));
  for (int i = 0; i <= 18; ++i) CHECK(Big(kPow10[i]) == Power(i));
}

TEST_CASE("Decimals are read exactly") {
  CHECK(Same(Parsed("12.34", 18, 4), 123400));
  CHECK(Same(Parsed("-12.34", 18, 4), -123400));
  CHECK(Same(Parsed("0", 18, 4), 0));
  CHECK(Same(Parsed("-0", 18, 4), 0));
  CHECK(Same(Parsed("0.0000", 18, 4), 0));
  CHECK(Same(Parsed(".5", 18, 4), 5000));
  CHECK(Same(Parsed("5.", 18, 4), 50000));
  CHECK(Same(Parsed("+7", 18, 4), 70000));
  CHECK(Same(Parsed("1e3", 18, 4), 10000000));
  CHECK(Same(Parsed("1E+3", 18, 0), 1000));
  CHECK(Same(Parsed("12500e-2", 18, 4), 1250000));
  CHECK(Same(Parsed("0.1", 18, 1), 1));
  CHECK(Same(Parsed("1.50000000000000000000000000000000000000000000000000", 18, 1), 15));
  CHECK(Same(Parsed("000000000000000000000000000000000000000000000000001", 1, 0), 1));
  CHECK(Same(Parsed("0e999999999999999999999999", 1, 0), 0));
  CHECK(Same(Parsed("0.000000000000000000000000000000000000001e39", 2, 0), 1));
  CHECK(Same(Parsed("1000000000000000000000000000000000000000e-39", 2, 0), 1));
  CHECK(Same(Parsed("99999999999999999999999999999999999999", 38, 0), kPow10Wide[38] - 1));
  CHECK(Same(Parsed("-0.99999999999999999999999999999999999999", 38, 38), 1 - kPow10Wide[38]));
}

TEST_CASE("Decimals that are none, do not fit or are too fine are told apart") {
  i128 v = 7;
  for (const char* text : {"", "-", "+", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "1.2.3", "1,5", " 1", "1 ", "0x1", "1a", "--1",
                           "+-1", "NaN", "Infinity", "1e5x", "1e1.5", "\xc2\xbd"}) {
    CAPTURE(text);
    CHECK(Parse(text, 18, 4, &v) == DecimalError::kSyntax);
  }
  for (const char* text : {"0.00001", "1.23456", "-12.00001", "1e-5", "123456e-6", "1e-999999999999999999"}) {
    CAPTURE(text);
    CHECK(Parse(text, 18, 4, &v) == DecimalError::kInexact);
  }
  for (const char* text : {"100000000000000", "-100000000000000", "1e14", "1e999999999999999999", "123456789012345678901234567890123456789012",
                           "99999999999999999.99999999999999999999999999999999"}) {
    CAPTURE(text);
    CHECK(Parse(text, 18, 4, &v) == DecimalError::kOverflow);
  }
  CHECK(Parse("100000000000000000000000000000000000000", 38, 0, &v) == DecimalError::kOverflow);
  CHECK(Parse("1", 38, 38, &v) == DecimalError::kOverflow);
  CHECK(Same(v, 7));
}

TEST_CASE("Decimals are written in one form whatever their scale") {
  CHECK(Text(105000, 4) == "10.5");
  CHECK(Text(10500000, 4) == "1050");
  CHECK(Text(-5, 1) == "-0.5");
  CHECK(Text(0, 4) == "0");
  CHECK(Text(1, 38) == "0.00000000000000000000000000000000000001");
  CHECK(Text(-(kPow10Wide[38] - 1), 38) == "-0.99999999999999999999999999999999999999");
  CHECK(Text(kI128Min, 0) == "-170141183460469231731687303715884105728");
  CHECK(Text(kI128Max, 38) == "1.70141183460469231731687303715884105727");
  CHECK(Fixed(105000, 4) == "10.5000");
  CHECK(Fixed(0, 2) == "0.00");
  CHECK(Fixed(-5, 2) == "-0.05");
  CHECK(Fixed(7, 0) == "7");
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    i128 v = Random(random);
    int scale = static_cast<int>(random() % 39);
    std::string text = Text(v, scale);
    CAPTURE(text, scale);
    REQUIRE(text == SlowText(v, scale));
    REQUIRE(Same(Parsed(text, 38, scale), v));
    REQUIRE(Same(Parsed(Fixed(v, scale), 38, scale), v));
    if (v == static_cast<int64_t>(v)) {
      char buf[kDecimalTextMax];
      REQUIRE(std::string(buf, FormatDecimal(static_cast<int64_t>(v), scale % 19, buf)) == SlowText(v, scale % 19));
    }
  }
}

TEST_CASE("Multiplying 128 bits is checked") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50000; ++i) {
    i128 a = Random(random), b = Random(random);
    if (i % 7 == 0) a = static_cast<i128>(static_cast<u128>(random()) << 64 | random()) >> (random() % 128);
    Big expected = ToBig(a) * ToBig(b);
    i128 out = 7;
    bool fits128 = expected <= ToBig(kI128Max) && expected >= ToBig(kI128Min);
    REQUIRE(CheckedMul(a, b, &out) == fits128);
    if (fits128) REQUIRE(ToBig(out) == expected);
    out = 7;
    REQUIRE(MulDecimal(a, b, &out) == Fits(expected));
    REQUIRE(ToBig(out) == (Fits(expected) ? expected : Big(7)));
  }
  i128 out;
  CHECK(CheckedMul(kI128Min, 1, &out));
  CHECK(CheckedMul(kI128Max, -1, &out));
  CHECK_FALSE(CheckedMul(kI128Min, -1, &out));
  CHECK(MulDecimal(INT64_MIN, INT64_MIN, &out));
}

TEST_CASE("Adding and subtracting stop at 38 digits") {
  i128 top = kPow10Wide[38] - 1, out = 7;
  CHECK(AddDecimal(top, 0, &out));
  CHECK_FALSE(AddDecimal(top, 1, &out));
  CHECK_FALSE(AddDecimal(-top, -1, &out));
  CHECK_FALSE(SubDecimal(-top, 1, &out));
  CHECK_FALSE(AddDecimal(top, top, &out));
  CHECK(Same(out, top));
  CHECK(SubDecimal(top, top, &out));
  CHECK(Same(out, 0));
}

TEST_CASE("Division rounds half to even at any scale, over 256 bits") {
  std::mt19937_64 random(3);
  int divided = 0;
  for (int i = 0; i < 100000; ++i) {
    i128 a = Random(random), b = Random(random);
    int scale_a = static_cast<int>(random() % 39), scale_b = static_cast<int>(random() % 39);
    int scale_out = static_cast<int>(random() % 39);
    i128 out = 7;
    bool good = DivDecimal(a, scale_a, b, scale_b, scale_out, &out);
    if (b == 0) {
      REQUIRE_FALSE(good);
      continue;
    }
    Big expected = DivideHalfEven(ToBig(a) * Power(scale_out + scale_b), ToBig(b) * Power(scale_a));
    CAPTURE(Text(a, 0), Text(b, 0), scale_a, scale_b, scale_out);
    REQUIRE(good == Fits(expected));
    REQUIRE(ToBig(out) == (good ? expected : Big(7)));
    divided += good ? 1 : 0;
  }
  CHECK(divided > 20000);
  i128 out;
  CHECK((DivDecimal(1, 0, 8, 0, 2, &out) && Same(out, 12)));   // 0.125
  CHECK((DivDecimal(3, 0, 8, 0, 2, &out) && Same(out, 38)));   // 0.375
  CHECK((DivDecimal(-1, 0, 8, 0, 2, &out) && Same(out, -12)));
}

TEST_CASE("Remainders have the sign of the dividend") {
  std::mt19937_64 random(4);
  for (int i = 0; i < 50000; ++i) {
    i128 a = Random(random), b = Random(random);
    int scale_a = static_cast<int>(random() % 39), scale_b = static_cast<int>(random() % 39);
    i128 out = 7;
    if (b == 0) {
      REQUIRE_FALSE(ModDecimal(a, scale_a, b, scale_b, &out));
      continue;
    }
    int scale = std::max(scale_a, scale_b);
    Big expected = (ToBig(a) * Power(scale - scale_a)) % (ToBig(b) * Power(scale - scale_b));
    REQUIRE(ModDecimal(a, scale_a, b, scale_b, &out));
    REQUIRE(ToBig(out) == expected);
  }
}

TEST_CASE("Rescaling rounds half to even and checks the precision") {
  CHECK(Same(RescaleDown(25, 1), 2));
  CHECK(Same(RescaleDown(35, 1), 4));
  CHECK(Same(RescaleDown(-25, 1), -2));
  CHECK(Same(RescaleDown(26, 1), 3));
  CHECK(Same(RescaleDown(kPow10Wide[38] - 1, 38), 1));
  CHECK(Same(RescaleDown(kPow10Wide[38] / 2, 38), 0));
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    i128 v = Random(random);
    int from = static_cast<int>(random() % 39), to = static_cast<int>(random() % 39);
    int precision = 1 + static_cast<int>(random() % 38);
    Big expected = to >= from ? Big(ToBig(v) * Power(to - from)) : DivideHalfEven(ToBig(v), Power(from - to));
    i128 out = 7;
    REQUIRE(Rescale(v, from, to, precision, &out) == Fits(expected, precision));
    REQUIRE(ToBig(out) == (Fits(expected, precision) ? expected : Big(7)));
  }
}

TEST_CASE("Rounding modes") {
  struct {
    i128 v;
    int even, away, zero, floor, ceiling;
  } cases[] = {{25, 2, 3, 2, 2, 3},     {35, 4, 4, 3, 3, 4},      {24, 2, 2, 2, 2, 3},    {26, 3, 3, 2, 2, 3},
               {-25, -2, -3, -2, -3, -2}, {-24, -2, -2, -2, -3, -2}, {-26, -3, -3, -2, -3, -2}, {20, 2, 2, 2, 2, 2},
               {-20, -2, -2, -2, -2, -2}, {0, 0, 0, 0, 0, 0},       {5, 0, 1, 0, 0, 1},     {-5, 0, -1, 0, -1, 0}};
  for (auto& c : cases) {
    CAPTURE(static_cast<int>(c.v));
    CHECK(static_cast<int>(RoundDown(c.v, 1, Rounding::kHalfEven)) == c.even);
    CHECK(static_cast<int>(RoundDown(c.v, 1, Rounding::kHalfAwayFromZero)) == c.away);
    CHECK(static_cast<int>(RoundDown(c.v, 1, Rounding::kTowardZero)) == c.zero);
    CHECK(static_cast<int>(RoundDown(c.v, 1, Rounding::kFloor)) == c.floor);
    CHECK(static_cast<int>(RoundDown(c.v, 1, Rounding::kCeiling)) == c.ceiling);
  }
}

TEST_CASE("Comparing works across all scales") {
  std::mt19937_64 random(6);
  for (int i = 0; i < 50000; ++i) {
    i128 a = Random(random), b = i % 3 == 0 ? a : Random(random);
    int scale_a = static_cast<int>(random() % 39), scale_b = static_cast<int>(random() % 39);
    Big x = ToBig(a) * Power(scale_b), y = ToBig(b) * Power(scale_a);
    REQUIRE(CompareDecimal(a, scale_a, b, scale_b) == (x < y ? -1 : x > y ? 1 : 0));
  }
  CHECK(CompareDecimal(10, 1, 1, 0) == 0);
}

TEST_CASE("Decimals and whole numbers") {
  int64_t v = 7;
  CHECK((DecimalToInt64(120000, 4, &v) && v == 12));
  CHECK_FALSE(DecimalToInt64(120001, 4, &v));
  CHECK_FALSE(DecimalToInt64(kPow10Wide[38] - 1, 0, &v));
  CHECK((DecimalToInt64(INT64_MIN, 0, &v) && v == INT64_MIN));
  CHECK_FALSE(DecimalToInt64(static_cast<i128>(INT64_MAX) + 1, 0, &v));
  i128 d = 7;
  CHECK((DecimalFromInt64(12, 18, 4, &d) && Same(d, 120000)));
  CHECK_FALSE(DecimalFromInt64(100, 4, 2, &d));
}

TEST_CASE("Decimals and doubles") {
  CHECK(DecimalToDouble(123456, 4) == 12.3456);
  CHECK(DecimalToDouble(-1, 1) == -0.1);
  CHECK(DecimalToDouble(Parsed("3.14159265358979323846264338327950288", 38, 35), 35) == 3.14159265358979323846);
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    i128 v = Random(random);
    int scale = static_cast<int>(random() % 39);
    REQUIRE(DecimalToDouble(v, scale) == std::strtod(SlowText(v, scale).c_str(), nullptr));
  }
  i128 d = 7;
  CHECK((DecimalFromDouble(0.1, 18, 4, &d) && Same(d, 1000)));
  CHECK((DecimalFromDouble(2.675, 18, 2, &d) && Same(d, 268)));  // of what people see, not of the binary value
  CHECK((DecimalFromDouble(-2.665, 18, 2, &d) && Same(d, -266)));
  CHECK((DecimalFromDouble(0, 18, 2, &d) && Same(d, 0)));
  CHECK((DecimalFromDouble(1e-300, 18, 2, &d) && Same(d, 0)));
  CHECK((DecimalFromDouble(1e37, 38, 0, &d) && Same(d, kPow10Wide[37])));
  CHECK_FALSE(DecimalFromDouble(1e38, 38, 0, &d));
  CHECK_FALSE(DecimalFromDouble(1e300, 38, 0, &d));
  CHECK_FALSE(DecimalFromDouble(123.0, 4, 2, &d));
  CHECK_FALSE(DecimalFromDouble(NAN, 18, 2, &d));
  CHECK_FALSE(DecimalFromDouble(-INFINITY, 18, 2, &d));
  for (int i = 0; i < 20000; ++i) {
    uint64_t bits = random();
    double v;
    std::memcpy(&v, &bits, 8);
    if (i % 2 == 0) v = static_cast<double>(static_cast<int64_t>(random())) / 1e6;
    (void)DecimalFromDouble(v, 38, static_cast<int>(random() % 39), &d);  // never undefined, whatever it says
  }
}

TEST_CASE("Checked arithmetic of 32 and 64 bits") {
  int64_t v = 7;
  CHECK_FALSE(CheckedAdd(INT64_MAX, int64_t{1}, &v));
  CHECK_FALSE(CheckedSub(INT64_MIN, int64_t{1}, &v));
  CHECK_FALSE(CheckedMul(INT64_MAX, int64_t{2}, &v));
  CHECK_FALSE(CheckedDiv(INT64_MIN, int64_t{-1}, &v));
  CHECK_FALSE(CheckedDiv(int64_t{1}, int64_t{0}, &v));
  CHECK_FALSE(CheckedMod(int64_t{1}, int64_t{0}, &v));
  CHECK_FALSE(CheckedNegate(INT64_MIN, &v));
  CHECK(v == 7);
  CHECK((CheckedMod(INT64_MIN, int64_t{-1}, &v) && v == 0));
  CHECK((CheckedDiv(int64_t{-7}, int64_t{2}, &v) && v == -3));
  CHECK((CheckedMod(int64_t{-7}, int64_t{2}, &v) && v == -1));
  int32_t w = 7;
  CHECK_FALSE(CheckedAdd(INT32_MAX, 1, &w));
  CHECK_FALSE(CheckedDiv(INT32_MIN, -1, &w));
  CHECK_FALSE(CheckedNegate(INT32_MIN, &w));
  CHECK((CheckedMod(INT32_MIN, -1, &w) && w == 0));
}
