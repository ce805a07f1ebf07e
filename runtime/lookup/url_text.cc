// Percent-encoding (RFC 3986), and the one check that it does not make superfluous.
#include "runtime/lookup/url_text.h"

namespace weir {
namespace {

bool IsUnreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

// A segment that is `.` or `..`, written plainly or as %2e.
bool IsDots(const char* at, const char* end) {
  int dots = 0;
  while (at < end) {
    if (*at == '.') {
      ++at;
    } else if (end - at >= 3 && at[0] == '%' && at[1] == '2' && (at[2] == 'e' || at[2] == 'E')) {
      at += 3;
    } else {
      return false;
    }
    ++dots;
  }
  return dots == 1 || dots == 2;
}

}  // namespace

void UrlText::Append(Str text, bool component) {
  constexpr char kHex[] = "0123456789ABCDEF";
  if (capacity_ - size_ < static_cast<size_t>(text.size) * 3) {
    size_t capacity = (size_ + static_cast<size_t>(text.size) * 3) * 2 + 64;
    char* data = arena_.AllocChars(capacity);
    if (size_ != 0) std::memcpy(data, data_, size_);
    data_ = data;
    capacity_ = capacity;
  }
  char* at = data_ + size_;
  for (uint32_t i = 0; i < text.size; ++i) {
    unsigned char c = static_cast<unsigned char>(text.data[i]);
    if (component ? IsUnreserved(c) : c > 0x20 && c < 0x7f) {
      *at++ = static_cast<char>(c);
    } else {
      *at++ = '%';
      *at++ = kHex[c >> 4];
      *at++ = kHex[c & 15];
    }
  }
  size_ = static_cast<size_t>(at - data_);
}

Str UrlText::Done() {
  const char* end = data_ + size_;
  const char* segment = data_;
  for (const char* at = data_;; ++at) {
    bool over = at == end || *at == '?' || *at == '#';
    if (!over && *at != '/') continue;
    if (IsDots(segment, at)) return Str();
    if (over) return Str(data_, size_);
    segment = at + 1;
  }
}

}  // namespace weir
