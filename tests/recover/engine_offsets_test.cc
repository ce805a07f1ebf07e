// Pipelines without state behind a consumer group: offsets follow what is delivered, partitions come and go.
#include <catch2/catch.hpp>

#include "tests/recover/engine_rig.h"

namespace weir {
namespace {

SampleOptions Stateless() {
  SampleOptions options;
  options.with_window = false;
  options.stateful = false;
  options.in_flight = 20;
  options.timeout_ns = 3600 * kSecond;
  return options;
}

struct OffsetsRig : EngineRig {
  explicit OffsetsRig(const SampleOptions& options, int partitions = 1) : EngineRig(options, partitions) { Streaming(); }
  int64_t Committed(int partition = 0) { return world.topic("events").partitions[partition].committed; }
};

TEST_CASE("an offset is committed when everything below it is acknowledged") {
  OffsetsRig rig(Stateless());
  rig.world.topic("events").batch_max = 1;
  rig.world.output("out").ack_ns_max = 0;
  rig.world.lookup_script = [](int, const LookupRequest& request) {
    ScriptedAnswer scripted;
    scripted.answer.outcome = Outcome::kFound;
    scripted.answer.body = "ok";
    scripted.delay_ns = request.target == Str("/a/3") ? 10 * kSecond : kMs;
    return scripted;
  };
  rig.rig.program.lookup_steps[0].order = OrderMode::kNone;
  REQUIRE(rig.Start().ok());
  CHECK(!rig.engine->store_mode());
  for (int i = 1; i <= 6; ++i) rig.Add(i, i);
  rig.For(kSecond);
  CHECK(rig.Ids() == "1 2 4 5 6");
  CHECK(rig.Committed() == 2);  // the third one still waits
  rig.For(10 * kSecond);
  CHECK(rig.Committed() == 6);
}

TEST_CASE("outputs that are not acknowledged hold offsets back; a kill reads them again") {
  SampleOptions options = Stateless();
  options.with_lookup = false;
  OffsetsRig rig(options, 2);
  REQUIRE(rig.Start(2).ok());
  for (int i = 1; i <= 6; ++i) rig.Add(i, i, "a", i % 2);
  rig.For(kSecond);
  CHECK(rig.Committed(0) == 3);
  CHECK(rig.Committed(1) == 3);
  rig.world.output("out").ack_ns_max = INT64_MAX / 4;
  for (int i = 7; i <= 10; ++i) rig.Add(i, i, "a", i % 2);
  rig.For(kSecond);
  CHECK(rig.Committed(0) == 3);
  CHECK(rig.rig.Values("out").size() == 10);
  rig.world.output("out").ack_ns_max = 0;
  REQUIRE(rig.Start(1).ok());
  rig.For(kSecond);
  CHECK(rig.rig.Values("out").size() == 14);
  CHECK(rig.Committed(0) == 5);
}

TEST_CASE("reading stops when too much lies above the oldest unfinished record") {
  SampleOptions options = Stateless();
  options.with_lookup = false;
  OffsetsRig rig(options);
  rig.world.topic("events").batch_max = 100;
  rig.world.output("out").ack_ns_max = INT64_MAX / 4;
  REQUIRE(rig.Start().ok());
  for (int i = 1; i <= 30'000; ++i) rig.Add(i, i);
  rig.For(kSecond);
  uint64_t read = rig.engine->Metrics().ledger.read;
  CHECK(read >= 10'000);
  CHECK(read <= 10'000 + 2000);
}

TEST_CASE("a partition that goes away is finished, committed and forgotten") {
  OffsetsRig rig(Stateless(), 2);
  rig.delay_ns = 200 * kMs;
  std::function<void(int64_t)> pass_time = [&rig](int64_t ns) {
    rig.world.clock.SetMono(rig.world.clock.MonoNs() + std::min<int64_t>(ns, kMs));
    rig.world.DeliverAnswers();
  };
  rig.tune = [&](Environment& environment) {
    environment.make_loop = [&](int) { return std::make_unique<VirtualLoop>(pass_time); };
  };
  rig.world.topic("events").owners = {0, 0};
  REQUIRE(rig.Start(2).ok());
  for (int i = 1; i <= 6; ++i) rig.Add(i, i, "a", 1);
  rig.For(50 * kMs);
  CHECK(rig.Pending() == 6);
  rig.world.topic("events").owners = {0, 1};
  rig.For(kSecond);
  // They were answered while the partition was given away, so the other worker asks nothing again.
  CHECK(rig.Committed(1) == 6);
  CHECK(rig.Ids() == "1 2 3 4 5 6");
  CHECK(rig.asked == 6);
  rig.Add(7, 7, "a", 1);
  rig.For(kSecond);
  CHECK(rig.Ids() == "1 2 3 4 5 6 7");
}

TEST_CASE("a partition whose rows do not end in time is read again by its next owner") {
  OffsetsRig rig(Stateless(), 2);
  rig.never = true;
  std::function<void(int64_t)> pass_time = [&rig](int64_t ns) {
    rig.world.clock.SetMono(rig.world.clock.MonoNs() + ns);
  };
  rig.tune = [&](Environment& environment) {
    environment.make_loop = [&](int) { return std::make_unique<VirtualLoop>(pass_time); };
    environment.revoke_wait_ns = kSecond;
  };
  rig.world.topic("events").owners = {0, 0};
  REQUIRE(rig.Start(2).ok());
  for (int i = 1; i <= 6; ++i) rig.Add(i, i, "a", 1);
  rig.For(50 * kMs);
  CHECK(rig.asked == 6);
  rig.never = false;
  rig.world.topic("events").owners = {0, 1};
  rig.For(2 * kSecond);
  CHECK(rig.Ids() == "1 2 3 4 5 6");
  CHECK(rig.asked == 12);
  CHECK(rig.Committed(1) == 6);
  CHECK(rig.world.requests_open == 0);  // the first owner's were forgotten
}

TEST_CASE("a partition is given away also while sinks hold the worker back") {
  OffsetsRig rig(Stateless(), 2);
  rig.world.topic("events").owners = {0, 0};
  REQUIRE(rig.Start(2).ok());
  rig.Add(1, 1, "a", 1);
  rig.For(kSecond);
  rig.world.output("out").full = true;
  rig.For(kSecond);
  rig.world.topic("events").owners = {0, 1};
  rig.Add(2, 2, "a", 1);
  rig.For(kSecond);
  std::vector<PartitionMetrics> first, second;
  rig.engine->worker(0).Gauges(&first);
  rig.engine->worker(1).Gauges(&second);
  CHECK(first.size() == 1);
  CHECK(second.size() == 1);
  CHECK(rig.Ids() == "1");
  rig.world.output("out").full = false;
  rig.For(kSecond);
  CHECK(rig.Ids() == "1 2");
  CHECK(rig.Committed(1) == 2);
}

TEST_CASE("asked to stop, it delivers what it can and commits it") {
  OffsetsRig rig(Stateless());
  rig.delay_ns = 2 * kSecond;
  for (int i = 1; i <= 6; ++i) rig.Add(i, i);
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  rig.engine->RequestStop();
  rig.For(500 * kMs);
  CHECK(!rig.engine->ended());
  rig.For(10 * kSecond);
  CHECK(rig.engine->ended());
  CHECK(rig.engine->exit_code() == ExitCode::kOk);
  CHECK(rig.Ids() == "1 2 3 4 5 6");
  CHECK(rig.Committed() == 6);
}

}  // namespace
}  // namespace weir
