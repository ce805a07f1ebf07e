// A growable run of bytes that keeps its memory: what writers append to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/core/str.h"

namespace weir {

// Grows by doubling and never shrinks on Clear, so that steady state allocates nothing. One owner, one thread.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  Str str() const { return Str(data_, size_); }
  // The bytes from `from` on. A view: valid until the next append.
  Str From(size_t from) const { return Str(data_ + from, size_ - from); }

  void Clear() { size_ = 0; }
  // Cuts back to an earlier size.
  void Truncate(size_t size) { size_ = size; }
  // Gives memory above `capacity_max` back; call between batches after an unusually large one.
  void Trim(size_t capacity_max);

  // Room for `n` more bytes at the returned place; Advance says how many were used.
  [[gnu::always_inline]] char* Reserve(size_t n) {
    if (__builtin_expect(capacity_ - size_ < n, 0)) Grow(n);
    return data_ + size_;
  }
  [[gnu::always_inline]] void Advance(size_t n) { size_ += n; }
  // Says where writing into reserved room ended.
  [[gnu::always_inline]] void SetEnd(const char* end) { size_ = static_cast<size_t>(end - data_); }

  [[gnu::always_inline]] void Append(const void* bytes, size_t n) {
    char* at = Reserve(n);
    if (n != 0) std::memcpy(at, bytes, n);
    size_ += n;
  }
  void Append(Str s) { Append(s.data, s.size); }
  void Append(char c) {
    *Reserve(1) = c;
    ++size_;
  }

 private:
  [[gnu::noinline, gnu::cold]] void Grow(size_t n);

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace weir
