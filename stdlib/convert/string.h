// stdlib/convert/string.h
#pragma once

#include "runtime/core/str.h"
#include "runtime/core/utf8.h"

namespace weir::fn {

/// fn string(data: bytes) -> string fails
/// The text that these bytes are in UTF-8. Fails when they are none.
///     string(bytes("été"))   // "été"
///     string(from_base64("/w=="))   // fails
inline bool StringOf(Str data, Str* out) {
  if (!ValidUtf8(data)) return false;
  *out = data;
  return true;
}

}  // namespace weir::fn
