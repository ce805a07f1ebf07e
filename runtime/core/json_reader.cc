// The less usual ways through reading JSON: white space, escapes, unknown order of fields, long numbers, errors.
#include "runtime/core/json_reader.h"

#include "runtime/core/base64.h"
#include "runtime/core/number_text.h"
#include "runtime/core/time.h"
#include "runtime/core/utf8.h"

namespace weir {
namespace {

using json_scan::Load16;
using json_scan::Load8;
using json_scan::StringStops;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return static_cast<unsigned>(c - '0') <= 9; }

const char* PastSpace(const char* p, const char* end) {
  while (p != end && IsSpace(*p)) ++p;
  return p;
}

// Reads four hexadecimal digits; negative when they are none.
int HexUnit(const char* p) {
  int v = 0;
  for (int i = 0; i < 4; ++i) {
    char c = p[i];
    int digit;
    if (IsDigit(c)) {
      digit = c - '0';
    } else {
      c = static_cast<char>(c | 0x20);
      if (c < 'a' || c > 'f') return -1;
      digit = c - 'a' + 10;
    }
    v = v * 16 + digit;
  }
  return v;
}

bool IsHighSurrogate(int unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLowSurrogate(int unit) { return unit >= 0xdc00 && unit < 0xe000; }

// The size of the well-formed sequence that starts with the non-ASCII byte at p, or 0.
int SequenceSize(const char* p, const char* end) {
  int n = Utf8Width(static_cast<unsigned char>(*p));
  if (end - p < n) return 0;
  return ValidUtf8Prefix(p, static_cast<size_t>(n)) == static_cast<size_t>(n) ? n : 0;
}

// The next byte of a string that is no plain ASCII character, or the end.
const char* NextStop(const char* p, const char* end) {
  while (end - p >= 16) {
    uint32_t stops = StringStops(Load16(p));
    if (stops != 0) return p + __builtin_ctz(stops);
    p += 16;
  }
  while (p != end && static_cast<signed char>(*p) >= 0x20 && *p != '"' && *p != '\\') ++p;
  return p;
}

// Decodes what SkipString has accepted; returns where writing ended.
char* Unescape(const char* p, const char* end, char* out) {
  while (p != end) {
    if (*p != '\\') {
      *out++ = *p++;
      continue;
    }
    char c = p[1];
    p += 2;
    switch (c) {
      case 'b': *out++ = '\b'; break;
      case 'f': *out++ = '\f'; break;
      case 'n': *out++ = '\n'; break;
      case 'r': *out++ = '\r'; break;
      case 't': *out++ = '\t'; break;
      case 'u': {
        int unit = HexUnit(p);
        p += 4;
        auto code_point = static_cast<uint32_t>(unit);
        if (IsHighSurrogate(unit)) {
          int low = HexUnit(p + 2);
          p += 6;
          code_point = 0x10000 + ((code_point - 0xd800) << 10) + (static_cast<uint32_t>(low) - 0xdc00);
        }
        out += EncodeUtf8(code_point, out);
        break;
      }
      default: *out++ = c; break;
    }
  }
  return out;
}

uint64_t Head(Str name) {
  if (name.size >= 8) return Load8(name.data);
  uint64_t head = 0;
  for (uint32_t i = 0; i < name.size; ++i) {
    head |= static_cast<uint64_t>(static_cast<unsigned char>(name.data[i])) << (8 * i);
  }
  return head;
}

// The index of a name, looking from `first` on and around: when optional fields are left out, the next is near.
int FindField(const JsonFields& fields, Str name, uint32_t first) {
  uint64_t head = Head(name);
  if (first >= fields.count) first = 0;
  uint32_t i = first;
  do {
    const JsonField& field = fields.data[i];
    if (field.head == head && field.name.size == name.size &&
        (name.size <= 8 || std::memcmp(field.name.data + 8, name.data + 8, name.size - 8) == 0)) {
      return static_cast<int>(i);
    }
    if (++i == fields.count) i = 0;
  } while (i != first);
  return kUnknownField;
}

}  // namespace

// ---- Errors ----

bool JsonReader::Fail(JsonErrorCode code, const char* at, const char* expected) {
  if (error_.code == JsonErrorCode::kNone) {
    error_.code = code;
    error_.offset = static_cast<uint32_t>(at - begin_);
    error_.expected = expected;
    if (field_ != nullptr) error_.field = field_->name;
  }
  return false;
}

bool JsonReader::Refuse(JsonErrorCode code, uint32_t offset, const char* expected) {
  return Fail(code, begin_ + offset, expected);
}

bool JsonReader::FailDecimal(DecimalError error, const char* at, int precision, int scale, bool from_string) {
  JsonErrorCode code = error == DecimalError::kInexact    ? JsonErrorCode::kInexact
                       : error == DecimalError::kOverflow ? JsonErrorCode::kRange
                       : from_string                      ? JsonErrorCode::kFormat
                                                          : JsonErrorCode::kSyntax;
  if (ok()) {
    error_.precision = static_cast<uint8_t>(precision);
    error_.scale = static_cast<uint8_t>(scale);
  }
  return Fail(code, at, "a decimal");
}

bool JsonReader::FailValue(const char* at, const char* expected) {
  if (at == end_) return Fail(JsonErrorCode::kTruncated, at, expected);
  switch (*at) {
    case '"':
    case '{':
    case '[':
    case '-': return Fail(JsonErrorCode::kType, at, expected);
    case 't':
    case 'f':
    case 'n': {
      const char* word = *at == 't' ? "true" : *at == 'f' ? "false" : "null";
      size_t n = std::strlen(word);
      bool whole = static_cast<size_t>(end_ - at) >= n && std::memcmp(at, word, n) == 0;
      return Fail(whole ? JsonErrorCode::kType : JsonErrorCode::kSyntax, at, expected);
    }
    default: return Fail(IsDigit(*at) ? JsonErrorCode::kType : JsonErrorCode::kSyntax, at, expected);
  }
}

bool JsonReader::FailDelimiter(const char* at, const char* expected) {
  if (at == end_) return Fail(JsonErrorCode::kTruncated, at, expected);
  // Int64 stops at a point or an exponent without looking at it.
  if (at != begin_ && IsDigit(at[-1]) && (*at == '.' || *at == 'e' || *at == 'E')) {
    const char* start = at;
    while (start != begin_ && (IsDigit(start[-1]) || start[-1] == '-')) --start;
    return Fail(JsonErrorCode::kType, start, "a whole number without point and exponent");
  }
  return Fail(JsonErrorCode::kSyntax, at, expected);
}

bool JsonReader::FailDepth(const char* at) {
  return Fail(JsonErrorCode::kDepth, at, "less nesting");
}

bool JsonReader::Duplicate(const JsonFields& fields, int f) {
  field_ = &fields.data[f];
  return Fail(JsonErrorCode::kDuplicate, p_, "each field once");
}

bool JsonReader::DuplicateKey(Str key) {
  if (ok()) {
    Fail(JsonErrorCode::kDuplicate, p_, "each key once");
    error_.field = key;
  }
  return false;
}

bool JsonReader::Missing(const JsonFields& fields, int f) {
  field_ = &fields.data[f];
  return Fail(JsonErrorCode::kMissing, p_, "a field that must be there");
}

// ---- Objects and arrays ----

int JsonReader::NextFieldSlow(const JsonFields& fields, int expected) {
  const char* p = p_;
  if (separator_ == '{') {
    p = PastSpace(p + 1, end_);
    if (p != end_ && *p == '}') {
      p_ = p + 1;
      separator_ = ',';
      --depth_;
      return kEndObject;
    }
  } else {
    p = PastSpace(p, end_);
    if (p != end_ && *p == '}') {
      p_ = p + 1;
      --depth_;
      return kEndObject;
    }
    if (p == end_ || *p != ',') {
      FailDelimiter(p, "`,` or `}`");
      return kJsonError;
    }
    p = PastSpace(p + 1, end_);
  }
  if (p == end_ || *p != '"') {
    Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a field's name in quotes");
    return kJsonError;
  }
  Str name;
  p = ReadString(p + 1, &name);
  if (p == nullptr) return kJsonError;
  p = PastSpace(p, end_);
  if (p == end_ || *p != ':') {
    Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "`:`");
    return kJsonError;
  }
  ++p;
  if (p != end_ && *p == ' ') ++p;
  p_ = p;
  separator_ = ',';
  int f = FindField(fields, name, static_cast<uint32_t>(expected));
  field_ = f == kUnknownField ? nullptr : &fields.data[f];
  return f;
}

bool JsonReader::NextKey(Str* key) {
  const char* p = p_;
  if (separator_ == '{') {
    p = PastSpace(p + 1, end_);
    separator_ = ',';
  } else {
    p = PastSpace(p, end_);
    if (p != end_ && *p == ',') {
      p = PastSpace(p + 1, end_);
      if (p != end_ && *p == '}') return Fail(JsonErrorCode::kSyntax, p, "a key in quotes");
    } else if (p == end_ || *p != '}') {
      return FailDelimiter(p, "`,` or `}`");
    }
  }
  if (p != end_ && *p == '}') {
    p_ = p + 1;
    --depth_;
    return false;
  }
  if (p == end_ || *p != '"') {
    return Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a key in quotes");
  }
  p = ReadString(p + 1, key);
  if (p == nullptr) return false;
  p = PastSpace(p, end_);
  if (p == end_ || *p != ':') {
    return Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "`:`");
  }
  p_ = PastSpace(p + 1, end_);
  return true;
}

bool JsonReader::NextElement() {
  const char* p = p_;
  if (separator_ == '[') {
    p = PastSpace(p + 1, end_);
    separator_ = ',';
    if (p != end_ && *p == ']') {
      p_ = p + 1;
      --depth_;
      return false;
    }
  } else {
    p = PastSpace(p, end_);
    if (p != end_ && *p == ']') {
      p_ = p + 1;
      --depth_;
      return false;
    }
    if (p == end_ || *p != ',') return FailDelimiter(p, "`,` or `]`");
    p = PastSpace(p + 1, end_);
  }
  if (p == end_) return Fail(JsonErrorCode::kTruncated, p, "a value");
  p_ = p;
  return true;
}

bool JsonReader::End() {
  const char* p = PastSpace(p_, end_);
  p_ = p;
  if (p == end_) return ok();
  if (p != begin_ && IsDigit(p[-1]) && (*p == '.' || *p == 'e' || *p == 'E')) return FailDelimiter(p, "");
  return Fail(JsonErrorCode::kTrailing, p, "the end");
}

// ---- Strings ----

const char* JsonReader::SkipString(const char* p) {
  for (;;) {
    p = NextStop(p, end_);
    if (p == end_) {
      Fail(JsonErrorCode::kTruncated, p, "the string's closing quote");
      return nullptr;
    }
    char c = *p;
    if (c == '"') return p + 1;
    if (c == '\\') {
      if (end_ - p < 2) {
        Fail(JsonErrorCode::kTruncated, end_, "an escape");
        return nullptr;
      }
      switch (p[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't': p += 2; continue;
        case 'u': break;
        default: Fail(JsonErrorCode::kSyntax, p, "one of the escapes of JSON"); return nullptr;
      }
      int unit = end_ - p < 6 ? -1 : HexUnit(p + 2);
      if (unit < 0) {
        Fail(end_ - p < 6 ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "four hexadecimal digits");
        return nullptr;
      }
      if (IsHighSurrogate(unit)) {
        int low = end_ - p < 12 || p[6] != '\\' || p[7] != 'u' ? -1 : HexUnit(p + 8);
        if (!IsLowSurrogate(low)) {
          Fail(JsonErrorCode::kUtf8, p, "the other half of a surrogate pair");
          return nullptr;
        }
        p += 12;
      } else if (IsLowSurrogate(unit)) {
        Fail(JsonErrorCode::kUtf8, p, "the other half of a surrogate pair");
        return nullptr;
      } else {
        p += 6;
      }
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      do {
        int n = SequenceSize(p, end_);
        if (n == 0) {
          Fail(JsonErrorCode::kUtf8, p, "valid UTF-8");
          return nullptr;
        }
        p += n;
      } while (p != end_ && static_cast<unsigned char>(*p) >= 0x80);
    } else {
      Fail(JsonErrorCode::kSyntax, p, "control characters as escapes");
      return nullptr;
    }
  }
}

const char* JsonReader::ReadString(const char* p, Str* out) {
  const char* start = p;
  p = NextStop(p, end_);
  if (p != end_ && *p == '"') {
    *out = Str(start, static_cast<size_t>(p - start));
    return p + 1;
  }
  const char* after = SkipString(p);
  if (after == nullptr) return nullptr;
  const char* close = after - 1;
  auto size = static_cast<size_t>(close - start);
  if (std::memchr(p, '\\', static_cast<size_t>(close - p)) == nullptr) {
    *out = Str(start, size);
    return after;
  }
  // An escape never decodes to more bytes than it has.
  char* text = arena_->AllocChars(size);
  auto decoded = static_cast<size_t>(Unescape(start, close, text) - text);
  arena_->Shrink(text, size, decoded);
  *out = Str(text, decoded);
  return after;
}

bool JsonReader::StringSlow(Str* out) {
  SkipSpace();
  if (p_ == end_ || *p_ != '"') return FailValue(p_, "a string");
  const char* p = ReadString(p_ + 1, out);
  if (p == nullptr) return false;
  p_ = p;
  return true;
}

// ---- Numbers ----

const char* JsonReader::SkipNumber(const char* p) {
  if (p != end_ && *p == '-') ++p;
  if (p == end_ || !IsDigit(*p)) {
    Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a digit");
    return nullptr;
  }
  if (*p == '0') {
    ++p;
    if (p != end_ && IsDigit(*p)) {
      Fail(JsonErrorCode::kSyntax, p, "a number without leading zeros");
      return nullptr;
    }
  } else {
    while (p != end_ && IsDigit(*p)) ++p;
  }
  if (p != end_ && *p == '.') {
    ++p;
    if (p == end_ || !IsDigit(*p)) {
      Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a digit after the point");
      return nullptr;
    }
    while (p != end_ && IsDigit(*p)) ++p;
  }
  if (p != end_ && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end_ && (*p == '+' || *p == '-')) ++p;
    if (p == end_ || !IsDigit(*p)) {
      Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a digit in the exponent");
      return nullptr;
    }
    while (p != end_ && IsDigit(*p)) ++p;
  }
  return p;
}

const char* JsonReader::NumberEnd(const char* p, const char* expected) {
  if (p == end_ || (*p != '-' && !IsDigit(*p))) {
    FailValue(p, expected);
    return nullptr;
  }
  return SkipNumber(p);
}

bool JsonReader::Int64Slow(int64_t* out) {
  SkipSpace();
  const char* p = p_;
  const char* end = NumberEnd(p, "an int64");
  if (end == nullptr) return false;
  Str text(p, static_cast<size_t>(end - p));
  if (!ParseInt64(text, out)) {
    for (char c : text) {
      if (c == '.' || c == 'e' || c == 'E') {
        return Fail(JsonErrorCode::kType, p, "a whole number without point and exponent");
      }
    }
    return Fail(JsonErrorCode::kRange, p, "an int64");
  }
  p_ = end;
  return true;
}

bool JsonReader::Decimal128(int precision, int scale, i128* out) {
  SkipSpace();
  const char* p = p_;
  bool quoted = p != end_ && *p == '"';
  Str text;
  const char* end;
  if (quoted) {
    end = ReadString(p + 1, &text);
    if (end == nullptr) return false;
  } else {
    end = NumberEnd(p, "a decimal");
    if (end == nullptr) return false;
    text = Str(p, static_cast<size_t>(end - p));
  }
  DecimalError error = ParseDecimal(text, precision, scale, out);
  if (error != DecimalError::kOk) return FailDecimal(error, p, precision, scale, quoted);
  p_ = end;
  return true;
}

bool JsonReader::Decimal64Slow(int precision, int scale, int64_t* out) {
  i128 wide;
  if (!Decimal128(precision, scale, &wide)) return false;
  *out = static_cast<int64_t>(wide);
  return true;
}

bool JsonReader::Float64(double* out) {
  // Up to seven digits on each side of the point are exact, and so is the power of ten: one rounding.
  static constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
  const char* p = p_;
  if (end_ - p > 18) {
    bool negative = *p == '-';
    p += negative;
    uint64_t digits = json_scan::ToDigits(Load8(p));
    uint64_t stops = json_scan::NonDigits(digits);
    int bits = stops == 0 ? 0 : __builtin_ctzll(stops) - 7;
    if (bits != 0 && ((digits & 0xff) != 0 || bits == 8)) {
      uint64_t value = json_scan::EightDigits(digits << (64 - bits));
      p += bits >> 3;
      int behind = 0;
      bool usual = true;
      if (*p == '.') {
        digits = json_scan::ToDigits(Load8(p + 1));
        stops = json_scan::NonDigits(digits);
        bits = stops == 0 ? 0 : __builtin_ctzll(stops) - 7;
        usual = bits != 0;
        if (usual) {
          behind = bits >> 3;
          value = value * static_cast<uint64_t>(kPow10[behind]) + json_scan::EightDigits(digits << (64 - bits));
          p += behind + 1;
        }
      }
      if (usual && (*p | 0x20) != 'e') {
        double v = static_cast<double>(value) / kPowers[behind];
        *out = negative ? -v : v;
        p_ = p;
        return true;
      }
    }
  }
  SkipSpace();
  p = p_;
  const char* end = NumberEnd(p, "a number");
  if (end == nullptr) return false;
  if (!ParseDouble(Str(p, static_cast<size_t>(end - p)), out)) return Fail(JsonErrorCode::kRange, p, "a float64");
  p_ = end;
  return true;
}

// ---- Other values ----

bool JsonReader::Bool(bool* out) {
  SkipSpace();
  if (end_ - p_ >= 4 && std::memcmp(p_, "true", 4) == 0) {
    *out = true;
    p_ += 4;
    return true;
  }
  if (end_ - p_ >= 5 && std::memcmp(p_, "false", 5) == 0) {
    *out = false;
    p_ += 5;
    return true;
  }
  return FailValue(p_, "true or false");
}

bool JsonReader::Timestamp(int64_t* ns) {
  SkipSpace();
  const char* p = p_;
  if (p != end_ && *p == '"') {
    Str text;
    if (!String(&text)) return false;
    if (ParseTimestamp(text, ns)) return true;
    return Fail(JsonErrorCode::kFormat, p, "a timestamp as RFC 3339 has it or in milliseconds");
  }
  if (p == end_ || (*p != '-' && !IsDigit(*p))) return FailValue(p, "a timestamp");
  int64_t ms;
  if (!Int64(&ms)) return false;
  if (!TimestampFromMilliseconds(ms, ns)) return Fail(JsonErrorCode::kRange, p, "a timestamp, years 1678 to 2262");
  return true;
}

bool JsonReader::Date(int32_t* days) {
  SkipSpace();
  const char* p = p_;
  Str text;
  if (p == end_ || *p != '"') return FailValue(p, "a date");
  if (!String(&text)) return false;
  if (!ParseDate(text, days)) return Fail(JsonErrorCode::kFormat, p, "a date such as \"2026-01-02\"");
  return true;
}

bool JsonReader::Duration(int64_t* ns) {
  SkipSpace();
  const char* p = p_;
  Str text;
  if (p == end_ || *p != '"') return FailValue(p, "a duration");
  if (!String(&text)) return false;
  if (!ParseDuration(text, ns)) return Fail(JsonErrorCode::kFormat, p, "a duration such as \"1h30m\" or \"250ms\"");
  return true;
}

bool JsonReader::Bytes(Str* out) {
  SkipSpace();
  const char* p = p_;
  Str text;
  if (p == end_ || *p != '"') return FailValue(p, "bytes in base64");
  if (!String(&text)) return false;
  size_t room = Base64BytesMax(text.size), size;
  char* bytes = arena_->AllocChars(room);
  if (!DecodeBase64(text, bytes, &size)) return Fail(JsonErrorCode::kFormat, p, "bytes in base64");
  arena_->Shrink(bytes, room, size);
  *out = Str(bytes, size);
  return true;
}

bool JsonReader::Enum(const EnumNames& names, int32_t* out) {
  SkipSpace();
  const char* p = p_;
  Str text;
  if (p == end_ || *p != '"') return FailValue(p, "one of the enum's names");
  if (!String(&text)) return false;
  for (uint32_t i = 0; i < names.count; ++i) {
    if (names.names[i] == text) {
      *out = static_cast<int32_t>(i);
      return true;
    }
  }
  return Fail(JsonErrorCode::kEnum, p, "one of the enum's names");
}

bool JsonReader::Raw(Str* out) {
  SkipSpace();
  const char* start = p_;
  if (!Skip()) return false;
  *out = Str(start, static_cast<size_t>(p_ - start));
  return true;
}

}  // namespace weir
