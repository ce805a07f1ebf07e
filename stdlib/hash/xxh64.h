// stdlib/hash/xxh64.h
#pragma once

#include <cstdint>

#include "runtime/core/str.h"

namespace weir::fn {

/// fn xxh64(text: string) -> int64
/// The xxHash64 of the UTF-8 with seed 0, its 64 bits taken as a signed number. For spreading and comparing; anybody can
/// make collisions.
///     xxh64("")   // -1205034819632174695
///     xxh64("abc")   // 4952883123889572249
int64_t Xxh64(Str text);

/// fn xxh64(data: bytes) -> int64
/// The same of bytes.
///     xxh64(bytes("abc"))   // 4952883123889572249
inline int64_t Xxh64OfBytes(Str data) { return Xxh64(data); }

}  // namespace weir::fn
