// Whatever a record holds stays inside its component.
#include "runtime/lookup/url_text.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace weir {
namespace {

std::string Path(const std::string& id) {
  Arena arena;
  UrlText url(arena);
  url.Text("/accounts/");
  url.Component(Str(std::string_view(id)));
  url.Text("/state?at=");
  url.Component(Str(std::string_view(id)));
  return std::string(url.Done().view());
}

TEST_CASE("Values are percent-encoded as one component") {
  CHECK(Path("a1") == "/accounts/a1/state?at=a1");
  CHECK(Path("a-b_c.d~e") == "/accounts/a-b_c.d~e/state?at=a-b_c.d~e");
  CHECK(Path("a/b?c=d&e#f") == "/accounts/a%2Fb%3Fc%3Dd%26e%23f/state?at=a%2Fb%3Fc%3Dd%26e%23f");
  CHECK(Path("a b%20+") == "/accounts/a%20b%2520%2B/state?at=a%20b%2520%2B");
  CHECK(Path("x\r\nHost: evil\0") == "/accounts/x%0D%0AHost%3A%20evil/state?at=x%0D%0AHost%3A%20evil");
  CHECK(Path("\xc3\xa4") == "/accounts/%C3%A4/state?at=%C3%A4");
  CHECK(Path("") == "/accounts//state?at=");
}

TEST_CASE("A value cannot lead out of its path") {
  CHECK(Path("..").empty());
  CHECK(Path(".").empty());
  CHECK(Path("...") == "/accounts/.../state?at=...");
  CHECK(Path("..a") == "/accounts/..a/state?at=..a");
  Arena arena;
  UrlText two(arena);
  two.Text("/a/");
  two.Component(".");
  two.Component(".");
  CHECK(two.Done().empty());
  UrlText last(arena);
  last.Text("/a/");
  last.Component("..");
  CHECK(last.Done().empty());
  UrlText query(arena);
  query.Text("/a?x=/");
  query.Component("..");
  CHECK(query.Done() == Str("/a?x=/.."));
  UrlText encoded(arena);
  encoded.Text("/a/%2e%2E/b");
  CHECK(encoded.Done().empty());
}

TEST_CASE("Random bytes make only characters that a request line may have") {
  std::mt19937_64 random(9);
  for (int round = 0; round < 2000; ++round) {
    std::string id(random() % 40, '\0');
    for (char& c : id) c = static_cast<char>(random());
    std::string path = Path(id);
    if (path.empty()) continue;
    std::string tail = path.substr(10, path.size() - 10);
    REQUIRE(tail.find('/') == tail.find("/state?at="));
    for (char c : path) REQUIRE((c > 0x20 && c < 0x7f));
  }
}

}  // namespace
}  // namespace weir
