#include "runtime/engine/meta.h"

namespace weir {

namespace {

enum MetaFlags : uint64_t { kHasKey = 1, kHasRaw = 2, kHasHeaders = 4, kHasTime = 8, kHasWatermark = 16, kHasOrdinal = 32 };

}  // namespace

// Bit set of what is there, then: time, watermark (as the distance below the time), arrival, source, partition, offset,
// ordinal, key, headers, raw.
void WriteMeta(const Meta& meta, bool keep_raw, RowWriter& out) {
  bool watermark = meta.watermark_ns != INT64_MIN;
  uint64_t flags = (meta.has_key ? kHasKey : 0) | (keep_raw && meta.has_raw ? kHasRaw : 0) |
                   (meta.headers.size != 0 ? kHasHeaders : 0) | (meta.time_ns != kNoTime ? kHasTime : 0) |
                   (watermark ? kHasWatermark : 0) | (meta.ordinal != 0 ? kHasOrdinal : 0);
  out.U64(flags);
  if (flags & kHasTime) out.I64(meta.time_ns);
  if (watermark) out.I64(meta.watermark_ns);
  out.I64(meta.arrival_ns);
  out.U64(meta.source);
  out.I32(meta.partition);
  out.I64(meta.offset);
  if (flags & kHasOrdinal) out.U64(meta.ordinal);
  if (flags & kHasKey) out.Str(meta.key);
  if (flags & kHasHeaders) {
    out.Count(meta.headers.size);
    for (uint32_t i = 0; i < meta.headers.size; ++i) {
      const Header& header = meta.headers.data[i];
      out.Str(header.name);
      out.OptTag(header.has_value);
      if (header.has_value) out.Str(header.value);
    }
  }
  if (flags & kHasRaw) out.Str(meta.raw);
}

bool ReadMeta(RowReader& in, Arena& arena, Meta* meta) {
  *meta = Meta();
  uint64_t flags = in.U64();
  if (flags & kHasTime) meta->time_ns = in.I64();
  if (flags & kHasWatermark) meta->watermark_ns = in.I64();
  meta->arrival_ns = in.I64();
  meta->source = static_cast<uint16_t>(in.U64());
  meta->partition = in.I32();
  meta->offset = in.I64();
  if (flags & kHasOrdinal) meta->ordinal = static_cast<uint32_t>(in.U64());
  if (flags & kHasKey) {
    meta->has_key = true;
    meta->key = in.Str();
  }
  if (flags & kHasHeaders) {
    uint32_t count = in.Count(2);
    Header* headers = arena.AllocArray<Header>(count);
    for (uint32_t i = 0; i < count; ++i) {
      headers[i] = Header();
      headers[i].name = in.Str();
      headers[i].has_value = in.OptTag();
      if (headers[i].has_value) headers[i].value = in.Str();
    }
    meta->headers = Headers{headers, count};
  }
  if (flags & kHasRaw) {
    meta->has_raw = true;
    meta->raw = in.Str();
  }
  return in.ok();
}

}  // namespace weir
