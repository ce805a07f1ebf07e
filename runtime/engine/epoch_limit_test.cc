#include "runtime/engine/epoch_limit.h"

#include <catch2/catch.hpp>

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000, kTime = 10 * kSecond;

// A broker that takes so many bytes a second, and transactions that are aborted after ten.
struct Throttled {
  explicit Throttled(uint64_t bytes_per_s) : bytes_per_s(bytes_per_s) {}
  // An epoch of whatever may be read, at most `backlog`. True: it was committed.
  bool Epoch(uint64_t backlog) {
    uint64_t bytes = 0;
    for (; bytes < backlog && !limit.Full(); bytes += 100) limit.Take(36);
    limit.Ends();
    const int64_t takes = static_cast<int64_t>(bytes) * kSecond / static_cast<int64_t>(bytes_per_s);
    if (takes >= kTime) {
      begun += limit.TakenBack(kTime, kTime) ? 1 : 0;
      return false;
    }
    lifted += limit.Committed(takes, kTime) ? 1 : 0;
    return true;
  }
  EpochLimit limit;
  uint64_t bytes_per_s;
  int begun = 0, lifted = 0;  // the limit
};

TEST_CASE("an epoch that is too large for its transaction is halved until it is not, and stays so") {
  Throttled slow(1000);
  int taken_back = 0, committed = 0;
  while (committed < 1000) {
    slow.Epoch(100'000) ? ++committed : ++taken_back;
    REQUIRE(taken_back < 10);
  }
  CHECK(taken_back == 4);  // 100, 50, 25 and 12.5 seconds
  CHECK(slow.limit.bytes_max() >= 5'000);
  CHECK(slow.limit.bytes_max() < 10'000);
  // It is told once.
  CHECK(slow.begun == 1);
  CHECK(slow.lifted == 0);
}

TEST_CASE("where commits are quick again there is no limit after a while") {
  Throttled slow(1000);
  while (!slow.Epoch(100'000)) {
  }
  slow.bytes_per_s = 1'000'000;
  int epochs = 0;
  for (; slow.limit.limited(); ++epochs) {
    REQUIRE(slow.Epoch(1'000'000));
    REQUIRE(epochs < 100);
  }
  CHECK(epochs > 20);  // not all at once
  CHECK(slow.lifted == 1);
  CHECK_FALSE(slow.limit.Full());
}

TEST_CASE("epochs that are not full say nothing about those that are") {
  Throttled slow(1000);
  while (!slow.Epoch(100'000)) {
  }
  const uint64_t limit = slow.limit.bytes_max();
  for (int i = 0; i < 1000; ++i) REQUIRE(slow.Epoch(500));
  CHECK(slow.limit.bytes_max() == limit);
}

TEST_CASE("an epoch that failed early, or that took nothing, was not too large") {
  EpochLimit limit;
  limit.Take(1'000'000);
  limit.Ends();
  CHECK_FALSE(limit.TakenBack(kTime / 2 - 1, kTime));
  limit.Ends();
  CHECK_FALSE(limit.TakenBack(kTime, kTime));
  CHECK_FALSE(limit.limited());
}

TEST_CASE("what is forgotten does not count, and one record may always be read") {
  EpochLimit limit;
  auto of_ten = [](uint32_t) { return uint64_t{10}; };
  CHECK(limit.EndThatFits(3, 500, of_ten) == 500);
  for (int i = 0; i < 10; ++i) {
    limit.Take(1);
    limit.Ends();
    CHECK(limit.TakenBack(kTime, kTime) == (i == 0));
  }
  CHECK(limit.bytes_max() == 1);
  CHECK_FALSE(limit.Full());
  CHECK(limit.EndThatFits(3, 500, of_ten) == 4);
  limit.Take(10);
  CHECK(limit.Full());
  limit.Forget();
  CHECK_FALSE(limit.Full());
}

TEST_CASE("of a batch as much is taken as the epoch has room for") {
  EpochLimit limit;
  limit.Take(1000, 36'000);
  limit.Ends();
  CHECK(limit.TakenBack(kTime, kTime));
  auto of_36 = [](uint32_t) { return uint64_t{36}; };
  CHECK(limit.EndThatFits(0, 10'000, of_36) == 500);
  limit.Take(400, 400 * 36);
  CHECK(limit.EndThatFits(7, 10'000, of_36) == 107);
  limit.Take(100, 100 * 36);
  CHECK(limit.Full());
}

}  // namespace
}  // namespace weir
