// Pooled memory is distinct, aligned and reused.
#include "runtime/lookup/byte_pool.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <vector>

namespace weir {
namespace {

TEST_CASE("Pieces of a pool do not overlap, whatever their sizes") {
  BytePool pool;
  std::mt19937_64 random(3);
  struct Piece {
    char* at;
    size_t size;
    char fill;
  };
  std::vector<Piece> pieces;
  auto check = [](const Piece& p) {
    for (size_t i = 0; i < p.size; ++i) {
      if (p.at[i] != p.fill) return false;
    }
    return true;
  };
  for (int round = 0; round < 20'000; ++round) {
    if (pieces.size() < 200 || random() % 2 == 0) {
      size_t size = random() % 20 == 0 ? random() % 100'000 : random() % 700;
      char* at = pool.Alloc(size);
      REQUIRE(reinterpret_cast<uintptr_t>(at) % 8 == 0);
      char fill = static_cast<char>(random());
      std::memset(at, fill, size);
      pieces.push_back({at, size, fill});
    } else {
      size_t i = random() % pieces.size();
      REQUIRE(check(pieces[i]));
      pool.Free(pieces[i].at, pieces[i].size);
      pieces[i] = pieces.back();
      pieces.pop_back();
    }
  }
  for (Piece& p : pieces) {
    REQUIRE(check(p));
    pool.Free(p.at, p.size);
  }
}

TEST_CASE("Steady state takes nothing from the system") {
  BytePool pool;
  std::vector<char*> pieces;
  auto round = [&] {
    for (size_t i = 0; i < 2000; ++i) pieces.push_back(pool.Alloc(i % 300));
    for (size_t i = 0; i < 2000; ++i) pool.Free(pieces[i], i % 300);
    pieces.clear();
  };
  round();
  size_t held = pool.bytes_held();
  for (int i = 0; i < 50; ++i) round();
  CHECK(pool.bytes_held() == held);
}

TEST_CASE("A rounded size is at least the size and at most a quarter more") {
  for (size_t size = 65; size <= BytePool::kPooledMax; ++size) {
    size_t rounded = BytePool::RoundedSize(size);
    REQUIRE(rounded >= size);
    REQUIRE(rounded <= size + size / 4 + 1);
  }
  CHECK(BytePool::RoundedSize(0) == 16);
  CHECK(BytePool::RoundedSize(64) == 64);
  CHECK(BytePool::RoundedSize(BytePool::kPooledMax) == BytePool::kPooledMax);
}

}  // namespace
}  // namespace weir
