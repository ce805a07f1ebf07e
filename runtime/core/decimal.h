// Exact decimals. A decimal(p, s) is its unscaled integer, value * 10^s: an int64_t when p <= 18, an i128 when p is 19
// to 38. The scale is known to the compiler and never stored. 0 <= s <= p <= 38.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/int128.h"
#include "runtime/core/str.h"

namespace weir {

inline constexpr int kDecimalDigitsMax = 38;
inline constexpr int kDecimal64DigitsMax = 18;
// Room for any formatted decimal (sign, 39 digits, a leading `0.`) and for writing it sixteen bytes at a time.
inline constexpr size_t kDecimalTextMax = 64;

inline constexpr int64_t kPow10[19] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
    1000000000000000000};
// 10^0 to 10^38.
extern const i128 kPow10Wide[39];
inline i128 Pow10(int n) { return kPow10Wide[n]; }

// True when |value| has at most `precision` digits.
inline bool FitsPrecision(i128 value, int precision) {
  i128 limit = kPow10Wide[precision];
  return value < limit && value > -limit;
}

// ---- Text ----

enum class DecimalError : uint8_t {
  kOk,
  kSyntax,    // not a number
  kInexact,   // has non-zero digits beyond the scale
  kOverflow,  // more digits than the precision holds
};

// Reads `-12.50`, `1e3`, `.5` or `5.` exactly, without floating point; no spaces. Digits beyond the scale must be zero.
// `*out` is written on kOk only.
DecimalError ParseDecimal(Str text, int precision, int scale, i128* out);
DecimalError ParseDecimal(Str text, int precision, int scale, int64_t* out);  // precision <= 18

// Writes the canonical text: no exponent, no trailing zeros after the point, `0.5` not `.5`. Returns the size;
// `buf` has room for kDecimalTextMax. The same value has the same text at every scale.
size_t FormatDecimal(i128 value, int scale, char* buf);
size_t FormatDecimal(int64_t value, int scale, char* buf);
// As above with exactly `scale` digits after the point: `10.5000`.
size_t FormatDecimalFixed(i128 value, int scale, char* buf);

// ---- Arithmetic. False, with `*out` left alone, when the result has more than 38 digits. ----

// Operands of one scale.
[[nodiscard]] inline bool AddDecimal(i128 a, i128 b, i128* out) {
  i128 r;
  if (!CheckedAdd(a, b, &r) || !FitsPrecision(r, kDecimalDigitsMax)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool SubDecimal(i128 a, i128 b, i128* out) {
  i128 r;
  if (!CheckedSub(a, b, &r) || !FitsPrecision(r, kDecimalDigitsMax)) return false;
  *out = r;
  return true;
}
// The result's scale is the sum of the two.
[[nodiscard]] bool MulDecimalWide(i128 a, i128 b, i128* out);
[[nodiscard]] inline bool MulDecimal(i128 a, i128 b, i128* out) {
  if (a == static_cast<int64_t>(a) && b == static_cast<int64_t>(b)) {
    *out = a * b;  // at most 2^126, which has 38 digits
    return true;
  }
  return MulDecimalWide(a, b, out);
}
// a / b at `scale_out`, rounded half to even; false on division by zero too.
[[nodiscard]] bool DivDecimal(i128 a, int scale_a, i128 b, int scale_b, int scale_out, i128* out);
// The remainder of a division rounded toward zero, with the sign of `a`; its scale is the larger of the two.
[[nodiscard]] bool ModDecimal(i128 a, int scale_a, i128 b, int scale_b, i128* out);

// value * 10^by, and value / 10^by rounded half to even. 0 <= by <= 38.
[[nodiscard]] bool RescaleUp(i128 value, int by, i128* out);
i128 RescaleDown(i128 value, int by);
// From one scale to another by whichever is needed; false when it does not fit `precision`.
[[nodiscard]] bool Rescale(i128 value, int scale_from, int scale_to, int precision, i128* out);

// How digits are dropped by the functions that say so.
enum class Rounding : uint8_t { kHalfEven, kHalfAwayFromZero, kTowardZero, kFloor, kCeiling };
i128 RoundDown(i128 value, int by, Rounding rounding);

// -1, 0 or 1; right for every pair of scales.
int CompareDecimal(i128 a, int scale_a, i128 b, int scale_b);

// ---- Conversion ----

// False unless the value is whole and fits.
[[nodiscard]] bool DecimalToInt64(i128 value, int scale, int64_t* out);
[[nodiscard]] bool DecimalFromInt64(int64_t value, int precision, int scale, i128* out);
// The double nearest to the value.
double DecimalToDouble(i128 value, int scale);
// From the shortest text that reads back as this double, rounded half to even at `scale`; false for NaN, infinities and
// what does not fit.
[[nodiscard]] bool DecimalFromDouble(double value, int precision, int scale, i128* out);

}  // namespace weir
