// stdlib/text/split_once.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/list.h"
#include "runtime/core/opt.h"
#include "runtime/core/str.h"
#include "stdlib/text/find.h"

namespace weir::fn {

/// fn split_once(text: string, at: string) -> list<string>?
/// The two parts before and after the first `at`; null when `at` does not occur or is empty.
///     split_once("a=b=c", "=")   // ["a", "b=c"]
///     split_once("abc", "=")   // null
inline Opt<List<Str>> SplitOnce(Arena& arena, Str text, Str at) {
  uint32_t end = at.empty() ? kNotFound : Find(text, at);
  if (end == kNotFound) return {};
  Str* parts = arena.AllocArray<Str>(2);
  parts[0] = text.Sub(0, end);
  parts[1] = text.Sub(end + at.size);
  return Opt<List<Str>>(List<Str>{parts, 2});
}

}  // namespace weir::fn
