// stdlib/text/index_of.h
#pragma once

#include "runtime/core/opt.h"
#include "runtime/core/str.h"
#include "runtime/core/utf8.h"
#include "stdlib/text/find.h"

namespace weir::fn {

/// fn index_of(text: string, part: string) -> int64?
/// The number of characters before the first `part`; null when it does not occur.
///     index_of("a-b-c", "-")   // 1
///     index_of("é-b", "-")   // 1
///     index_of("abc", "-")   // null
inline Opt<int64_t> IndexOf(Str text, Str part) {
  uint32_t at = Find(text, part);
  if (at == kNotFound) return {};
  return Opt<int64_t>(CountCodePoints(text.Sub(0, at)));
}

}  // namespace weir::fn
