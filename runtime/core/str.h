// A view of text or bytes: what strings are on the per-record path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

// Borrowed bytes: of the fetched batch, of an arena or of the program's constants. Both `string` (valid UTF-8) and
// `bytes` have this type. Never terminated by a zero byte. `data` may be null when `size` is 0.
struct Str {
  const char* data = nullptr;
  uint32_t size = 0;

  constexpr Str() = default;
  constexpr Str(const char* data, size_t size) : data(data), size(static_cast<uint32_t>(size)) {}
  // Literals only: the size is the array's, so an embedded zero byte counts.
  template <size_t N>
  constexpr Str(const char (&literal)[N]) : data(literal), size(N - 1) {}
  template <size_t N>
  Str(char (&buffer)[N]) = delete;
  constexpr explicit Str(std::string_view text)
      : data(text.data()), size(static_cast<uint32_t>(text.size())) {}

  constexpr std::string_view view() const { return std::string_view(data, size); }
  constexpr bool empty() const { return size == 0; }
  constexpr char operator[](uint32_t i) const { return data[i]; }
  constexpr const char* begin() const { return data; }
  constexpr const char* end() const { return data + size; }
  // `n` bytes from `from` on; both are cut to what is there.
  constexpr Str Sub(uint32_t from, uint32_t n = UINT32_MAX) const {
    if (from > size) from = size;
    if (n > size - from) n = size - from;
    return Str(data + from, n);
  }
};

inline bool operator==(Str a, Str b) {
  return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size) == 0);
}
inline bool operator!=(Str a, Str b) { return !(a == b); }

// Byte order, which for UTF-8 is the order of code points. Negative, zero or positive.
inline int Compare(Str a, Str b) {
  uint32_t n = a.size < b.size ? a.size : b.size;
  int c = n == 0 ? 0 : std::memcmp(a.data, b.data, n);
  if (c != 0) return c;
  return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}
inline bool operator<(Str a, Str b) { return Compare(a, b) < 0; }
inline bool operator<=(Str a, Str b) { return Compare(a, b) <= 0; }
inline bool operator>(Str a, Str b) { return Compare(a, b) > 0; }
inline bool operator>=(Str a, Str b) { return Compare(a, b) >= 0; }

}  // namespace weir
