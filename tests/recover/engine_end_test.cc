// How pipelines end: at the end of their input, by a signal, and what the next start finds.
#include <catch2/catch.hpp>

#include "tests/recover/engine_rig.h"

namespace weir {
namespace {

TEST_CASE("a finite input ends the pipeline when everything of it is committed") {
  SampleOptions options;
  options.timeout_ns = 3600 * kSecond;
  EngineRig rig(options, 2, true);
  rig.delay_ns = 5 * kSecond;
  for (int i = 1; i <= 8; ++i) rig.Add(i, i * 100, "a", i % 2);
  REQUIRE(rig.Start(2).ok());
  rig.For(4 * kSecond);
  CHECK(!rig.engine->ended());  // the input is read, its rows wait
  CHECK(rig.Pending() == 8);
  CHECK(rig.scheduler->RunUntilEnd(60 * kSecond));
  CHECK(rig.engine->exit_code() == ExitCode::kOk);
  CHECK(rig.rig.Values("out").size() == 8);
  CHECK(rig.rig.Values("bars").size() == 2);
  CHECK(rig.world.output("out").durable == 8);

  // Run again on the same input, there is nothing to do.
  uint64_t epoch = rig.world.disk.epoch;
  uint64_t asked = rig.asked;
  REQUIRE(rig.Start(1).ok());
  CHECK(rig.scheduler->RunUntilEnd(60 * kSecond));
  CHECK(rig.engine->exit_code() == ExitCode::kOk);
  CHECK(rig.rig.Values("out").size() == 8);
  CHECK(rig.rig.Values("bars").size() == 2);
  CHECK(rig.asked == asked);
  CHECK(rig.world.disk.epoch == epoch);
}

TEST_CASE("an empty input ends at once") {
  EngineRig rig(SampleOptions(), 3, true);
  REQUIRE(rig.Start(3).ok());
  CHECK(rig.scheduler->RunUntilEnd(kSecond));
  CHECK(rig.engine->exit_code() == ExitCode::kOk);
}

TEST_CASE("asked to stop, it lets requests under way end and keeps the other rows") {
  SampleOptions options;
  options.timeout_ns = 3600 * kSecond;
  options.in_flight = 4;
  options.sync = false;
  EngineRig rig(options, 1, true);
  rig.delay_ns = 2 * kSecond;
  for (int i = 1; i <= 30; ++i) rig.Add(i, i * 10);
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  CHECK(rig.Pending() == 4);
  rig.engine->RequestStop();
  rig.For(500 * kMs);
  CHECK(!rig.engine->ended());
  rig.For(2 * kSecond);
  CHECK(rig.engine->ended());
  CHECK(rig.engine->exit_code() == ExitCode::kOk);
  CHECK(rig.Ids() == "1 2 3 4");
  CHECK(rig.asked == 4);  // no further request was sent
  CHECK(rig.world.output("out").durable == 4);

  REQUIRE(rig.Start(2).ok());
  CHECK(rig.scheduler->RunUntilEnd(3600 * kSecond));
  CHECK(rig.rig.Values("out").size() == 30);
  CHECK(rig.asked == 30);
}

TEST_CASE("the grace time bounds a stop; what is not answered then is asked again later") {
  SampleOptions options;
  options.timeout_ns = 3600 * kSecond;
  EngineRig rig(options, 1, true);
  rig.never = true;
  rig.tune = [](Environment& environment) { environment.grace_ns = 3 * kSecond; };
  for (int i = 1; i <= 3; ++i) rig.Add(i, i * 10);
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  rig.engine->RequestStop();
  rig.engine->RequestStop();
  rig.For(2 * kSecond);
  CHECK(!rig.engine->ended());
  rig.For(2 * kSecond);
  CHECK(rig.engine->ended());
  CHECK(rig.engine->exit_code() == ExitCode::kOk);
  rig.never = false;
  REQUIRE(rig.Start().ok());
  CHECK(rig.scheduler->RunUntilEnd(60 * kSecond));
  CHECK(rig.Ids() == "1 2 3");
  CHECK(rig.asked == 6);
}

TEST_CASE("nothing changed, nothing is committed") {
  EngineRig rig{SampleOptions()};
  REQUIRE(rig.Start().ok());
  rig.Add(1, 10);
  rig.For(2 * kSecond);
  uint64_t commits = rig.engine->Metrics().epochs_committed;
  CHECK(commits > 0);
  rig.For(60 * kSecond);
  CHECK(rig.engine->Metrics().epochs_committed == commits);
}

TEST_CASE("commits come at their interval, or early when outputs grow large") {
  SampleOptions options;
  options.with_lookup = false;
  options.with_window = false;
  EngineRig rig(options);
  rig.tune = [](Environment& environment) { environment.commit_ns = 10 * kSecond; };
  REQUIRE(rig.Start().ok());
  rig.Add(1, 10);
  rig.For(9 * kSecond);
  CHECK(rig.Ids() == "");
  rig.For(2 * kSecond);
  CHECK(rig.Ids() == "1");

  rig.tune = [](Environment& environment) {
    environment.commit_ns = 3600 * kSecond;
    environment.epoch_bytes_max = 1000;
  };
  REQUIRE(rig.Start().ok());
  for (int i = 2; i < 100; ++i) rig.Add(i, 10 + i);
  rig.Quiet();
  CHECK(rig.rig.Values("out").size() > 50);
}

TEST_CASE("every input record is counted in exactly one place") {
  SampleOptions options;
  options.with_table = true;
  options.timeout_ns = 300 * kMs;
  RigInput input;
  input.partitions = 2;
  RecoverRig recover(options, input);
  Environment environment = recover.MakeEnvironment(2);
  Engine engine(recover.program, environment);
  REQUIRE(engine.Start().ok());
  Scheduler scheduler(recover.world, engine, 3);
  REQUIRE(scheduler.RunUntilEnd(3600 * kSecond));
  MetricsSnapshot metrics = engine.Metrics();
  const LedgerMetrics& ledger = metrics.ledger;
  CHECK(ledger.read == 120);
  CHECK(ledger.read ==
        ledger.emitted + ledger.dead + ledger.pending + ledger.dropped + ledger.state + ledger.filtered);
  CHECK(metrics.steps[kSampleEvents].read == 120);
  CHECK(metrics.steps[kSampleOut].written == recover.Values("out").size());
  CHECK(metrics.steps[kSampleBars].fired == recover.Values("bars").size());
  CHECK(metrics.steps[kSampleBars].late == recover.Values("late").size());
  CHECK(metrics.steps[kSampleBarsOut].written == recover.Values("bars").size());
  CHECK(metrics.pending_rows == 0);
  CHECK(metrics.open_windows == 0);
  CHECK(metrics.table_rows == recover.names.size());
  CHECK(metrics.partitions.size() == 2);
  for (const PartitionMetrics& partition : metrics.partitions) {
    CHECK(partition.position == 60);
    CHECK(partition.end_offset == 60);
    CHECK(partition.watermark_ns == INT64_MAX);
  }
}

}  // namespace
}  // namespace weir
