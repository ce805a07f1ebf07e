// stdlib/list/first.h
#pragma once

#include "runtime/core/list.h"
#include "stdlib/list/get.h"

namespace weir::fn {

/// fn first(values: list<T>) -> T?
/// The first element; null when the list is empty.
///     first([3, 1, 2])   // 3
///     first([])   // null
template <class T>
inline auto First(const List<T>& values) -> decltype(Nullable(T())) {
  return Get(values, 0);
}

}  // namespace weir::fn
