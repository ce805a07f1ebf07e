// Small functions that expressions of generated code are made of.
#include "runtime/program/values.h"

namespace weir {

Str Concat(Arena& arena, std::initializer_list<Str> parts) {
  size_t size = 0;
  for (Str part : parts) size += part.size;
  char* at = arena.AllocChars(size);
  char* to = at;
  for (Str part : parts) {
    if (part.size != 0) std::memcpy(to, part.data, part.size);
    to += part.size;
  }
  return Str(at, size);
}

Str PercentEncode(Arena& arena, Str text) {
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
  };
  // A component that is `.` or `..` would be taken for a step in the path.
  bool dots = text == Str(".") || text == Str("..");
  size_t escapes = 0;
  for (char c : text) escapes += !plain(c) || dots;
  if (escapes == 0) return text;
  char* at = arena.AllocChars(text.size + 2 * escapes);
  char* to = at;
  for (char c : text) {
    if (plain(c) && !dots) {
      *to++ = c;
      continue;
    }
    constexpr char kHex[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = kHex[static_cast<unsigned char>(c) >> 4];
    *to++ = kHex[static_cast<unsigned char>(c) & 15];
  }
  return Str(at, static_cast<size_t>(to - at));
}

Buffer& ScratchBuffer() {
  static thread_local Buffer buffer;
  buffer.Clear();
  return buffer;
}

Opt<Str> HeaderText(const Meta& meta, Str name) {
  for (uint32_t i = meta.headers.size; i-- > 0;) {
    const Header& header = meta.headers.data[i];
    if (header.name == name) return header.has_value && ValidUtf8(header.value) ? Opt<Str>(header.value) : Opt<Str>();
  }
  return {};
}

void DescribeError(const JsonContext& context, std::string* error) {
  Buffer text;
  context.Describe(&text);
  error->assign(text.data(), text.size());
}

}  // namespace weir
