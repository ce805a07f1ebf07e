// The cache is bounded, forgets in time, and prefers to keep what is used.
#include "runtime/lookup/lookup_cache.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

#include "runtime/core/hash.h"

namespace weir {
namespace {

struct Cache {
  BytePool pool;
  LookupCache cache;
  Cache(int64_t entries, int64_t bytes = 1 << 20) : cache(&pool, entries, bytes) {}
  void Put(const std::string& key, const std::string& value, int64_t expires, int64_t now = 0,
           Outcome outcome = Outcome::kFound) {
    LookupValue* v = LookupValue::Make(pool, Str(std::string_view(value)));
    cache.Insert(Hash(Str(std::string_view(key))), Str(std::string_view(key)), outcome, v, expires, now);
    v->Drop(pool);
  }
  std::string Get(const std::string& key, int64_t now = 0) {
    const LookupCache::Entry* e = cache.Find(Hash(Str(std::string_view(key))), Str(std::string_view(key)), now);
    if (e == nullptr) return "-";
    return std::string(e->outcome == Outcome::kMissing ? "missing:" : "") + std::string(e->value->bytes().view());
  }
};

TEST_CASE("An answer is there until it expires, and a newer one takes its place") {
  Cache c(10);
  c.Put("a", "one", 100);
  CHECK(c.Get("a", 99) == "one");
  CHECK(c.Get("a", 100) == "-");
  c.Put("a", "two", 200, 100);
  CHECK(c.Get("a", 150) == "two");
  CHECK(c.cache.size() == 1);
  c.Put("b", "why", 200, 100, Outcome::kMissing);
  CHECK(c.Get("b", 150) == "missing:why");
}

TEST_CASE("A cache never holds more entries or bytes than it may") {
  Cache c(50, 64 * 1024);
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    c.Put(std::to_string(random() % 500), std::string(random() % 3000, 'v'), 1'000'000, i);
    REQUIRE(c.cache.size() <= 50);
    REQUIRE(c.cache.bytes() <= 64 * 1024);
  }
  size_t held = c.pool.bytes_held();
  for (int i = 0; i < 20'000; ++i) c.Put(std::to_string(random() % 500), std::string(random() % 3000, 'v'), 1'000'000, i);
  CHECK(c.pool.bytes_held() <= held + 256 * 1024);
  c.cache.Clear();
  CHECK(c.cache.size() == 0);
  CHECK(c.cache.bytes() == 0);
}

TEST_CASE("An answer far larger than the rest is not kept, and the older one for it goes") {
  Cache c(50, 64 * 1024);
  c.Put("a", "small", 100);
  c.Put("b", "other", 100);
  c.Put("a", std::string(10'000, 'x'), 100);
  CHECK(c.Get("a") == "-");
  CHECK(c.Get("b") == "other");
}

TEST_CASE("What is used stays, what is not goes first") {
  Cache c(10);
  for (int i = 0; i < 10; ++i) c.Put("old" + std::to_string(i), "v", 1000);
  c.Put("x", "v", 1000);  // the hand passed all of them once
  for (int i = 0; i < 200; ++i) {
    c.Get("x");
    c.Put("new" + std::to_string(i), "v", 1000);
  }
  CHECK(c.Get("x") == "v");
  CHECK(c.Get("old0") == "-");
}

TEST_CASE("Expired answers make room before used ones do") {
  Cache c(3);
  c.Put("a", "v", 10);
  c.Put("b", "v", 1000);
  c.Put("c", "v", 1000);
  c.Put("d", "v", 1000, 20);
  CHECK(c.Get("a", 5) == "-");
  CHECK(c.Get("b", 20) == "v");
  CHECK(c.Get("c", 20) == "v");
  CHECK(c.Get("d", 20) == "v");
}

TEST_CASE("A value that somebody holds outlives its entry") {
  Cache c(1);
  c.Put("a", "kept", 1000);
  LookupValue* held = c.cache.Find(Hash(Str("a")), Str("a"), 0)->value->Hold();
  c.Put("b", "other", 1000);
  CHECK(c.Get("a") == "-");
  CHECK(held->bytes() == Str("kept"));
  held->Drop(c.pool);
}

}  // namespace
}  // namespace weir
