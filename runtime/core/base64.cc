// Base64, both ways.
#include "runtime/core/base64.h"

#include <array>
#include <cstdint>

namespace weir {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<uint8_t, 256> MakeDecoding() {
  std::array<uint8_t, 256> table{};
  for (auto& v : table) v = 0xff;
  for (uint8_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(kAlphabet[i])] = i;
  return table;
}
constexpr std::array<uint8_t, 256> kDecoding = MakeDecoding();

}  // namespace

void EncodeBase64(Str bytes, char* out) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data);
  uint32_t left = bytes.size;
  for (; left >= 3; left -= 3, p += 3) {
    uint32_t v = static_cast<uint32_t>(p[0]) << 16 | static_cast<uint32_t>(p[1]) << 8 | p[2];
    *out++ = kAlphabet[v >> 18];
    *out++ = kAlphabet[v >> 12 & 63];
    *out++ = kAlphabet[v >> 6 & 63];
    *out++ = kAlphabet[v & 63];
  }
  if (left == 0) return;
  uint32_t v = static_cast<uint32_t>(p[0]) << 16 | (left == 2 ? static_cast<uint32_t>(p[1]) << 8 : 0);
  *out++ = kAlphabet[v >> 18];
  *out++ = kAlphabet[v >> 12 & 63];
  *out++ = left == 2 ? kAlphabet[v >> 6 & 63] : '=';
  *out++ = '=';
}

bool DecodeBase64(Str text, char* out, size_t* size) {
  if (text.size % 4 != 0) return false;
  const auto* p = reinterpret_cast<const unsigned char*>(text.data);
  char* start = out;
  for (uint32_t i = 0; i < text.size; i += 4, p += 4) {
    bool last = i + 4 == text.size;
    uint8_t a = kDecoding[p[0]], b = kDecoding[p[1]], c = kDecoding[p[2]], d = kDecoding[p[3]];
    if ((a | b) > 63) return false;
    *out++ = static_cast<char>(a << 2 | b >> 4);
    if (c > 63) {
      if (!last || p[2] != '=' || p[3] != '=' || (b & 15) != 0) return false;
      break;
    }
    *out++ = static_cast<char>(b << 4 | c >> 2);
    if (d > 63) {
      if (!last || p[3] != '=' || (c & 3) != 0) return false;
      break;
    }
    *out++ = static_cast<char>(c << 6 | d);
  }
  *size = static_cast<size_t>(out - start);
  return true;
}

}  // namespace weir
