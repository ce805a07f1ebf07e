// xxHash64.
#define XXH_INLINE_ALL
#include "stdlib/hash/xxh64.h"

#define XXH_INLINE_ALL  // librdkafka carries the same symbols; ours stay inside this file
#include <xxhash.h>

namespace weir::fn {

int64_t Xxh64(Str text) { return static_cast<int64_t>(XXH64(text.data, text.size, 0)); }

}  // namespace weir::fn
