// Escaping and values of the JSON writer.
#include "runtime/core/json_writer.h"

#include <emmintrin.h>

#include <cmath>

#include "runtime/core/base64.h"
#include "runtime/core/number_text.h"
#include "runtime/core/time.h"

namespace weir {
namespace {

// A bit for each of sixteen bytes that RFC 8259 wants escaped.
inline uint32_t Escaped(__m128i v) {
  __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)));
}

// Whether any of eight bytes does. Exact as a yes or no.
inline bool AnyEscaped(uint64_t v) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  uint64_t quote = v ^ (kOnes * '"'), backslash = v ^ (kOnes * '\\');
  uint64_t control = (v - kOnes * 0x20) & ~v;
  return ((control | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash)) & (kOnes * 0x80)) != 0;
}

char* PutEscape(char* out, unsigned char c) {
  *out++ = '\\';
  switch (c) {
    case '"': *out++ = '"'; return out;
    case '\\': *out++ = '\\'; return out;
    case '\b': *out++ = 'b'; return out;
    case '\f': *out++ = 'f'; return out;
    case '\n': *out++ = 'n'; return out;
    case '\r': *out++ = 'r'; return out;
    case '\t': *out++ = 't'; return out;
    default: break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::memcpy(out, "u00", 3);
  out[3] = kHex[c >> 4];
  out[4] = kHex[c & 15];
  return out + 5;
}

// Writes the escaped text; `out` has room for six bytes per byte and sixteen more.
char* PutEscaped(char* out, const char* p, const char* end) {
  while (end - p >= 16) {
    __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), v);
    uint32_t stops = Escaped(v);
    if (stops == 0) {
      p += 16;
      out += 16;
      continue;
    }
    int n = __builtin_ctz(stops);
    out = PutEscape(out + n, static_cast<unsigned char>(p[n]));
    p += n + 1;
  }
  // Less than sixteen bytes are left; most strings are that short. Two overlapping words cover them.
  size_t n = static_cast<size_t>(end - p);
  if (n >= 8) {
    uint64_t first, last;
    std::memcpy(&first, p, 8);
    std::memcpy(&last, end - 8, 8);
    if (!AnyEscaped(first) && !AnyEscaped(last)) {
      std::memcpy(out, &first, 8);
      std::memcpy(out + n - 8, &last, 8);
      return out + n;
    }
  } else if (n >= 4) {
    uint32_t first, last;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, end - 4, 4);
    if (!AnyEscaped(static_cast<uint64_t>(last) << 32 | first)) {
      std::memcpy(out, &first, 4);
      std::memcpy(out + n - 4, &last, 4);
      return out + n;
    }
  }
  for (; p != end; ++p) {
    auto c = static_cast<unsigned char>(*p);
    if (c < 0x20 || c == '"' || c == '\\') {
      out = PutEscape(out, c);
    } else {
      *out++ = *p;
    }
  }
  return out;
}

}  // namespace

void JsonWriter::Field(weir::Str name) {
  if (out_->data()[out_->size() - 1] != '{') out_->Append(',');
  Str(name);
  out_->Append(':');
}

void JsonWriter::Int64(int64_t v) { out_->Advance(FormatInt64(v, out_->Reserve(kInt64TextMax))); }

void JsonWriter::Decimal(int64_t v, int scale) {
  out_->Advance(FormatDecimal(v, scale, out_->Reserve(kDecimalTextMax)));
}

void JsonWriter::Decimal(i128 v, int scale) {
  out_->Advance(FormatDecimal(v, scale, out_->Reserve(kDecimalTextMax)));
}

void JsonWriter::F64(double v) {
  if (!std::isfinite(v)) return Null();
  out_->Advance(FormatDouble(v, out_->Reserve(kDoubleTextMax)));
}

void JsonWriter::Str(weir::Str v) {
  // In pieces, so that the room for the worst case (six bytes for one) stays small for large strings.
  constexpr ptrdiff_t kPiece = 4096;
  const char* p = v.begin();
  out_->Append('"');
  while (v.end() - p > kPiece) {
    out_->SetEnd(PutEscaped(out_->Reserve(kPiece * 6 + 16), p, p + kPiece));
    p += kPiece;
  }
  char* out = PutEscaped(out_->Reserve(static_cast<size_t>(v.end() - p) * 6 + 17), p, v.end());
  *out++ = '"';
  out_->SetEnd(out);
}

void JsonWriter::Bytes(weir::Str v) {
  size_t n = Base64Size(v.size);
  char* out = out_->Reserve(n + 2);
  out[0] = '"';
  EncodeBase64(v, out + 1);
  out[n + 1] = '"';
  out_->Advance(n + 2);
}

void JsonWriter::Timestamp(int64_t ns) {
  char* out = out_->Reserve(kTimestampTextMax + 2);
  *out = '"';
  size_t n = FormatTimestamp(ns, out + 1);
  out[n + 1] = '"';
  out_->Advance(n + 2);
}

void JsonWriter::Milliseconds(int64_t ns) { Int64(TimestampToMilliseconds(ns)); }

void JsonWriter::Date(int32_t days) {
  char* out = out_->Reserve(kDateTextMax + 2);
  *out = '"';
  size_t n = FormatDate(days, out + 1);
  out[n + 1] = '"';
  out_->Advance(n + 2);
}

void JsonWriter::Duration(int64_t ns) {
  char* out = out_->Reserve(kDurationTextMax + 2);
  *out = '"';
  size_t n = FormatDuration(ns, out + 1);
  out[n + 1] = '"';
  out_->Advance(n + 2);
}

}  // namespace weir
