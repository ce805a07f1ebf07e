// The binary form of rows: pending rows, state and what workers exchange. Written by RowWriter, read by RowReader in
// the same order; the bytes carry no types, so a reader must know the layout (it is part of the step's identity).
//
//   Bool       1 byte, 0 or 1
//   I32, I64   zigzag, then a varint: 7 bits a byte, low bits first, at most 10 bytes
//   U64        varint
//   F64        8 bytes, little endian
//   I128       zigzag, then a varint, at most 19 bytes
//   Str        size as a varint (at most 2^32 - 1), then the bytes
//   OptTag     1 byte: 1 when the value follows, 0 when there is none
//   Count      varint: how many elements of a list or map follow
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/buffer.h"
#include "runtime/core/int128.h"
#include "runtime/core/str.h"

namespace weir {

class RowWriter {
 public:
  explicit RowWriter(Buffer* out) : out_(out) {}

  void Bool(bool v) { out_->Append(v ? '\1' : '\0'); }
  void I32(int32_t v) { I64(v); }
  void I64(int64_t v) { U64(static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63)); }
  void U64(uint64_t v) {
    char* p = out_->Reserve(10);
    while (v >= 0x80) {
      *p++ = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    *p++ = static_cast<char>(v);
    out_->SetEnd(p);
  }
  void F64(double v) { out_->Append(&v, sizeof v); }
  void I128(i128 v);
  void Str(weir::Str v) {
    U64(v.size);
    out_->Append(v.data, v.size);
  }
  void OptTag(bool has) { Bool(has); }
  void Count(uint32_t n) { U64(n); }
  // Bytes as they are, without a size.
  void Raw(weir::Str bytes) { out_->Append(bytes.data, bytes.size); }

  Buffer* buffer() { return out_; }

 private:
  Buffer* out_;
};

// Never reads beyond its bytes. After the first malformed value ok() is false for good and every read gives zero or an
// empty string, so a caller may check once at the end.
class RowReader {
 public:
  explicit RowReader(weir::Str bytes) : at_(bytes.data), end_(bytes.data + bytes.size) {}

  bool ok() const { return ok_; }
  // All bytes were read, and all were well-formed.
  bool AtEnd() const { return ok_ && at_ == end_; }
  uint32_t remaining() const { return static_cast<uint32_t>(end_ - at_); }

  bool Bool() {
    if (at_ == end_ || static_cast<unsigned char>(*at_) > 1) return Fail();
    return *at_++ != 0;
  }
  int32_t I32() {
    int64_t v = I64();
    if (v < INT32_MIN || v > INT32_MAX) return Fail();
    return static_cast<int32_t>(v);
  }
  int64_t I64() {
    uint64_t v = U64();
    return static_cast<int64_t>(v >> 1 ^ (~(v & 1) + 1));
  }
  uint64_t U64() {
    if (at_ != end_ && static_cast<signed char>(*at_) >= 0) return static_cast<uint64_t>(*at_++);
    return U64Slow();
  }
  double F64() {
    double v = 0;
    if (end_ - at_ < 8) {
      Fail();
      return 0;
    }
    std::memcpy(&v, at_, 8);
    at_ += 8;
    return v;
  }
  i128 I128();
  // A view into the reader's bytes.
  weir::Str Str() {
    uint64_t n = U64();
    if (n > static_cast<uint64_t>(end_ - at_)) {
      Fail();
      return {};
    }
    weir::Str s(at_, n);
    at_ += n;
    return s;
  }
  bool OptTag() { return Bool(); }
  // How many elements follow. Each takes `bytes_min` at least (0 is taken as 1), so a count that cannot be true is
  // refused before anybody allocates for it.
  uint32_t Count(uint32_t bytes_min = 1) {
    uint64_t n = U64();
    if (n > static_cast<uint64_t>(end_ - at_) / (bytes_min == 0 ? 1 : bytes_min)) return Fail();
    return static_cast<uint32_t>(n);
  }
  weir::Str Raw(uint32_t size) {
    if (size > remaining()) {
      Fail();
      return {};
    }
    weir::Str s(at_, size);
    at_ += size;
    return s;
  }

 private:
  // Returns 0 so that callers can `return Fail();`.
  [[gnu::cold, gnu::noinline]] bool Fail() {
    ok_ = false;
    at_ = end_;
    return false;
  }
  uint64_t U64Slow();

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace weir
