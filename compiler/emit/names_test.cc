// Names and literals in generated C++: nothing a user writes can mean something else there.
#include "compiler/emit/names.h"

#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace weirc::emit {

TEST_CASE("Names that C++ allows stay as they are") {
  for (const char* name : {"trade_id", "symbol", "Trade", "x1", "keys", "k", "kind", "notional"}) {
    CHECK(Mangle(name) == name);
    CHECK(MangleMember(name) == name);
  }
}

TEST_CASE("Names that mean something in C++ or to the runtime are escaped") {
  CHECK(Mangle("class") == "u_class");
  CHECK(MangleMember("class") == "u_class");
  CHECK(Mangle("errno") == "u_errno");
  CHECK(MangleMember("errno") == "u_errno");
  CHECK(Mangle("task") == "u_task");
  CHECK(MangleMember("task") == "task");  // a member meets no variable
  CHECK(MangleMember("Str") == "u_Str");  // but the types of its neighbours
  CHECK(Mangle("a b") == "u_a_20b");
  CHECK(Mangle("t1_") == "u_t1_5f");
  CHECK(Mangle("a__b") == "u_a_5f_5fb");
  CHECK(Mangle("kStep") == "u_kStep");
  CHECK(Mangle("") == "u_");
}

TEST_CASE("Different names have different identifiers") {
  std::set<std::string> seen;
  const char* const names[] = {"class", "u_class", "u_u_class", "class_", "_class", "u_5fclass", "u", "u_", "_", "__", "a", "A",
                               "a_b", "a__b", "a b", "a_20b", "u_a_20b", "kA", "k_A", "\xc3\xa9"};
  for (const char* name : names) CHECK(seen.insert(Mangle(name)).second);
}

TEST_CASE("Parts of a name are joined") {
  CHECK(MangleParts("enriched.where") == "enriched_where");
  CHECK(MangleParts("enriched.key") == "enriched_key");
  CHECK(MangleParts("a.b c") == "a_u_b_20c");
  CHECK(MangleParts("class") == "u_class");
  CHECK(MangleParts("size.t") == "u_size_5ft");
}

TEST_CASE("A scope hands out each name once") {
  Scope scope;
  scope.Reserve("x");
  CHECK(scope.Take("a") == "a");
  CHECK(scope.Take("a") == "a_2");
  CHECK(scope.Take("a") == "a_3");
  CHECK(scope.Take("x") == "x_2");
}

TEST_CASE("Any bytes become a literal of the same bytes") {
  CHECK(StringLiteral("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(StringLiteral("line\nnext\r") == "\"line\\nnext\\015\"");
  // An octal escape has three digits, so a digit behind it stays text.
  CHECK(StringLiteral(std::string_view("\0" "7", 2)) == "\"\\0007\"");
  CHECK(StringLiteral("\xc3\xbc") == "\"\\303\\274\"");
  CHECK(StringLiteral("what?\?/") == "\"what?\\?/\"");
}

TEST_CASE("A comment is one line that ends where it ends") {
  CHECK(CommentText("where a > 1 \\") == "where a > 1");
  CHECK(CommentText("where a\n| select") == "where a");
  CHECK(CommentText("caf\xc3\xa9\t!") == "caf   !");
}

TEST_CASE("Numbers are written so that they read back as themselves") {
  CHECK(IntLiteral(0) == "0");
  CHECK(IntLiteral(-999999) == "-999999");
  CHECK(IntLiteral(1'000'000) == "1'000'000");
  CHECK(IntLiteral(123456789012) == "123'456'789'012");
  CHECK(IntLiteral(INT64_MAX) == "9'223'372'036'854'775'807");
  CHECK(IntLiteral(INT64_MIN) == "INT64_MIN");
  CHECK(IntLiteral(static_cast<__int128>(INT64_MAX) + 1) == "MakeI128(0, 0x8000000000000000u)");
  CHECK(IntLiteral(static_cast<__int128>(INT64_MIN) - 1) == "MakeI128(-1, 0x7fffffffffffffffu)");
  CHECK(DoubleLiteral(0.1) == "0.1");
  CHECK(DoubleLiteral(2) == "2.0");
  CHECK(DoubleLiteral(1e300) == "1e+300");
  CHECK(DoubleLiteral(-0.0) == "-0.0");
  CHECK(DoubleLiteral(INFINITY) == "__builtin_inf()");
  CHECK(DoubleLiteral(NAN) == "__builtin_nan(\"\")");
  for (double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456.789}) {
    double back = std::strtod(DoubleLiteral(value).c_str(), nullptr);
    CHECK(std::memcmp(&back, &value, sizeof value) == 0);
  }
}

}  // namespace weirc::emit
