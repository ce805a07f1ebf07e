// The order in which records go on, the watermark behind them, and what stops the input.
#include <catch2/catch.hpp>

#include "runtime/lookup/lookup_test_rig.h"

namespace weir {
namespace {

using Numbers = std::vector<int64_t>;

Rig Make(OrderMode order, std::function<void(int, LookupSpec&)> tune = {}) {
  RigOptions options;
  options.orders = {order};
  options.tune = std::move(tune);
  return Rig(options);
}

TEST_CASE("Order input: answers in exactly reversed order come out in input order") {
  Rig rig = Make(OrderMode::kInput);
  for (int n = 0; n < 50; ++n) rig.Ask(n, std::to_string(n));
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 50);
  for (size_t i = 50; i-- > 1;) {
    rig.connector->Found(i, "v");
    rig.Turn();
    REQUIRE(rig.events.empty());
  }
  rig.connector->Found(0, "v");
  rig.Turn();
  Numbers expected;
  for (int n = 0; n < 50; ++n) expected.push_back(n);
  CHECK(rig.Resumed() == expected);
  CHECK(rig.port().pending() == 0);
  CHECK(rig.lookups->rows_in_use() == 0);
}

TEST_CASE("Order none: records go on as answers come") {
  Rig rig = Make(OrderMode::kNone);
  for (int n = 0; n < 4; ++n) rig.Ask(n, std::to_string(n));
  rig.Turn();
  for (size_t i : {2u, 0u, 3u, 1u}) {
    rig.connector->Found(i, "v");
    rig.Turn();
  }
  CHECK(rig.Resumed() == Numbers{2, 0, 3, 1});
}

TEST_CASE("Order key: each key keeps its order, keys do not wait for each other") {
  Rig rig = Make(OrderMode::kKey);
  // a b a b c
  const char* keys[] = {"a", "b", "a", "b", "c"};
  for (int n = 0; n < 5; ++n) rig.Ask(n, std::to_string(n), keys[n]);
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 5);  // reads are asked in parallel
  for (size_t i : {2u, 3u, 4u}) rig.connector->Found(i, "v");
  rig.Turn();
  CHECK(rig.Resumed() == Numbers{4});
  rig.connector->Found(1, "v");
  rig.Turn();
  CHECK(rig.Resumed() == Numbers{4, 1, 3});
  rig.connector->Found(0, "v");
  rig.Turn();
  CHECK(rig.Resumed() == Numbers{4, 1, 3, 0, 2});
}

TEST_CASE("One hot key with 10,000 rows waits in order; a key that never ends holds up only itself") {
  Rig rig = Make(OrderMode::kKey, [](int, LookupSpec& s) { s.in_flight = 20'000; });
  rig.Ask(-1, "stuck", "stuck");
  rig.Ask(-2, "behind the stuck one", "stuck");
  for (int n = 0; n < 10'000; ++n) rig.Ask(n, std::to_string(n), "hot");
  rig.Turn();
  for (size_t i = rig.connector->sent.size(); i-- > 2;) rig.connector->Found(i, "v");
  rig.connector->Found(1, "v");
  rig.Turn();
  REQUIRE(rig.Resumed().size() == 10'000);
  Numbers resumed = rig.Resumed();
  CHECK(std::is_sorted(resumed.begin(), resumed.end()));
  CHECK(rig.port().pending() == 2);
  rig.Advance(100 * kMs);  // the stuck one times out
  CHECK(rig.Resumed().back() == -2);
  CHECK(rig.Find(-1)->outcome == Outcome::kTimeout);
}

TEST_CASE("Within one turn the watermark passes a record only after the record") {
  for (OrderMode order : {OrderMode::kInput, OrderMode::kKey, OrderMode::kNone}) {
    Rig rig = Make(order);
    rig.Watermark(10);
    REQUIRE(rig.events.size() == 1);  // nothing is pending: it passes at once
    rig.Ask(1, "a", "k1");
    rig.Watermark(20);
    rig.Ask(2, "b", "k2");
    rig.Watermark(30);
    rig.Ask(3, "c", "k3");
    rig.Watermark(40);
    rig.Turn();
    REQUIRE(rig.events.size() == 1);
    rig.connector->Found(1, "v");
    rig.Turn();
    // Where 2 may go on before 1, the watermark must still wait for 1.
    CHECK(rig.Resumed() == (order == OrderMode::kInput ? Numbers{} : Numbers{2}));
    rig.connector->Found(0, "v");
    rig.Turn();
    std::vector<std::pair<int, int64_t>> seen;
    for (auto& e : rig.events) seen.emplace_back(e.step, e.n);
    if (order == OrderMode::kInput) {
      CHECK(seen == std::vector<std::pair<int, int64_t>>{{-1, 10}, {0, 1}, {-1, 20}, {0, 2}, {-1, 30}});
    } else {
      CHECK(seen == std::vector<std::pair<int, int64_t>>{{-1, 10}, {0, 2}, {0, 1}, {-1, 30}});
    }
    rig.connector->Found(2, "v");
    rig.Turn();
    CHECK(rig.events.back().n == 40);
  }
}

TEST_CASE("in_flight is never exceeded and blocks the task at once") {
  Rig rig = Make(OrderMode::kInput, [](int, LookupSpec& s) { s.in_flight = 3; });
  rig.Ask(0, "a");
  rig.Ask(1, "b");
  CHECK_FALSE(rig.blocked());
  rig.Ask(2, "c");
  CHECK(rig.blocked());
  rig.Ask(3, "d");  // the same record asked twice: queued, not fired
  rig.Turn();
  CHECK(rig.connector->sent.size() == 3);
  rig.connector->Found(1, "v");
  rig.Turn();
  CHECK(rig.connector->sent.size() == 4);  // an answer makes room, though order holds the row back
  CHECK(rig.blocked());
  rig.connector->Found(2, "v");
  rig.Turn();
  CHECK_FALSE(rig.blocked());
}

TEST_CASE("Rows done behind a slow head are bounded; another task goes on") {
  RigOptions options;
  options.tasks = 2;
  options.tune = [](int, LookupSpec& s) { s.in_flight = 4; };
  Rig rig(options);
  rig.Ask(1000, "slow", "", 0);
  int n = 0;
  while (!rig.blocked(0)) {
    rig.Ask(n, std::to_string(n), "", 0);
    ++n;
    rig.Turn();
    if (rig.connector->sent.back().target != "/x/slow") rig.connector->Found(rig.connector->sent.size() - 1, "v");
    rig.Turn();
    REQUIRE(n < 100);
  }
  CHECK(n == 12);  // three times in_flight
  CHECK_FALSE(rig.blocked(1));
  rig.Ask(2000, "other", "", 1);
  rig.Turn();
  rig.connector->Found(rig.connector->sent.size() - 1, "v");
  rig.Turn();
  CHECK(rig.Resumed(0, 1) == Numbers{2000});
  rig.connector->Found(0, "v");
  rig.Turn();
  CHECK(rig.Resumed(0, 0).size() == 13);
  CHECK_FALSE(rig.blocked(0));
}

TEST_CASE("in_flight is shared out to workers and never rounds to nothing") {
  for (auto [all, workers, first, last] : {std::tuple{10, 3, 4, 3}, {1, 4, 1, 1}, {256, 2, 128, 128}}) {
    for (int worker : {0, workers - 1}) {
      Program program;
      program.lookups.emplace_back();
      program.lookups[0].in_flight = all;
      BytePool pool;
      ObjectPool<PendingRow> rows;
      LookupShared shared;
      shared.pool = &pool;
      shared.rows = &rows;
      LookupRuntime::Options o;
      o.program = &program;
      o.worker = worker;
      o.workers = workers;
      LookupRuntime runtime(o, &shared);
      CHECK(runtime.in_flight_max() == (worker == 0 ? first : last));
    }
  }
}

TEST_CASE("Sync: one record of a partition at a time, the others go on") {
  RigOptions options;
  options.tasks = 2;
  options.tune = [](int, LookupSpec& s) { s.sync = true; };
  Rig rig(options);
  rig.Ask(1, "a", "", 0);
  CHECK(rig.blocked(0));
  CHECK_FALSE(rig.blocked(1));
  rig.Ask(2, "b", "", 0);  // the same record, flattened
  rig.Ask(3, "c", "", 1);
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 2);
  CHECK(rig.connector->sent[1].target == "/x/c");
  rig.connector->Found(0, "v");
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 3);
  CHECK(rig.connector->sent[2].target == "/x/b");
  CHECK(rig.blocked(0));
  rig.connector->Found(2, "v");
  rig.Turn();
  CHECK_FALSE(rig.blocked(0));
  CHECK(rig.Resumed(0, 0) == Numbers{1, 2});
}

TEST_CASE("Two lookups in a row: a full second one holds the first one's rows back") {
  RigOptions options;
  options.orders = {OrderMode::kInput, OrderMode::kInput};
  options.lookups = {0, 1};
  options.tune = [](int lookup, LookupSpec& s) { s.in_flight = lookup == 0 ? 10 : 2; };
  Rig rig(options);
  for (int n = 0; n < 10; ++n) rig.Ask(n, std::to_string(n));
  rig.Turn();
  for (size_t i = 0; i < 10; ++i) rig.connector->Found(i, "v");
  rig.Turn();
  CHECK(rig.connector->sent.size() == 12);
  CHECK(rig.port(0, 0).pending() == 8);
  CHECK(rig.port(0, 1).pending() == 2);
  CHECK(rig.blocked());
  for (size_t i = 10; i < 20; ++i) {
    rig.connector->Found(i, "w");
    while (rig.Turn()) {
    }
    REQUIRE(rig.port(0, 1).pending() <= 2);
  }
  CHECK(rig.Resumed() == Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK_FALSE(rig.blocked());
}

TEST_CASE("No row goes on while the epoch has enough, and the rest follow in the next ones, in order") {
  for (OrderMode order : {OrderMode::kInput, OrderMode::kKey, OrderMode::kNone}) {
    Rig rig = Make(order);
    for (int n = 0; n < 10; ++n) rig.Ask(n, std::to_string(n), "key");
    rig.Turn();
    for (size_t i = 0; i < 10; ++i) rig.connector->Found(i, "v");
    rig.epoch_bytes_max = 1;  // one row
    Numbers expected;
    for (int n = 0; n < 10; ++n) {
      CHECK(rig.Resumed() == expected);
      rig.epoch_bytes = 0;
      rig.Turn();
      const int changes = rig.changes;
      CHECK_FALSE(rig.Turn());  // it does not spin
      CHECK(rig.changes == changes);
      expected.push_back(n);
    }
    CHECK(rig.Resumed() == expected);
    CHECK(rig.lookups->rows_in_use() == 0);
  }
}

TEST_CASE("Two steps may use one lookup: slots are told apart, one in_flight for both") {
  RigOptions options;
  options.orders = {OrderMode::kInput, OrderMode::kNone};
  options.lookups = {0, 0};
  options.tune = [](int, LookupSpec& s) { s.in_flight = 5; };
  Rig rig(options);
  size_t answered = 0;
  for (int n = 0; n < 40; ++n) {
    while (rig.blocked()) {
      REQUIRE(answered < rig.connector->sent.size());
      rig.connector->Found(answered++, "v");
      while (rig.Turn()) {
      }
    }
    rig.Ask(n, std::to_string(n));
    while (rig.Turn()) {
    }
    REQUIRE(rig.lookups->runtime(0).flying() <= 5);
  }
  while (answered < rig.connector->sent.size()) {
    rig.connector->Found(answered++, "v");
    while (rig.Turn()) {
    }
  }
  CHECK(rig.Resumed(1).size() == 40);
  CHECK(answered == 80);
}

TEST_CASE("A watermark of the end of input passes when the last row has gone") {
  Rig rig = Make(OrderMode::kInput);
  rig.Watermark(5);
  rig.Ask(1, "a");
  rig.Ask(2, "b");
  rig.Watermark(INT64_MAX);
  rig.Turn();
  rig.connector->Found(1, "v");
  rig.Turn();
  CHECK(rig.port().pending() == 2);  // one in flight, one done and not yet gone on: neither is finished
  rig.connector->Found(0, "v");
  rig.Turn();
  CHECK(rig.port().pending() == 0);
  CHECK(rig.events.back().step == -1);
  CHECK(rig.events.back().n == INT64_MAX);
}

TEST_CASE("An answer from the cache goes on at once, but never before its turn") {
  for (OrderMode order : {OrderMode::kInput, OrderMode::kKey, OrderMode::kNone}) {
    Rig rig = Make(order, [](int, LookupSpec& s) {
      s.cache_entries = 100;
      s.cache_ttl_ns = 1000 * kMs;
    });
    rig.Ask(1, "known", "k");
    rig.Turn();
    rig.connector->Found(0, "v");
    rig.Turn();
    rig.Ask(2, "known", "k");
    CHECK(rig.Resumed() == Numbers{1, 2});  // from within Submit
    CHECK(rig.Find(2)->text == "v");
    rig.Ask(3, "unknown", "k");
    rig.Ask(4, "known", "k");
    rig.Ask(5, "known", "other");
    rig.Turn();
    rig.connector->Found(1, "w");
    rig.Turn();
    Numbers expected = order == OrderMode::kInput ? Numbers{1, 2, 3, 4, 5}
                       : order == OrderMode::kKey ? Numbers{1, 2, 5, 3, 4}
                                                  : Numbers{1, 2, 4, 5, 3};
    CHECK(rig.Resumed() == expected);
    CHECK(rig.connector->sent.size() == 2);
    CHECK(rig.metrics().cache_hits.Get() == 3);
    CHECK(rig.metrics().cache_misses.Get() == 2);
  }
}

TEST_CASE("Cached answers that wait behind an open request are bounded, too") {
  Rig rig = Make(OrderMode::kInput, [](int, LookupSpec& s) {
    s.in_flight = 5;
    s.cache_entries = 100;
    s.cache_ttl_ns = 1000 * kMs;
  });
  rig.Ask(0, "known");
  rig.Turn();
  rig.connector->Found(0, "v");
  rig.Turn();
  rig.Ask(1, "unknown");
  int n = 0;
  while (!rig.blocked()) {
    rig.Ask(2 + n++, "known");
    REQUIRE(n < 100);
  }
  CHECK(n == 15);
}

TEST_CASE("Found, missing and errors: the first two are cached, each for its time") {
  Rig rig = Make(OrderMode::kInput, [](int, LookupSpec& s) {
    s.cache_entries = 100;
    s.cache_ttl_ns = 1000 * kMs;
    s.cache_missing_ttl_ns = 10 * kMs;
  });
  rig.Ask(1, "found");
  rig.Ask(2, "missing");
  rig.Ask(3, "error");
  rig.Turn();
  rig.connector->Found(0, "v");
  rig.connector->Answer(1, Outcome::kMissing, "HTTP 404");
  rig.connector->Answer(2, Outcome::kRejected, "HTTP 400");
  rig.Advance(5 * kMs);
  for (const char* id : {"found", "missing", "error"}) rig.Ask(10, id);
  rig.Turn();
  CHECK(rig.connector->sent.size() == 4);  // the error is asked again
  rig.Advance(6 * kMs);
  rig.Ask(20, "missing");
  rig.Turn();
  CHECK(rig.connector->sent.size() == 5);
  rig.Advance(989 * kMs);
  rig.Ask(30, "found");
  rig.Turn();
  CHECK(rig.connector->sent.size() == 6);
  CHECK(rig.metrics().requests[static_cast<int>(Outcome::kMissing)].Get() == 1);
}

TEST_CASE("Equal requests in flight share one, and all rows get its outcome in order") {
  Rig rig = Make(OrderMode::kInput, [](int, LookupSpec& s) { s.coalesce = true; });
  rig.Ask(0, "first");
  for (int n = 1; n <= 5; ++n) rig.Ask(n, "same");
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 2);
  rig.Ask(6, "same");  // joins one that is under way
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 2);
  CHECK(rig.metrics().coalesced.Get() == 5);
  CHECK(rig.metrics().in_flight.Get() == 7);
  rig.connector->Found(1, "v");
  rig.connector->Found(0, "w");
  rig.Turn();
  CHECK(rig.Resumed() == Numbers{0, 1, 2, 3, 4, 5, 6});
  for (int n = 1; n <= 6; ++n) CHECK(rig.Find(n)->text == "v");
  rig.Ask(7, "same");
  rig.Turn();
  CHECK(rig.connector->sent.size() == 3);  // without a cache an ended request is no longer shared
}

TEST_CASE("Steady state takes no memory from the system") {
  Rig rig = Make(OrderMode::kInput, [](int, LookupSpec& s) {
    s.coalesce = true;
    s.cache_entries = 50;
    s.cache_ttl_ns = 1000 * kMs;
  });
  size_t answered = 0;
  auto round = [&](int from) {
    for (int n = from; n < from + 300; ++n) {
      rig.Ask(n, std::to_string(n % 97));
      if (!rig.blocked()) continue;
      rig.Turn();
      while (answered < rig.connector->sent.size()) rig.connector->Found(answered++, "some answer");
      rig.Turn();
    }
  };
  round(0);
  round(300);
  size_t held = rig.lookups->bytes_held();
  for (int i = 2; i < 30; ++i) round(i * 300);
  CHECK(rig.lookups->bytes_held() == held);
}

TEST_CASE("Rows raise their batch's ticket until they have gone on") {
  Rig rig = Make(OrderMode::kInput);
  Ticket ticket;
  rig.Ask(1, "a", "", 0, &ticket);
  rig.Ask(2, "b", "", 0, &ticket);
  CHECK(ticket.open() == 2);
  rig.Turn();
  uint32_t while_resuming = 0;
  rig.on_resume = [&](const Rig::Event& e) {
    if (e.n == 2) while_resuming = ticket.open();
  };
  rig.connector->Found(1, "v");
  rig.Turn();
  CHECK(ticket.open() == 2);  // answered, not gone on
  rig.connector->Found(0, "v");
  rig.Turn();
  CHECK(while_resuming == 1);  // output before remove
  CHECK(ticket.Done());
}

}  // namespace
}  // namespace weir
