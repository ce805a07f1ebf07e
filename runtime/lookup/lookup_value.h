// An answer's encoded row, or the reason why there is none: shared by the rows that asked for it and the cache.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/str.h"
#include "runtime/lookup/byte_pool.h"
#include "runtime/lookup/connector.h"

namespace weir {

// Immutable bytes with a count of those who hold them. One thread.
class LookupValue {
 public:
  static LookupValue* Make(BytePool& pool, Str bytes) {
    LookupValue* v = reinterpret_cast<LookupValue*>(pool.Alloc(sizeof(LookupValue) + bytes.size));
    v->holders_ = 1;
    v->size_ = bytes.size;
    if (bytes.size != 0) std::memcpy(reinterpret_cast<char*>(v + 1), bytes.data, bytes.size);
    return v;
  }
  Str bytes() const { return Str(reinterpret_cast<const char*>(this + 1), size_); }
  // Memory it takes.
  size_t footprint() const { return BytePool::RoundedSize(sizeof(LookupValue) + size_); }
  LookupValue* Hold() {
    ++holders_;
    return this;
  }
  void Drop(BytePool& pool) {
    if (--holders_ == 0) pool.Free(reinterpret_cast<char*>(this), sizeof(LookupValue) + size_);
  }

 private:
  uint32_t holders_;
  uint32_t size_;
};

}  // namespace weir
