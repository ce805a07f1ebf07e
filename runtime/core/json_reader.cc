// The less usual ways through reading JSON: white space, escapes, unknown order of fields, long numbers, errors.
#include "runtime/core/json_reader.h"

#include "runtime/core/json_internal.h"
#include "runtime/core/utf8.h"

namespace weir {
namespace {

using json::IsDigit;
using json_scan::Load16;
using json_scan::Load8;
using json_scan::StringStops;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

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

// The first eight bytes of a name that ends before `end`.
uint64_t Head(Str name, const char* end) {
  if (name.size >= 8) return Load8(name.data);
  if (name.size == 0) return 0;
  if (end - name.data >= 8) return Load8(name.data) << (64 - 8 * name.size) >> (64 - 8 * name.size);
  uint64_t head = 0;
  for (uint32_t i = 0; i < name.size; ++i) {
    head |= static_cast<uint64_t>(static_cast<unsigned char>(name.data[i])) << (8 * i);
  }
  return head;
}

bool SameTail(Str a, Str b) { return a.size <= 8 || std::memcmp(a.data + 8, b.data + 8, a.size - 8) == 0; }

// `readable_end` is where the bytes behind the name end.
int FindField(const JsonFields& fields, Str name, const char* readable_end) {
  uint64_t head = Head(name, readable_end);
  for (uint32_t slot = JsonFields::Slot(head, name.size);; slot = (slot + 1) & 255) {
    uint32_t i = fields.slots[slot];
    if (i == JsonFields::kEmpty) return kUnknownField;
    const JsonField& field = fields.data[i];
    if (field.head == head && field.name.size == name.size && SameTail(field.name, name)) return static_cast<int>(i);
  }
}

}  // namespace

namespace json {

// ---- Errors ----

const char* Fail(JsonContext* c, JsonErrorCode code, const char* at, const char* expected) {
  if (c->ok()) {
    c->error.code = code;
    c->error.offset = static_cast<uint32_t>(at - c->begin);
    c->error.expected = expected;
    if (c->field != nullptr) c->error.field = c->field->name;
  }
  return nullptr;
}

const char* FailSyntax(JsonContext* c, const char* at, const char* expected) {
  return Fail(c, at == c->end ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, at, expected);
}

const char* FailValue(JsonContext* c, const char* at, const char* expected) {
  if (at == c->end) return Fail(c, JsonErrorCode::kTruncated, at, expected);
  bool value = IsDigit(*at) || *at == '"' || *at == '{' || *at == '[' || *at == '-';
  for (const char* word : {"true", "false", "null"}) {
    size_t n = std::strlen(word);
    value |= static_cast<size_t>(c->end - at) >= n && std::memcmp(at, word, n) == 0;
  }
  return Fail(c, value ? JsonErrorCode::kType : JsonErrorCode::kSyntax, at, expected);
}

// Int64 stops at a point or an exponent without looking at it.
const char* FailDelimiter(JsonContext* c, const char* at, const char* expected) {
  if (at != c->end && at != c->begin && IsDigit(at[-1]) && (*at == '.' || *at == 'e' || *at == 'E')) {
    const char* start = at;
    while (start != c->begin && (IsDigit(start[-1]) || start[-1] == '-')) --start;
    return Fail(c, JsonErrorCode::kType, start, "a whole number without point and exponent");
  }
  return FailSyntax(c, at, expected);
}

const char* FailDepth(JsonContext* c, const char* at) { return Fail(c, JsonErrorCode::kDepth, at, "less nesting"); }

bool FailTrailing(JsonContext* c, const char* p) {
  if (p != c->begin && IsDigit(p[-1]) && (*p == '.' || *p == 'e' || *p == 'E')) {
    return FailDelimiter(c, p, "the end") != nullptr;
  }
  c->field = nullptr;
  return Fail(c, JsonErrorCode::kTrailing, p, "the end") != nullptr;
}

bool FailDuplicate(JsonContext* c, const char* p, const JsonField* field) {
  c->field = field;
  return Fail(c, JsonErrorCode::kDuplicate, p, "each field once") != nullptr;
}

bool FailDuplicateKey(JsonContext* c, const char* p, Str key) {
  if (c->ok()) {
    Fail(c, JsonErrorCode::kDuplicate, p, "each key once");
    c->error.field = key;
  }
  return false;
}

bool FailMissing(JsonContext* c, const char* p, const JsonField* field) {
  c->field = field;
  return Fail(c, JsonErrorCode::kMissing, p, "a field that must be there") != nullptr;
}

const char* PastSpace(const char* p, const char* end) {
  while (p != end && IsSpace(*p)) ++p;
  return p;
}

// ---- Objects and arrays ----

const char* BeginAfterSpace(JsonContext* c, const char* p, char bracket) {
  p = PastSpace(p, c->end);
  if (p != c->end && *p == bracket) return p;
  return FailValue(c, p, bracket == '{' ? "an object" : "an array");
}

FieldAt NextFieldAnyOrder(JsonContext* c, const char* p, char separator, const JsonFields& fields) {
  const char* start = p;
  const char* end = c->end;
  // Fields follow each other without white space mostly.
  if (p == end || *p != separator) p = PastSpace(p, end);
  bool first = separator == '{';
  if (p != end && *p == separator) {
    ++p;
    if (p != end && *p != '"') p = PastSpace(p, end);
    if (p != end && *p == '}' && first) {
      --c->depth;
      return {p + 1, kEndObject};
    }
  } else if (p != end && *p == '}') {
    --c->depth;
    return {p + 1, kEndObject};
  } else {
    FailDelimiter(c, p, "`,` or `}`");
    return {start, kJsonError};
  }
  if (p == end || *p != '"') {
    FailSyntax(c, p, "a field's name in quotes");
    return {start, kJsonError};
  }
  Str name;
  p = ReadString(c, p + 1, &name);
  if (p == nullptr) return {start, kJsonError};
  // A name that was decoded into the arena has nothing behind it that one may read.
  bool in_place = name.data > start && name.data < end;
  if (p == end || *p != ':') {
    p = PastSpace(p, end);
    if (p == end || *p != ':') {
      FailSyntax(c, p, "`:`");
      return {start, kJsonError};
    }
  }
  ++p;
  if (p != end && *p == ' ') ++p;
  int f = FindField(fields, name, in_place ? end : name.end());
  c->field = f == kUnknownField ? nullptr : &fields.data[f];
  return {p, f};
}

const char* NextKey(JsonContext* c, const char* p, char separator, bool* more, Str* key) {
  const char* end = c->end;
  p = PastSpace(p, end);
  if (p != end && *p == separator) {
    p = PastSpace(p + 1, end);
    if (p != end && *p == '}' && separator == '{') {
      --c->depth;
      return p + 1;
    }
  } else if (p != end && *p == '}') {
    --c->depth;
    return p + 1;
  } else {
    return FailDelimiter(c, p, "`,` or `}`");
  }
  if (p == end || *p != '"') return FailSyntax(c, p, "a key in quotes");
  p = ReadString(c, p + 1, key);
  if (p == nullptr) return nullptr;
  p = PastSpace(p, end);
  if (p == end || *p != ':') return FailSyntax(c, p, "`:`");
  *more = true;
  return PastSpace(p + 1, end);
}

const char* NextElement(JsonContext* c, const char* p, char separator, bool* more) {
  const char* end = c->end;
  p = PastSpace(p, end);
  if (p != end && *p == separator) {
    p = PastSpace(p + 1, end);
    if (p != end && *p == ']' && separator == '[') {
      --c->depth;
      return p + 1;
    }
  } else if (p != end && *p == ']') {
    --c->depth;
    return p + 1;
  } else {
    return FailDelimiter(c, p, "`,` or `]`");
  }
  if (p == end) return FailSyntax(c, p, "a value");
  *more = true;
  return p;
}

// ---- Strings ----

const char* SkipString(JsonContext* c, const char* p) {
  const char* end = c->end;
  for (;;) {
    p = NextStop(p, end);
    if (p == end) return FailSyntax(c, p, "the string's closing quote");
    char ch = *p;
    if (ch == '"') return p + 1;
    if (ch == '\\') {
      if (end - p < 2) return FailSyntax(c, end, "an escape");
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
        default: return FailSyntax(c, p, "one of the escapes of JSON");
      }
      if (end - p < 6) return FailSyntax(c, end, "four hexadecimal digits");
      int unit = HexUnit(p + 2);
      if (unit < 0) return FailSyntax(c, p, "four hexadecimal digits");
      if (IsHighSurrogate(unit)) {
        int low = end - p < 12 || p[6] != '\\' || p[7] != 'u' ? -1 : HexUnit(p + 8);
        if (!IsLowSurrogate(low)) return Fail(c, JsonErrorCode::kUtf8, p, "the other half of a surrogate pair");
        p += 12;
      } else if (IsLowSurrogate(unit)) {
        return Fail(c, JsonErrorCode::kUtf8, p, "the other half of a surrogate pair");
      } else {
        p += 6;
      }
    } else if (static_cast<unsigned char>(ch) >= 0x80) {
      do {
        int n = SequenceSize(p, end);
        if (n == 0) return Fail(c, JsonErrorCode::kUtf8, p, "valid UTF-8");
        p += n;
      } while (p != end && static_cast<unsigned char>(*p) >= 0x80);
    } else {
      return FailSyntax(c, p, "control characters as escapes");
    }
  }
}

const char* ReadString(JsonContext* c, const char* p, Str* out) {
  const char* start = p;
  p = NextStop(p, c->end);
  if (p != c->end && *p == '"') {
    *out = Str(start, static_cast<size_t>(p - start));
    return p + 1;
  }
  const char* after = SkipString(c, p);
  if (after == nullptr) return nullptr;
  const char* close = after - 1;
  auto size = static_cast<size_t>(close - start);
  if (std::memchr(p, '\\', static_cast<size_t>(close - p)) == nullptr) {
    *out = Str(start, size);
    return after;
  }
  // An escape never decodes to more bytes than it has.
  char* text = c->arena->AllocChars(size);
  auto decoded = static_cast<size_t>(Unescape(start, close, text) - text);
  c->arena->Shrink(text, size, decoded);
  *out = Str(text, decoded);
  return after;
}

const char* StringAnyKind(JsonContext* c, const char* p, Str* out) {
  p = PastSpace(p, c->end);
  if (p == c->end || *p != '"') return FailValue(c, p, "a string");
  return ReadString(c, p + 1, out);
}

}  // namespace json
}  // namespace weir
