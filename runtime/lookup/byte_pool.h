// Memory for rows, requests and answers of lookups: slabs cut into size classes, so that steady state allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

// Sizes are rounded up to one of four steps per doubling; what is larger than kPooledMax comes from and goes back to the
// system. Freed memory stays with its class: what the pool holds is bounded by the peak of each class. One thread.
class BytePool {
 public:
  static constexpr size_t kPooledMax = 32 * 1024;

  BytePool() = default;
  BytePool(const BytePool&) = delete;
  BytePool& operator=(const BytePool&) = delete;
  ~BytePool();

  // At least `size` bytes, aligned to 8; never null.
  [[gnu::always_inline]] char* Alloc(size_t size) {
    if (__builtin_expect(size > kPooledMax, 0)) return AllocLarge(size);
    int c = ClassOf(size);
    Node* node = free_[c];
    if (__builtin_expect(node == nullptr, 0)) return Refill(c);
    free_[c] = node->next;
    return reinterpret_cast<char*>(node);
  }
  // Gives back what Alloc(size) returned, with the same size.
  [[gnu::always_inline]] void Free(char* at, size_t size) {
    if (__builtin_expect(size > kPooledMax, 0)) return FreeLarge(at, size);
    Node* node = reinterpret_cast<Node*>(at);
    int c = ClassOf(size);
    node->next = free_[c];
    free_[c] = node;
  }

  // Held from the system, in slabs and large pieces.
  size_t bytes_held() const { return bytes_held_; }

  // The size that Alloc(size) really takes.
  static size_t RoundedSize(size_t size) { return size > kPooledMax ? size : SizeOf(ClassOf(size)); }

 private:
  struct Node {
    Node* next;
  };
  // Classes 0..3: 16, 32, 48, 64; then four steps for each doubling: 80, 96, 112, 128, 160, …
  static constexpr int kClasses = 40;
  static int ClassOf(size_t size) {
    if (size <= 64) return size == 0 ? 0 : static_cast<int>((size - 1) / 16);
    size_t n = size - 1;
    int top = 63 - __builtin_clzll(n);            // 6 for 65..128
    int step = static_cast<int>(n >> (top - 2)) & 3;
    return (top - 6) * 4 + step + 4;
  }
  static size_t SizeOf(int c) {
    if (c < 4) return static_cast<size_t>(c + 1) * 16;
    int top = (c - 4) / 4 + 6;
    return static_cast<size_t>((c - 4) % 4 + 5) << (top - 2);
  }
  [[gnu::noinline]] char* Refill(int c);
  [[gnu::noinline]] char* AllocLarge(size_t size);
  [[gnu::noinline]] void FreeLarge(char* at, size_t size);

  Node* free_[kClasses] = {};
  std::vector<char*> slabs_;
  size_t bytes_held_ = 0;
};

// Objects of one type with stable addresses, reused through a free list. `T` is default-constructed once and then only
// reset by its users.
template <class T, size_t kChunk = 256>
class ObjectPool {
 public:
  ObjectPool() = default;
  ObjectPool(const ObjectPool&) = delete;
  ObjectPool& operator=(const ObjectPool&) = delete;
  ~ObjectPool() {
    for (T* chunk : chunks_) delete[] chunk;
  }
  T* Take() {
    if (free_.empty()) {
      T* chunk = new T[kChunk];
      chunks_.push_back(chunk);
      free_.reserve(chunks_.size() * kChunk);
      for (size_t i = kChunk; i-- != 0;) free_.push_back(&chunk[i]);
    }
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  void Give(T* object) { free_.push_back(object); }
  size_t in_use() const { return chunks_.size() * kChunk - free_.size(); }

 private:
  std::vector<T*> chunks_;
  std::vector<T*> free_;
};

}  // namespace weir
