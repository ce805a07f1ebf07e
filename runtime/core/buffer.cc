// How a buffer grows and gives memory back.
#include "runtime/core/buffer.h"

#include <cstdlib>
#include <new>

namespace weir {

Buffer::~Buffer() { std::free(data_); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    std::free(data_);
    data_ = other.data_;
    size_ = other.size_;
    capacity_ = other.capacity_;
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  return *this;
}

void Buffer::Grow(size_t n) {
  size_t needed = size_ + n;
  if (needed < size_) throw std::bad_alloc();
  size_t capacity = capacity_ < 256 ? 256 : capacity_ * 2;
  if (capacity < needed) capacity = needed;
  void* data = std::realloc(data_, capacity);
  if (data == nullptr) throw std::bad_alloc();
  data_ = static_cast<char*>(data);
  capacity_ = capacity;
}

void Buffer::Trim(size_t capacity_max) {
  if (capacity_ <= capacity_max || size_ > capacity_max) return;
  void* data = std::realloc(data_, capacity_max == 0 ? 1 : capacity_max);
  if (data == nullptr) return;  // the old memory is still there
  data_ = static_cast<char*>(data);
  capacity_ = capacity_max == 0 ? 1 : capacity_max;
}

}  // namespace weir
