// A string that an accumulator owns: first, last, min and max of strings outlive the batch they came in.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/core/row.h"
#include "runtime/core/str.h"

namespace weir {

// Zero-filled memory is a valid empty one, and it may be moved by memcpy. Short strings are inline; longer ones keep
// their memory, so that `last` of equal lengths allocates once per window. Drop frees.
struct WindowStr {
  static constexpr uint32_t kInlineMax = 16;

  uint32_t size;
  uint32_t capacity;  // of `heap`; 0: the bytes are inline
  union {
    char inside[kInlineMax];
    char* heap;
  };

  Str str() const { return Str(capacity == 0 ? inside : heap, size); }
  void Assign(Str text) {
    char* to = text.size <= (capacity == 0 ? kInlineMax : capacity) ? (capacity == 0 ? inside : heap) : Grow(text.size);
    if (text.size != 0) std::memmove(to, text.data, text.size);
    size = text.size;
  }
  void Drop() {
    if (capacity != 0) std::free(heap);
    size = capacity = 0;
  }
  void Save(RowWriter& out) const { out.Str(str()); }
  void Load(RowReader& in) { Assign(in.Str()); }

 private:
  [[gnu::noinline]] char* Grow(uint32_t n) {
    if (capacity != 0) std::free(heap);
    uint32_t room = n + n / 2;
    if (room < n) room = n;
    heap = static_cast<char*>(std::malloc(room));
    if (heap == nullptr) throw std::bad_alloc();
    capacity = room;
    return heap;
  }
};
static_assert(sizeof(WindowStr) == 24);

}  // namespace weir
