// stdlib/list/last.h
#pragma once

#include "runtime/core/list.h"
#include "stdlib/list/get.h"

namespace weir::fn {

/// fn last(values: list<T>) -> T?
/// The last element; null when the list is empty.
///     last([3, 1, 2])   // 2
///     last([])   // null
template <class T>
inline auto Last(const List<T>& values) -> decltype(Nullable(T())) {
  return Get(values, static_cast<int64_t>(values.size) - 1);
}

}  // namespace weir::fn
