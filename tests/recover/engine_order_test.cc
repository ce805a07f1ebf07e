// Order of what waited, how much waits, and who has to wait for it.
#include <catch2/catch.hpp>

#include "tests/recover/engine_rig.h"

namespace weir {
namespace {

SampleOptions LookupOnly() {
  SampleOptions options;
  options.with_window = false;
  options.timeout_ns = 3600 * kSecond;
  return options;
}

// Later requests are answered earlier.
void Reverse(EngineRig& rig) {
  rig.world.lookup_script = [&rig](int, const LookupRequest& request) {
    ScriptedAnswer scripted;
    scripted.answer.outcome = Outcome::kFound;
    scripted.answer.body = "ok";
    std::string target(request.target.view());
    scripted.delay_ns = (100 - std::stoll(target.substr(target.rfind('/') + 1))) * kMs;
    ++rig.asked;
    return scripted;
  };
}

TEST_CASE("answers in reversed order leave in the declared order") {
  for (OrderMode order : {OrderMode::kInput, OrderMode::kKey, OrderMode::kNone}) {
    SampleOptions options = LookupOnly();
    options.order = order;
    EngineRig rig(options);
    rig.Streaming();
    Reverse(rig);
    REQUIRE(rig.Start().ok());
    for (int i = 1; i <= 6; ++i) rig.Add(i, i, i % 2 == 0 ? "b" : "a");
    rig.For(kSecond);
    CHECK(rig.Ids() == (order == OrderMode::kInput  ? "1 2 3 4 5 6"
                        : order == OrderMode::kNone ? "6 5 4 3 2 1"
                                                    : "2 4 6 1 3 5"));
  }
}

TEST_CASE("no more rows wait than in_flight says, and the input waits too") {
  SampleOptions options = LookupOnly();
  options.in_flight = 4;
  EngineRig rig(options);
  rig.Streaming();
  rig.never = true;
  REQUIRE(rig.Start().ok());
  for (int i = 1; i <= 50; ++i) rig.Add(i, i);
  rig.For(kSecond);
  CHECK(rig.asked == 4);
  CHECK(rig.Pending() == 4);
  CHECK(rig.engine->Metrics().ledger.read == 4);
}

TEST_CASE("sync: the next record of the partition waits, other partitions go on") {
  SampleOptions options = LookupOnly();
  options.sync = true;
  EngineRig rig(options, 2);
  rig.Streaming();
  rig.world.lookup_script = [&rig](int, const LookupRequest& request) {
    ScriptedAnswer scripted;
    scripted.answer.outcome = Outcome::kFound;
    scripted.answer.body = "ok";
    scripted.delay_ns = 10 * kMs;
    if (request.target == Str("/p/1")) scripted.kind = ScriptedAnswer::kNever;
    rig.targets.emplace_back(request.target.view());
    return scripted;
  };
  REQUIRE(rig.Start(2).ok());
  rig.Add(1, 1, "p", 0);
  rig.Add(2, 2, "p", 0);
  for (int i = 3; i < 8; ++i) rig.Add(i, i, "q", 1);
  rig.Quiet();
  CHECK(rig.targets.size() == 2);  // one of each partition
  rig.For(kSecond);
  CHECK(rig.Ids() == "3 4 5 6 7");
  CHECK(rig.engine->Metrics().ledger.read == 6);  // record 2 was not even decoded
}

TEST_CASE("a blocked task behind an exchange holds the sources back, and a commit does not wait for it") {
  SampleOptions options;
  options.timeout_ns = 3600 * kSecond;
  options.rekeyed = true;
  options.lookup_behind_exchange = true;
  options.in_flight = 2;
  EngineRig rig(options, 2);
  rig.never = true;
  rig.tune = [](Environment& environment) { environment.exchange_bytes_max = 2000; };
  REQUIRE(rig.Start(2).ok());
  for (int i = 1; i <= 500; ++i) rig.Add(i, i, std::string(1, static_cast<char>('a' + i % 7)), i % 2);
  rig.For(kSecond);
  MetricsSnapshot metrics = rig.engine->Metrics();
  CHECK(metrics.epochs_committed > 0);
  CHECK(metrics.ledger.read < 300);
  CHECK(metrics.ledger.read > 10);
  // What waited for a blocked task was taken into the state at the barrier: nothing is lost by a kill now.
  CHECK(rig.Pending() == metrics.ledger.read);
  // However long the service is away, no more is taken.
  rig.For(60 * kSecond);
  CHECK(rig.engine->Metrics().ledger.read == metrics.ledger.read);
  REQUIRE(rig.Start(1).ok());
  rig.never = false;
  rig.world.topic("events").FinishAll();
  rig.scheduler->RunUntilEnd(3600 * kSecond);
  CHECK(rig.rig.Values("out").size() == 500);
}

}  // namespace
}  // namespace weir
