// stdlib/hash/murmur2.h
#pragma once

#include <cstdint>

#include "runtime/core/hash.h"
#include "runtime/core/str.h"

namespace weir::fn {

/// fn murmur2(text: string) -> int64
/// The hash by which Kafka's Java client finds the partition of a key, positive as it uses it: 0 to 2147483647.
///     murmur2("21")   // 1173551340
///     murmur2("foobar")   // 1357151166
inline int64_t Murmur2(Str text) { return Murmur2Positive(text); }

}  // namespace weir::fn
