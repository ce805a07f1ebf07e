// stdlib/text/split.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/list.h"
#include "runtime/core/str.h"
#include "stdlib/text/find.h"

namespace weir::fn {

/// fn split(text: string, at: string) -> list<string>
/// The parts between every `at`, at least one. An empty `at` splits nothing.
///     split("a,b,,c", ",")   // ["a", "b", "", "c"]
///     split("abc", ",")   // ["abc"]
///     split("", ",")   // [""]
///     split("abc", "")   // ["abc"]
inline List<Str> Split(Arena& arena, Str text, Str at) {
  ListBuilder<Str> parts(arena);
  for (;;) {
    uint32_t end = at.empty() ? kNotFound : Find(text, at);
    if (end == kNotFound) break;
    parts.Add(text.Sub(0, end));
    text = text.Sub(end + at.size);
  }
  parts.Add(text);
  return parts.Finish();
}

}  // namespace weir::fn
