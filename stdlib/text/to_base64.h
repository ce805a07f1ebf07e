// stdlib/text/to_base64.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/base64.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn to_base64(data: bytes) -> string
/// Base64 with padding (RFC 4648 section 4).
///     to_base64(bytes("hello"))   // "aGVsbG8="
inline Str ToBase64(Arena& arena, Str data) {
  size_t size = Base64Size(data.size);
  char* out = arena.AllocChars(size);
  EncodeBase64(data, out);
  return Str(out, size);
}

}  // namespace weir::fn
