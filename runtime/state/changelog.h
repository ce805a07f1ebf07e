// One change of a task's state as its changelog keeps it. The record's key is the store key (see store.h), which says the
// step, the kind, the task and the entry; the value is the entry's value with a checksum behind it.
//
// An entry that is removed has no value: a tombstone, which a compacted topic keeps for delete.retention.ms. Of pending
// rows that would be one for each record that ever asked, days of them; their slots are taken again and again, so a slot that
// is free has an empty value instead, and the compacted topic holds no more of them than were ever taken at once.
#pragma once

#include "runtime/core/buffer.h"
#include "runtime/core/str.h"

namespace weir {

// Appends `value` and the CRC-32C of key and value (4 bytes, little endian).
void SealChange(Str key, Str value, Buffer* out);

// The value inside; a view into `sealed`. False: it is damaged, too short, or belongs to another key.
[[nodiscard]] bool OpenChange(Str key, Str sealed, Str* value);

// Whether the entry of this key is removed by an empty value, and not by none.
bool IsSlot(Str key);

// What a record of a changelog says of its key, whose value may be null. `removed`: the entry is gone. False: it is damaged.
[[nodiscard]] bool ReadChange(Str key, const Str* sealed, Str* value, bool* removed);

}  // namespace weir
