// Memory for what lives as long as one batch: decoded strings, lists, results of functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_ARENA_ASAN 1
extern "C" void __asan_unpoison_memory_region(void const volatile* at, size_t size);
extern "C" void __asan_poison_memory_region(void const volatile* at, size_t size);
#endif
#endif

namespace weir {

// A bump allocator. Nothing is freed on its own and no destructor runs: only trivially destructible things live here.
// Reset keeps the blocks, so that steady state does not allocate; blocks beyond `keep_bytes_max` are given back there.
// One owner, one thread. Under AddressSanitizer memory is poisoned by Reset, so that a view kept too long is found.
class Arena {
 public:
  static constexpr size_t kBlockBytes = 64 * 1024;

  explicit Arena(size_t keep_bytes_max = 16 << 20) : keep_bytes_max_(keep_bytes_max) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // Uninitialised memory; `align` is a power of two, at most 64. Never null; ends the process when memory is out.
  [[gnu::always_inline]] void* Alloc(size_t size, size_t align) {
    uintptr_t at = (next_ + (align - 1)) & ~static_cast<uintptr_t>(align - 1);
    if (__builtin_expect(at > end_ || end_ - at < size, 0)) return AllocSlow(size, align);
    next_ = at + size;
    Unpoison(at, size);
    return reinterpret_cast<void*>(at);
  }
  template <class T>
  T* AllocArray(size_t count) {
    return static_cast<T*>(Alloc(count * sizeof(T), alignof(T)));
  }
  char* AllocChars(size_t size) { return static_cast<char*>(Alloc(size, 1)); }

  // Gives the tail of the latest allocation back: it had `old_size` bytes at `at` and keeps `new_size`.
  void Shrink(void* at, size_t old_size, size_t new_size) {
    if (reinterpret_cast<uintptr_t>(at) + old_size == next_) next_ = reinterpret_cast<uintptr_t>(at) + new_size;
  }

  Str Copy(Str text);

  // Forgets everything allocated so far.
  void Reset();

  // Bytes held from the system.
  size_t bytes_held() const { return bytes_held_; }

 private:
  struct Block {
    Block* next;
    size_t size;  // of the memory behind this header
  };

  static void Unpoison([[maybe_unused]] uintptr_t at, [[maybe_unused]] size_t size) {
#ifdef WEIR_ARENA_ASAN
    __asan_unpoison_memory_region(reinterpret_cast<void*>(at), size);
#endif
  }

  [[gnu::noinline, gnu::cold]] void* AllocSlow(size_t size, size_t align);
  void Enter(Block* block);

  uintptr_t next_ = 0;
  uintptr_t end_ = 0;
  Block* first_ = nullptr;
  Block* current_ = nullptr;
  size_t bytes_held_ = 0;
  size_t keep_bytes_max_;
};

}  // namespace weir
