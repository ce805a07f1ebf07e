// A copy that stood still reads on before it hears what the group has decided meanwhile.
#include <catch2/catch.hpp>

#include "runtime/engine/topic_names.h"
#include "tests/simulate/driven_copies.h"

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

SampleOptions Rekeyed() {
  SampleOptions options;
  options.stateful = false;
  options.with_lookup = false;
  options.rekeyed = true;
  options.idle_ns = 60 * kSecond;
  return options;
}

RigInput OnePartition() {
  RigInput input;
  input.partitions = 1;
  input.records = 60;
  input.shared_keys = true;
  return input;
}

TEST_CASE("a copy whose successor has deleted the rows it would read next begins anew") {
  DrivenCopies copies(Rekeyed(), OnePartition());
  MemoryCluster& cluster = copies.sample.cluster;
  const TopicPartition rows(RekeyTopic(copies.sample.rig.program, 0), 0);
  DrivenCopy& first = copies.Start("first");
  copies.Append(30);
  auto read = [&](int64_t events) { return [&copies, events] { return copies.Committed("events", 0) == events; }; };
  REQUIRE(copies.Until(read(30), 10 * kSecond));
  REQUIRE(copies.Until([&] { return copies.Committed(rows.first, 0) > 0; }, 10 * kSecond));
  copies.Turns();

  // Its session ends, and all that follows is the other one's.
  first.paused = true;
  const int64_t stood = cluster.log(rows).end();
  DrivenCopy& second = copies.Start("second");
  REQUIRE(copies.Until([&] { return cluster.Assignment("sample").size() == 1; }, 30 * kSecond));
  copies.Append(30);
  REQUIRE(copies.Until(read(60), 30 * kSecond));
  REQUIRE(copies.Until([&] { return cluster.log(rows).start() > stood; }, 30 * kSecond));

  cluster.faults.news_late = 1;
  first.paused = false;
  REQUIRE(copies.Until([&] { return first.Said("asks the group once more") || first.engine->ended(); }, kSecond));
  CHECK(first.engine->message() == "");
  cluster.faults.news_late = 0;
  REQUIRE(copies.Until([&] { return copies.WorkedOff(); }, 600 * kSecond));
  CHECK_FALSE(first.engine->ended());
  CHECK(cluster.Assignment("sample").size() == 2);
  CHECK(copies.Stop() == "");
  CHECK(second.log == "");
  CHECK(copies.sample.Check() == "");
}

TEST_CASE("what nobody has read and is not there any more stops its reader, once the group has said so too") {
  DrivenCopies copies(Rekeyed(), OnePartition());
  MemoryCluster& cluster = copies.sample.cluster;
  DrivenCopy& copy = copies.Start("only");
  copies.Append(30);
  REQUIRE(copies.Until([&] { return copies.Committed("events", 0) == 30; }, 10 * kSecond));
  copy.paused = true;
  copies.Append(20);
  cluster.DeleteBefore({"events", 0}, 40);
  copy.paused = false;
  REQUIRE(copies.Until([&] { return copy.engine->ended(); }, 10 * kSecond));
  CHECK(copy.engine->exit_code() == ExitCode::kRefused);
  CHECK_THAT(copy.engine->message(), Catch::StartsWith("source `events`: ") && Catch::Contains("is read from 30"));
  CHECK(copy.Said("partition 0: what stood at offset 30 is not there any more"));
}

}  // namespace
}  // namespace weir
