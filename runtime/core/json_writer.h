// Appends JSON to a buffer. What generated encoders call for every output.
//
// The names and brackets of a record are known when it is compiled, so a generated encoder writes them as one constant
// per field and pays for the values only:
//
//   out.Literal("{\"trade_id\":");  out.Int64(row.trade_id);
//   out.Literal(",\"symbol\":");    out.Str(row.symbol);
//   out.Literal(",\"price\":");     out.Decimal(row.price, 4);
//   out.Literal("}");
//
// Where the shape is not known, BeginObject, Field, BeginArray, Element and so on put the commas themselves.
// Strings must be valid UTF-8 (all strings of the language are); they are escaped where RFC 8259 asks for it only.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/buffer.h"
#include "runtime/core/decimal.h"
#include "runtime/core/int128.h"
#include "runtime/core/str.h"

namespace weir {

class JsonWriter {
 public:
  explicit JsonWriter(Buffer* out) : out_(out) {}
  Buffer* buffer() { return out_; }

  // A constant as it is.
  template <size_t N>
  [[gnu::always_inline]] void Literal(const char (&text)[N]) {
    std::memcpy(out_->Reserve(N), text, N);  // with the zero byte, which the next append overwrites: rounder sizes
    out_->Advance(N - 1);
  }

  // ---- Structure whose shape is not known beforehand ----
  void BeginObject() { out_->Append('{'); }
  void EndObject() { out_->Append('}'); }
  void BeginArray() { out_->Append('['); }
  void EndArray() { out_->Append(']'); }
  // Comma, name and colon; the name is escaped.
  void Field(weir::Str name);
  // A comma, unless this is the first element.
  void Element() {
    if (out_->data()[out_->size() - 1] != '[') out_->Append(',');
  }

  // ---- Values ----
  void Null() { Literal("null"); }
  void Bool(bool v) {
    if (v) {
      Literal("true");
    } else {
      Literal("false");
    }
  }
  void Int32(int32_t v) { Int64(v); }
  void Int64(int64_t v);
  // As a number: no exponent and no trailing zeros, `10.5`, `1050`.
  void Decimal(int64_t v, int scale);
  void Decimal(i128 v, int scale);
  // The shortest text that reads back as the same double; null for NaN and infinities, which JSON cannot say.
  void F64(double v);
  void Str(weir::Str v);
  void Bytes(weir::Str v);           // base64 with padding
  void Timestamp(int64_t ns);        // "2026-01-02T09:00:00.5Z"
  void Milliseconds(int64_t ns);     // the timestamp as a number of milliseconds, rounded toward the past
  void Date(int32_t days);           // "2026-01-02"
  void Duration(int64_t ns);         // "1h30m"
  // A JSON value that was read with JsonReader::Raw.
  void Raw(weir::Str json) { out_->Append(json.data, json.size); }

 private:
  Buffer* out_;
};

}  // namespace weir
