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
//   bool DecodeTrade(weir::JsonReader& reader, Trade* out) {
//     weir::JsonReader in = reader;                        // a copy of its own stays in registers
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
//     if (!in.ok() || !in.Complete(kTradeFields, seen, 0x3)) return false;  // bits of the fields that must be there
//     reader = in;
//     return true;
//   }
//   …
//   weir::JsonContext context(&arena);                     // one per worker, used again for every record
//   weir::JsonReader in(message.value, &context);
//   if (!DecodeTrade(in, &trade) || !in.End()) { context.Describe(&buffer); … }
//
// After a failure the reader is of no further use.
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

// The fields of one record, in the order in which they are declared, and a hash table of their names for inputs in
// another order. At most 254 fields; the name of each occurs once.
struct JsonFields {
  static constexpr uint8_t kEmpty = 255;
  const JsonField* data;
  uint32_t count;
  uint8_t slots[256];

  static constexpr uint32_t Slot(uint64_t head, uint32_t size) {
    return static_cast<uint32_t>(((head ^ size) * 0x9e3779b97f4a7c15u) >> 56);
  }

  template <size_t N>
  consteval JsonFields(const JsonField (&fields)[N]) : data(fields), count(N), slots() {
    static_assert(N < kEmpty);
    for (uint8_t& slot : slots) slot = kEmpty;
    for (size_t i = 0; i < N; ++i) {
      uint32_t slot = Slot(fields[i].head, fields[i].name.size);
      while (slots[slot] != kEmpty) slot = (slot + 1) & 255;
      slots[slot] = static_cast<uint8_t>(i);
    }
  }
  // A record without fields.
  consteval JsonFields() : data(nullptr), count(0), slots() {
    for (uint8_t& slot : slots) slot = kEmpty;
  }
};

// A value of an enum as it stands in JSON.
struct EnumName {
  Str name;
  uint64_t head = 0;  // the first eight bytes

  template <size_t N>
  consteval EnumName(const char (&literal)[N]) : name(literal, N - 1) {
    for (size_t i = 0; i < N - 1 && i < 8; ++i) {
      head |= static_cast<uint64_t>(static_cast<unsigned char>(literal[i])) << (8 * i);
    }
  }
};

// All values of an enum; the index is the value.
struct EnumNames {
  const EnumName* data;
  uint32_t count;

  template <size_t N>
  consteval EnumNames(const EnumName (&names)[N]) : data(names), count(N) {}
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

// What the copies of a reader share: the arena, the limits and the first error. One per worker.
class JsonContext {
 public:
  // Strings with escapes, and bytes, go to `arena`. `depth_max` is at most 1024.
  explicit JsonContext(Arena* arena, uint32_t depth_max = kJsonDepthMax) : arena(arena), depth_max(depth_max) {}

  bool ok() const { return error.code == JsonErrorCode::kNone; }
  // Appends the error for an operator: "byte 37: field `qty`: expected an int64, found the string `"a"`".
  void Describe(Buffer* out) const;

  // The rest is for JsonReader.
  const char* begin = nullptr;
  const char* end = nullptr;
  Arena* arena;
  const JsonField* field = nullptr;  // whose value is being read
  uint32_t depth = 0;
  uint32_t depth_max;
  JsonError error;
};

// The routines behind JsonReader. Each takes the place to read from and returns the place behind, or null after it has
// set context->error. No member functions: a reader whose address is never taken stays in registers.
namespace json {

struct FieldAt {
  const char* p;
  int64_t f;
};

FieldAt NextFieldAnyOrder(JsonContext* c, const char* p, char separator, const JsonFields& fields);
const char* Int64AnyLength(JsonContext* c, const char* p, int64_t* out);
const char* Decimal64AnyLength(JsonContext* c, const char* p, int precision, int scale, int64_t* out);
const char* StringAnyKind(JsonContext* c, const char* p, Str* out);
const char* TimestampAnyKind(JsonContext* c, const char* p, int64_t* out);
const char* EnumAnyKind(JsonContext* c, const char* p, const EnumNames& names, int32_t* out);
const char* BeginAfterSpace(JsonContext* c, const char* p, char bracket);
const char* NextKey(JsonContext* c, const char* p, char separator, bool* more, Str* key);
const char* NextElement(JsonContext* c, const char* p, char separator, bool* more);
const char* Bool(JsonContext* c, const char* p, bool* out);
const char* Float64(JsonContext* c, const char* p, double* out);
const char* Decimal128(JsonContext* c, const char* p, int precision, int scale, i128* out);
const char* Date(JsonContext* c, const char* p, int32_t* out);
const char* Duration(JsonContext* c, const char* p, int64_t* out);
const char* Bytes(JsonContext* c, const char* p, Str* out);
const char* Skip(JsonContext* c, const char* p);
const char* Raw(JsonContext* c, const char* p, Str* out);
const char* PastSpace(const char* p, const char* end);
[[gnu::cold]] bool FailTrailing(JsonContext* c, const char* p);
[[gnu::cold]] bool FailDuplicate(JsonContext* c, const char* p, const JsonField* field);
[[gnu::cold]] bool FailDuplicateKey(JsonContext* c, const char* p, Str key);
[[gnu::cold]] bool FailMissing(JsonContext* c, const char* p, const JsonField* field);
// Records the first error. Returns null.
[[gnu::cold]] const char* Fail(JsonContext* c, JsonErrorCode code, const char* at, const char* expected);
[[gnu::cold]] const char* FailDepth(JsonContext* c, const char* at);

// ---- The usual way through; the names above take whatever these do not. ----

// Passes over one space. A branch that stays one: as arithmetic it would make all that follows wait for this byte.
[[gnu::always_inline]] inline const char* PastOneSpace(const char* p) {
  if (__builtin_expect(*p == ' ', 0)) {
    ++p;
    asm("" : "+r"(p));
  }
  return p;
}

inline const char* Int64(JsonContext* c, const char* p, const char* end, int64_t* out) {
  using namespace json_scan;
  if (__builtin_expect(end - p <= 8, 0)) return Int64AnyLength(c, p, out);
  uint64_t sign = 0;
  uint64_t chars = Load8(p);
  if ((chars & 0xff) == '-') {
    sign = ~uint64_t{0};
    chars = Load8(++p);
  }
  uint64_t digits = ToDigits(chars);
  uint64_t stops = NonDigits(digits);
  uint64_t value;
  if (stops != 0) {
    int bits = __builtin_ctzll(stops) - 7;  // of the digits
    if (__builtin_expect(bits == 0 || ((digits & 0xff) == 0 && bits != 8), 0)) {
      return Int64AnyLength(c, p + static_cast<int64_t>(sign), out);
    }
    value = EightDigits(digits << (64 - bits));
    p += bits >> 3;
  } else {
    if (__builtin_expect(end - p < 16, 0)) return Int64AnyLength(c, p + static_cast<int64_t>(sign), out);
    uint64_t more = ToDigits(Load8(p + 8));
    stops = NonDigits(more);
    if (__builtin_expect(stops == 0 || (digits & 0xff) == 0, 0)) {
      return Int64AnyLength(c, p + static_cast<int64_t>(sign), out);
    }
    int bits = __builtin_ctzll(stops) - 7;
    // Shifting by 64 is undefined, so in two steps: that there are no more digits is fine here.
    value = EightDigits(digits) * static_cast<uint64_t>(kPow10[bits >> 3]) + EightDigits(more << 8 << (56 - bits));
    p += 8 + (bits >> 3);
  }
  *out = static_cast<int64_t>((value ^ sign) - sign);
  return p;
}

inline const char* Decimal64(JsonContext* c, const char* p, const char* end, int precision, int scale, int64_t* out) {
  using namespace json_scan;
  if (__builtin_expect(end - p <= 9, 0)) return Decimal64AnyLength(c, p, precision, scale, out);
  const char* start = p;
  uint64_t sign = 0;
  uint64_t chars = Load8(p);
  if ((chars & 0xff) == '-') {
    sign = ~uint64_t{0};
    chars = Load8(++p);
  }
  uint64_t digits = ToDigits(chars);
  uint64_t stops = NonDigits(digits);
  if (__builtin_expect(stops == 0, 0)) return Decimal64AnyLength(c, start, precision, scale, out);
  int bits = __builtin_ctzll(stops) - 7;
  if (__builtin_expect(bits == 0 || ((digits & 0xff) == 0 && bits != 8), 0)) {
    return Decimal64AnyLength(c, start, precision, scale, out);
  }
  int whole = bits >> 3;
  int behind = 0;
  uint64_t value;
  if ((chars >> bits & 0xff) == '.') {
    uint64_t more_stops = stops & (stops - 1);
    if (__builtin_expect(more_stops != 0, 1)) {
      // The whole number is in these eight characters: take the point out. Bytes behind a stop are told rightly as long
      // as the stop is an ASCII character.
      int all = __builtin_ctzll(more_stops) - 7;
      uint64_t before = (uint64_t{1} << bits) - 1;
      digits = (digits & before) | (digits >> 8 & ~before);
      behind = (all - bits - 8) >> 3;
      if (__builtin_expect(behind == 0 || behind > scale, 0)) {
        return Decimal64AnyLength(c, start, precision, scale, out);
      }
      value = EightDigits(digits << (72 - all));
      p += all >> 3;
    } else {
      value = EightDigits(digits << (64 - bits));
      p += whole + 1;
      if (__builtin_expect(end - p <= 8, 0)) return Decimal64AnyLength(c, start, precision, scale, out);
      digits = ToDigits(Load8(p));
      stops = NonDigits(digits);
      if (__builtin_expect(stops == 0, 0)) return Decimal64AnyLength(c, start, precision, scale, out);
      bits = __builtin_ctzll(stops) - 7;
      behind = bits >> 3;
      if (__builtin_expect(behind == 0 || behind > scale, 0)) {
        return Decimal64AnyLength(c, start, precision, scale, out);
      }
      value = value * static_cast<uint64_t>(kPow10[behind]) + EightDigits(digits << (64 - bits));
      p += behind;
    }
  } else {
    value = EightDigits(digits << (64 - bits));
    p += whole;
  }
  if (__builtin_expect((*p | 0x20) == 'e' || whole + scale > kDecimal64DigitsMax, 0)) {
    return Decimal64AnyLength(c, start, precision, scale, out);
  }
  value *= static_cast<uint64_t>(kPow10[scale - behind]);
  if (__builtin_expect(value >= static_cast<uint64_t>(kPow10[precision]), 0)) {
    return Decimal64AnyLength(c, start, precision, scale, out);
  }
  *out = static_cast<int64_t>((value ^ sign) - sign);
  return p;
}

inline const char* String(JsonContext* c, const char* p, const char* end, Str* out) {
  const char* start = p + 1;
  if (__builtin_expect(end - p > 16 && *p == '"', 1)) {
    ++p;
    do {
      uint32_t stops = json_scan::StringStops(json_scan::Load16(p));
      if (stops != 0) {
        p += __builtin_ctz(stops);
        if (__builtin_expect(*p != '"', 0)) return StringAnyKind(c, start - 1, out);
        *out = Str(start, static_cast<size_t>(p - start));
        return p + 1;
      }
      p += 16;
    } while (end - p >= 16);
    // The last bytes of the text, as the upper part of its last sixteen.
    uint32_t stops = json_scan::StringStops(json_scan::Load16(end - 16)) >> (16 - (end - p));
    if (stops != 0) {
      p += __builtin_ctz(stops);
      if (*p == '"') {
        *out = Str(start, static_cast<size_t>(p - start));
        return p + 1;
      }
    }
  }
  return StringAnyKind(c, start - 1, out);
}

inline const char* Timestamp(JsonContext* c, const char* p, const char* end, int64_t* ns) {
  // Milliseconds of this century have twelve or thirteen digits, which neither overflow here nor below.
  int64_t ms;
  if (__builtin_expect(end - p > 17 && static_cast<unsigned>(*p - '1') <= 8, 1)) {
    const char* after = Int64(c, p, end, &ms);
    if (__builtin_expect(after != nullptr && after - p <= 13 && ms < 9'000'000'000'000, 1)) {
      *ns = ms * 1'000'000;
      return after;
    }
    if (after == nullptr) return nullptr;
  }
  return TimestampAnyKind(c, p, ns);
}

inline const char* Enum(JsonContext* c, const char* p, const char* end, const EnumNames& names, int32_t* out) {
  if (__builtin_expect(end - p > 16 && *p == '"', 1)) {
    uint32_t stops = json_scan::StringStops(json_scan::Load16(p + 1));
    uint32_t size = static_cast<uint32_t>(__builtin_ctz(stops | 1u << 16));
    if (__builtin_expect(size <= 8 && p[size + 1] == '"', 1)) {
      uint64_t head = size == 0 ? 0 : json_scan::Load8(p + 1) << (64 - 8 * size) >> (64 - 8 * size);
      for (uint32_t i = 0; i < names.count; ++i) {
        if (names.data[i].head == head && names.data[i].name.size == size) {
          *out = static_cast<int32_t>(i);
          return p + size + 2;
        }
      }
    }
  }
  return EnumAnyKind(c, p, names, out);
}

}  // namespace json

// A place in a JSON text. Copying it is cheap: see the example on top. Stands before a value, or inside an object or
// array between its entries.
class JsonReader {
 public:
  // `text` stays alive as long as what was decoded from it: strings without escapes are views into it.
  JsonReader(Str text, JsonContext* context) : p_(text.data), end_(text.data + text.size), context_(context) {
    context->begin = text.data;
    context->end = end_;
    context->field = nullptr;
    context->depth = 0;
    if (!context->ok()) context->error = JsonError();
  }

  // ---- Objects. False is an error, here and below, unless stated. ----
  [[gnu::always_inline]] bool BeginObject() { return Begin('{'); }
  // The index of the next field, kUnknownField, kEndObject or kJsonError. Stands before the field's value then.
  // `expected` is the index that would be next in the declared order; any number is safe.
  [[gnu::always_inline]] int NextField(const JsonFields& fields, int expected);
  // For maps: true and the key when there is another entry, false at the end and on errors (see ok()).
  [[gnu::always_inline]] bool NextKey(Str* key) {
    bool more = false;
    return Take(json::NextKey(context_, p_, separator_, &more, key)) && Comma() && more;
  }
  // Notes that field `f` was seen; an error when it was seen before.
  [[gnu::always_inline]] bool Once(uint64_t* seen, const JsonFields& fields, int f) {
    uint64_t bit = uint64_t{1} << (f & 63);
    if (__builtin_expect((*seen & bit) != 0, 0)) return Duplicate(fields, f);
    *seen |= bit;
    return true;
  }
  // True when all bits of `required` are in `seen`; an error that names the first missing field otherwise. The
  // fields meant start at `first`: records of more than 64 fields keep several words.
  [[gnu::always_inline]] bool Complete(const JsonFields& fields, uint64_t seen, uint64_t required, int first = 0) {
    if (__builtin_expect((seen & required) == required, 1)) return true;
    return json::FailMissing(context_, p_, &fields.data[first + __builtin_ctzll(required & ~seen)]);
  }
  bool Duplicate(const JsonFields& fields, int f) { return json::FailDuplicate(context_, p_, &fields.data[f]); }
  bool DuplicateKey(Str key) { return json::FailDuplicateKey(context_, p_, key); }

  // ---- Arrays ----
  [[gnu::always_inline]] bool BeginArray() { return Begin('['); }
  // True when there is another element, false at the end and on errors (see ok()).
  [[gnu::always_inline]] bool NextElement() {
    bool more = false;
    return Take(json::NextElement(context_, p_, separator_, &more)) && Comma() && more;
  }

  // ---- Values. White space in front is skipped. ----
  [[gnu::always_inline]] bool Bool(bool* out) { return Take(json::Bool(context_, p_, out)); }
  // Whole numbers without point and exponent: `1.0` and `1e3` are refused.
  [[gnu::always_inline]] bool Int64(int64_t* out) { return Take(json::Int64(context_, p_, end_, out)); }
  [[gnu::always_inline]] bool Int32(int32_t* out) {
    const char* start = p_;
    int64_t value;
    if (!Int64(&value)) return false;
    *out = static_cast<int32_t>(value);
    if (__builtin_expect(value == *out, 1)) return true;
    return json::Fail(context_, JsonErrorCode::kRange, start, "an int32") != nullptr;
  }
  [[gnu::always_inline]] bool Float64(double* out) { return Take(json::Float64(context_, p_, out)); }
  [[gnu::always_inline]] bool String(Str* out) { return Take(json::String(context_, p_, end_, out)); }
  // Exact, from a number (an exponent is fine) or from a string that holds one.
  [[gnu::always_inline]] bool Decimal64(int precision, int scale, int64_t* out) {
    return Take(json::Decimal64(context_, p_, end_, precision, scale, out));
  }
  [[gnu::always_inline]] bool Decimal128(int precision, int scale, i128* out) {
    return Take(json::Decimal128(context_, p_, precision, scale, out));
  }
  // A whole number of milliseconds since 1970, or an RFC 3339 string.
  [[gnu::always_inline]] bool Timestamp(int64_t* ns) { return Take(json::Timestamp(context_, p_, end_, ns)); }
  // "2026-01-02"
  [[gnu::always_inline]] bool Date(int32_t* days) { return Take(json::Date(context_, p_, days)); }
  // "1h30m"
  [[gnu::always_inline]] bool Duration(int64_t* ns) { return Take(json::Duration(context_, p_, ns)); }
  // Base64 with padding (RFC 4648 section 4).
  [[gnu::always_inline]] bool Bytes(Str* out) { return Take(json::Bytes(context_, p_, out)); }
  [[gnu::always_inline]] bool Enum(const EnumNames& names, int32_t* out) {
    return Take(json::Enum(context_, p_, end_, names, out));
  }
  // True when the value is null, which is then read. False is no error: the value is something else.
  [[gnu::always_inline]] bool Null() {
    if (__builtin_expect(p_ != end_ && static_cast<unsigned char>(*p_) <= ' ', 0)) p_ = json::PastSpace(p_, end_);
    if (__builtin_expect(end_ - p_ < 4 || std::memcmp(p_, "null", 4) != 0, 1)) return false;
    p_ += 4;
    return true;
  }
  // Passes over one value of any kind, validating it.
  [[gnu::always_inline]] bool Skip() { return Take(json::Skip(context_, p_)); }
  // As Skip; the value's text without white space around it.
  [[gnu::always_inline]] bool Raw(Str* out) { return Take(json::Raw(context_, p_, out)); }

  // The first character of the next value, which tells its kind; 0 at the end of the text.
  char Peek() {
    p_ = json::PastSpace(p_, end_);
    return p_ == end_ ? '\0' : *p_;
  }

  // Only white space follows.
  [[gnu::always_inline]] bool End() {
    if (__builtin_expect(p_ != end_, 0)) {
      p_ = json::PastSpace(p_, end_);
      if (p_ != end_) return json::FailTrailing(context_, p_);
    }
    return context_->ok();
  }

  bool ok() const { return context_->ok(); }
  const JsonError& error() const { return context_->error; }
  JsonContext* context() { return context_; }
  // Byte offset of the next thing to read.
  uint32_t position() const { return static_cast<uint32_t>(p_ - context_->begin); }
  // Records an error about the value that starts at `offset` (see position()); for checks that generated code adds.
  bool Refuse(JsonErrorCode code, uint32_t offset, const char* expected) {
    return json::Fail(context_, code, context_->begin + offset, expected) != nullptr;
  }

 private:
  [[gnu::always_inline]] bool Take(const char* p) {
    if (__builtin_expect(p == nullptr, 0)) return false;
    p_ = p;
    return true;
  }
  [[gnu::always_inline]] bool Comma() {
    separator_ = ',';
    return true;
  }
  [[gnu::always_inline]] bool Begin(char bracket) {
    if (__builtin_expect(p_ == end_ || *p_ != bracket, 0)) {
      const char* p = json::BeginAfterSpace(context_, p_, bracket);
      if (p == nullptr) return false;
      p_ = p;
    }
    if (__builtin_expect(++context_->depth > context_->depth_max, 0)) {
      return json::FailDepth(context_, p_) != nullptr;
    }
    separator_ = bracket;
    return true;
  }

  const char* p_;
  const char* end_;
  JsonContext* context_;
  // What must stand at p_ before the next field or element: the opening bracket, which Begin… leaves there, then
  // commas.
  char separator_ = 0;
};

inline int JsonReader::NextField(const JsonFields& fields, int expected) {
  const char* p = p_;
  if (__builtin_expect(end_ - p > 18 && static_cast<uint32_t>(expected) < fields.count && *p == separator_, 1)) {
    const JsonField& field = fields.data[expected];
    p = json::PastOneSpace(p + 1);
    bool same = (~json_scan::Same16(p, field.key) & field.key_low) == 0;
    if (__builtin_expect(field.key_high != 0, 0)) {
      same = same && end_ - p > 32 && (~json_scan::Same16(p + 16, field.key + 16) & field.key_high) == 0;
    }
    if (__builtin_expect(same, 1)) {
      p_ = json::PastOneSpace(p + field.key_size);
      separator_ = ',';
      context_->field = &field;
      return expected;
    }
  }
  json::FieldAt at = json::NextFieldAnyOrder(context_, p_, separator_, fields);
  p_ = at.p;
  separator_ = ',';
  return static_cast<int>(at.f);
}

}  // namespace weir
