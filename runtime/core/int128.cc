// Checked multiplication of 128 bits.
#include "runtime/core/int128.h"

namespace weir {

bool CheckedMul(i128 a, i128 b, i128* out) {
  u128 x = Magnitude(a), y = Magnitude(b);
  auto xh = static_cast<uint64_t>(x >> 64), xl = static_cast<uint64_t>(x);
  auto yh = static_cast<uint64_t>(y >> 64), yl = static_cast<uint64_t>(y);
  if (xh != 0 && yh != 0) return false;
  u128 cross = xh != 0 ? static_cast<u128>(xh) * yl : static_cast<u128>(yh) * xl;
  if (cross >> 64 != 0) return false;
  u128 low = static_cast<u128>(xl) * yl;
  u128 r = low + (cross << 64);
  if (r < low) return false;
  bool negative = (a < 0) != (b < 0);
  u128 limit = static_cast<u128>(kI128Max) + (negative ? 1 : 0);
  if (r > limit) return false;
  *out = static_cast<i128>(negative ? 0 - r : r);
  return true;
}

}  // namespace weir
