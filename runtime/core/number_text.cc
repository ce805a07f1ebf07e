// Integers and doubles as text, both ways.
#include "runtime/core/number_text.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/core/digits.h"

namespace weir {
namespace {

// Of a well-formed number that is no double: whether it is too small rather than too large. Where its first digit
// stands tells.
bool IsTiny(const char* p, const char* end) {
  int64_t position = 0;  // of the first non-zero digit, 1 just before the point
  bool point = false, found = false;
  for (; p != end && *p != 'e' && *p != 'E'; ++p) {
    if (*p == '.') {
      point = true;
    } else if (found || *p != '0') {
      found = true;
      if (point) break;
      ++position;
    } else if (point) {
      --position;
    }
  }
  while (p != end && *p != 'e' && *p != 'E') ++p;
  if (p == end) return position <= 0;
  ++p;
  bool down = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  int64_t exponent = 0;
  for (; p != end && exponent < 1'000'000'000'000; ++p) exponent = exponent * 10 + (*p - '0');
  return position + (down ? -exponent : exponent) <= 0;
}

}  // namespace

size_t FormatUint64(uint64_t v, char* buf) {
  constexpr uint64_t k16 = 10'000'000'000'000'000;
  size_t n = 0;
  if (__builtin_expect(v >= k16, 0)) {  // up to four digits, then sixteen
    n = FormatUint64(v / k16, buf);
    digits::Store(buf + n, digits::ToText(digits::SpellSixteen(v % k16)));
    return n + 16;
  }
  __m128i spelled = digits::SpellSixteen(v);
  int lead = __builtin_ctz(digits::NonZero(spelled) | 1u << 15);
  digits::Store(buf, digits::DropFirst(digits::ToText(spelled), lead));
  return static_cast<size_t>(16 - lead);
}

size_t FormatInt64(int64_t v, char* buf) {
  if (v >= 0) return FormatUint64(static_cast<uint64_t>(v), buf);
  buf[0] = '-';
  return 1 + FormatUint64(0 - static_cast<uint64_t>(v), buf + 1);
}

bool ParseInt64(Str text, int64_t* out) {
  const char* p = text.begin();
  const char* end = text.end();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  if (p == end) return false;
  uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  uint64_t v = 0;
  for (; p != end; ++p) {
    auto digit = static_cast<unsigned>(*p - '0');
    if (digit > 9) return false;
    if (v > (limit - digit) / 10) return false;
    v = v * 10 + digit;
  }
  *out = static_cast<int64_t>(negative ? 0 - v : v);
  return true;
}

// Plain digits from 1e-7 up to 1e18, an exponent beyond: what looks like a whole number fits an int64, so that no
// reader stumbles over it.
size_t FormatDouble(double v, char* buf) {
  if (std::isnan(v)) {
    std::memcpy(buf, "NaN", 3);
    return 3;
  }
  if (std::isinf(v)) {
    const char* text = v < 0 ? "-Infinity" : "Infinity";
    size_t n = std::strlen(text);
    std::memcpy(buf, text, n);
    return n;
  }
  char* out = buf;
  if (std::signbit(v)) {
    *out++ = '-';
    v = -v;
  }
  if (v == 0) {
    *out++ = '0';
    return static_cast<size_t>(out - buf);
  }
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::scientific).ptr;
  // d.ddde+xx
  char digits[20];
  int n = 0;
  const char* p = text;
  for (; *p != 'e'; ++p) {
    if (*p != '.') digits[n++] = *p;
  }
  int exponent = 0;
  bool negative = p[1] == '-';
  std::from_chars(p + 2, end, exponent);
  if (negative) exponent = -exponent;
  if (exponent >= 18 || exponent < -7) {
    *out++ = digits[0];
    if (n > 1) {
      *out++ = '.';
      std::memcpy(out, digits + 1, static_cast<size_t>(n - 1));
      out += n - 1;
    }
    *out++ = 'e';
    *out++ = negative ? '-' : '+';
    out += FormatUint64(static_cast<uint64_t>(exponent < 0 ? -exponent : exponent), out);
  } else if (exponent < 0) {
    *out++ = '0';
    *out++ = '.';
    for (int i = exponent + 1; i < 0; ++i) *out++ = '0';
    std::memcpy(out, digits, static_cast<size_t>(n));
    out += n;
  } else {
    for (int i = 0; i < n || i <= exponent; ++i) {
      if (i == exponent + 1) *out++ = '.';
      *out++ = i < n ? digits[i] : '0';
    }
  }
  return static_cast<size_t>(out - buf);
}

bool ParseDouble(Str text, double* out) {
  const char* p = text.begin();
  const char* end = text.end();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  double v = 0;
  Str rest(p, static_cast<size_t>(end - p));
  if (rest == "NaN") {
    v = std::nan("");
  } else if (rest == "Infinity") {
    v = HUGE_VAL;
  } else {
    // from_chars would take `inf` and hexadecimal-looking words too.
    if (p == end || !((*p >= '0' && *p <= '9') || *p == '.')) return false;
    auto result = std::from_chars(p, end, v);
    if (result.ptr != end) return false;
    if (result.ec == std::errc::result_out_of_range) {
      if (!IsTiny(p, end)) return false;
      v = 0;
    } else if (result.ec != std::errc()) {
      return false;
    }
  }
  *out = negative ? -v : v;
  return true;
}

}  // namespace weir
