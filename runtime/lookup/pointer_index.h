// A hash index of objects that live elsewhere and know their own hash: open addressing, nothing allocated in steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

// `kHash` is the member of T that holds its hash. Linear probing at a load of at most one half; erasing shifts back, so
// there are no tombstones. One thread.
template <class T, uint64_t T::*kHash>
class PointerIndex {
 public:
  size_t size() const { return size_; }

  // The object with this hash for which `equal(object)` holds, or null.
  template <class Equal>
  T* Find(uint64_t hash, Equal equal) const {
    if (size_ == 0) return nullptr;
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      T* at = slots_[i];
      if (at == nullptr) return nullptr;
      if (at->*kHash == hash && equal(at)) return at;
    }
  }
  // Adds an object that is not in the index.
  void Insert(T* object) {
    if ((size_ + 1) * 2 > slots_.size()) Grow();
    Place(object);
    ++size_;
  }
  // Puts `object` where `old` was; both have the same hash.
  void Replace(T* old, T* object) { slots_[Where(old)] = object; }
  // Takes out an object that is in the index.
  void Erase(T* object) {
    size_t hole = Where(object);
    --size_;
    for (size_t i = (hole + 1) & mask_; slots_[i] != nullptr; i = (i + 1) & mask_) {
      size_t home = slots_[i]->*kHash & mask_;
      // The one at `i` may move into the hole when its home does not lie between the hole and `i`.
      if (((i - home) & mask_) >= ((i - hole) & mask_)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = nullptr;
  }

 private:
  size_t Where(T* object) const {
    size_t i = object->*kHash & mask_;
    while (slots_[i] != object) i = (i + 1) & mask_;
    return i;
  }
  void Place(T* object) {
    size_t i = object->*kHash & mask_;
    while (slots_[i] != nullptr) i = (i + 1) & mask_;
    slots_[i] = object;
  }
  void Grow() {
    std::vector<T*> old = std::move(slots_);
    slots_.assign(old.empty() ? 16 : old.size() * 2, nullptr);
    mask_ = slots_.size() - 1;
    for (T* object : old) {
      if (object != nullptr) Place(object);
    }
  }

  std::vector<T*> slots_;
  size_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace weir
