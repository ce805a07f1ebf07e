// Base64, the standard alphabet with padding (RFC 4648 section 4).
#pragma once

#include <cstddef>

#include "runtime/core/str.h"

namespace weir {

inline size_t Base64Size(size_t bytes) { return (bytes + 2) / 3 * 4; }
// Writes Base64Size(bytes.size) characters.
void EncodeBase64(Str bytes, char* out);

// Bytes that `text` decodes to at most.
inline size_t Base64BytesMax(size_t text) { return text / 4 * 3; }
// False unless `text` is canonical: whole groups, padding at the end, unused bits zero.
[[nodiscard]] bool DecodeBase64(Str text, char* out, size_t* size);

}  // namespace weir
