#include "runtime/state/changelog.h"

#include <catch2/catch.hpp>
#include <string>

#include "runtime/state/store.h"

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

TEST_CASE("a pending row is removed by an empty value, everything else by none", "[changelog]") {
  auto key_of = [](StateKind kind) {
    Buffer key;
    AppendStoreKey(7, kind, 3, Str("slot"), &key);
    return std::string(key.str().view());
  };
  for (StateKind kind : {StateKind::kRow, StateKind::kWindow}) {
    std::string key = key_of(kind), empty = Seal(key, ""), full = Seal(key, "row"), damaged = full;
    damaged[1] ^= 1;
    Str at{std::string_view(key)}, value, sealed;
    bool removed = false;
    CHECK(IsSlot(at) == (kind == StateKind::kRow));
    CHECK(ReadChange(at, nullptr, &value, &removed));
    CHECK(removed);
    sealed = Str(std::string_view(empty));
    CHECK(ReadChange(at, &sealed, &value, &removed));
    CHECK(removed == (kind == StateKind::kRow));
    sealed = Str(std::string_view(full));
    CHECK(ReadChange(at, &sealed, &value, &removed));
    CHECK_FALSE(removed);
    CHECK(value == Str("row"));
    sealed = Str(std::string_view(damaged));
    CHECK_FALSE(ReadChange(at, &sealed, &value, &removed));
  }
}

}  // namespace
}  // namespace weir
