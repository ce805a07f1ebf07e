// One change of a task's state as its changelog keeps it. The record's key is the store key (see store.h), which says the
// step, the kind, the task and the entry; the value is the entry's value with a checksum behind it. No value: the entry
// is removed.
#pragma once

#include "runtime/core/buffer.h"
#include "runtime/core/str.h"

namespace weir {

// Appends `value` and the CRC-32C of key and value (4 bytes, little endian).
void SealChange(Str key, Str value, Buffer* out);

// The value inside; a view into `sealed`. False: it is damaged, too short, or belongs to another key.
[[nodiscard]] bool OpenChange(Str key, Str sealed, Str* value);

}  // namespace weir
