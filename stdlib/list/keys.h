// stdlib/list/keys.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/list.h"

namespace weir::fn {

/// fn keys(values: map<string, T>) -> list<string>
/// The keys in their order.
///     keys({"b": 1, "a": 2})   // ["b", "a"]
template <class T>
inline List<Str> Keys(Arena& arena, const Map<T>& values) {
  Str* keys = arena.AllocArray<Str>(values.size);
  for (uint32_t i = 0; i < values.size; ++i) keys[i] = values.data[i].key;
  return List<Str>{keys, values.size};
}

}  // namespace weir::fn
