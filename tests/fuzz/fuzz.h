// What the fuzz targets share: how they say that something must hold, and how they take values from the
// bytes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

// Ends the process, which libFuzzer takes as a find: it keeps the input.
#define FUZZ_CHECK(condition, ...)                                                          \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      std::fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition);       \
      for (const std::string& said : std::initializer_list<std::string>{__VA_ARGS__}) {     \
        std::fprintf(stderr, "  %s\n", said.c_str());                                       \
      }                                                                                     \
      std::abort();                                                                         \
    }                                                                                       \
  } while (false)

namespace weir_fuzz {

// Choices made of the input's bytes, one after another; zeros when they are used up, so that every input is
// one case.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  uint8_t Byte() { return at_ == end_ ? 0 : *at_++; }
  uint32_t Pick(uint32_t n) { return Byte() % n; }
  uint64_t Word() {
    uint64_t v = 0;
    for (int i = 0; i < 8; ++i) v = v << 8 | Byte();
    return v;
  }
  std::string Text(size_t size) {
    size_t n = static_cast<size_t>(end_ - at_) < size ? static_cast<size_t>(end_ - at_) : size;
    std::string text(reinterpret_cast<const char*>(at_), n);
    at_ += n;
    return text;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace weir_fuzz
