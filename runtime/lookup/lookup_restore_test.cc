// Pending rows in the state: what a commit writes, and what a start makes of it.
#include <catch2/catch.hpp>

#include "runtime/lookup/lookup_test_rig.h"

namespace weir {
namespace {

using Numbers = std::vector<int64_t>;

TEST_CASE("A commit writes rows added since the last one and removes those that went on") {
  RigOptions options;
  Rig rig(options);
  Rig::State state;
  rig.Ask(1, "a");
  rig.Ask(2, "b");
  rig.Turn();
  rig.Commit(&state);
  CHECK(state.size() == 2);
  rig.Ask(3, "c");
  rig.connector->Found(0, "v");
  rig.Turn();
  rig.Ask(4, "d");
  rig.Turn();
  rig.Commit(&state);
  CHECK(state.size() == 3);
  // Added and gone between two commits: the state never hears of it.
  rig.connector->Found(1, "v");
  rig.connector->Found(2, "v");
  rig.connector->Found(3, "v");
  rig.Turn();
  rig.Ask(5, "e");
  rig.Turn();
  rig.connector->Found(4, "v");
  rig.Turn();
  CHECK(rig.Commit(&state) == 3);  // three removals, and nothing of row 5
  CHECK(state.empty());
  CHECK(rig.Commit(&state) == 0);
}

TEST_CASE("Slots in the state are taken again, and rows come back in asking order whatever slot they have") {
  RigOptions options;
  options.orders = {OrderMode::kNone};
  Rig::State state;
  {
    Rig rig(options);
    for (int n = 1; n <= 3; ++n) rig.Ask(n, std::to_string(n));
    rig.Turn();
    rig.Commit(&state);
    REQUIRE(state.size() == 3);
    const Rig::State before = state;
    // A thousand more, never more than three at once.
    size_t answered = 0;
    for (int n = 4; n < 1004; ++n) {
      rig.connector->Found(answered++, "v");
      rig.Turn();
      rig.Ask(n, std::to_string(n));
      rig.Turn();
      CHECK(rig.Commit(&state) == 1);
      REQUIRE(state.size() == 3);
      for (auto& [key, value] : state) REQUIRE(before.count(key) == 1);
    }
    // The row of the middle goes and another takes its slot: now slots and asking order differ.
    rig.connector->Found(answered + 1, "v");
    rig.Turn();
    rig.Ask(1004, "1004");
    rig.Turn();
    rig.Commit(&state);
  }
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 3);
  CHECK(rig.connector->sent[0].target == "/x/1001");
  CHECK(rig.connector->sent[1].target == "/x/1003");
  CHECK(rig.connector->sent[2].target == "/x/1004");
  // What is asked now comes behind them, in a slot of its own.
  rig.Ask(2000, "2000");
  rig.Turn();
  CHECK(rig.Commit(&state) == 1);
  CHECK(state.size() == 4);
}

TEST_CASE("A row that is answered but waits for its turn is saved and asked again") {
  RigOptions options;
  Rig::State state;
  {
    Rig rig(options);
    rig.Ask(1, "a");
    rig.Ask(2, "b");
    rig.Turn();
    rig.connector->Found(1, "v");
    rig.Turn();
    rig.Commit(&state);
  }
  CHECK(state.size() == 2);
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 2);
  CHECK(rig.connector->sent[0].target == "/x/a");
  CHECK(rig.connector->sent[1].target == "/x/b");
}

TEST_CASE("N, N + 1 and 10 N rows come back for an in_flight of N: all of them, oldest first, before anything new") {
  for (OrderMode order : {OrderMode::kInput, OrderMode::kKey, OrderMode::kNone}) {
    for (int rows : {8, 9, 80}) {
      RigOptions options;
      options.orders = {order};
      Rig::State state;
      options.tune = [](int, LookupSpec& s) { s.in_flight = 1000; };
      {
        Rig rig(options);
        for (int n = 0; n < rows; ++n) rig.Ask(n, std::to_string(n), std::to_string(n % 3));
        rig.Turn();
        rig.Commit(&state);
      }
      REQUIRE(state.size() == static_cast<size_t>(rows));
      options.tune = [](int, LookupSpec& s) { s.in_flight = 8; };
      Rig rig(options);
      REQUIRE(rig.Restore(state).ok());
      CHECK(rig.blocked());
      rig.Ask(1000, "new", "9");
      size_t answered = 0;
      while (answered < static_cast<size_t>(rows) + 1) {
        rig.Turn();
        REQUIRE(rig.lookups->runtime(0).flying() <= 8);
        REQUIRE(answered < rig.connector->sent.size());
        rig.connector->Found(answered++, "v");
      }
      rig.Turn();
      std::vector<std::string> asked;
      for (auto& s : rig.connector->sent) asked.push_back(s.target);
      std::vector<std::string> expected;
      for (int n = 0; n < rows; ++n) expected.push_back("/x/" + std::to_string(n));
      expected.push_back("/x/new");
      CHECK(asked == expected);
      CHECK(rig.Resumed().size() == static_cast<size_t>(rows) + 1);
      CHECK_FALSE(rig.blocked());
      rig.Commit(&state);
      CHECK(state.empty());
    }
  }
}

TEST_CASE("Restored rows of a hot key share one request") {
  RigOptions options;
  options.tune = [](int, LookupSpec& s) {
    s.in_flight = 1000;
    s.coalesce = true;
  };
  Rig::State state;
  {
    Rig rig(options);
    for (int n = 0; n < 100; ++n) rig.Ask(n, "hot");
    rig.Commit(&state);
  }
  options.tune = [](int, LookupSpec& s) {
    s.in_flight = 2;
    s.coalesce = true;
  };
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 1);
  rig.connector->Found(0, "v");
  rig.Turn();
  CHECK(rig.Resumed().size() == 100);
}

TEST_CASE("A different answer after the crash is simply the answer") {
  RigOptions options;
  Rig::State state;
  {
    Rig rig(options);
    rig.Ask(0, "head");
    rig.Ask(1, "a");
    rig.Turn();
    rig.connector->Found(1, "before");
    rig.Turn();
    rig.Commit(&state);
  }
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Turn();
  rig.connector->Found(0, "v");
  rig.connector->Answer(1, Outcome::kMissing, "gone since");
  rig.Turn();
  CHECK(rig.Find(1)->outcome == Outcome::kMissing);
  CHECK(rig.Resumed() == Numbers{0, 1});
}

TEST_CASE("The watermark between two rows is saved and restored") {
  RigOptions options;
  Rig::State state;
  {
    Rig rig(options);
    rig.Watermark(10);
    rig.Ask(1, "a");
    rig.Watermark(20);
    rig.Ask(2, "b");
    rig.Watermark(30);
    rig.Turn();
    rig.Commit(&state);
  }
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Watermark(30);
  CHECK(rig.instance().watermark() == 10);
  CHECK(rig.events.empty());
  rig.Turn();
  rig.connector->Found(0, "v");
  rig.Turn();
  CHECK(rig.events.back().n == 20);
  rig.connector->Found(1, "v");
  rig.Turn();
  CHECK(rig.events.back().n == 30);
}

TEST_CASE("The attempt under way at the crash is made again; earlier ones stay used up") {
  RigOptions options;
  options.tune = [](int, LookupSpec& s) {
    s.retries = 2;
    s.jitter_full = false;
    s.backoff_min_ns = s.backoff_max_ns = 20 * kMs;
  };
  Rig::State state;
  {
    Rig rig(options);
    rig.Ask(1, "a");
    rig.Advance(130 * kMs);  // the second attempt is under way
    REQUIRE(rig.connector->sent.size() == 2);
    rig.Commit(&state);
  }
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Advance(1000 * kMs);
  REQUIRE(rig.connector->sent.size() == 2);
  CHECK(rig.connector->sent[0].attempt == 2);
  CHECK(rig.connector->sent[1].attempt == 3);
  CHECK(rig.Find(1)->attempts == 3);
  // Fewer retries are declared now than were used: one attempt is made all the same.
  options.tune = [](int, LookupSpec& s) { s.retries = 0; };
  Rig fewer(options);
  REQUIRE(fewer.Restore(state).ok());
  fewer.Advance(1000 * kMs);
  CHECK(fewer.connector->sent.size() == 1);
}

TEST_CASE("Restored rows keep their numbers, new ones follow them") {
  RigOptions options;
  Rig::State state;
  {
    Rig rig(options);
    for (int n = 0; n < 5; ++n) rig.Ask(n, "x");
    rig.Turn();
    for (size_t i = 0; i < 3; ++i) rig.connector->Found(i, "v");
    rig.Turn();
    rig.Commit(&state);
  }
  {
    Rig rig(options);
    REQUIRE(rig.Restore(state).ok());
    rig.Ask(5, "y");
    rig.Turn();
    rig.Commit(&state);
    CHECK(state.size() == 3);
  }
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Turn();
  for (size_t i = 3; i-- > 0;) rig.connector->Found(i, "v");
  rig.Turn();
  CHECK(rig.Resumed() == Numbers{3, 4, 5});
}

TEST_CASE("Sync rows come back one after another") {
  RigOptions options;
  options.tune = [](int, LookupSpec& s) { s.sync = true; };
  Rig::State state;
  {
    Rig rig(options);
    for (int n = 0; n < 3; ++n) rig.Ask(n, std::to_string(n));
    rig.Commit(&state);
  }
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  CHECK(rig.blocked());
  for (size_t i = 0; i < 3; ++i) {
    rig.Turn();
    REQUIRE(rig.connector->sent.size() == i + 1);
    rig.connector->Found(i, "v");
  }
  rig.Turn();
  CHECK(rig.Resumed() == Numbers{0, 1, 2});
  CHECK_FALSE(rig.blocked());
}

TEST_CASE("Damaged rows, foreign layouts and rows out of order are refused") {
  RigOptions options;
  Rig::State state;
  {
    Rig rig(options);
    rig.Ask(1, "a");
    rig.Commit(&state);
  }
  std::string value = state.begin()->second;
  Rig rig(options);
  auto restore = [&](uint32_t slot, const std::string& bytes) {
    SlotKey key(slot);
    return rig.port().Restore(key.str(), Str(std::string_view(bytes)));
  };
  CHECK(restore(5, value.substr(0, value.size() - 1)).code() == StatusCode::kCorrupt);
  CHECK(restore(5, "").code() == StatusCode::kCorrupt);
  std::string other = value;
  other[1] = static_cast<char>(other[1] + 1);
  CHECK(restore(5, other).code() == StatusCode::kCorrupt);
  CHECK(rig.port().Restore(Str("short"), Str(std::string_view(value))).code() == StatusCode::kCorrupt);
  CHECK(restore(5, value).ok());
  CHECK(restore(5, value).code() == StatusCode::kCorrupt);
  CHECK(restore(4, value).code() == StatusCode::kCorrupt);
  CHECK(restore(6, value).ok());
  CHECK(rig.port().Restored().code() == StatusCode::kCorrupt);
}

}  // namespace
}  // namespace weir
