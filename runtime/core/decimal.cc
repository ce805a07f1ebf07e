// Decimals: text, checked arithmetic with 256 bits in between, conversions.
#include "runtime/core/decimal.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/core/digits.h"
#include "runtime/core/number_text.h"

namespace weir {
namespace {

constexpr i128 Wide(uint64_t high_digits, uint64_t low_19_digits) {
  return static_cast<i128>(high_digits) * 1000000000000000000 * 10 + static_cast<i128>(low_19_digits);
}

// A quotient of magnitudes rounded half to even: `r` is what is left of dividing by `d`.
u128 RoundHalfEven(u128 q, u128 r, u128 d) {
  u128 rest = d - r;
  if (r > rest || (r == rest && (q & 1) != 0)) ++q;
  return q;
}

i128 WithSign(u128 magnitude, bool negative) {
  return static_cast<i128>(negative ? 0 - magnitude : magnitude);
}

void MultiplyWide(u128 a, u128 b, u128* high, u128* low) {
  u128 ah = a >> 64, al = static_cast<uint64_t>(a);
  u128 bh = b >> 64, bl = static_cast<uint64_t>(b);
  u128 ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
  u128 middle = (ll >> 64) + static_cast<uint64_t>(lh) + static_cast<uint64_t>(hl);
  *low = static_cast<uint64_t>(ll) | middle << 64;
  *high = hh + (lh >> 64) + (hl >> 64) + (middle >> 64);
}

// One 64-bit digit of a long division (Knuth's algorithm D with two-digit divisors): of high:next by d, where high < d
// and d's top bit is set.
uint64_t QuotientDigit(u128 high, uint64_t next, u128 d, u128* rest) {
  auto d1 = static_cast<uint64_t>(d >> 64), d0 = static_cast<uint64_t>(d);
  u128 q = high / d1, r = high % d1;
  while (q >> 64 != 0 || q * d0 > (r << 64 | next)) {
    --q;
    r += d1;
    if (r >> 64 != 0) break;
  }
  *rest = (high << 64 | next) - q * d;  // modulo 2^128, like everything here
  return static_cast<uint64_t>(q);
}

// high:low / d for high < d.
u128 DivideWide(u128 high, u128 low, u128 d, u128* rest) {
  int shift = d >> 64 != 0 ? __builtin_clzll(static_cast<uint64_t>(d >> 64))
                           : 64 + __builtin_clzll(static_cast<uint64_t>(d));
  d <<= shift;
  if (shift != 0) {
    high = high << shift | low >> (128 - shift);
    low <<= shift;
  }
  u128 middle;
  u128 q1 = QuotientDigit(high, static_cast<uint64_t>(low >> 64), d, &middle);
  u128 q0 = QuotientDigit(middle, static_cast<uint64_t>(low), d, rest);
  *rest >>= shift;
  return q1 << 64 | q0;
}

bool MultiplyMagnitudes(u128 a, u128 b, u128* out) {
  u128 high, low;
  MultiplyWide(a, b, &high, &low);
  *out = low;
  return high == 0;
}

const u128 kLimit = static_cast<u128>(Wide(10000000000000000000u, 0));  // 10^38

// Writes the digits of a magnitude; returns how many. `out` has room for 64 bytes.
int SpellMagnitude(u128 v, char* out) {
  if (v >> 64 == 0) return static_cast<int>(FormatUint64(static_cast<uint64_t>(v), out));
  constexpr u128 k16 = 10000000000000000;
  int n = SpellMagnitude(v / k16, out);
  auto low = static_cast<uint64_t>(v % k16);
  digits::Store(out + n, digits::ToText(digits::SpellSixteen(low)));
  return n + 16;
}

// Puts the point into `n` digits.
char* PlacePoint(const char* text, int n, int scale, char* out) {
  if (n > scale) {
    std::memcpy(out, text, static_cast<size_t>(n - scale));
    out += n - scale;
    if (scale == 0) return out;
    *out++ = '.';
    std::memcpy(out, text + n - scale, static_cast<size_t>(scale));
    return out + scale;
  }
  *out++ = '0';
  *out++ = '.';
  for (int i = n; i < scale; ++i) *out++ = '0';
  std::memcpy(out, text, static_cast<size_t>(n));
  return out + n;
}

char* FormatMagnitude(u128 v, int scale, char* out) {
  if (v == 0) {
    *out = '0';
    return out + 1;
  }
  char text[64];
  int n = SpellMagnitude(v, text);
  while (scale > 0 && text[n - 1] == '0') {
    --n;
    --scale;
  }
  return PlacePoint(text, n, scale, out);
}

}  // namespace

const i128 kPow10Wide[39] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    Wide(1, 0),
    Wide(10, 0),
    Wide(100, 0),
    Wide(1000, 0),
    Wide(10000, 0),
    Wide(100000, 0),
    Wide(1000000, 0),
    Wide(10000000, 0),
    Wide(100000000, 0),
    Wide(1000000000, 0),
    Wide(10000000000, 0),
    Wide(100000000000, 0),
    Wide(1000000000000, 0),
    Wide(10000000000000, 0),
    Wide(100000000000000, 0),
    Wide(1000000000000000, 0),
    Wide(10000000000000000, 0),
    Wide(100000000000000000, 0),
    Wide(1000000000000000000, 0),
    Wide(10000000000000000000u, 0),
};

DecimalError ParseDecimal(Str text, int precision, int scale, i128* out) {
  const char* p = text.begin();
  const char* end = text.end();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';

  // The value is mantissa * 10^exponent, without trailing zeros in the mantissa; `digits` counts all its digits, though
  // only the first 38 go into it: more than that cannot be right at any scale.
  u128 mantissa = 0;
  int64_t digits = 0, zeros = 0, exponent = 0;
  bool any = false, point = false;
  for (; p != end; ++p) {
    auto digit = static_cast<unsigned>(*p - '0');
    if (digit > 9) {
      if (*p != '.' || point) break;
      point = true;
      continue;
    }
    any = true;
    if (point) --exponent;
    if (digit == 0) {
      if (digits != 0) ++zeros;
      continue;
    }
    digits += zeros + 1;
    if (digits <= kDecimalDigitsMax) mantissa = mantissa * static_cast<u128>(kPow10Wide[zeros + 1]) + digit;
    zeros = 0;
  }
  if (!any) return DecimalError::kSyntax;
  if (p != end) {
    if (*p != 'e' && *p != 'E') return DecimalError::kSyntax;
    ++p;
    bool down = false;
    if (p != end && (*p == '-' || *p == '+')) down = *p++ == '-';
    if (p == end) return DecimalError::kSyntax;
    int64_t e = 0;
    for (; p != end; ++p) {
      auto digit = static_cast<unsigned>(*p - '0');
      if (digit > 9) return DecimalError::kSyntax;
      if (e < 1'000'000'000'000) e = e * 10 + digit;  // far beyond what any length of text could make up for
    }
    exponent += down ? -e : e;
  }
  if (digits == 0) {
    *out = 0;
    return DecimalError::kOk;
  }
  exponent += zeros;
  if (digits + exponent > precision - scale) return DecimalError::kOverflow;
  if (exponent < -scale) return DecimalError::kInexact;
  *out = WithSign(mantissa * static_cast<u128>(kPow10Wide[exponent + scale]), negative);
  return DecimalError::kOk;
}

DecimalError ParseDecimal(Str text, int precision, int scale, int64_t* out) {
  i128 wide = 0;
  DecimalError error = ParseDecimal(text, precision, scale, &wide);
  if (error == DecimalError::kOk) *out = static_cast<int64_t>(wide);
  return error;
}

size_t FormatDecimal(int64_t value, int scale, char* buf) {
  char* out = buf;
  uint64_t magnitude = Magnitude64(value);
  if (value < 0) *out++ = '-';
  if (magnitude - 1 >= 10'000'000'000'000'000 - 1) {  // zero, or more than sixteen digits
    return static_cast<size_t>(FormatMagnitude(magnitude, scale, out) - buf);
  }
  // All in registers: leading and trailing zeros are counted in bits, and the point goes between two stores.
  __m128i spelled = digits::SpellSixteen(magnitude);
  uint32_t non_zero = digits::NonZero(spelled);
  int lead = __builtin_ctz(non_zero);
  int trail = __builtin_clz(non_zero) - 16;
  int cut = trail < scale ? trail : scale;
  scale -= cut;
  int n = 16 - lead - cut;
  __m128i text = digits::DropFirst(digits::ToText(spelled), lead);
  if (n > scale) {
    int whole = n - scale;
    digits::Store(out, text);
    if (scale == 0) return static_cast<size_t>(out + n - buf);
    out[whole] = '.';
    digits::Store(out + whole + 1, digits::DropFirst(text, whole));
    return static_cast<size_t>(out + n + 1 - buf);
  }
  *out++ = '0';
  *out++ = '.';
  for (int i = n; i < scale; ++i) *out++ = '0';
  digits::Store(out, text);
  return static_cast<size_t>(out + n - buf);
}

size_t FormatDecimal(i128 value, int scale, char* buf) {
  if (value == static_cast<int64_t>(value)) return FormatDecimal(static_cast<int64_t>(value), scale, buf);
  char* out = buf;
  if (value < 0) *out++ = '-';
  return static_cast<size_t>(FormatMagnitude(Magnitude(value), scale, out) - buf);
}

size_t FormatDecimalFixed(i128 value, int scale, char* buf) {
  char* out = buf;
  if (value < 0) *out++ = '-';
  char text[64];
  int n = SpellMagnitude(Magnitude(value), text);
  return static_cast<size_t>(PlacePoint(text, n, scale, out) - buf);
}

bool MulDecimalWide(i128 a, i128 b, i128* out) {
  u128 r;
  if (!MultiplyMagnitudes(Magnitude(a), Magnitude(b), &r) || r >= kLimit) return false;
  *out = WithSign(r, (a < 0) != (b < 0));
  return true;
}

bool DivDecimal(i128 a, int scale_a, i128 b, int scale_b, int scale_out, i128* out) {
  if (b == 0) return false;
  bool negative = (a < 0) != (b < 0);
  u128 n = Magnitude(a), d = Magnitude(b), q, r;
  // a / 10^scale_a / (b / 10^scale_b) * 10^scale_out
  int exponent = scale_out + scale_b - scale_a;
  if (exponent < 0) {
    if (!MultiplyMagnitudes(d, static_cast<u128>(kPow10Wide[-exponent]), &d)) {
      *out = 0;  // the divisor is more than twice the other
      return true;
    }
    q = RoundHalfEven(n / d, n % d, d);
  } else {
    // The quotient has at most 38 digits and so has the divisor, hence a numerator of more than 76 digits is too much
    // in any case; 76 digits fit 256 bits.
    if (exponent > kDecimalDigitsMax) {
      if (!MultiplyMagnitudes(n, static_cast<u128>(kPow10Wide[exponent - kDecimalDigitsMax]), &n)) return false;
      exponent = kDecimalDigitsMax;
    }
    u128 high, low;
    MultiplyWide(n, static_cast<u128>(kPow10Wide[exponent]), &high, &low);
    if (high >= d) return false;
    if (high == 0) {
      q = low / d;
      r = low % d;
    } else {
      q = DivideWide(high, low, d, &r);
    }
    q = RoundHalfEven(q, r, d);
  }
  if (q >= kLimit) return false;
  *out = WithSign(q, negative);
  return true;
}

bool ModDecimal(i128 a, int scale_a, i128 b, int scale_b, i128* out) {
  if (b == 0) return false;
  u128 n = Magnitude(a), d = Magnitude(b), r;
  if (scale_a >= scale_b) {
    if (!MultiplyMagnitudes(d, static_cast<u128>(kPow10Wide[scale_a - scale_b]), &d)) {
      *out = a;
      return true;
    }
    r = n % d;
  } else {
    u128 high, low;
    MultiplyWide(n, static_cast<u128>(kPow10Wide[scale_b - scale_a]), &high, &low);
    DivideWide(high % d, low, d, &r);
  }
  *out = WithSign(r, a < 0);
  return true;
}

bool RescaleUp(i128 value, int by, i128* out) { return MulDecimal(value, kPow10Wide[by], out); }

i128 RescaleDown(i128 value, int by) { return RoundDown(value, by, Rounding::kHalfEven); }

bool Rescale(i128 value, int scale_from, int scale_to, int precision, i128* out) {
  i128 r;
  if (scale_to >= scale_from) {
    if (!RescaleUp(value, scale_to - scale_from, &r)) return false;
  } else {
    r = RescaleDown(value, scale_from - scale_to);
  }
  if (!FitsPrecision(r, precision)) return false;
  *out = r;
  return true;
}

i128 RoundDown(i128 value, int by, Rounding rounding) {
  if (by == 0) return value;
  u128 d = static_cast<u128>(kPow10Wide[by]);
  u128 n = Magnitude(value);
  u128 q = n / d, r = n % d;
  bool negative = value < 0;
  switch (rounding) {
    case Rounding::kHalfEven: q = RoundHalfEven(q, r, d); break;
    case Rounding::kHalfAwayFromZero: q += r >= d - r ? 1 : 0; break;
    case Rounding::kTowardZero: break;
    case Rounding::kFloor: q += negative && r != 0 ? 1 : 0; break;
    case Rounding::kCeiling: q += !negative && r != 0 ? 1 : 0; break;
  }
  return WithSign(q, negative);
}

int CompareDecimal(i128 a, int scale_a, i128 b, int scale_b) {
  // Scaling up the one with fewer places; if it does not fit, it is the larger magnitude.
  if (scale_a < scale_b) {
    if (!CheckedMul(a, kPow10Wide[scale_b - scale_a], &a)) return a < 0 ? -1 : 1;
  } else if (scale_b < scale_a) {
    if (!CheckedMul(b, kPow10Wide[scale_a - scale_b], &b)) return b < 0 ? 1 : -1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

bool DecimalToInt64(i128 value, int scale, int64_t* out) {
  i128 q = value / kPow10Wide[scale];
  if (q * kPow10Wide[scale] != value || q != static_cast<int64_t>(q)) return false;
  *out = static_cast<int64_t>(q);
  return true;
}

bool DecimalFromInt64(int64_t value, int precision, int scale, i128* out) {
  return Rescale(value, 0, scale, precision, out);
}

double DecimalToDouble(i128 value, int scale) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr i128 kExact = i128{1} << 53;
  // Both are exact doubles, so the division rounds once.
  if (value <= kExact && value >= -kExact && scale <= 22) return static_cast<double>(value) / kPowers[scale];
  char text[kDecimalTextMax];
  size_t n = FormatDecimal(value, scale, text);
  double v = 0;
  std::from_chars(text, text + n, v);
  return v;
}

bool DecimalFromDouble(double value, int precision, int scale, i128* out) {
  if (!std::isfinite(value)) return false;
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value < 0 ? -value : value, std::chars_format::scientific).ptr;
  // d.ddde+xx: at most 17 digits.
  int64_t mantissa = 0;
  int exponent = 0;
  const char* p = text;
  for (bool point = false; *p != 'e'; ++p) {
    if (*p == '.') {
      point = true;
      continue;
    }
    mantissa = mantissa * 10 + (*p - '0');
    if (point) --exponent;
  }
  int e = 0;
  std::from_chars(p + 2, end, e);
  exponent += p[1] == '-' ? -e : e;
  if (value < 0) mantissa = -mantissa;
  int by = exponent + scale;
  i128 r;
  if (mantissa == 0 || by < -kDecimalDigitsMax) {
    r = 0;
  } else if (by < 0) {
    r = RescaleDown(mantissa, -by);
  } else if (by > kDecimalDigitsMax || !RescaleUp(mantissa, by, &r)) {
    return false;
  }
  if (!FitsPrecision(r, precision)) return false;
  *out = r;
  return true;
}

}  // namespace weir
