// stdlib/list/length.h
#pragma once

#include "runtime/core/list.h"

namespace weir::fn {

/// fn length(values: list<T>) -> int64
/// How many elements a list has.
///     length([1, 2, 3])   // 3
///     length([])   // 0
template <class T>
inline int64_t Length(const List<T>& values) {
  return values.size;
}

/// fn length(values: map<string, T>) -> int64
/// How many entries a map has.
///     length({"a": 1, "b": 2})   // 2
template <class T>
inline int64_t LengthOfMap(const Map<T>& values) {
  return values.size;
}

}  // namespace weir::fn
