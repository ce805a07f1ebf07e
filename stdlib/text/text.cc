// The functions of this folder that are too long for a header.
#include <cstring>

#include "runtime/core/utf8.h"
#include "stdlib/text/concat.h"
#include "stdlib/text/find.h"
#include "stdlib/text/join.h"
#include "stdlib/text/pad.h"
#include "stdlib/text/repeat.h"
#include "stdlib/text/replace.h"
#include "stdlib/text/reverse.h"
#include "stdlib/text/white_space.h"

namespace weir::fn {
namespace {

char* Put(char* out, Str text) {
  if (text.size != 0) std::memcpy(out, text.data, text.size);
  return out + text.size;
}

bool IsWhiteSpace(uint32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

}  // namespace

Str WithoutSpaceAtStart(Str text) {
  const char* p = text.begin();
  while (p != text.end()) {
    const char* next = p;
    if (!IsWhiteSpace(DecodeCodePoint(&next))) break;
    p = next;
  }
  return Str(p, static_cast<size_t>(text.end() - p));
}

Str WithoutSpaceAtEnd(Str text) {
  const char* end = text.end();
  while (end != text.begin()) {
    const char* first = end - 1;
    while ((*first & 0xc0) == 0x80) --first;
    const char* next = first;
    if (!IsWhiteSpace(DecodeCodePoint(&next))) break;
    end = first;
  }
  return Str(text.begin(), static_cast<size_t>(end - text.begin()));
}

Str Replace(Arena& arena, Str text, Str part, Str by) {
  uint32_t at = part.empty() ? kNotFound : Find(text, part);
  if (at == kNotFound) return text;
  // Counting first gives the exact size.
  size_t count = 0;
  for (Str rest = text; at != kNotFound; at = Find(rest, part)) {
    ++count;
    rest = rest.Sub(at + part.size);
  }
  size_t size = text.size - count * part.size + count * by.size;
  char* start = arena.AllocChars(size);
  char* out = start;
  for (at = Find(text, part); at != kNotFound; at = Find(text, part)) {
    out = Put(out, text.Sub(0, at));
    out = Put(out, by);
    text = text.Sub(at + part.size);
  }
  Put(out, text);
  return Str(start, size);
}

Str Join(Arena& arena, List<Str> parts, Str between) {
  if (parts.size == 0) return Str("", size_t{0});
  if (parts.size == 1) return parts[0];
  size_t size = static_cast<size_t>(between.size) * (parts.size - 1);
  for (Str part : parts) size += part.size;
  char* start = arena.AllocChars(size);
  char* out = Put(start, parts[0]);
  for (uint32_t i = 1; i < parts.size; ++i) {
    out = Put(out, between);
    out = Put(out, parts[i]);
  }
  return Str(start, size);
}

bool Repeat(Arena& arena, Str text, int64_t times, Str* out) {
  constexpr int64_t kBytesMax = 16 << 20;
  if (times < 0) return false;
  if (text.size == 0 || times == 0) {
    *out = Str("", size_t{0});
    return true;
  }
  if (times > kBytesMax / text.size) return false;
  size_t size = static_cast<size_t>(times) * text.size;
  char* start = arena.AllocChars(size);
  for (char* at = start; at != start + size;) at = Put(at, text);
  *out = Str(start, size);
  return true;
}

Str Pad(Arena& arena, Str text, int64_t size, Str fill, bool in_front) {
  if (size <= 0 || fill.empty()) return text;
  int64_t missing = (size < kPaddedMax ? size : kPaddedMax) - CountCodePoints(text);
  if (missing <= 0) return text;
  int64_t fill_size = CountCodePoints(fill);
  auto whole = static_cast<size_t>(missing / fill_size);
  Str rest = fill.Sub(0, CodePointOffset(fill, static_cast<uint32_t>(missing % fill_size)));
  size_t bytes = text.size + whole * fill.size + rest.size;
  char* start = arena.AllocChars(bytes);
  char* out = in_front ? start : Put(start, text);
  for (size_t i = 0; i < whole; ++i) out = Put(out, fill);
  out = Put(out, rest);
  if (in_front) Put(out, text);
  return Str(start, bytes);
}

Str Concat(Arena& arena, Str a, Str b) {
  char* start = arena.AllocChars(static_cast<size_t>(a.size) + b.size);
  Put(Put(start, a), b);
  return Str(start, static_cast<size_t>(a.size) + b.size);
}

Str Concat(Arena& arena, Str a, Str b, Str c) {
  size_t size = static_cast<size_t>(a.size) + b.size + c.size;
  char* start = arena.AllocChars(size);
  Put(Put(Put(start, a), b), c);
  return Str(start, size);
}

Str Reverse(Arena& arena, Str text) {
  char* start = arena.AllocChars(text.size);
  char* out = start + text.size;
  for (const char* p = text.begin(); p != text.end();) {
    int width = Utf8Width(static_cast<unsigned char>(*p));
    out -= width;
    std::memcpy(out, p, static_cast<size_t>(width));
    p += width;
  }
  return Str(start, text.size);
}

}  // namespace weir::fn
