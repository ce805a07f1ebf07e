// Unicode's simple case mappings as runs, and the search in them.
#include "stdlib/text/case_mapping.h"

#include <algorithm>
#include <cstdint>

#include "runtime/core/utf8.h"

namespace weir::fn {
namespace {

// Every `step`-th code point from `first` to `last` maps to itself plus `delta`.
struct Run {
  uint32_t first, last;
  int32_t step, delta;
};

// From Unicode 14; stdlib/text/make_case_table.py writes them.
constexpr Run kToUpper[] = {
#include "stdlib/text/case_upper.inc"
};
constexpr Run kToLower[] = {
#include "stdlib/text/case_lower.inc"
};

uint32_t Map(const Run* begin, const Run* end, uint32_t c) {
  const Run* run = std::lower_bound(begin, end, c, [](const Run& r, uint32_t value) { return r.last < value; });
  if (run == end || c < run->first || (c - run->first) % static_cast<uint32_t>(run->step) != 0) return c;
  return static_cast<uint32_t>(static_cast<int32_t>(c) + run->delta);
}

}  // namespace

Str MapCase(Arena& arena, Str text, Case to) {
  // A letter grows from two bytes to three at most.
  size_t room = static_cast<size_t>(text.size) + text.size / 2;
  char* start = arena.AllocChars(room);
  char* out = start;
  char first = to == Case::kUpper ? 'a' : 'A';
  for (const char* p = text.begin(); p != text.end();) {
    if (static_cast<signed char>(*p) >= 0) {
      bool letter = static_cast<unsigned>(*p - first) < 26;
      *out++ = static_cast<char>(letter ? *p ^ 0x20 : *p);
      ++p;
      continue;
    }
    uint32_t c = DecodeCodePoint(&p);
    c = to == Case::kUpper ? Map(std::begin(kToUpper), std::end(kToUpper), c)
                           : Map(std::begin(kToLower), std::end(kToLower), c);
    out += EncodeUtf8(c, out);
  }
  auto size = static_cast<size_t>(out - start);
  arena.Shrink(start, room, size);
  return Str(start, size);
}

}  // namespace weir::fn
