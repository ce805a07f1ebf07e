// A record's metadata: it survives every step.
#pragma once

#include <cstdint>

#include "runtime/core/arena.h"
#include "runtime/core/row.h"
#include "runtime/engine/batch.h"

namespace weir {

class Ticket;

// Meta::source of a record that a window made: this bit and the window's index. Then `offset` is the window's start.
inline constexpr uint16_t kFromWindow = 0x8000;
// Of a record that no source is known for: a row of a table, an output that its sink refused.
inline constexpr uint16_t kNoSource = 0x7fff;

// `with time` changes time_ns.
struct Meta {
  int64_t time_ns = kNoTime;       // event time
  int64_t watermark_ns = INT64_MIN;  // of its task, before it: decides whether it is late, wherever it has waited since
  int64_t arrival_ns = 0;          // wall clock when it was read
  Str key;                         // the record's key as it came
  bool has_key = false;
  bool has_raw = false;
  uint16_t source = 0;             // index into Program::sources
  int32_t partition = 0;
  Headers headers;
  Str raw;                         // original value bytes, where a later step may need them; else empty
  int64_t offset = 0;
  uint32_t ordinal = 0;            // several records out of one: 0, 1, …
  Ticket* ticket = nullptr;        // what this record's outputs are counted in; null in pipelines that commit by epochs
};

// The stored form, for pending rows and exchanged rows. Without `keep_raw` the original bytes are left out.
void WriteMeta(const Meta& meta, bool keep_raw, RowWriter& out);
// Keys, headers and raw bytes are views into the reader's bytes, the list of headers lives in `arena`. False when the
// bytes are malformed. The ticket is null.
[[nodiscard]] bool ReadMeta(RowReader& in, Arena& arena, Meta* meta);

}  // namespace weir
