#include "tests/run/cluster_run.h"

#include <algorithm>
#include <set>

#include "runtime/engine/rekey_sources.h"
#include "runtime/testing/memory_cluster.h"
#include "runtime/testing/simulation.h"
#include "tests/run/answering_services.h"
#include "tests/run/stored_names.h"

namespace run {

using namespace weir;

namespace {

constexpr int64_t kSecond = 1'000'000'000;
// A partition is idle so long after its last record: that is how windows of a topic close at the end.
constexpr int64_t kIdle = 60 * kSecond;
// Outputs that leave at once are acknowledged after up to so long.
constexpr int64_t kAcknowledgedNs = kSecond / 5;

// The program as it would be if all its sources and sinks were topics of one cluster.
Program OnTransactions(const Program& program, bool outputs_at_once) {
  Program on = program;
  on.transactional = true;
  on.outputs_at_once = outputs_at_once;
  on.stateful = false;
  for (SourceSpec& source : on.sources) {
    source.address = AddressOf(source.address, source.name);
    source.operation = "topic";
    source.idle_ns = kIdle;
  }
  for (SinkSpec& sink : on.sinks) {
    sink.address = AddressOf(sink.address, sink.name);
    sink.operation = "topic";
  }
  AddRekeySources(&on);
  return on;
}

}  // namespace

ClusterResult RunOnCluster(const RunCase& run, const RunInput& input, const Expected& expected, const ClusterPlan& plan) {
  ClusterResult result;
  const Program program = OnTransactions(run.program, plan.outputs_at_once);
  MemoryWorld world(plan.seed);
  MemoryCluster cluster(world.clock, plan.seed);
  cluster.keep_trace = false;
  AnsweringServices services(run, expected, plan.answers, plan.seed);
  world.lookup_script = [&](int lookup, const LookupRequest& request) { return services.Answer(lookup, request); };

  int64_t closing = 0;  // until the last windows close
  for (const WindowSpec& window : program.windows) closing += window.size_ns;
  for (const SourceSpec& source : program.sources) closing += source.lateness_ns;
  SimulationOptions options;
  options.seed = plan.seed;
  options.copies_max = 1;
  options.kills = options.pauses = options.stops = false;
  options.disks = plan.disks;
  options.stop_steps = plan.stops;
  options.workers = plan.workers;
  options.faults = plan.faults;
  options.mutation = plan.mutation;
  // Copies die at their steps until the last one: that of the commit behind the last windows.
  options.chaos_ns = kIdle + 2 * closing + 60 * kSecond;
  Simulation simulation(program, world, cluster, options);

  for (const SourceSpec& source : run.program.sources) {
    const auto& partitions = input.sources.at(source.name);
    const std::string topic = AddressOf(source.address, source.name);
    cluster.AddTopic(topic, static_cast<int32_t>(partitions.size()));
    for (size_t p = 0; p < partitions.size(); ++p) {
      for (const RunRecord& record : partitions[p]) cluster.Append(topic, static_cast<int32_t>(p), RecordOf(record));
    }
  }
  for (const TableSpec& table : program.tables) {
    MemoryTopic& topic = world.AddTopic("table " + table.name);
    for (const RunRecord& record : input.tables.at(table.name)) topic.partitions[0].records.push_back(RecordOf(record));
  }
  for (const SinkSpec& sink : program.sinks) {
    if (cluster.Partitions(sink.address) < 0) cluster.AddTopic(sink.address, 1);
    world.LoseUnacknowledged(sink.address, kAcknowledgedNs);
  }

  SimulationReport report = simulation.Run();
  result.run.problem = services.problem().empty() ? report.failure : services.problem();
  if (!report.where.empty()) result.run.problem += "\n" + report.where;
  if (result.run.problem.empty() && cluster.OpenTransactions() != 0) result.run.problem = "a transaction is left open";
  const StoredNames names = ReadStoredNames(program, cluster);
  if (result.run.problem.empty()) result.run.problem = names.problem;
  result.windows_shown = names.windows;
  result.rows_shown = names.rows;
  result.run.transactional = !plan.outputs_at_once;
  result.run.requests = services.requests();
  result.run.pending_at_stop = report.rows_at_faults;
  // More than one, whether it died or not: a table is read by each worker, and what is dropped is not counted.
  result.run.lives = 2;
  for (const auto& def : run.typed().sinks) {
    result.run.outputs.emplace_back();
    for (const SinkSpec& sink : program.sinks) {
      if (sink.name != def.name) continue;
      result.run.outputs.back() = WrittenTo(sink.address, program, world, cluster);
    }
  }
  for (const auto& [step, times] : report.steps) result.points += times;
  result.steps = std::move(report.steps);
  result.stopped = std::move(report.stopped);
  result.faults = std::move(report.faults);
  return result;
}

}  // namespace run
