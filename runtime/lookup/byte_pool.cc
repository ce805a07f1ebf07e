// The slow ways of the pool: a new slab, and pieces too large for any class.
#include "runtime/lookup/byte_pool.h"

#include <cstdlib>
#include <new>

namespace weir {
namespace {

constexpr size_t kSlabBytes = 128 * 1024;

char* MustAllocate(size_t size) {
  void* at = std::malloc(size);
  if (at == nullptr) throw std::bad_alloc();
  return static_cast<char*>(at);
}

}  // namespace

BytePool::~BytePool() {
  for (char* slab : slabs_) std::free(slab);
}

char* BytePool::Refill(int c) {
  size_t size = SizeOf(c);
  char* slab = MustAllocate(kSlabBytes);
  slabs_.push_back(slab);
  bytes_held_ += kSlabBytes;
  // The first piece goes to the caller, the others into the free list in order of address.
  size_t count = kSlabBytes / size;
  for (size_t i = count; i-- > 1;) {
    Node* node = reinterpret_cast<Node*>(slab + i * size);
    node->next = free_[c];
    free_[c] = node;
  }
  return slab;
}

char* BytePool::AllocLarge(size_t size) {
  bytes_held_ += size;
  return MustAllocate(size);
}

void BytePool::FreeLarge(char* at, size_t size) {
  bytes_held_ -= size;
  std::free(at);
}

}  // namespace weir
