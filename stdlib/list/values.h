// stdlib/list/values.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/list.h"

namespace weir::fn {

/// fn values(values: map<string, T>) -> list<T>
/// The values in the order of their keys.
///     values({"b": 1, "a": 2})   // [1, 2]
template <class T>
inline List<T> Values(Arena& arena, const Map<T>& values) {
  T* list = arena.AllocArray<T>(values.size);
  for (uint32_t i = 0; i < values.size; ++i) list[i] = values.data[i].value;
  return List<T>{list, values.size};
}

}  // namespace weir::fn
