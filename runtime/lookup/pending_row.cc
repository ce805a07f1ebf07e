// One allocation holds all bytes of a row: [headers][key][header texts][raw][args][order key][row].
#include "runtime/lookup/pending_row.h"

#include <cstring>
#include <new>

namespace weir {
namespace {

constexpr char kRowVersion = 2;

// Copies `from` to *at and moves *at behind it.
Str Take(char** at, Str from) {
  Str copy(*at, from.size);
  if (from.size != 0) std::memcpy(*at, from.data, from.size);
  *at += from.size;
  return copy;
}

}  // namespace

void FillRow(BytePool& pool, const Meta& meta, bool keeps_raw, Str args, Str order_key, Str row, PendingRow* out) {
  bool raw = keeps_raw && meta.has_raw;
  size_t size = sizeof(Header) * meta.headers.size + meta.key.size + (raw ? meta.raw.size : 0) + args.size +
                order_key.size + row.size;
  for (uint32_t i = 0; i < meta.headers.size; ++i) {
    size += meta.headers.data[i].name.size + meta.headers.data[i].value.size;
  }

  out->bytes = pool.Alloc(size);
  out->bytes_size = static_cast<uint32_t>(size);
  Header* headers = reinterpret_cast<Header*>(out->bytes);
  char* at = out->bytes + sizeof(Header) * meta.headers.size;
  out->meta = meta;
  out->meta.key = Take(&at, meta.key);
  for (uint32_t i = 0; i < meta.headers.size; ++i) {
    const Header& h = meta.headers.data[i];
    Str name = Take(&at, h.name);
    new (&headers[i]) Header{name, Take(&at, h.value), h.has_value};
  }
  out->meta.headers = Headers{headers, meta.headers.size};
  out->meta.has_raw = raw;
  out->meta.raw = raw ? Take(&at, meta.raw) : Str();
  out->args = Take(&at, args);
  out->order_key = Take(&at, order_key);
  out->row = Take(&at, row);
}

void FreeRowBytes(BytePool& pool, PendingRow* row) {
  if (row->bytes != nullptr) pool.Free(row->bytes, row->bytes_size);
  row->bytes = nullptr;
}

void SaveRow(const PendingRow& row, uint16_t attempts, uint64_t row_schema, RowWriter& out) {
  out.Raw(Str(&kRowVersion, 1));
  out.Raw(Str(reinterpret_cast<const char*>(&row_schema), sizeof row_schema));
  out.U64(row.seq);
  out.I64(row.watermark_ns);
  out.U64(attempts);
  out.Str(row.args);
  out.Str(row.order_key);
  out.Str(row.row);
  WriteMeta(row.meta, true, out);
}

Status LoadRow(BytePool& pool, Arena& scratch, Str bytes, uint64_t row_schema, PendingRow* out) {
  RowReader in(bytes);
  Str version = in.Raw(1);
  Str schema = in.Raw(sizeof row_schema);
  if (!in.ok() || version[0] != kRowVersion) return Status::Corrupt("a stored pending request has an unknown version");
  if (std::memcmp(schema.data, &row_schema, sizeof row_schema) != 0) {
    return Status::Corrupt("a stored pending request has another layout than this version of the pipeline expects");
  }
  uint64_t seq = in.U64();
  int64_t watermark_ns = in.I64();
  uint64_t attempts = in.U64();
  Str args = in.Str();
  Str order_key = in.Str();
  Str row = in.Str();
  Meta meta;
  if (!ReadMeta(in, scratch, &meta) || !in.AtEnd() || attempts > UINT16_MAX) {
    return Status::Corrupt("a stored pending request is cut off or has bytes too many");
  }
  FillRow(pool, meta, true, args, order_key, row, out);
  out->seq = seq;
  out->watermark_ns = watermark_ns;
  out->attempts = static_cast<uint16_t>(attempts);
  return Status();
}

}  // namespace weir
