// compiler/base/utf8_test.cc — Broken UTF-8 must be seen as broken, byte by byte.
#include "compiler/base/utf8.h"

#include <catch2/catch.hpp>

namespace weirc {

TEST_CASE("valid characters decode and encode back") {
  for (char32_t code : {U'a', U'é', U'€', U'😀', U'\U0010FFFF'}) {
    std::string text;
    AppendUtf8(code, &text);
    Utf8Character c = DecodeUtf8(text, 0);
    CHECK(c.valid);
    CHECK(c.code == code);
    CHECK(c.size == text.size());
  }
}

TEST_CASE("overlong, cut, surrogate and too large sequences are not valid") {
  for (std::string text : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                           "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xFF"}) {
    Utf8Character c = DecodeUtf8(text, 0);
    CHECK_FALSE(c.valid);
    CHECK(c.size == 1);
  }
  CHECK(CountCharacters("a\xFF\xC3\xA9") == 3);
}

}  // namespace weirc
