// Lists and maps of the language: views of arrays built in an arena.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/arena.h"
#include "runtime/core/opt.h"
#include "runtime/core/str.h"

namespace weir {

template <class T>
struct List {
  const T* data = nullptr;
  uint32_t size = 0;

  const T* begin() const { return data; }
  const T* end() const { return data + size; }
  const T& operator[](uint32_t i) const { return data[i]; }
};

template <class T>
bool operator==(const List<T>& a, const List<T>& b) {
  if (a.size != b.size) return false;
  for (uint32_t i = 0; i < a.size; ++i) {
    if (!(a.data[i] == b.data[i])) return false;
  }
  return true;
}

template <class T>
struct MapEntry {
  Str key;
  T value{};
};

// String keys, each once, in the order in which they were added.
template <class T>
struct Map {
  const MapEntry<T>* data = nullptr;
  uint32_t size = 0;

  const MapEntry<T>* begin() const { return data; }
  const MapEntry<T>* end() const { return data + size; }
  // The key's value, or null. Looks at one entry after another: maps in records are small.
  const T* Find(Str key) const {
    for (uint32_t i = 0; i < size; ++i) {
      if (data[i].key == key) return &data[i].value;
    }
    return nullptr;
  }
};

// Same keys with the same values; the order does not matter.
template <class T>
bool operator==(const Map<T>& a, const Map<T>& b) {
  if (a.size != b.size) return false;
  for (uint32_t i = 0; i < a.size; ++i) {
    const T* other = b.Find(a.data[i].key);
    if (other == nullptr || !(*other == a.data[i].value)) return false;
  }
  return true;
}

// Collects elements in an arena. Growing copies to a new place, so elements are trivially copyable, as all values of
// the language are.
template <class T>
class ListBuilder {
 public:
  static_assert(__is_trivially_copyable(T));
  explicit ListBuilder(Arena& arena) : arena_(arena) {}

  T* Add() {
    if (size_ == capacity_) Grow();
    T* at = new (data_ + size_) T();
    ++size_;
    return at;
  }
  void Add(const T& value) { *Add() = value; }
  T* data() { return data_; }
  uint32_t size() const { return size_; }
  List<T> Finish() const { return List<T>{data_, size_}; }

 private:
  void Grow() {
    uint32_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
    T* data = arena_.AllocArray<T>(capacity);
    if (size_ != 0) std::memcpy(static_cast<void*>(data), data_, size_ * sizeof(T));
    data_ = data;
    capacity_ = capacity;
  }

  Arena& arena_;
  T* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

template <class T>
class MapBuilder {
 public:
  explicit MapBuilder(Arena& arena) : entries_(arena) {}

  // The place for this key's value, or null when the key is there already.
  T* Add(Str key) {
    if (Map<T>{entries_.data(), entries_.size()}.Find(key) != nullptr) return nullptr;
    MapEntry<T>* entry = entries_.Add();
    entry->key = key;
    return &entry->value;
  }
  Map<T> Finish() { return Map<T>{entries_.data(), entries_.size()}; }

 private:
  ListBuilder<MapEntry<T>> entries_;
};

}  // namespace weir
