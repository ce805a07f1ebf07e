// Rows that come back from the state: all of them, in order, first, within in_flight.
#include <catch2/catch.hpp>

#include <set>

#include "tests/recover/engine_rig.h"

namespace weir {
namespace {

TEST_CASE("ten times in_flight rows come back in order and go before new ones") {
  for (OrderMode order : {OrderMode::kInput, OrderMode::kKey}) {
    SampleOptions options;
    options.with_window = false;
    options.order = order;
    options.timeout_ns = 3600 * kSecond;
    options.in_flight = 80;
    EngineRig rig(options, 1);
    rig.never = true;
    for (int i = 1; i <= 200; ++i) rig.Add(i, i);
    REQUIRE(rig.Start().ok());
    rig.For(kSecond);
    CHECK(rig.Pending() == 80);
    // The next life may only have 8 in flight.
    rig.rig.program.lookups[0].in_flight = 8;
    rig.targets.clear();
    REQUIRE(rig.Start().ok());
    rig.For(100 * kMs);
    CHECK(rig.targets.size() == 8);
    CHECK(rig.Pending() == 80);
    CHECK(rig.engine->Metrics().ledger.read == 0);  // no room for new records yet
    rig.Stop();
    rig.never = false;
    rig.targets.clear();
    rig.world.topic("events").FinishAll();
    REQUIRE(rig.Start(2).ok());
    CHECK(rig.scheduler->RunUntilEnd(3600 * kSecond));
    CHECK(rig.targets.size() == 200);
    for (int i = 0; i < 200; ++i) CHECK(rig.targets[i] == "/a/" + std::to_string(i + 1));
    std::string ids;
    for (int i = 1; i <= 200; ++i) ids += (i > 1 ? " " : "") + std::to_string(i);
    CHECK(rig.Ids() == ids);
  }
}

TEST_CASE("restored rows that fill in_flight exactly, or by one too many, do not stall") {
  for (int rows : {7, 8, 9, 17}) {
    INFO(rows);
    SampleOptions options;
    options.timeout_ns = 3600 * kSecond;
    options.in_flight = 100;
    EngineRig rig(options, 1, true);
    rig.never = true;
    for (int i = 1; i <= rows; ++i) rig.Add(i, i);
    REQUIRE(rig.Start().ok());
    rig.For(kSecond);
    CHECK(rig.Pending() == static_cast<uint64_t>(rows));
    rig.rig.program.lookups[0].in_flight = 8;
    rig.never = false;
    REQUIRE(rig.Start().ok());
    CHECK(rig.scheduler->RunUntilEnd(60 * kSecond));
    CHECK(rig.rig.Values("out").size() == static_cast<size_t>(rows));
  }
}

TEST_CASE("only rows that were pending, or lie above the commit, are asked again") {
  SampleOptions options;
  options.with_window = false;
  options.timeout_ns = 3600 * kSecond;
  options.in_flight = 1000;
  EngineRig rig(options, 1, true);
  rig.world.lookup_script = [&rig](int, const LookupRequest& request) {
    ScriptedAnswer scripted;
    scripted.answer.outcome = Outcome::kFound;
    scripted.answer.body = "ok";
    std::string target(request.target.view());
    rig.targets.push_back(target);
    int64_t id = std::stoll(target.substr(3));
    if (rig.never && id > 30) scripted.kind = ScriptedAnswer::kNever;
    return scripted;
  };
  rig.never = true;
  for (int i = 1; i <= 100; ++i) rig.Add(i, i);
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  CHECK(rig.targets.size() == 100);
  CHECK(rig.rig.Values("out").size() == 30);
  rig.never = false;
  rig.targets.clear();
  REQUIRE(rig.Start(3).ok());
  CHECK(rig.scheduler->RunUntilEnd(60 * kSecond));
  CHECK(rig.targets.size() == 70);
  CHECK(std::set<std::string>(rig.targets.begin(), rig.targets.end()).size() == 70);
  CHECK(rig.rig.Values("out").size() == 100);
}

TEST_CASE("a window's result that waits for a lookup comes back too, behind lookups that wait for each other") {
  // Two lookups, one behind the other, and a window behind both: rows wait at both when it is killed.
  SampleOptions options;
  options.with_second_lookup = true;
  options.timeout_ns = 3600 * kSecond;
  options.in_flight = 50;
  RigInput input;
  input.bad_percent = 0;
  RecoverRig rig(options, input);
  rig.world.lookup_script = [&rig](int, const LookupRequest& request) {
    ScriptedAnswer scripted;
    std::string target(request.target.view());
    int64_t id = std::stoll(target.substr(target.rfind('/') + 1));
    scripted.delay_ns = 300 * kMs + static_cast<int64_t>(rig.world.random() % 200) * kMs;
    switch (AnswerFor(id)) {
      case SampleAnswer::kFound:
        scripted.answer.outcome = Outcome::kFound;
        scripted.answer.body = AnswerText(id);
        break;
      case SampleAnswer::kMissing: scripted.answer.outcome = Outcome::kMissing; break;
      case SampleAnswer::kRejected: scripted.answer.outcome = Outcome::kRejected; break;
      case SampleAnswer::kTimeout: scripted.answer.outcome = Outcome::kTimeout; break;
    }
    return scripted;
  };
  for (int life = 0; life < 8; ++life) {
    Environment environment = rig.MakeEnvironment(life % 3 + 1);
    Engine engine(rig.program, environment);
    REQUIRE(engine.Start().ok());
    Scheduler scheduler(rig.world, engine, static_cast<uint64_t>(life));
    if (life < 7) {
      scheduler.RunFor(700 * kMs);
      int steps_with_rows = 0;
      for (uint32_t step : {kSampleAccount, kSampleSecond}) {
        bool found = false;
        CHECK(environment.store->Load(engine.step_hashes()[step], StateKind::kRow, [&](const DeltaEntry&) {
          found = true;
          return Status();
        }).ok());
        steps_with_rows += found;
      }
      if (life == 2) CHECK(steps_with_rows == 2);
    } else {
      REQUIRE(scheduler.RunUntilEnd(3600 * kSecond));
    }
  }
  CHECK(rig.Check() == "");
}

TEST_CASE("stored rows that are damaged refuse the start and name their step") {
  SampleOptions options;
  options.timeout_ns = 3600 * kSecond;
  EngineRig rig(options);
  rig.never = true;
  rig.Add(1, 1);
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  rig.Stop();
  MemoryDisk before = rig.world.disk;
  for (auto& [key, value] : rig.world.disk.entries) {
    if (key[8] == static_cast<char>(StateKind::kRow)) value.resize(value.size() / 2);
  }
  Status status = rig.Start();
  CHECK(rig.engine->exit_code() == ExitCode::kStateMismatch);
  CHECK_THAT(status.message(), Catch::Contains("the state of `enriched.account`"));
  rig.world.disk = before;
  CHECK(rig.Start().ok());
}

}  // namespace
}  // namespace weir
