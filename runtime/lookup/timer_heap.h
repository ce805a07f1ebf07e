// Times at which requests want attention, earliest first; an object can be moved or taken out at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir {

// `kAt` is the member with the time, `kSequence` breaks ties (so that equal times come out in a fixed order) and
// `kPlace` remembers the object's place; kNoPlace: not in the heap. One thread.
inline constexpr uint32_t kNoPlace = UINT32_MAX;

template <class T, int64_t T::*kAt, uint64_t T::*kSequence, uint32_t T::*kPlace>
class TimerHeap {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  T* first() const { return heap_[0]; }

  void Insert(T* object) {
    heap_.push_back(object);
    Up(heap_.size() - 1);
  }
  void Erase(T* object) {
    size_t at = object->*kPlace;
    object->*kPlace = kNoPlace;
    T* last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    heap_[at] = last;
    last->*kPlace = static_cast<uint32_t>(at);
    Up(at);
    Down(last->*kPlace);
  }

 private:
  static bool Before(const T* a, const T* b) {
    return a->*kAt != b->*kAt ? a->*kAt < b->*kAt : a->*kSequence < b->*kSequence;
  }
  void Up(size_t at) {
    T* object = heap_[at];
    while (at != 0) {
      size_t above = (at - 1) / 2;
      if (!Before(object, heap_[above])) break;
      Put(at, heap_[above]);
      at = above;
    }
    Put(at, object);
  }
  void Down(size_t at) {
    T* object = heap_[at];
    for (;;) {
      size_t below = at * 2 + 1;
      if (below >= heap_.size()) break;
      if (below + 1 < heap_.size() && Before(heap_[below + 1], heap_[below])) ++below;
      if (!Before(heap_[below], object)) break;
      Put(at, heap_[below]);
      at = below;
    }
    Put(at, object);
  }
  void Put(size_t at, T* object) {
    heap_[at] = object;
    object->*kPlace = static_cast<uint32_t>(at);
  }

  std::vector<T*> heap_;
};

}  // namespace weir
