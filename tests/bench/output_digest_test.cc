// The benchmark believes a time only when the digests agree: so a digest must notice every kind of damage.
#include <catch2/catch.hpp>

#include <vector>

#include "tests/bench/output_digest.h"

using weir_bench::OutputDigest;

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

OutputDigest Digest(const Rows& rows) {
  OutputDigest digest;
  for (const auto& [key, json] : rows) REQUIRE(digest.AddJson(key, json));
  return digest;
}

bool Same(const Rows& a, const Rows& b) { return OutputDigest::Difference(Digest(a), Digest(b)).empty(); }

const Rows kRows = {{"a", R"({"id":1,"price":1.50})"},
                    {"b", R"({"id":2,"price":2})"},
                    {"a", R"({"id":3,"price":3.25})"},
                    {"b", R"({"id":4,"price":4})"}};

}  // namespace

TEST_CASE("The same records in another interleaving of keys, field order and spelling are equal") {
  CHECK(Same(kRows, {{"b", R"({"price":2.00,"id":2})"},
                     {"a", R"({"price": 1.5 , "id": 1})"},
                     {"b", R"({"id":4,"price":4.0})"},
                     {"a", R"({"id":3,"price":3.25})"}}));
  CHECK(Same({{"a", R"({"at":1767225600123})"}}, {{"a", R"({"at":"2026-01-01T00:00:00.123Z"})"}}));
}

TEST_CASE("A loss is noticed") {
  for (size_t i = 0; i < kRows.size(); ++i) {
    Rows rows = kRows;
    rows.erase(rows.begin() + i);
    CHECK_FALSE(Same(kRows, rows));
  }
}

TEST_CASE("A duplicate is noticed") {
  for (size_t i = 0; i < kRows.size(); ++i) {
    Rows rows = kRows;
    rows.push_back(kRows[i]);
    CHECK_FALSE(Same(kRows, rows));
  }
}

TEST_CASE("A swap within a key is noticed") {
  Rows rows = kRows;
  std::swap(rows[0], rows[2]);
  CHECK_FALSE(Same(kRows, rows));
}

TEST_CASE("Another value, another field and another key are noticed") {
  for (const char* json : {R"({"id":1,"price":1.51})", R"({"id":1,"prize":1.50})", R"({"id":1})",
                           R"({"id":1,"price":1.50,"more":0})", R"({"id":"1","price":150})"}) {
    Rows rows = kRows;
    rows[0].second = json;
    CHECK_FALSE(Same(kRows, rows));
  }
  Rows rows = kRows;
  rows[0].first = "c";
  CHECK_FALSE(Same(kRows, rows));
}
