// Counts what Weir's own code allocates: linked into a pipeline whose objects call weir_counted_malloc for malloc, and so on
// (see bench.py), so that librdkafka's and OpenSSL's own calls are not counted. operator new is counted for everyone; the C
// libraries do not use it. Prints the count when the program ends.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

#include <atomic>

namespace {

std::atomic<unsigned long> count{0};

void* Counted(void* p) {
  count.fetch_add(1, std::memory_order_relaxed);
  return p;
}

void* New(std::size_t size, std::size_t alignment = 0) {
  void* p = alignment > alignof(std::max_align_t) ? aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                                                  : malloc(size ? size : 1);
  if (!p) abort();
  return Counted(p);
}

void Report() { fprintf(stderr, "allocations %lu\n", count.load()); }

}  // namespace

extern "C" {
void* weir_counted_malloc(std::size_t size) { return Counted(malloc(size)); }
void* weir_counted_calloc(std::size_t n, std::size_t size) { return Counted(calloc(n, size)); }
void* weir_counted_realloc(void* p, std::size_t size) { return Counted(realloc(p, size)); }
void* weir_counted_aligned_alloc(std::size_t alignment, std::size_t size) { return Counted(aligned_alloc(alignment, size)); }
// A pipeline ends so, without destructors.
[[noreturn]] void weir_counted__Exit(int code) {
  Report();
  _Exit(code);
}
int weir_counted_posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return posix_memalign(p, alignment, size);
}
}

void* operator new(std::size_t size) { return New(size); }
void* operator new[](std::size_t size) { return New(size); }
void* operator new(std::size_t size, std::align_val_t a) { return New(size, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return New(size, static_cast<std::size_t>(a)); }
void operator delete(void* p) noexcept { free(p); }
void operator delete[](void* p) noexcept { free(p); }
void operator delete(void* p, std::size_t) noexcept { free(p); }
void operator delete[](void* p, std::size_t) noexcept { free(p); }
void operator delete(void* p, std::align_val_t) noexcept { free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { free(p); }
