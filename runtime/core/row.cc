// The longer forms of numbers in rows.
#include "runtime/core/row.h"

namespace weir {

void RowWriter::I128(i128 v) {
  u128 z = static_cast<u128>(v) << 1 ^ static_cast<u128>(v >> 127);
  char* p = out_->Reserve(19);
  while (z >= 0x80) {
    *p++ = static_cast<char>(static_cast<unsigned char>(z) | 0x80);
    z >>= 7;
  }
  *p++ = static_cast<char>(z);
  out_->SetEnd(p);
}

uint64_t RowReader::U64Slow() {
  uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ == end_) return Fail();
    auto byte = static_cast<unsigned char>(*at_++);
    if (shift == 63 && byte > 1) return Fail();  // bits beyond the 64th
    v |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return v;
  }
  return Fail();
}

i128 RowReader::I128() {
  u128 v = 0;
  for (int shift = 0; shift < 128; shift += 7) {
    if (at_ == end_) return Fail();
    auto byte = static_cast<unsigned char>(*at_++);
    if (shift == 126 && byte > 3) return Fail();
    v |= static_cast<u128>(byte & 0x7f) << shift;
    if (byte < 0x80) return static_cast<i128>(v >> 1 ^ (~(v & 1) + 1));
  }
  return Fail();
}

}  // namespace weir
