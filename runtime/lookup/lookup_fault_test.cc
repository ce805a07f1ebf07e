// Services that answer late, twice, wrongly, at the worst moment, from other threads, or only much later.
#include <catch2/catch.hpp>
#include <thread>

#include "runtime/lookup/lookup_test_rig.h"

namespace weir {
namespace {

Rig Make(std::function<void(LookupSpec&)> tune = [](LookupSpec&) {}) {
  RigOptions options;
  options.tune = [tune](int, LookupSpec& s) {
    s.jitter_full = false;
    s.backoff_min_ns = s.backoff_max_ns = 20 * kMs;
    tune(s);
  };
  return Rig(options);
}

TEST_CASE("An answer after the time-out is dropped and counted") {
  Rig rig = Make();
  rig.Ask(1, "a");
  rig.Advance(100 * kMs);
  REQUIRE(rig.Find(1)->outcome == Outcome::kTimeout);
  rig.connector->Found(0, "late");
  rig.Turn();
  CHECK(rig.Resumed().size() == 1);
  CHECK(rig.metrics().late_answers.Get() == 1);
}

TEST_CASE("An answer to the first attempt that comes during the second or the wait before it is dropped") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 1; });
  rig.Ask(1, "a");
  rig.Advance(110 * kMs);  // timed out, waits for its second attempt
  rig.connector->Found(0, "first, in the wait");
  rig.Turn();
  CHECK(rig.metrics().late_answers.Get() == 1);
  rig.Advance(15 * kMs);
  REQUIRE(rig.connector->sent.size() == 2);
  rig.connector->Found(0, "first, during the second");
  rig.Turn();
  CHECK(rig.metrics().late_answers.Get() == 2);
  CHECK(rig.events.empty());
  rig.connector->Found(1, "second");
  rig.Turn();
  CHECK(rig.Find(1)->text == "second");
}

TEST_CASE("A late answer never reaches the next user of the same place") {
  Rig rig = Make([](LookupSpec& s) { s.in_flight = 1; });
  rig.Ask(1, "a");
  rig.Advance(100 * kMs);
  rig.Ask(2, "b");
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 2);
  REQUIRE(FlightIndexOf(rig.connector->sent[0].request_id) == FlightIndexOf(rig.connector->sent[1].request_id));
  REQUIRE(rig.connector->sent[0].attempt == rig.connector->sent[1].attempt);
  rig.connector->Found(0, "answer to a");
  rig.Turn();
  CHECK(rig.Find(2) == nullptr);
  rig.connector->Found(1, "answer to b");
  rig.Turn();
  CHECK(rig.Find(2)->text == "answer to b");
}

TEST_CASE("A repeated answer counts once, in the same turn and later") {
  Rig rig = Make();
  rig.Ask(1, "a");
  rig.Ask(2, "b");
  rig.Turn();
  rig.connector->Found(0, "one");
  rig.connector->Found(0, "two");
  rig.Turn();
  rig.connector->Found(0, "three");
  rig.Turn();
  CHECK(rig.Resumed().size() == 1);
  CHECK(rig.Find(1)->text == "one");
  CHECK(rig.metrics().late_answers.Get() == 2);
}

TEST_CASE("Answers to requests that never were are counted and dropped") {
  Rig rig = Make();
  rig.Ask(1, "a");
  rig.Turn();
  LookupAnswer a = rig.connector->Make(0, Outcome::kFound, "v");
  auto with = [&](RequestId request_id, uint32_t incarnation, uint16_t attempt) {
    LookupAnswer b = a;
    b.request_id = request_id;
    b.incarnation = incarnation;
    b.attempt = attempt;
    rig.connector->Push(b);
  };
  with(a.request_id + 1, a.incarnation, 1);             // no such place
  with(MakeRequestId(GenerationOf(a.request_id), 5, 0), a.incarnation, 1);   // no such lookup
  with(~0ull, a.incarnation, 1);
  with(a.request_id, a.incarnation + 1, 1);             // another life of the worker
  with(MakeRequestId(GenerationOf(a.request_id) + 1, 0, 0), a.incarnation, 1);
  with(a.request_id, a.incarnation, 2);
  with(a.request_id, a.incarnation, 0);
  rig.Turn();
  CHECK(rig.events.empty());
  CHECK(rig.metrics().foreign_answers.Get() == 4);
  CHECK(rig.metrics().late_answers.Get() == 3);
  rig.connector->Push(a);
  rig.Turn();
  CHECK(rig.Resumed().size() == 1);
}

TEST_CASE("Answer and time-out in one turn: the answer counts") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 1; });
  rig.Ask(1, "a");
  rig.Turn();
  rig.connector->Found(0, "just in time");
  rig.clock.now += 100 * kMs;
  rig.Turn();
  REQUIRE(rig.Resumed().size() == 1);
  CHECK(rig.Find(1)->text == "just in time");
  rig.Advance(1000 * kMs);
  CHECK(rig.connector->sent.size() == 1);  // and no retry follows
}

TEST_CASE("A turn that comes late: time-out, retry and its time-out are each seen once") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 1; });
  rig.Ask(1, "a");
  rig.Turn();
  rig.clock.now += 10'000 * kMs;  // the process was stopped for a while
  rig.Turn();
  CHECK(rig.connector->sent.size() == 1);
  CHECK(rig.Resumed().empty());
  rig.Advance(20 * kMs);
  REQUIRE(rig.connector->sent.size() == 2);
  rig.connector->Found(1, "v");
  rig.Turn();
  CHECK(rig.Find(1)->text == "v");
  CHECK(rig.Resumed().size() == 1);
}

TEST_CASE("A storm of 5xx: no more attempts than declared, never more than in_flight at once") {
  Rig rig = Make([](LookupSpec& s) {
    s.in_flight = 50;
    s.retries = 3;
  });
  int open = 0, open_max = 0;
  rig.connector->on_ask = [&](size_t i) {
    open_max = std::max(open_max, ++open);
    rig.After(3 * kMs, [&, i] {
      --open;
      rig.connector->Fail(i, "HTTP 503", true);
    });
  };
  int n = 0;
  for (int round = 0; round < 1000; ++round) {
    for (; !rig.blocked() && n < 1000; ++n) rig.Ask(n, std::to_string(n));
    rig.Advance(5 * kMs);
  }
  CHECK(n == 1000);
  CHECK(rig.Resumed().size() == 1000);
  CHECK(rig.connector->sent.size() == 4000);
  CHECK(open_max <= 50);
}

TEST_CASE("Answers pushed before Ask has returned only wait") {
  Rig rig = Make();
  rig.connector->on_ask = [&](size_t i) { rig.connector->Found(i, "at once"); };
  for (int n = 0; n < 10; ++n) rig.Ask(n, "x");
  rig.Turn();
  CHECK(rig.events.empty());
  CHECK(rig.lookups->NextTimerMonoNs() <= rig.clock.now);  // the next turn must come at once
  rig.Turn();
  CHECK(rig.Resumed().size() == 10);
}

TEST_CASE("Answers from other threads, while rows are forgotten, reach only rows that are there") {
  RigOptions options;
  options.tasks = 2;
  options.tune = [](int, LookupSpec& s) { s.in_flight = 1000; };
  Rig rig(options);
  for (int round = 0; round < 20; ++round) {
    size_t first = rig.connector->sent.size();
    for (int n = 0; n < 200; ++n) rig.Ask(round * 1000 + n, "x", "", n % 2);
    rig.Turn();
    std::vector<LookupAnswer> answers;
    for (size_t i = first; i < rig.connector->sent.size(); ++i) answers.push_back(rig.connector->Make(i, Outcome::kFound, "v"));
    std::thread other([&] {
      for (LookupAnswer& a : answers) rig.connector->Push(a);
      for (LookupAnswer& a : answers) rig.connector->Push(std::move(a));  // and once more
    });
    rig.Turn();
    rig.port(1).ForgetAll();
    rig.Turn();
    other.join();
    while (rig.Turn()) {
    }
    REQUIRE(rig.port(0).pending() == 0);
    REQUIRE(rig.port(1).pending() == 0);
  }
  CHECK(rig.Resumed(0, 0).size() == 20 * 100);
  CHECK(rig.wakes.load() > 0);
  CHECK(rig.lookups->rows_in_use() == 0);
  CHECK(rig.ledger.rows_added.Get() == rig.ledger.rows_resumed.Get() + rig.ledger.rows_forgotten.Get());
}

TEST_CASE("A partition that goes away: its rows are forgotten, requests of nobody else too, tickets fall") {
  RigOptions options;
  options.tasks = 2;
  options.tune = [](int, LookupSpec& s) {
    s.coalesce = true;
    s.in_flight = 3;
  };
  Rig rig(options);
  Ticket ticket;
  rig.Ask(1, "mine", "", 0, &ticket);
  rig.Ask(2, "shared", "", 0, &ticket);
  rig.Ask(3, "shared", "", 1);
  rig.Ask(4, "queued", "", 0, &ticket);
  rig.Ask(5, "queued too", "", 1);
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 3);
  CHECK(ticket.open() == 3);
  rig.port(0).ForgetAll();
  CHECK(ticket.Done());
  CHECK(rig.port(0).pending() == 0);
  CHECK(rig.connector->sent[0].forgotten);
  CHECK_FALSE(rig.connector->sent[1].forgotten);
  rig.Turn();
  REQUIRE(rig.connector->sent.size() == 4);
  CHECK(rig.connector->sent[3].target == "/x/queued too");
  rig.connector->Found(0, "late");
  rig.connector->Found(1, "v");
  rig.connector->Found(3, "v");
  rig.Turn();
  CHECK(rig.Resumed() == std::vector<int64_t>{3, 5});
  CHECK(rig.connector->unknown_forgets == 0);
}

TEST_CASE("Answers of a former life of the worker are foreign") {
  RigOptions options;
  Rig::State state;
  LookupAnswer old;
  {
    Rig rig(options);
    rig.Ask(1, "a");
    rig.Turn();
    old = rig.connector->Make(0, Outcome::kFound, "of the old life");
    rig.Commit(&state);
  }
  options.incarnation = 2;
  Rig rig(options);
  REQUIRE(rig.Restore(state).ok());
  rig.Turn();
  rig.connector->Push(old);
  rig.Turn();
  CHECK(rig.events.empty());
  CHECK(rig.metrics().foreign_answers.Get() == 1);
  rig.connector->Found(0, "of the new life");
  rig.Turn();
  CHECK(rig.Find(1)->text == "of the new life");
}

TEST_CASE("A service that was away for an hour is asked within in_flight when it is back") {
  Rig rig = Make([](LookupSpec& s) {
    s.in_flight = 100;
    s.retries = 1'000'000;
    s.backoff_max_ns = 1000 * kMs;
  });
  bool up = false;
  int open = 0, open_max = 0;
  rig.connector->on_ask = [&](size_t i) {
    open_max = std::max(open_max, ++open);
    rig.After(1 * kMs, [&, i] {
      --open;
      up ? rig.connector->Found(i, "v") : rig.connector->Fail(i, "connection refused", true);
    });
  };
  int n = 0;
  for (; !rig.blocked(); ++n) rig.Ask(n, std::to_string(n));
  for (int minute = 0; minute < 60; ++minute) rig.Advance(60'000 * kMs);
  CHECK(rig.Resumed().empty());
  CHECK(rig.port().pending() == 100);
  size_t asked = rig.connector->sent.size();
  up = true;
  rig.Advance(2000 * kMs);
  CHECK(rig.Resumed().size() == 100);
  CHECK(rig.connector->sent.size() <= asked + 100);
  CHECK(open_max <= 100);
}

TEST_CASE("Drain: nothing new is asked, what is under way goes on, retries included") {
  Rig rig = Make([](LookupSpec& s) {
    s.in_flight = 2;
    s.retries = 1;
  });
  for (int n = 0; n < 4; ++n) rig.Ask(n, std::to_string(n));
  rig.Turn();
  rig.lookups->Drain();
  rig.connector->Fail(0, "HTTP 503", true);
  rig.connector->Found(1, "v");
  rig.Advance(20 * kMs);
  REQUIRE(rig.connector->sent.size() == 3);
  CHECK_FALSE(rig.lookups->Drained());
  CHECK(rig.connector->sent[2].target == "/x/0");
  rig.connector->Found(2, "v");
  rig.Turn();
  CHECK(rig.Resumed() == std::vector<int64_t>{0, 1});
  CHECK(rig.port().pending() == 2);
  CHECK(rig.lookups->Drained());
  CHECK(rig.lookups->NextTimerMonoNs() == INT64_MAX);
}

TEST_CASE("Closing tells the connectors; ports that outlive the host do nothing") {
  RigOptions options;
  Rig rig(options);
  rig.Ask(1, "a");
  rig.Turn();
  rig.lookups->Close();
  CHECK(rig.connector->closed);
}

}  // namespace
}  // namespace weir
