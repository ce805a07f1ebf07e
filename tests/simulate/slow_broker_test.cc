// Brokers that take so little at a time that what was done at once does not go into one transaction.
#include <catch2/catch.hpp>

#include "runtime/engine/topic_names.h"
#include "tests/simulate/driven_copies.h"

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kKilobytePerSecond = 1'000'000;  // as ns per byte; ten seconds for each transaction

size_t Count(const std::string& text, const std::string& words) {
  size_t count = 0;
  for (size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++count;
  return count;
}

RigInput OnePartition() {
  RigInput input;
  input.partitions = 1;
  input.records = 600;
  return input;
}

// How often it starts anew: few times, and it says once why its commits are small.
size_t Anew(const DrivenCopy& copy) {
  CHECK(Count(copy.log, "keeps its commits small from now on") == 1);
  CHECK(copy.engine->Metrics().epoch_bytes_limit > 0);
  const size_t anew = Count(copy.log, "starts anew");
  CHECK(anew >= 1);
  CHECK(anew <= 16);  // at most twice for each halving: the epoch, and its producer
  return anew;
}

// The rest of the events, at full speed.
void Quick(DrivenCopies& copies, DrivenCopy& copy) {
  const size_t anew = Anew(copy);
  copies.sample.cluster.produce_ns_per_byte = 0;
  copies.Append(100);
  REQUIRE(copies.Until([&] { return copies.Committed("events", 0) == 600; }, 10 * kSecond));
  REQUIRE(copies.Until([&] { return copies.WorkedOff(); }, 10'000 * kSecond));
  CHECK(copies.Stop() == "");
  CHECK(Count(copy.log, "starts anew") == anew);
  CHECK(copies.sample.Check() == "");
}

// Of two shapes: what is read goes out, or into a window's state and an exchange.
void WorksOff(bool rekeyed) {
  SampleOptions options;
  options.stateful = false;
  options.with_lookup = false;
  options.with_window = options.rekeyed = rekeyed;
  options.idle_ns = 7200 * kSecond;  // so that what comes later is not late
  RigInput input = OnePartition();
  input.shared_keys = rekeyed;
  DrivenCopies copies(options, input);
  DrivenCopy& copy = copies.Start("only");
  copies.sample.cluster.produce_ns_per_byte = kKilobytePerSecond;
  copies.Append(500);
  REQUIRE(copies.Until([&] { return copies.Committed("events", 0) == 500 || copy.engine->ended(); }, 3600 * kSecond));
  Quick(copies, copy);
}

TEST_CASE("an epoch that does not fit into its transaction's time is made smaller until it does") { WorksOff(false); }

TEST_CASE("and so is one whose rows are on their way to be re-keyed") { WorksOff(true); }

TEST_CASE("and one whose requests were brought back and are answered all at once") {
  SampleOptions options;
  options.with_window = false;
  options.in_flight = 600;
  options.timeout_ns = 100 * kSecond;
  DrivenCopies copies(options, OnePartition());
  bool answered = false;
  copies.sample.rig.world.lookup_script = [&, script = copies.sample.rig.world.lookup_script](int l, const LookupRequest& request) {
    ScriptedAnswer answer = script(l, request);
    if (!answered) answer.kind = ScriptedAnswer::kNever;
    return answer;
  };
  copies.Start("only");
  copies.Append(500);
  REQUIRE(copies.Until([&] { return copies.Committed("events", 0) == 500; }, 10 * kSecond));
  const uint64_t pending = copies.copies[0]->engine->Metrics().pending_rows;
  REQUIRE(pending > 400);

  copies.copies.clear();  // killed
  answered = true;
  copies.sample.cluster.produce_ns_per_byte = kKilobytePerSecond;
  DrivenCopy& copy = copies.Start("only");
  REQUIRE(copies.Until([&] { return copy.engine->Metrics().pending_rows == pending; }, 60 * kSecond));
  auto done = [&] {
    const MetricsSnapshot metrics = copy.engine->Metrics();
    return metrics.pending_rows == 0 && !metrics.uncommitted && !metrics.partitions[0].recovering;
  };
  REQUIRE(copies.Until([&] { return done() || copy.engine->ended(); }, 3600 * kSecond));
  CHECK(copy.engine->Metrics().epochs_committed > 2);
  Quick(copies, copy);
}

TEST_CASE("and every partition and every source goes on meanwhile, not one after the other") {
  SampleOptions options;
  options.stateful = false;
  options.with_lookup = false;
  options.rekeyed = true;
  options.idle_ns = 7200 * kSecond;
  RigInput input = OnePartition();
  input.partitions = 2;
  input.shared_keys = true;
  DrivenCopies copies(options, input);
  DrivenCopy& copy = copies.Start("only");
  copies.sample.cluster.produce_ns_per_byte = 2 * kKilobytePerSecond;
  copies.Append(300);
  auto read = [&](int32_t partition) { return copies.Committed("events", partition); };
  REQUIRE(copies.Until([&] { return read(0) + read(1) >= 200 || copy.engine->ended(); }, 36'000 * kSecond));
  CHECK(read(0) >= 85);
  CHECK(read(1) >= 85);
  // Nobody waits for what was re-keyed until all events are read.
  const std::string rows = RekeyTopic(copies.sample.rig.program, 0);
  int64_t rekeyed = 0;
  for (int32_t p = 0; p < copies.sample.cluster.Partitions(rows); ++p) rekeyed += copies.Committed(rows, p);
  CHECK(rekeyed >= 60);
  copies.sample.cluster.produce_ns_per_byte = 0;
  copies.Append(300);
  REQUIRE(copies.Until([&] { return copies.WorkedOff(); }, 10'000 * kSecond));
  CHECK(copies.Stop() == "");
  CHECK(copies.sample.Check() == "");
}

}  // namespace
}  // namespace weir
