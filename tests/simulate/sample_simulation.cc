#include "tests/simulate/sample_simulation.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/core/hash.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/topic_names.h"
#include "runtime/state/changelog.h"
#include "tests/simulate/sample_on_cluster.h"

namespace weir {

namespace {

constexpr int64_t kSecond = 1'000'000'000;

SampleOptions PlainShape() {
  SampleOptions options;
  options.stateful = false;
  options.idle_ns = 60 * kSecond;
  return options;
}

SampleOptions ShapeOf(uint64_t seed, std::mt19937_64& random) {
  SampleOptions options = PlainShape();
  options.with_lookup = random() % 5 != 0;
  options.with_window = random() % 4 != 0;
  options.with_second_lookup = options.with_lookup && random() % 4 == 0;
  options.rekeyed = options.with_window && random() % 3 == 0;
  options.rekeyed_twice = options.rekeyed && random() % 4 == 0;
  options.lookup_behind_exchange = options.rekeyed && !options.rekeyed_twice && options.with_lookup && !options.with_second_lookup && random() % 4 == 0;
  options.sync = options.with_lookup && random() % 6 == 0;
  switch (random() % 4) {
    case 0: options.order = OrderMode::kKey; break;
    case 1: options.order = OrderMode::kNone; break;
    default: break;
  }
  options.in_flight = 1 + static_cast<int32_t>(random() % 12);
  // Without a changelog, where the shape allows it.
  const bool ordered = options.order == OrderMode::kInput || options.sync;
  if (options.with_lookup && !options.with_window && !options.with_second_lookup && ordered && random() % 3 != 0) {
    options.rereads = true;
    options.bad_deadletter = -1;
  }
  return options;
}

}  // namespace

SampleSimulationResult SimulateSample(uint64_t seed, const std::string& mutation, bool keep_trace) {
  std::mt19937_64 random(seed * 2654435761 + 1);
  SampleSimulationResult result;
  SampleOptions options = ShapeOf(seed, random);
  RigInput input;
  input.seed = seed;
  input.partitions = 1 + static_cast<int>(random() % 4);
  input.records = 10 + static_cast<int>(random() % 30);
  input.shared_keys = options.rekeyed;
  const bool outputs_at_once = seed % 6 == 5;
  SampleOnCluster sample(options, input, seed, outputs_at_once);
  RecoverRig& rig = sample.rig;
  MemoryCluster& cluster = sample.cluster;
  constexpr int64_t kDelays[] = {0, 20'000'000, 300'000'000, 900'000'000};
  // An answer that comes too late while a copy is paused is there as soon as its time-out is: it counts.
  const bool late = random() % 2 == 0;
  if (late) rig.AnswerLate();
  rig.SetDelay(kDelays[random() % std::size(kDelays)]);
  result.shape = fmt::format("{}lookup {}{}{}{}, window {}, rekeyed {}{}, order {}, {} partitions, {} records each",
                             outputs_at_once ? "outputs at once, " : "", options.with_lookup, options.with_second_lookup ? " twice" : "", options.sync ? " sync" : "",
                             options.rereads ? " without changelog" : "", options.with_window,
                             options.rekeyed, options.rekeyed_twice ? " twice" : "", static_cast<int>(options.order),
                             input.partitions, input.records);

  cluster.keep_trace = keep_trace;
  SimulationOptions simulation;
  simulation.seed = seed;
  simulation.faults = ClusterFaults::Draw(seed);
  simulation.mutation = mutation;
  simulation.pauses = !late;
  simulation.chaos_ns = static_cast<int64_t>(5 + random() % 20) * kSecond;
  Simulation run(rig.program, rig.world, cluster, simulation);
  // Records arrive while things go wrong, one by one or all of a sudden.
  constexpr int64_t kHurry[] = {1, 4, 20};
  const uint64_t spread = static_cast<uint64_t>(simulation.chaos_ns / kHurry[random() % std::size(kHurry)]);
  for (size_t p = 0; p < rig.events.size(); ++p) {
    std::vector<int64_t> times;
    for (size_t i = 0; i < rig.events[p].size(); ++i) {
      times.push_back(static_cast<int64_t>(random() % spread));
    }
    std::sort(times.begin(), times.end());
    for (size_t i = 0; i < rig.events[p].size(); ++i) {
      MemoryRecord record;
      record.value = EventJson(rig.events[p][i]);
      run.At(times[i], [&cluster, p, record] { cluster.Append("events", static_cast<int32_t>(p), record); });
    }
  }
  result.report = run.Run();
  result.trace_hash = cluster.trace_hash();
  if (keep_trace) result.trace = cluster.trace();
  result.wrong = result.report.failure;
  if (result.wrong.empty()) result.wrong = sample.Check();
  return result;
}

MeddledStart StartAfter(Meddling meddling) {
  RigInput input;
  input.partitions = 1;
  SampleOptions options = PlainShape();
  options.rekeyed = meddling == Meddling::kOtherRekeyedRow || meddling == Meddling::kRowOfMovedStep;
  options.lookup_behind_exchange = meddling == Meddling::kRowOfMovedStep;
  input.shared_keys = options.rekeyed;
  SampleOnCluster sample(options, input, 1);
  RecoverRig& rig = sample.rig;
  MemoryCluster& cluster = sample.cluster;
  sample.AppendAll();
  SimulationOptions calm;
  calm.copies_max = 1;
  calm.chaos_ns = kSecond;
  calm.kills = calm.pauses = calm.stops = false;
  MeddledStart result;
  result.said = Simulation(rig.program, rig.world, cluster, calm).Run().failure;
  if (!result.said.empty()) {
    result.said = "the first run: " + result.said;
    return result;
  }
  const TopicPartition changelog(ChangelogTopic(rig.program, 0), 0), events("events", 0);
  switch (meddling) {
    case Meddling::kChangelogEmptied: cluster.DeleteBefore(changelog, cluster.log(changelog).end()); break;
    case Meddling::kOffsetsSet: cluster.SetCommittedOffset(rig.program.name, events, 7); break;
    case Meddling::kOffsetsDeleted: cluster.SetCommittedOffset(rig.program.name, events, -1); break;
    case Meddling::kOtherRekeyedRow: {
      Buffer item, sealed;
      item.Append(static_cast<char>(ExchangeBatch::kRow));
      RowWriter out(&item);
      out.U64(0);
      out.U64(0);
      out.U64(rig.program.exchanges[0].row_schema + 1);
      SealChange(Str(), item.str(), &sealed);
      MemoryRecord row;
      row.value = sealed.str().view();
      cluster.Append(RekeyTopic(rig.program, 0), 0, row);
      break;
    }
    case Meddling::kRowOfMovedStep:
    case Meddling::kRowOfFormerStage: {
      Buffer key, sealed;
      const uint64_t step = Hash(Str(std::string_view(rig.program.steps[kSampleAccount].name)));
      AppendStoreKey(step, StateKind::kRow, 0, Str("slot"), &key);
      SealChange(key.str(), Str("row"), &sealed);
      MemoryRecord row;
      row.key = key.str().view();
      row.value = sealed.str().view();
      if (meddling == Meddling::kRowOfMovedStep) {
        cluster.Append(changelog.first, 0, row);
        break;
      }
      // All of the changelog as another stage's, and the row.
      const std::string former = TopicOf(rig.program, {"former", false});
      cluster.AddTopic(former, 1);
      for (const MemoryRecord& record : cluster.ReadCommitted(changelog.first, 0)) cluster.Append(former, 0, record);
      cluster.Append(former, 0, row);
      break;
    }
  }
  result.said = Simulation(rig.program, rig.world, cluster, calm).Run().failure;
  result.wrong = sample.Check();
  return result;
}

}  // namespace weir
