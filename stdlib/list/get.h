// stdlib/list/get.h
#pragma once

#include "runtime/core/list.h"

namespace weir::fn {

// A value of type T as a T?, which for a T that is nullable already is itself.
template <class T>
inline Opt<T> Nullable(const T& value) {
  return Opt<T>(value);
}
template <class T>
inline Opt<T> Nullable(const Opt<T>& value) {
  return value;
}

/// fn get(values: list<T>, index: int64) -> T?
/// Element number `index`, counted from 0; null when there is none. `values[index]` does the same.
///     get(["a", "b"], 1)   // "b"
///     get([1, 2], 2)   // null
///     get([1, 2], -1)   // null
template <class T>
inline auto Get(const List<T>& values, int64_t index) -> decltype(Nullable(T())) {
  if (index < 0 || index >= values.size) return {};
  return Nullable(values[static_cast<uint32_t>(index)]);
}

/// fn get(values: map<string, T>, key: string) -> T?
/// The value of this key; null when there is none. `values[key]` does the same.
///     get({"a": 1}, "a")   // 1
///     get({"a": 1}, "b")   // null
template <class T>
inline auto GetByKey(const Map<T>& values, Str key) -> decltype(Nullable(T())) {
  const T* found = values.Find(key);
  if (found == nullptr) return {};
  return Nullable(*found);
}

}  // namespace weir::fn
