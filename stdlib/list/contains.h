// stdlib/list/contains.h
#pragma once

#include "runtime/core/list.h"

namespace weir::fn {

/// fn contains(values: list<T>, value: T) -> bool
/// Whether the value is one of the elements; `value in values` does the same.
///     contains(["a", "b"], "b")   // true
///     contains([1, 2], 3)   // false
template <class T>
inline bool Contains(const List<T>& values, const T& value) {
  for (const T& element : values) {
    if (element == value) return true;
  }
  return false;
}

/// fn contains(values: map<string, T>, key: string) -> bool
/// Whether the map has an entry of this key.
///     contains({"a": 1}, "a")   // true
///     contains({"a": 1}, "b")   // false
template <class T>
inline bool ContainsKey(const Map<T>& values, Str key) {
  return values.Find(key) != nullptr;
}

}  // namespace weir::fn
