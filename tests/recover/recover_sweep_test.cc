// Stopped at every step of the commit protocol and between any two turns, with rows pending, resumed with another number
// of workers: what is written equals a straight run's, which equals the plain model's.
#include <catch2/catch.hpp>

#include "tests/recover/recover_rig.h"

namespace weir {
namespace {

struct Shape {
  const char* name;
  SampleOptions options;
  RigInput input;
};

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  Shape plain{"lookup and window", {}, {}};
  plain.options.timeout_ns = 300'000'000;
  shapes.push_back(plain);

  Shape key = plain;
  key.name = "order key, two lookups, a table";
  key.options.order = OrderMode::kKey;
  key.options.with_second_lookup = true;
  key.options.with_table = true;
  shapes.push_back(key);

  Shape none = plain;
  none.name = "order none";
  none.options.order = OrderMode::kNone;
  shapes.push_back(none);

  Shape rekeyed = plain;
  rekeyed.name = "re-keyed";
  rekeyed.options.rekeyed = true;
  rekeyed.input.shared_keys = true;
  shapes.push_back(rekeyed);

  Shape behind = rekeyed;
  behind.name = "a lookup behind the exchange";
  behind.options.lookup_behind_exchange = true;
  behind.options.in_flight = 3;
  shapes.push_back(behind);

  Shape twice = rekeyed;
  twice.name = "re-keyed twice";
  twice.options.rekeyed_twice = true;
  shapes.push_back(twice);

  Shape sync = plain;
  sync.name = "sync";
  sync.options.sync = true;
  sync.input.records = 25;
  shapes.push_back(sync);
  return shapes;
}

TEST_CASE("straight runs equal the plain model at 1, 2 and 3 workers") {
  for (const Shape& shape : Shapes()) {
    for (int workers = 1; workers <= 3; ++workers) {
      for (uint64_t seed = 1; seed <= 5; ++seed) {
        INFO(shape.name << ", " << workers << " workers, seed " << seed);
        RigInput input = shape.input;
        input.seed = seed;
        RecoverRig rig(shape.options, input, seed);
        RigRun run;
        run.seed = seed;
        run.workers = {workers};
        run.reversed = seed == 3;
        RigResult result = rig.Run(run);
        REQUIRE(result.message == "");
        REQUIRE(result.ended);
        REQUIRE(rig.Check() == "");
      }
    }
  }
}

TEST_CASE("stopped at every step of a commit, output is exactly once and in order") {
  std::map<std::string, uint64_t> stopped_with_rows;
  for (const Shape& shape : Shapes()) {
    for (int workers = 1; workers <= 3; ++workers) {
      uint64_t points = 1, point = 1;
      uint64_t stride = 1;
      for (; point <= points; point += stride) {
        INFO(shape.name << ", " << workers << " workers, stopped at point " << point);
        RecoverRig rig(shape.options, shape.input, point);
        RigRun run;
        run.seed = 7;
        run.workers = {workers, workers % 3 + 1};
        run.stop_at = point;
        run.kill_again = point % 3 == 0;
        if (points == 1) {
          // How many points a whole run passes.
          RecoverRig straight(shape.options, shape.input, point);
          RigRun whole = run;
          whole.stop_at = 0;
          RigResult result = straight.Run(whole);
          REQUIRE(result.ended);
          points = result.points;
          REQUIRE(points > 20);
          // Every kind of point is met with each shape; long runs are thinned out.
          stride = std::max<uint64_t>(1, points / 60) | 1;
          for (const char* name :
               {"barrier.quiet", "barrier.collected", "commit.outputs_acknowledged", "commit.output_written",
                "commit.outputs_written", "commit.outputs_durable", "commit.store_committed", "commit.done"}) {
            REQUIRE(result.passed[name] > 0);
          }
        }
        RigResult result = rig.Run(run);
        REQUIRE(result.message == "");
        REQUIRE(result.ended);
        REQUIRE(rig.Check() == "");
        if (result.pending_at_stop > 0) stopped_with_rows[shape.name]++;
      }
    }
  }
  for (const Shape& shape : Shapes()) CHECK(stopped_with_rows[shape.name] > 0);
}

TEST_CASE("killed between any two turns, output is exactly once and in order") {
  uint64_t with_stored_rows = 0;
  for (const Shape& shape : Shapes()) {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      INFO(shape.name << ", seed " << seed);
      std::mt19937_64 random(seed);
      RigInput input = shape.input;
      input.seed = seed % 4 + 1;
      RecoverRig rig(shape.options, input, seed);
      RigRun run;
      run.seed = seed;
      run.workers = {static_cast<int>(random() % 3 + 1), static_cast<int>(random() % 3 + 1),
                     static_cast<int>(random() % 3 + 1)};
      run.kill_turn = random() % 1500 + 1;
      run.kill_again = random() % 2 == 0;
      run.reversed = random() % 3 == 0;
      RigResult result = rig.Run(run);
      REQUIRE(result.message == "");
      REQUIRE(result.ended);
      REQUIRE(rig.Check() == "");
      if (result.lives > 1 && result.stored_rows > 0) ++with_stored_rows;
    }
  }
  CHECK(with_stored_rows > 30);
}

TEST_CASE("streaming outputs repeat after a kill, and nothing is lost") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    SampleOptions options;
    options.timeout_ns = 300'000'000;
    RigInput input;
    input.seed = seed;
    RecoverRig rig(options, input, seed);
    rig.exactly_once = false;
    for (const char* name : {"out", "bars", "dead", "late"}) rig.world.LoseUnacknowledged(name, 30'000'000);
    RigRun run;
    run.seed = seed;
    run.workers = {2, 3};
    run.kill_turn = seed * 20;
    RigResult result = rig.Run(run);
    REQUIRE(result.message == "");
    REQUIRE(result.ended);
    REQUIRE(rig.Check() == "");
  }
}

}  // namespace
}  // namespace weir
