// compiler/base/suggest_test.cc — A suggestion helps only when it is near, and annoys when it is
// not.
#include "compiler/base/suggest.h"

#include <catch2/catch.hpp>

namespace weirc {

TEST_CASE("edit distance counts a swap as one edit and stops at its limit") {
  CHECK(EditDistance("amount", "amount", 3) == 0);
  CHECK(EditDistance("amonut", "amount", 3) == 1);
  CHECK(EditDistance("amnt", "amount", 3) == 2);
  CHECK(EditDistance("", "abc", 3) == 3);
  CHECK(EditDistance("abcdef", "uvwxyz", 2) == 3);
}

TEST_CASE("the nearest candidate is suggested") {
  std::vector<std::string> fields = {"account", "amount", "symbol", "qty"};
  CHECK(DidYouMean("amonut", fields) == "amount");
  CHECK(DidYouMean("Symbol", fields) == "symbol");
  CHECK_FALSE(DidYouMean("venue", fields).has_value());
  CHECK_FALSE(DidYouMean("q", fields).has_value());
  CHECK(DidYouMean("ID", std::vector<std::string>{"id"}) == "id");
}

TEST_CASE("names are listed as in a sentence") {
  CHECK(OneOf(std::vector<std::string>{"a"}) == "`a`");
  CHECK(OneOf(std::vector<std::string>{"a", "b", "c"}) == "`a`, `b` or `c`");
  CHECK(OneOf(std::vector<std::string>{"a", "b"}, "and") == "`a` and `b`");
}

}  // namespace weirc
