// Blocks of the arena: where the next one comes from, and what Reset gives back.
#include "runtime/core/arena.h"

#include <cstdlib>
#include <new>

namespace weir {
namespace {

void Poison([[maybe_unused]] void* at, [[maybe_unused]] size_t size) {
#ifdef WEIR_ARENA_ASAN
  __asan_poison_memory_region(at, size);
#endif
}

void Free(void* at, [[maybe_unused]] size_t size) {
#ifdef WEIR_ARENA_ASAN
  __asan_unpoison_memory_region(at, size);
#endif
  ::operator delete(at);
}

}  // namespace

Arena::~Arena() {
  for (Block* block = first_; block != nullptr;) {
    Block* next = block->next;
    Free(block, sizeof(Block) + block->size);
    block = next;
  }
}

void Arena::Enter(Block* block) {
  current_ = block;
  next_ = reinterpret_cast<uintptr_t>(block + 1);
  end_ = next_ + block->size;
}

void* Arena::AllocSlow(size_t size, size_t align) {
  size_t needed = size + align;
  if (needed < size) throw std::bad_alloc();
  // A later block, kept from before a Reset, may be large enough.
  Block* last = current_;
  for (Block* block = current_ != nullptr ? current_->next : first_; block != nullptr; block = block->next) {
    if (block->size >= needed) {
      Enter(block);
      return Alloc(size, align);
    }
    last = block;
  }
  // Doubling keeps the number of blocks small when batches are large.
  size_t bytes = bytes_held_ < kBlockBytes ? kBlockBytes : bytes_held_;
  if (bytes > (8u << 20)) bytes = 8u << 20;
  if (bytes < needed) bytes = needed;
  auto* block = static_cast<Block*>(::operator new(sizeof(Block) + bytes));
  block->next = nullptr;
  block->size = bytes;
  Poison(block + 1, bytes);
  bytes_held_ += bytes;
  if (last != nullptr) {
    last->next = block;
  } else {
    first_ = block;
  }
  Enter(block);
  return Alloc(size, align);
}

Str Arena::Copy(Str text) {
  if (text.size == 0) return Str("", size_t{0});
  char* at = AllocChars(text.size);
  std::memcpy(at, text.data, text.size);
  return Str(at, text.size);
}

void Arena::Reset() {
  Block** link = &first_;
  size_t kept = 0;
  while (*link != nullptr) {
    Block* block = *link;
    if (kept + block->size > keep_bytes_max_) {
      *link = block->next;
      bytes_held_ -= block->size;
      Free(block, sizeof(Block) + block->size);
      continue;
    }
    kept += block->size;
    Poison(block + 1, block->size);
    link = &block->next;
  }
  if (first_ != nullptr) {
    Enter(first_);
  } else {
    current_ = nullptr;
    next_ = end_ = 0;
  }
}

}  // namespace weir
