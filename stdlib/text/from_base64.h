// stdlib/text/from_base64.h
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/base64.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn from_base64(text: string) -> bytes fails
/// The bytes of a Base64 text with padding (RFC 4648 section 4). Fails when it is none.
///     from_base64("aGVsbG8=")   // bytes("hello")
///     from_base64("aGVsbG8")   // fails
inline bool FromBase64(Arena& arena, Str text, Str* out) {
  size_t room = Base64BytesMax(text.size), size = 0;
  char* data = arena.AllocChars(room);
  bool good = DecodeBase64(text, data, &size);
  arena.Shrink(data, room, good ? size : 0);
  if (good) *out = Str(data, size);
  return good;
}

}  // namespace weir::fn
