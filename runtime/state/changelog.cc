#include "runtime/state/changelog.h"

#include <cstring>

#include "runtime/core/crc32c.h"

namespace weir {

void SealChange(Str key, Str value, Buffer* out) {
  uint32_t crc = Crc32c(value.data, value.size, Crc32c(key.data, key.size));
  out->Append(value);
  out->Append(&crc, sizeof crc);
}

bool OpenChange(Str key, Str sealed, Str* value) {
  uint32_t crc;
  if (sealed.size < sizeof crc) return false;
  *value = Str(sealed.data, sealed.size - static_cast<uint32_t>(sizeof crc));
  std::memcpy(&crc, value->data + value->size, sizeof crc);
  return crc == Crc32c(value->data, value->size, Crc32c(key.data, key.size));
}

}  // namespace weir
