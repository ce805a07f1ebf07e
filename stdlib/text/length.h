// stdlib/text/length.h
#pragma once

#include "runtime/core/str.h"
#include "runtime/core/utf8.h"

namespace weir::fn {

/// fn length(text: string) -> int64
/// How many characters (code points) a text has. Not its bytes: `é` counts once.
///     length("tide")   // 4
///     length("café")   // 4
///     length("")   // 0
inline int64_t Length(Str text) { return CountCodePoints(text); }

/// fn length(data: bytes) -> int64
/// How many bytes there are.
///     length(bytes("café"))   // 5
inline int64_t LengthOfBytes(Str data) { return data.size; }

}  // namespace weir::fn
