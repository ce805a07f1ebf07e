// The words for what is wrong with a JSON text.
#include <cstring>

#include "runtime/core/json_reader.h"
#include "runtime/core/number_text.h"

namespace weir {
namespace {

void Say(Buffer* out, const char* text) { out->Append(text, std::strlen(text)); }

void SayNumber(Buffer* out, uint64_t v) { out->Advance(FormatUint64(v, out->Reserve(kInt64TextMax))); }

// A piece of the input, printable whatever it holds, 32 bytes at most.
void Quote(Buffer* out, const char* p, const char* end) {
  constexpr char kHex[] = "0123456789abcdef";
  bool cut = end - p > 32;
  if (cut) end = p + 32;
  out->Append('`');
  for (; p != end; ++p) {
    auto c = static_cast<unsigned char>(*p);
    if (c >= 0x20 && c < 0x7f) {
      out->Append(*p);
    } else {
      char hex[] = {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
      out->Append(hex, sizeof hex);
    }
  }
  if (cut) Say(out, "…");
  out->Append('`');
}

// Where the scalar or word at p ends.
const char* ScalarEnd(const char* p, const char* end) {
  if (p != end && *p == '"') {
    const char* q = p + 1;
    while (q != end && *q != '"') q += *q == '\\' && end - q > 1 ? 2 : 1;
    return q == end ? end : q + 1;
  }
  const char* q = p;
  while (q != end && std::strchr(",]} \t\r\n", *q) == nullptr) ++q;
  return q == p && p != end ? p + 1 : q;
}

void SayFound(Buffer* out, const char* p, const char* end) {
  Say(out, ", found ");
  if (p == end) return Say(out, "the end");
  switch (*p) {
    case '{': return Say(out, "an object");
    case '[': return Say(out, "an array");
    case '"': Say(out, "the string "); break;
    default: break;
  }
  Quote(out, p, ScalarEnd(p, end));
}

}  // namespace

void JsonContext::Describe(Buffer* out) const {
  const JsonError& e = error;
  const char* at = begin + e.offset;
  Say(out, "byte ");
  SayNumber(out, e.offset);
  Say(out, ": ");
  if (e.code == JsonErrorCode::kMissing || e.code == JsonErrorCode::kDuplicate) {
    Say(out, "field ");
    Quote(out, e.field.begin(), e.field.end());
    Say(out, e.code == JsonErrorCode::kMissing ? " is missing" : " occurs twice");
    return;
  }
  if (!e.field.empty()) {
    Say(out, "field ");
    Quote(out, e.field.begin(), e.field.end());
    Say(out, ": ");
  }
  switch (e.code) {
    case JsonErrorCode::kNone: return Say(out, "no error");
    case JsonErrorCode::kTruncated:
      Say(out, "the text ends where ");
      Say(out, e.expected);
      return Say(out, " is expected");
    case JsonErrorCode::kTrailing:
      Say(out, "something follows the value: ");
      return Quote(out, at, end);
    case JsonErrorCode::kUtf8:
      Say(out, "no valid Unicode: expected ");
      Say(out, e.expected);
      return SayFound(out, at, end);
    case JsonErrorCode::kDepth:
      Say(out, "nested more than ");
      SayNumber(out, depth_max);
      return Say(out, " levels deep");
    default: break;
  }
  if (e.code == JsonErrorCode::kRange || e.code == JsonErrorCode::kInexact) {
    Quote(out, at, ScalarEnd(at, end));
    Say(out, e.code == JsonErrorCode::kRange ? " does not fit " : " has more digits than ");
  } else {
    Say(out, "expected ");
  }
  Say(out, e.expected);
  if (e.precision != 0) {
    out->Append('(');
    SayNumber(out, e.precision);
    Say(out, ", ");
    SayNumber(out, e.scale);
    out->Append(')');
  }
  if (e.code == JsonErrorCode::kInexact) {
    Say(out, " keeps");
  } else if (e.code != JsonErrorCode::kRange) {
    SayFound(out, at, end);
  }
}

}  // namespace weir
