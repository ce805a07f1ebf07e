// Reading single JSON values: numbers of any length, and everything that is a string in disguise.
#include "runtime/core/base64.h"
#include "runtime/core/json_internal.h"
#include "runtime/core/number_text.h"
#include "runtime/core/time.h"

namespace weir::json {
namespace {

using json_scan::EightDigits;
using json_scan::Load8;
using json_scan::NonDigits;
using json_scan::ToDigits;

const char* FailDecimal(JsonContext* c, DecimalError error, const char* at, int precision, int scale, bool quoted) {
  JsonErrorCode code = error == DecimalError::kInexact    ? JsonErrorCode::kInexact
                       : error == DecimalError::kOverflow ? JsonErrorCode::kRange
                       : quoted                           ? JsonErrorCode::kFormat
                                                          : JsonErrorCode::kSyntax;
  if (c->ok()) {
    c->error.precision = static_cast<uint8_t>(precision);
    c->error.scale = static_cast<uint8_t>(scale);
  }
  return Fail(c, code, at, "a decimal");
}

// The end of the number at `p`, or null when there is none.
const char* NumberEnd(JsonContext* c, const char* p, const char* expected) {
  if (p == c->end || (*p != '-' && !IsDigit(*p))) return FailValue(c, p, expected);
  return SkipNumber(c, p);
}

// Reads a string of which `kind` is expected; `*p` is moved to its start.
const char* TextOf(JsonContext* c, const char** p, const char* kind, Str* out) {
  *p = PastSpace(*p, c->end);
  if (*p == c->end || **p != '"') return FailValue(c, *p, kind);
  return ReadString(c, *p + 1, out);
}

}  // namespace

// ---- Numbers ----

const char* SkipNumber(JsonContext* c, const char* p) {
  const char* end = c->end;
  if (p != end && *p == '-') ++p;
  if (p == end || !IsDigit(*p)) return FailSyntax(c, p, "a digit");
  if (*p == '0') {
    ++p;
    if (p != end && IsDigit(*p)) return FailSyntax(c, p, "a number without leading zeros");
  } else {
    while (p != end && IsDigit(*p)) ++p;
  }
  if (p != end && *p == '.') {
    ++p;
    if (p == end || !IsDigit(*p)) return FailSyntax(c, p, "a digit after the point");
    while (p != end && IsDigit(*p)) ++p;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && (*p == '+' || *p == '-')) ++p;
    if (p == end || !IsDigit(*p)) return FailSyntax(c, p, "a digit in the exponent");
    while (p != end && IsDigit(*p)) ++p;
  }
  return p;
}

const char* Int64AnyLength(JsonContext* c, const char* p, int64_t* out) {
  p = PastSpace(p, c->end);
  const char* after = NumberEnd(c, p, "an int64");
  if (after == nullptr) return nullptr;
  Str text(p, static_cast<size_t>(after - p));
  if (ParseInt64(text, out)) return after;
  for (char ch : text) {
    if (ch == '.' || ch == 'e' || ch == 'E') {
      return Fail(c, JsonErrorCode::kType, p, "a whole number without point and exponent");
    }
  }
  return Fail(c, JsonErrorCode::kRange, p, "an int64");
}

const char* Decimal128(JsonContext* c, const char* p, int precision, int scale, i128* out) {
  p = PastSpace(p, c->end);
  bool quoted = p != c->end && *p == '"';
  Str text;
  const char* after;
  if (quoted) {
    after = ReadString(c, p + 1, &text);
    if (after == nullptr) return nullptr;
  } else {
    after = NumberEnd(c, p, "a decimal");
    if (after == nullptr) return nullptr;
    text = Str(p, static_cast<size_t>(after - p));
  }
  DecimalError error = ParseDecimal(text, precision, scale, out);
  if (error != DecimalError::kOk) return FailDecimal(c, error, p, precision, scale, quoted);
  return after;
}

const char* Decimal64AnyLength(JsonContext* c, const char* p, int precision, int scale, int64_t* out) {
  i128 wide;
  p = Decimal128(c, p, precision, scale, &wide);
  if (p != nullptr) *out = static_cast<int64_t>(wide);
  return p;
}

const char* Float64(JsonContext* c, const char* p, double* out) {
  // Up to seven digits on each side of the point are exact, and so is the power of ten: one rounding.
  static constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
  const char* start = p;
  if (c->end - p > 18) {
    bool negative = *p == '-';
    if (negative) ++p;
    uint64_t digits = ToDigits(Load8(p));
    uint64_t stops = NonDigits(digits);
    int bits = stops == 0 ? 0 : __builtin_ctzll(stops) - 7;
    if (bits != 0 && ((digits & 0xff) != 0 || bits == 8)) {
      uint64_t value = EightDigits(digits << (64 - bits));
      p += bits >> 3;
      int behind = 0;
      bool usual = true;
      if (*p == '.') {
        digits = ToDigits(Load8(p + 1));
        stops = NonDigits(digits);
        bits = stops == 0 ? 0 : __builtin_ctzll(stops) - 7;
        usual = bits != 0;
        if (usual) {
          behind = bits >> 3;
          value = value * static_cast<uint64_t>(kPow10[behind]) + EightDigits(digits << (64 - bits));
          p += behind + 1;
        }
      }
      if (usual && (*p | 0x20) != 'e') {
        double v = static_cast<double>(value) / kPowers[behind];
        *out = negative ? -v : v;
        return p;
      }
    }
  }
  p = PastSpace(start, c->end);
  const char* after = NumberEnd(c, p, "a number");
  if (after == nullptr) return nullptr;
  if (ParseDouble(Str(p, static_cast<size_t>(after - p)), out)) return after;
  return Fail(c, JsonErrorCode::kRange, p, "a float64");
}

// ---- Other values ----

const char* Bool(JsonContext* c, const char* p, bool* out) {
  p = PastSpace(p, c->end);
  if (c->end - p >= 4 && std::memcmp(p, "true", 4) == 0) {
    *out = true;
    return p + 4;
  }
  if (c->end - p >= 5 && std::memcmp(p, "false", 5) == 0) {
    *out = false;
    return p + 5;
  }
  return FailValue(c, p, "true or false");
}

const char* TimestampAnyKind(JsonContext* c, const char* p, int64_t* out) {
  p = PastSpace(p, c->end);
  if (p != c->end && *p == '"') {
    Str text;
    const char* after = ReadString(c, p + 1, &text);
    if (after == nullptr) return nullptr;
    if (ParseTimestamp(text, out)) return after;
    return Fail(c, JsonErrorCode::kFormat, p, "a timestamp as RFC 3339 has it or in milliseconds");
  }
  if (p == c->end || (*p != '-' && !IsDigit(*p))) return FailValue(c, p, "a timestamp");
  int64_t ms;
  const char* after = Int64AnyLength(c, p, &ms);
  if (after == nullptr) return nullptr;
  if (TimestampFromMilliseconds(ms, out)) return after;
  return Fail(c, JsonErrorCode::kRange, p, "a timestamp, years 1678 to 2261");
}

const char* Date(JsonContext* c, const char* p, int32_t* out) {
  Str text;
  const char* after = TextOf(c, &p, "a date", &text);
  if (after == nullptr || ParseDate(text, out)) return after;
  return Fail(c, JsonErrorCode::kFormat, p, "a date such as \"2026-01-02\"");
}

const char* Duration(JsonContext* c, const char* p, int64_t* out) {
  Str text;
  const char* after = TextOf(c, &p, "a duration", &text);
  if (after == nullptr || ParseDuration(text, out)) return after;
  return Fail(c, JsonErrorCode::kFormat, p, "a duration such as \"1h30m\" or \"250ms\"");
}

const char* Bytes(JsonContext* c, const char* p, Str* out) {
  Str text;
  const char* after = TextOf(c, &p, "bytes in base64", &text);
  if (after == nullptr) return nullptr;
  size_t room = Base64BytesMax(text.size), size;
  char* bytes = c->arena->AllocChars(room);
  if (!DecodeBase64(text, bytes, &size)) return Fail(c, JsonErrorCode::kFormat, p, "bytes in base64");
  c->arena->Shrink(bytes, room, size);
  *out = Str(bytes, size);
  return after;
}

const char* EnumAnyKind(JsonContext* c, const char* p, const EnumNames& names, int32_t* out) {
  Str text;
  const char* after = TextOf(c, &p, "one of the enum's names", &text);
  if (after == nullptr) return nullptr;
  for (uint32_t i = 0; i < names.count; ++i) {
    if (names.data[i].name == text) {
      *out = static_cast<int32_t>(i);
      return after;
    }
  }
  return Fail(c, JsonErrorCode::kEnum, p, "one of the enum's names");
}

const char* Raw(JsonContext* c, const char* p, Str* out) {
  p = PastSpace(p, c->end);
  const char* after = Skip(c, p);
  if (after != nullptr) *out = Str(p, static_cast<size_t>(after - p));
  return after;
}

}  // namespace weir::json
