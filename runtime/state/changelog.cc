#include "runtime/state/changelog.h"

#include <cstring>

#include "runtime/core/crc32c.h"
#include "runtime/state/store.h"

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

bool IsSlot(Str key) {
  DeltaEntry entry;
  return ReadStoreKey(key, &entry) && entry.kind == StateKind::kRow;
}

bool ReadChange(Str key, const Str* sealed, Str* value, bool* removed) {
  *removed = sealed == nullptr;
  if (*removed) return true;
  if (!OpenChange(key, *sealed, value)) return false;
  *removed = value->empty() && IsSlot(key);
  return true;
}

}  // namespace weir
