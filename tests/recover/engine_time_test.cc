// Event time: what closes windows and what does not.
#include <catch2/catch.hpp>

#include "tests/recover/engine_rig.h"

namespace weir {
namespace {

SampleOptions WindowOnly() {
  SampleOptions options;
  options.with_lookup = false;
  options.lateness_ns = 0;
  return options;
}

TEST_CASE("a window closes when the watermark passes its end, not when it reaches a record") {
  EngineRig rig(WindowOnly());
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  rig.Add(1, 0);
  rig.Add(2, 999, "b");
  rig.Quiet();
  CHECK(rig.Bars() == "");
  rig.Add(3, 1000);
  rig.Quiet();
  CHECK(rig.Bars() == "a@0 1, b@0 1");
}

TEST_CASE("equal times are never late, and earlier ones are routed when their window is closed") {
  EngineRig rig(WindowOnly());
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  for (int i = 0; i < 5; ++i) rig.Add(i, 1500);
  rig.Add(5, 1000);  // its window is still open
  rig.Add(6, 999);   // that of this one is closed
  rig.Add(7, 2000);
  rig.Quiet();
  CHECK(rig.Bars() == "a@1000 6");
  CHECK(rig.rig.DeadPlaces("late") == std::vector<std::string>{"late 0 6"});
}

TEST_CASE("lateness holds windows open") {
  SampleOptions options = WindowOnly();
  options.lateness_ns = 2 * kSecond;
  EngineRig rig(options);
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  rig.Add(1, 500);
  rig.Add(2, 2999);
  rig.Add(3, 800);
  rig.Quiet();
  CHECK(rig.Bars() == "");
  rig.Add(4, 3000);
  rig.Quiet();
  CHECK(rig.Bars() == "a@0 2");
  CHECK(rig.rig.Values("late").empty());
}

TEST_CASE("a quiet input closes its windows by the clock, and what comes too late then is late") {
  SampleOptions options = WindowOnly();
  options.idle_ns = 10 * kSecond;
  EngineRig rig(options);
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  rig.Add(1, 300);
  rig.Quiet();
  // Ten seconds to become idle; the watermark then goes on from 300 ms with the clock.
  rig.For(10 * kSecond + 699 * kMs);
  CHECK(rig.Bars() == "");
  rig.For(2 * kMs);
  CHECK(rig.Bars() == "a@0 1");
  rig.Add(2, 900);
  rig.Add(3, 1100);
  rig.Quiet();
  CHECK(rig.rig.DeadPlaces("late") == std::vector<std::string>{"late 0 1"});
  // Idleness begins anew with each record.
  rig.For(5 * kSecond);
  CHECK(rig.Bars() == "a@0 1");
  rig.For(6 * kSecond);
  CHECK(rig.Bars() == "a@0 1, a@1000 1");
}

TEST_CASE("a clock on the wall that is set forth and back changes nothing") {
  // Where idle time would be measured by it, windows would close an hour early, or not for an hour.
  struct SetClock : Clock {
    Clock* true_clock = nullptr;
    int64_t off_ns = 0;
    int64_t WallNs() override { return true_clock->WallNs() + off_ns; }
    int64_t MonoNs() override { return true_clock->MonoNs(); }
  };
  int64_t closed_after_ms = 0;
  for (int64_t jump : {int64_t{0}, 3600 * kSecond, -3600 * kSecond}) {
    INFO(jump);
    SampleOptions options = WindowOnly();
    options.with_lookup = true;
    options.timeout_ns = 30 * kSecond;
    options.idle_ns = 10 * kSecond;
    EngineRig rig(options);
    rig.Streaming();
    rig.never = true;
    SetClock clock;
    clock.true_clock = &rig.world.clock;
    rig.tune = [&](Environment& environment) { environment.clock = &clock; };
    REQUIRE(rig.Start().ok());
    rig.Add(1, 300);
    rig.Quiet();
    clock.off_ns = jump;
    rig.For(29 * kSecond);
    CHECK(rig.Pending() == 1);  // its time-out is not reached
    rig.For(2 * kSecond);
    CHECK(rig.Pending() == 0);
    rig.never = false;
    rig.Add(2, 400);
    rig.Quiet();
    clock.off_ns = -jump;
    int64_t ms = 0;
    for (; ms < 60'000 && rig.Bars() == ""; ms += 10) rig.For(10 * kMs);
    CHECK(rig.Bars() == "a@0 1");
    CHECK(ms > 10'000);
    if (jump == 0) closed_after_ms = ms;
    CHECK(ms == closed_after_ms);
  }
}

TEST_CASE("a partition is idle only when it is known to be at its end and connected") {
  SampleOptions options = WindowOnly();
  options.idle_ns = kSecond;
  for (bool disconnected : {false, true}) {
    INFO(disconnected);
    EngineRig rig(options);
    rig.Streaming();
    MemoryTopic::Partition& partition = rig.world.topic("events").partitions[0];
    REQUIRE(rig.Start().ok());
    rig.Add(1, 300);
    rig.Quiet();
    (disconnected ? partition.connected : partition.hide_end) = !disconnected;
    rig.For(60 * kSecond);
    CHECK(rig.Bars() == "");
    (disconnected ? partition.connected : partition.hide_end) = disconnected;
    rig.For(kSecond);  // the time before does not count
    CHECK(rig.Bars() == "");
    rig.For(kSecond);
    CHECK(rig.Bars() == "a@0 1");
  }
}

TEST_CASE("nothing is idle while a row of it waits for an answer") {
  SampleOptions options = WindowOnly();
  options.with_lookup = true;
  options.timeout_ns = 3600 * kSecond;
  options.idle_ns = kSecond;
  EngineRig rig(options);
  rig.Streaming();
  rig.delay_ns = 60 * kSecond;
  REQUIRE(rig.Start().ok());
  rig.Add(1, 300);
  rig.For(59 * kSecond);
  CHECK(rig.Bars() == "");
  CHECK(rig.Ids() == "");
  rig.For(2 * kSecond);
  CHECK(rig.Ids() == "1");
  CHECK(rig.Bars() == "");
  rig.For(2 * kSecond);
  CHECK(rig.Bars() == "a@0 1");
}

TEST_CASE("while sinks hold the pipeline back the clock does not close windows") {
  SampleOptions options = WindowOnly();
  options.idle_ns = kSecond;
  EngineRig rig(options);
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  rig.Add(1, 300);
  rig.Quiet();
  rig.world.output("out").full = true;
  rig.For(60 * kSecond);
  CHECK(rig.Bars() == "");
  rig.world.output("out").full = false;
  rig.For(3 * kSecond);
  CHECK(rig.Bars() == "a@0 1");
}

TEST_CASE("a watermark never overtakes a row in flight") {
  SampleOptions options = WindowOnly();
  options.with_lookup = true;
  options.order = OrderMode::kNone;
  EngineRig rig(options);
  rig.Streaming();
  rig.world.lookup_script = [](int, const LookupRequest& request) {
    ScriptedAnswer scripted;
    scripted.answer.outcome = Outcome::kFound;
    scripted.answer.body = "ok";
    // The first record's answer is the last to come.
    scripted.delay_ns = request.target == Str("/a/1") ? 500 * kMs : 10 * kMs;
    return scripted;
  };
  REQUIRE(rig.Start().ok());
  rig.Add(1, 300);
  for (int i = 2; i < 7; ++i) rig.Add(i, 1000 * i);
  rig.For(100 * kMs);
  CHECK(rig.Ids() == "2 3 4 5 6");
  CHECK(rig.Bars() == "");
  rig.For(500 * kMs);
  CHECK(rig.Ids() == "2 3 4 5 6 1");
  CHECK(rig.Bars() == "a@0 1, a@2000 1, a@3000 1, a@4000 1, a@5000 1");
  CHECK(rig.rig.Values("late").empty());
}

TEST_CASE("behind an exchange, windows wait for the slowest partition, but not for an idle one") {
  SampleOptions options = WindowOnly();
  options.rekeyed = true;
  options.idle_ns = 10 * kSecond;
  for (int workers : {1, 2}) {
    INFO(workers);
    EngineRig rig(options, 2);
    rig.Streaming();
    REQUIRE(rig.Start(workers).ok());
    rig.Add(1, 100, "a", 0);
    rig.Add(2, 5000, "a", 0);
    rig.Quiet();
    CHECK(rig.Bars() == "");  // nothing was heard of partition 1
    rig.Add(3, 900, "a", 1);
    rig.Quiet();
    CHECK(rig.Bars() == "");
    rig.Add(4, 2500, "a", 1);
    rig.Quiet();
    CHECK(rig.Bars() == "a@0 2");
    // Partition 1 falls silent while 0 goes on.
    for (int i = 0; i < 11; ++i) {
      rig.For(kSecond);
      rig.Add(10 + i, 10'000 + i, "b", 0);
    }
    rig.Quiet();
    CHECK(rig.Bars() == "a@0 2, a@2000 1, a@5000 1");
    // Then all are silent, and the clock goes on from the furthest.
    rig.For(12 * kSecond);
    CHECK(rig.Bars() == "a@0 2, a@2000 1, a@5000 1, b@10000 11");
  }
}

TEST_CASE("what closed behind an exchange without an idle partition stays closed after a restart") {
  SampleOptions options = WindowOnly();
  options.rekeyed = true;
  options.idle_ns = kSecond;
  EngineRig rig(options, 2);
  REQUIRE(rig.Start(2).ok());
  rig.Add(1, 100, "a", 1);
  rig.Add(2, 100, "a", 0);
  rig.For(500 * kMs);
  for (int i = 0; i < 3; ++i) {
    rig.For(kSecond);
    rig.Add(10 + i, 9000 + i, "b", 0);
  }
  rig.For(300 * kMs);
  CHECK(rig.Bars() == "a@0 2");
  REQUIRE(rig.Start(1).ok());
  rig.Add(3, 200, "a", 1);  // its own partition has not gone further
  rig.For(500 * kMs);
  CHECK(rig.Bars() == "a@0 2");
  CHECK(rig.rig.DeadPlaces("late") == std::vector<std::string>{"late 1 1"});
}

TEST_CASE("event times that no window can hold are bad input") {
  EngineRig rig(WindowOnly());
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  rig.world.topic("events").Add(0, R"({"id":1,"key":"a","ts":9000000000000,"qty":1})");
  rig.world.topic("events").Add(0, R"({"id":2,"key":"a","ts":-9223372036854,"qty":1})");
  // More than a year ahead of the clock: one such record would close all windows for ever.
  rig.Add(3, 400LL * 24 * 3600 * 1000);
  rig.Add(4, 10);
  rig.Quiet();
  CHECK(rig.Ids() == "4");
  CHECK(rig.rig.DeadPlaces("dead") == std::vector<std::string>{"bad_input 0 0", "bad_input 0 1", "bad_input 0 2"});
}

TEST_CASE("the watermark that idleness reached is not forgotten by a restart") {
  SampleOptions options = WindowOnly();
  options.idle_ns = kSecond;
  EngineRig rig(options);
  REQUIRE(rig.Start().ok());
  rig.Add(1, 300);
  rig.For(5 * kSecond);
  CHECK(rig.Bars() == "a@0 1");
  REQUIRE(rig.Start().ok());
  rig.Add(2, 400);
  rig.For(5 * kSecond);
  CHECK(rig.Bars() == "a@0 1");
  CHECK(rig.rig.DeadPlaces("late") == std::vector<std::string>{"late 0 1"});
}

}  // namespace
}  // namespace weir
