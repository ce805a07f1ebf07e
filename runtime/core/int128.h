// 128-bit integers and checked arithmetic.
#pragma once

#include <cstdint>

namespace weir {

using i128 = __int128;
using u128 = unsigned __int128;

inline constexpr i128 kI128Max = static_cast<i128>(~static_cast<u128>(0) >> 1);
inline constexpr i128 kI128Min = -kI128Max - 1;

// The checked operations return false, and leave `*out` alone, when the result does not fit.
[[nodiscard]] inline bool CheckedAdd(int64_t a, int64_t b, int64_t* out) {
  int64_t r;
  if (__builtin_add_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool CheckedSub(int64_t a, int64_t b, int64_t* out) {
  int64_t r;
  if (__builtin_sub_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool CheckedMul(int64_t a, int64_t b, int64_t* out) {
  int64_t r;
  if (__builtin_mul_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
// Division rounds toward zero and `%` has the sign of `a`; false on division by zero too.
[[nodiscard]] inline bool CheckedDiv(int64_t a, int64_t b, int64_t* out) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) return false;
  *out = a / b;
  return true;
}
[[nodiscard]] inline bool CheckedMod(int64_t a, int64_t b, int64_t* out) {
  if (b == 0) return false;
  *out = b == -1 ? 0 : a % b;
  return true;
}
[[nodiscard]] inline bool CheckedNegate(int64_t a, int64_t* out) { return CheckedSub(0, a, out); }

[[nodiscard]] inline bool CheckedAdd(int32_t a, int32_t b, int32_t* out) {
  int32_t r;
  if (__builtin_add_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool CheckedSub(int32_t a, int32_t b, int32_t* out) {
  int32_t r;
  if (__builtin_sub_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool CheckedMul(int32_t a, int32_t b, int32_t* out) {
  int32_t r;
  if (__builtin_mul_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool CheckedDiv(int32_t a, int32_t b, int32_t* out) {
  if (b == 0 || (b == -1 && a == INT32_MIN)) return false;
  *out = a / b;
  return true;
}
[[nodiscard]] inline bool CheckedMod(int32_t a, int32_t b, int32_t* out) {
  if (b == 0) return false;
  *out = b == -1 ? 0 : a % b;
  return true;
}
[[nodiscard]] inline bool CheckedNegate(int32_t a, int32_t* out) { return CheckedSub(0, a, out); }

[[nodiscard]] inline bool CheckedAdd(i128 a, i128 b, i128* out) {
  i128 r;
  if (__builtin_add_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
[[nodiscard]] inline bool CheckedSub(i128 a, i128 b, i128* out) {
  i128 r;
  if (__builtin_sub_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
// Not the builtin: for 128 bits it may call __muloti4, which libgcc lacks.
[[nodiscard]] bool CheckedMul(i128 a, i128 b, i128* out);

// The magnitude; right for the smallest value too.
inline u128 Magnitude(i128 a) { return a < 0 ? -static_cast<u128>(a) : static_cast<u128>(a); }
inline uint64_t Magnitude64(int64_t a) { return a < 0 ? -static_cast<uint64_t>(a) : static_cast<uint64_t>(a); }

}  // namespace weir
