#include "runtime/state/changelog.h"

#include <catch2/catch.hpp>
#include <string>

namespace weir {
namespace {

std::string Seal(const std::string& key, const std::string& value) {
  Buffer out;
  SealChange(Str(std::string_view(key)), Str(std::string_view(value)), &out);
  return std::string(out.str().view());
}

bool Open(const std::string& key, const std::string& sealed, std::string* value) {
  Str inside;
  if (!OpenChange(Str(std::string_view(key)), Str(std::string_view(sealed)), &inside)) return false;
  *value = std::string(inside.view());
  return true;
}

TEST_CASE("a change of state comes out of its changelog as it went in", "[changelog]") {
  for (const std::string& text : {std::string(), std::string("x"), std::string(100'000, '\0')}) {
    std::string value;
    REQUIRE(Open("key", Seal("key", text), &value));
    CHECK(value == text);
  }
}

TEST_CASE("a damaged change, and one of another key, is noticed", "[changelog]") {
  std::string sealed = Seal("key", "value"), value;
  CHECK_FALSE(Open("kex", sealed, &value));
  for (size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = sealed;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      CHECK_FALSE(Open("key", damaged, &value));
    }
    CHECK_FALSE(Open("key", sealed.substr(0, i), &value));
  }
}

}  // namespace
}  // namespace weir
