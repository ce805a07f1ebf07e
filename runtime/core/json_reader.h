// Reads one JSON text straight into the fields of a record. What generated decoders call for every record.
//
// Strict RFC 8259: UTF-8 is validated, skipped parts too; nothing but white space may follow; no byte order mark; names
// of a record's fields occur once; escapes that are half a surrogate pair are refused. Nothing is read beyond the text.
//
// A generated decoder looks like this:
//
//   constexpr weir::JsonField kTradeFieldTable[] = {"trade_id", "symbol", "note"};
//   constexpr weir::JsonFields kTradeFields(kTradeFieldTable);
//
//   bool DecodeTrade(weir::JsonReader& in, Trade* out) {
//     if (!in.BeginObject()) return false;
//     uint64_t seen = 0;
//     for (int f, next = 0; (f = in.NextField(kTradeFields, next)) >= 0; next = f + 1) {
//       if (f == weir::kUnknownField) {
//         if (!in.Skip()) return false;
//         f = next - 1;                                    // the next field is still the one expected
//         continue;
//       }
//       if (!in.Once(&seen, kTradeFields, f)) return false;
//       switch (f) {
//         case 0: if (!in.Int64(&out->trade_id)) return false; break;
//         case 1: if (!in.String(&out->symbol)) return false; break;
//         case 2: if (!in.Null()) { if (!in.String(&out->note.value)) return false; out->note.has = true; } break;
//       }
//     }
//     return in.ok() && in.Complete(kTradeFields, seen, 0x3);  // bits of the fields that must be there
//   }
//   …
//   weir::JsonReader in(message.value, &arena);
//   if (!DecodeTrade(in, &trade) || !in.End()) { in.Describe(&buffer); … }
//
// Fields that are declared but not used belong in the table too, with Skip: it keeps the expected order right.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/core/arena.h"
#include "runtime/core/buffer.h"
#include "runtime/core/decimal.h"
#include "runtime/core/int128.h"
#include "runtime/core/json_scan.h"
#include "runtime/core/str.h"

namespace weir {

// What NextField returns beside indices. Loops go on while it is >= 0.
inline constexpr int kEndObject = -1;
inline constexpr int kJsonError = -2;
inline constexpr int kUnknownField = 1 << 30;

inline constexpr uint32_t kJsonDepthMax = 64;

// A field's name, prepared at compile time for comparing it with the input.
struct JsonField {
  char key[32] = {};      // `"name":`, as most senders write it
  uint32_t key_low = 0;   // a bit for each of its bytes among the first sixteen; impossible when it does not fit
  uint32_t key_high = 0;  // and among the second sixteen
  uint32_t key_size = 0;
  uint64_t head = 0;      // the first eight bytes of the name
  Str name;

  template <size_t N>
  consteval JsonField(const char (&literal)[N]) : name(literal, N - 1) {
    constexpr size_t n = N - 1;
    bool plain = n + 3 <= 32;
    for (size_t i = 0; i < n; ++i) {
      unsigned char c = static_cast<unsigned char>(literal[i]);
      if (c < 0x20 || c == '"' || c == '\\') plain = false;
      if (i < 8) head |= static_cast<uint64_t>(c) << (8 * i);
    }
    if (!plain) {
      key_low = 1u << 31;  // a comparison of sixteen bytes never sets this bit, so the key never matches
      return;
    }
    key[0] = '"';
    for (size_t i = 0; i < n; ++i) key[i + 1] = literal[i];
    key[n + 1] = '"';
    key[n + 2] = ':';
    key_size = static_cast<uint32_t>(n + 3);
    key_low = key_size >= 16 ? 0xffff : (1u << key_size) - 1;
    key_high = key_size > 16 ? (1u << (key_size - 16)) - 1 : 0;
  }
};

// The fields of one record, in the order in which they are declared.
struct JsonFields {
  const JsonField* data;
  uint32_t count;

  template <size_t N>
  constexpr JsonFields(const JsonField (&fields)[N]) : data(fields), count(N) {}
};

// The values of an enum as they stand in JSON; the index is the value.
struct EnumNames {
  const Str* names;
  uint32_t count;

  template <size_t N>
  constexpr EnumNames(const Str (&names)[N]) : names(names), count(N) {}
};

enum class JsonErrorCode : uint8_t {
  kNone,
  kSyntax,     // no JSON
  kTruncated,  // the text ends inside a value
  kTrailing,   // something follows the value
  kUtf8,       // a string is no valid UTF-8
  kDepth,      // nested too deeply
  kType,       // a value of another kind than declared
  kRange,      // a number outside the declared type
  kInexact,    // a decimal with more digits than its scale keeps
  kFormat,     // a string that is no timestamp, date, duration, decimal or base64
  kEnum,       // none of the enum's values
  kDuplicate,  // a field for the second time
  kMissing,    // a field that must be there is not
};

// The first thing that went wrong.
struct JsonError {
  JsonErrorCode code = JsonErrorCode::kNone;
  uint8_t precision = 0;          // of the decimal that was expected, if one was
  uint8_t scale = 0;
  uint32_t offset = 0;            // of the byte where it was noticed, or where the value starts
  const char* expected = "";      // in words: `an int64`
  Str field;                      // the field being read, empty outside of one
};

class JsonReader {
 public:
  // `text` stays alive as long as what was decoded from it: strings without escapes are views into it. Strings with
  // escapes, and bytes, go to `arena`.
  JsonReader(Str text, Arena* arena, uint32_t depth_max = kJsonDepthMax)
      : p_(text.data), end_(text.data + text.size), begin_(text.data), arena_(arena), depth_max_(depth_max) {}

  // ---- Objects ----
  // Stands before a `{`. False is an error, here and below, unless stated.
  bool BeginObject();
  // The index of the next field, kUnknownField, kEndObject or kJsonError. Stands before the field's value then.
  // `expected` is the index that would be next in the declared order; any number is safe.
  int NextField(const JsonFields& fields, int expected);
  // For maps: true and the key when there is another entry, false at the end and on errors (see ok()).
  bool NextKey(Str* key);
  // Notes that field `f` was seen; an error when it was seen before.
  bool Once(uint64_t* seen, const JsonFields& fields, int f) {
    uint64_t bit = 1ull << (f & 63);
    if (__builtin_expect((*seen & bit) != 0, 0)) return Duplicate(fields, f);
    *seen |= bit;
    return true;
  }
  // True when all bits of `required` are in `seen`; an error that names the first missing field otherwise. The
  // fields meant start at `first`: records of more than 64 fields keep several words.
  bool Complete(const JsonFields& fields, uint64_t seen, uint64_t required, int first = 0) {
    if (__builtin_expect((seen & required) == required, 1)) return true;
    return Missing(fields, first + __builtin_ctzll(required & ~seen));
  }
  bool Duplicate(const JsonFields& fields, int f);
  bool DuplicateKey(Str key);
  bool Missing(const JsonFields& fields, int f);

  // ---- Arrays ----
  bool BeginArray();
  // True when there is another element, false at the end and on errors (see ok()).
  bool NextElement();

  // ---- Values. White space in front is skipped. ----
  bool Bool(bool* out);
  bool Int32(int32_t* out);  // whole numbers without point and exponent: `1.0` and `1e3` are refused
  bool Int64(int64_t* out);
  bool Float64(double* out);
  bool String(Str* out);
  // Exact, from a number (an exponent is fine) or from a string that holds one.
  bool Decimal64(int precision, int scale, int64_t* out);
  bool Decimal128(int precision, int scale, i128* out);
  bool Timestamp(int64_t* ns);  // a whole number of milliseconds since 1970, or an RFC 3339 string
  bool Date(int32_t* days);     // "2026-01-02"
  bool Duration(int64_t* ns);   // "1h30m"
  bool Bytes(Str* out);         // base64 with padding (RFC 4648 section 4)
  bool Enum(const EnumNames& names, int32_t* out);
  // True when the value is null, which is then read. False is no error: the value is something else.
  bool Null();
  // Passes over one value of any kind, validating it.
  bool Skip();
  // As Skip; the value's text without white space around it.
  bool Raw(Str* out);

  // Only white space follows.
  bool End();

  bool ok() const { return error_.code == JsonErrorCode::kNone; }
  const JsonError& error() const { return error_; }
  // Byte offset of the next thing to read.
  uint32_t position() const { return static_cast<uint32_t>(p_ - begin_); }
  // Appends the error for an operator: "byte 37: field `qty`: expected an int64, found a string".
  void Describe(Buffer* out) const;
  // Records an error about the value that starts at `offset` (see position()); for checks that generated code adds.
  bool Refuse(JsonErrorCode code, uint32_t offset, const char* expected);

 private:
  [[gnu::noinline]] int NextFieldSlow(const JsonFields& fields, int expected);
  [[gnu::noinline]] bool Int64Slow(int64_t* out);
  [[gnu::noinline]] bool StringSlow(Str* out);
  [[gnu::noinline]] bool Decimal64Slow(int precision, int scale, int64_t* out);
  [[gnu::noinline, gnu::cold]] bool Fail(JsonErrorCode code, const char* at, const char* expected);
  [[gnu::noinline, gnu::cold]] bool FailDecimal(DecimalError error, const char* at, int precision, int scale,
                                                bool from_string);
  // What stands at `at` should have been `expected` (a type): says type, syntax or truncation.
  [[gnu::noinline, gnu::cold]] bool FailValue(const char* at, const char* expected);
  // What follows a value is no delimiter.
  [[gnu::noinline, gnu::cold]] bool FailDelimiter(const char* at, const char* expected);
  [[gnu::noinline, gnu::cold]] bool FailDepth(const char* at);

  void SkipSpace() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  // Reads a string at `p`, which is behind its opening quote; returns behind the closing one, or null after Fail.
  const char* ReadString(const char* p, Str* out);
  // Passes over one; as above.
  const char* SkipString(const char* p);
  const char* SkipNumber(const char* p);
  const char* SkipLiteral(const char* p);
  // The span of a number, or null after FailValue.
  const char* NumberEnd(const char* p, const char* expected);

  const char* p_;
  const char* end_;
  // What must stand at p_ before the next field or element: the opening bracket, which Begin… leaves there, then commas.
  char separator_ = 0;
  const JsonField* field_ = nullptr;
  const char* begin_;
  Arena* arena_;
  uint32_t depth_ = 0;
  uint32_t depth_max_;
  JsonError error_;
};

// ---- The usual way through, inline; everything else is in json_reader.cc. ----

inline bool JsonReader::BeginObject() {
  if (__builtin_expect(p_ == end_ || *p_ != '{', 0)) {
    SkipSpace();
    if (p_ == end_ || *p_ != '{') return FailValue(p_, "an object");
  }
  if (__builtin_expect(++depth_ > depth_max_, 0)) return FailDepth(p_);
  separator_ = '{';
  return true;
}

inline bool JsonReader::BeginArray() {
  if (__builtin_expect(p_ == end_ || *p_ != '[', 0)) {
    SkipSpace();
    if (p_ == end_ || *p_ != '[') return FailValue(p_, "an array");
  }
  if (__builtin_expect(++depth_ > depth_max_, 0)) return FailDepth(p_);
  separator_ = '[';
  return true;
}

inline int JsonReader::NextField(const JsonFields& fields, int expected) {
  const char* p = p_;
  // Separator, a space, the key and a space, in one comparison of sixteen or 32 bytes.
  if (__builtin_expect(end_ - p > 36 && static_cast<uint32_t>(expected) < fields.count, 1)) {
    const JsonField& field = fields.data[expected];
    const char* k = p + 1;
    k += *k == ' ';
    uint32_t equal = static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(json_scan::Load16(k), json_scan::Load16(field.key))));
    if (__builtin_expect(*p == separator_ && (~equal & field.key_low) == 0, 1)) {
      if (__builtin_expect(field.key_high != 0, 0)) {
        equal = static_cast<uint32_t>(
            _mm_movemask_epi8(_mm_cmpeq_epi8(json_scan::Load16(k + 16), json_scan::Load16(field.key + 16))));
        if ((~equal & field.key_high) != 0) return NextFieldSlow(fields, expected);
      }
      p = k + field.key_size;
      p += *p == ' ';
      p_ = p;
      separator_ = ',';
      field_ = &field;
      return expected;
    }
  }
  return NextFieldSlow(fields, expected);
}

inline bool JsonReader::Int64(int64_t* out) {
  using namespace json_scan;
  const char* p = p_;
  if (__builtin_expect(end_ - p <= 17, 0)) return Int64Slow(out);
  bool negative = *p == '-';
  p += negative;
  uint64_t digits = ToDigits(Load8(p));
  uint64_t stops = NonDigits(digits);
  uint64_t value;
  if (__builtin_expect(stops != 0, 1)) {
    int bits = __builtin_ctzll(stops) - 7;  // of the digits
    if (__builtin_expect(bits == 0 || ((digits & 0xff) == 0 && bits != 8), 0)) return Int64Slow(out);
    value = EightDigits(digits << (64 - bits));
    p += bits >> 3;
  } else {
    uint64_t more = ToDigits(Load8(p + 8));
    stops = NonDigits(more);
    if (__builtin_expect(stops == 0 || (digits & 0xff) == 0, 0)) return Int64Slow(out);
    int bits = __builtin_ctzll(stops) - 7;
    // Shifting by 64 is undefined, so in two steps: no second digits is fine here.
    value = EightDigits(digits) * static_cast<uint64_t>(kPow10[bits >> 3]) + EightDigits(more << 8 << (56 - bits));
    p += 8 + (bits >> 3);
  }
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  p_ = p;
  return true;
}

inline bool JsonReader::Int32(int32_t* out) {
  const char* start = p_;
  int64_t value;
  if (!Int64(&value)) return false;
  if (__builtin_expect(value != static_cast<int32_t>(value), 0)) {
    return Fail(JsonErrorCode::kRange, start, "an int32");
  }
  *out = static_cast<int32_t>(value);
  return true;
}

inline bool JsonReader::Decimal64(int precision, int scale, int64_t* out) {
  using namespace json_scan;
  const char* p = p_;
  // At most eight digits before and seven behind the point.
  if (__builtin_expect(end_ - p <= 18, 0)) return Decimal64Slow(precision, scale, out);
  bool negative = *p == '-';
  p += negative;
  uint64_t digits = ToDigits(Load8(p));
  uint64_t stops = NonDigits(digits);
  if (__builtin_expect(stops == 0, 0)) return Decimal64Slow(precision, scale, out);
  int bits = __builtin_ctzll(stops) - 7;
  if (__builtin_expect(bits == 0 || ((digits & 0xff) == 0 && bits != 8), 0)) {
    return Decimal64Slow(precision, scale, out);
  }
  int whole = bits >> 3;
  uint64_t value = EightDigits(digits << (64 - bits));
  p += whole;
  int behind = 0;
  if (*p == '.') {
    digits = ToDigits(Load8(p + 1));
    stops = NonDigits(digits);
    if (__builtin_expect(stops == 0, 0)) return Decimal64Slow(precision, scale, out);
    bits = __builtin_ctzll(stops) - 7;
    behind = bits >> 3;
    if (__builtin_expect(behind == 0 || behind > scale, 0)) return Decimal64Slow(precision, scale, out);
    value = value * static_cast<uint64_t>(kPow10[behind]) + EightDigits(digits << (64 - bits));
    p += behind + 1;
  }
  if (__builtin_expect((*p | 0x20) == 'e' || whole + scale > kDecimal64DigitsMax, 0)) {
    return Decimal64Slow(precision, scale, out);
  }
  value *= static_cast<uint64_t>(kPow10[scale - behind]);
  if (__builtin_expect(value >= static_cast<uint64_t>(kPow10[precision]), 0)) {
    return Decimal64Slow(precision, scale, out);
  }
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  p_ = p;
  return true;
}

inline bool JsonReader::String(Str* out) {
  const char* p = p_;
  if (__builtin_expect(end_ - p > 16 && *p == '"', 1)) {
    const char* start = ++p;
    do {
      uint32_t stops = json_scan::StringStops(json_scan::Load16(p));
      if (stops != 0) {
        p += __builtin_ctz(stops);
        if (__builtin_expect(*p != '"', 0)) return StringSlow(out);
        *out = Str(start, static_cast<size_t>(p - start));
        p_ = p + 1;
        return true;
      }
      p += 16;
    } while (end_ - p >= 16);
  }
  return StringSlow(out);
}

inline bool JsonReader::Null() {
  if (__builtin_expect(p_ != end_ && static_cast<unsigned char>(*p_) <= ' ', 0)) SkipSpace();
  if (__builtin_expect(end_ - p_ < 4 || std::memcmp(p_, "null", 4) != 0, 1)) return false;
  p_ += 4;
  return true;
}

}  // namespace weir
