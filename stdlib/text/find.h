// Where one text occurs in another. Not a function of the language.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/str.h"

namespace weir::fn {

inline constexpr uint32_t kNotFound = UINT32_MAX;

// The byte at which `part` first occurs. Both are UTF-8, so that it never starts inside a character.
inline uint32_t Find(Str text, Str part) {
  if (part.size == 0) return 0;
  if (part.size > text.size) return kNotFound;
  const void* at = memmem(text.data, text.size, part.data, part.size);
  return at == nullptr ? kNotFound : static_cast<uint32_t>(static_cast<const char*>(at) - text.data);
}

}  // namespace weir::fn
