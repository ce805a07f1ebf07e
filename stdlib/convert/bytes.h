// stdlib/convert/bytes.h
#pragma once

#include "runtime/core/str.h"

namespace weir::fn {

/// fn bytes(text: string) -> bytes
/// The text's UTF-8.
///     bytes("ab")   // bytes("ab")
inline Str BytesOf(Str text) { return text; }

}  // namespace weir::fn
