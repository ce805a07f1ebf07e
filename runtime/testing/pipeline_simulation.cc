#include "runtime/testing/pipeline_simulation.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <random>

#include <fmt/format.h>

#include "runtime/engine/exit_code.h"
#include "runtime/engine/rekey_sources.h"
#include "runtime/testing/output_comparison.h"

namespace weir {

namespace {

constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs;
// A source is idle so long after its last record, whatever it says itself: after everything has arrived.
constexpr int64_t kIdle = 60 * kSecond;
// Outputs that leave at once are acknowledged after up to so long.
constexpr int64_t kAcknowledgedNs = kSecond / 2;

constexpr const char* kCopyFaults[] = {"disk", "kill", "pause", "stop"};
constexpr const char* kServiceFaults[] = {"hanging-answer", "late-answer", "repeated-answer", "slow-answer"};

// Records by topic of a sink.
using Outputs = std::map<std::string, std::vector<MemoryRecord>>;

struct Run {
  SimulationReport report;
  Outputs outputs;
  uint64_t open_transactions = 0;
  std::string trace;
  uint64_t trace_hash = 0;
};

class SeedRun {
 public:
  SeedRun(const Program& program, const PipelineShape& shape, const PipelineSimulationOptions& options)
      : program_(program), shape_(shape), options_(options) {
    int64_t closing = 0;  // until the last windows close
    for (WindowSpec& window : program_.windows) closing += window.size_ns;
    int64_t lateness = 0;
    for (SourceSpec& source : program_.sources) {
      source.address = Topic(source.connection, source.address, source.name);
      source.operation = "topic";
      source.idle_ns = kIdle;
      lateness = std::max(lateness, source.lateness_ns);
    }
    for (SinkSpec& sink : program_.sinks) {
      sink.address = Topic(sink.connection, sink.address, sink.name);
      sink.operation = "topic";
    }
    int64_t asking = 0;  // how long one request may take
    for (LookupSpec& lookup : program_.lookups) {
      // Whether it is reached depends on how long a copy stood still.
      lookup.deadline_ns = 0;
      asking = std::max(asking, (lookup.retries + 1) * (lookup.timeout_ns + lookup.backoff_max_ns));
    }
    AddRekeySources(&program_);
    settle_ns_ = 1800 * kSecond + 2 * (closing + lateness) + asking * 4 * options.records;
  }

  PipelineSimulationResult Simulate() {
    if (std::string why = Feedback(); !why.empty()) {
      result_.not_run = why;
      return std::move(result_);
    }
    std::optional<Workload> workload;
    Run right;
    for (bool mild : {false, true}) {
      WorkloadOptions of;
      of.seed = options_.seed;
      of.records = options_.records;
      of.mild = mild;
      of.hanging_answers = options_.faults.count("hanging-answer") != 0;
      workload.emplace(program_, shape_, of);
      right = RunCalm(*workload);
      // The pipeline stops by a route of its own: with milder input it may not.
      if (!StoppedByRoute(right)) break;
      if (!mild) result_.milder = right.report.failure;
    }
    result_.records = workload->records();
    if (StoppedByRoute(right)) {
      result_.not_run = right.report.failure;
      return std::move(result_);
    }
    if (!right.report.failure.empty()) {
      Failed(right, "without any fault, ");
      return std::move(result_);
    }
    Run wild = RunWild(*workload);
    result_.steps = std::move(wild.report.steps);
    result_.faults = std::move(wild.report.faults);
    result_.rows_at_faults = wild.report.rows_at_faults;
    result_.virtual_ns = wild.report.virtual_ns;
    result_.trace = std::move(wild.trace);
    result_.trace_hash = wild.trace_hash;
    if (!wild.report.failure.empty()) {
      Failed(wild, "");
      return std::move(result_);
    }
    if (wild.open_transactions != 0) {
      const char* text = " transactions were left open: who reads committed records waits for them";
      result_.findings.push_back({"stuck", "", {std::to_string(wild.open_transactions) + text}});
    }
    for (const auto& [topic, records] : right.outputs) Compare(topic, records, wild.outputs[topic], *workload);
    return std::move(result_);
  }

 private:
  static bool StoppedByRoute(const Run& run) {
    return run.report.failure.starts_with(fmt::format("a copy ended with code {}:", static_cast<int>(ExitCode::kStopped)));
  }

  // All clusters are one here: a topic of another one than the first source's has its connection's name before it.
  std::string Topic(int connection, const std::string& address, const std::string& name) const {
    const std::string topic = TopicOf(address, name);
    const bool elsewhere = connection >= 0 && connection != program_.sources.front().connection;
    return elsewhere ? program_.connections[static_cast<size_t>(connection)].name + "/" + topic : topic;
  }

  // What is written must not be read again: nothing would ever be worked off.
  std::string Feedback() const {
    for (const SinkSpec& sink : program_.sinks) {
      for (const SourceSpec& source : program_.sources) {
        if (sink.address == source.address) {
          return fmt::format("`{}` writes to `{}`, which `{}` reads: its output is its input", sink.name, sink.address,
                             source.name);
        }
      }
    }
    return "";
  }

  bool May(const char* fault) const { return options_.faults.count(fault) != 0; }

  Run RunCalm(const Workload& workload) {
    SimulationOptions calm;
    calm.seed = options_.seed;
    calm.copies_max = calm.workers_max = 1;
    calm.chaos_ns = kMs;
    calm.settle_ns = settle_ns_;
    calm.kills = calm.pauses = calm.stops = calm.disks = false;
    MemoryWorld world(options_.seed);
    world.lookup_script = [&](int lookup, const LookupRequest& request) { return workload.Answer(lookup, request); };
    return RunOn(world, program_, calm, workload, {1});
  }

  Run RunWild(const Workload& workload) {
    std::mt19937_64 random(options_.seed * 2654435761 + 1);
    SimulationOptions wild;
    wild.seed = options_.seed;
    wild.copies_max = 1 + static_cast<int>(random() % 3);
    wild.faults = ClusterFaults::Draw(options_.seed);
    wild.faults.Keep(options_.faults);
    wild.mutation = options_.mutation;
    wild.chaos_ns = static_cast<int64_t>(5 + random() % 20) * kSecond;
    wild.settle_ns = settle_ns_;
    wild.kills = May("kill");
    wild.disks = May("disk") && program_.transactional;  // nothing is kept where offsets alone are committed
    wild.stops = May("stop");
    wild.pauses = May("pause");
    // An answer that comes too late while a copy is paused is there as soon as its time-out is: it counts.
    const bool late = May("late-answer") && (!wild.pauses || random() % 2 == 0);
    if (late) wild.pauses = false;
    const bool repeated = May("repeated-answer");
    // Of the time that an attempt has: how much an answer may take.
    constexpr int kPercent[] = {0, 2, 30, 90};
    const int slow = May("slow-answer") ? kPercent[random() % std::size(kPercent)] : 0;

    Program program = program_;
    // Fewer requests at once than the pipeline allows, so that rows queue.
    if (random() % 2 == 0) {
      for (LookupSpec& lookup : program.lookups) {
        lookup.in_flight = std::min(lookup.in_flight, 1 + static_cast<int32_t>(random() % 12));
      }
    }
    MemoryWorld world(options_.seed);
    world.lookup_script = [&, late, repeated, slow](int lookup, const LookupRequest& request) {
      const int64_t timeout = program.lookups[static_cast<size_t>(lookup)].timeout_ns;
      ScriptedAnswer scripted = workload.Answer(lookup, request);
      if (scripted.kind == ScriptedAnswer::kNever) {
        ++result_.faults["answer that never comes"];
        if (!late || world.random() % 2 == 0) return scripted;
        ++result_.faults["answer after its time-out"];
        scripted.kind = ScriptedAnswer::kAnswer;
        scripted.delay_ns = timeout + 1 + static_cast<int64_t>(world.random() % 300'000'000);
        scripted.answer.outcome = Outcome::kFound;
        scripted.answer.body = "too late";
        scripted.stubborn = true;
        return scripted;
      }
      if (int64_t most = timeout / 100 * slow; most > 0) {
        scripted.delay_ns = static_cast<int64_t>(world.random() % static_cast<uint64_t>(most));
        if (scripted.delay_ns > timeout / 2) ++result_.faults["slow answer"];
      }
      if (repeated && world.random() % 20 == 0) {
        scripted.times = 2;
        ++result_.faults["answer that comes twice"];
      }
      return scripted;
    };
    // Records arrive while things go wrong, one by one or all of a sudden.
    constexpr int64_t kHurry[] = {1, 4, 20};
    const auto spread = static_cast<uint64_t>(wild.chaos_ns / kHurry[random() % std::size(kHurry)]);
    Run run = RunOn(world, program, wild, workload, {spread, &random});
    for (const auto& [fault, times] : result_.faults) run.report.faults[fault] += times;
    return run;
  }

  struct Arrival {
    uint64_t spread = 1;               // records arrive within this time
    std::mt19937_64* random = nullptr;  // null: all at once
  };

  Run RunOn(MemoryWorld& world, const Program& program, const SimulationOptions& simulation, const Workload& workload,
            const Arrival& arrival) {
    Run done;
    MemoryCluster cluster(world.clock, options_.seed);
    cluster.keep_trace = options_.keep_trace;
    std::set<std::string> topics;
    for (const Workload::Input& input : workload.inputs()) {
      TopicOptions growing;
      // Windows are kept by where their keys lie: nothing may be added below them.
      growing.may_grow = program.windows.empty();
      cluster.AddTopic(input.topic, static_cast<int32_t>(input.partitions.size()), growing);
    }
    for (const SinkSpec& sink : program.sinks) {
      TopicOptions foreign;
      foreign.foreign = true;
      if (!topics.insert(sink.address).second) continue;
      // One partition, so that all order shows.
      if (OutputsInTransactions(program)) {
        cluster.AddTopic(sink.address, 1, foreign);
      } else {
        world.LoseUnacknowledged(sink.address, kAcknowledgedNs);
      }
    }
    for (const auto& [table, rows] : workload.tables()) {
      MemoryTopic& topic = world.AddTopic("table " + table);
      topic.partitions[0].records.assign(rows.begin(), rows.end());
    }
    cluster.Trace(fmt::format("seed {}\n{}", options_.seed, simulation.faults.ToString()));
    Simulation run(program, world, cluster, simulation);
    for (const Workload::Input& input : workload.inputs()) {
      for (size_t p = 0; p < input.partitions.size(); ++p) {
        std::vector<int64_t> times(input.partitions[p].size(), 0);
        if (arrival.random != nullptr) {
          for (int64_t& time : times) time = static_cast<int64_t>((*arrival.random)() % arrival.spread);
        }
        std::sort(times.begin(), times.end());
        for (size_t i = 0; i < times.size(); ++i) {
          run.At(times[i], [&cluster, &input, p, i] {
            cluster.Append(input.topic, static_cast<int32_t>(p), input.partitions[p][i]);
          });
        }
      }
    }
    done.report = run.Run();
    for (const std::string& topic : topics) done.outputs[topic] = WrittenTo(topic, program, world, cluster);
    done.open_transactions = cluster.OpenTransactions();
    done.trace = cluster.trace();
    done.trace_hash = cluster.trace_hash();
    return done;
  }

  // A run that did not come to its end.
  void Failed(const Run& run, const std::string& when) {
    Finding finding;
    finding.what = run.report.failure.starts_with("a copy") ? "ended" : "stuck";
    finding.lines.push_back(when + run.report.failure);
    for (size_t at = 0; at < run.report.where.size();) {
      size_t end = std::min(run.report.where.find('\n', at), run.report.where.size());
      finding.lines.push_back(run.report.where.substr(at, end - at));
      at = end + 1;
    }
    result_.findings.push_back(std::move(finding));
  }

  // How a topic's records may be compared. Of several sinks that share it: as the least of them.
  SinkShape ShapeOf(const std::string& topic) const {
    SinkShape all;
    int sinks = 0;
    for (const SinkSpec& sink : program_.sinks) {
      if (sink.address != topic) continue;
      SinkShape one;
      one.name = sink.name;
      for (const SinkShape& known : shape_.sinks) {
        if (known.name == sink.name) one = known;
      }
      if (++sinks == 1) {
        all = one;
        continue;
      }
      all.name += ", " + one.name;
      all.order = SinkShape::kNone;
      all.compare = std::max(all.compare, one.compare);
    }
    return all;
  }

  void Compare(const std::string& topic, const std::vector<MemoryRecord>& right, const std::vector<MemoryRecord>& actual,
               const Workload& workload) {
    SinkShape sink = ShapeOf(topic);
    if (sink.compare != SinkShape::kNothing) result_.outputs += right.size();
    const OutputComparison comparison = CompareOutputs(sink, program_.delivery, right, actual);
    if (program_.delivery == Delivery::kAtLeastOnce) result_.repeated += comparison.repeated;
    for (const OutputDifference& difference : comparison.differences) {
      Finding finding;
      finding.what = difference.what;
      finding.sink = sink.name;
      if (difference.right != nullptr) finding.lines.push_back("should be  " + Shown(*difference.right));
      if (difference.wrong != nullptr) finding.lines.push_back("is         " + Shown(*difference.wrong));
      const MemoryRecord& of = difference.right != nullptr ? *difference.right : *difference.wrong;
      if (const MemoryRecord* origin = workload.Origin(of); origin != nullptr) {
        finding.lines.push_back(fmt::format("comes from {}  {}", OriginOf(of), Shown(*origin)));
      }
      result_.findings.push_back(std::move(finding));
    }
  }

  static std::string Shown(const MemoryRecord& record) {
    std::string text = record.has_key ? fmt::format("key {} ", record.key) : "";
    text += record.has_value ? record.value : "(no value)";
    for (const auto& [name, value] : record.headers) {
      if (name == "weir.step" || name == "weir.reason") text += fmt::format(" {}={}", name, value);
    }
    return text;
  }

  Program program_;
  const PipelineShape& shape_;
  const PipelineSimulationOptions& options_;
  int64_t settle_ns_ = 0;
  PipelineSimulationResult result_;
};

}  // namespace

const std::vector<std::string>& FaultNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = ClusterFaults::Names();
    all.insert(all.end(), std::begin(kCopyFaults), std::end(kCopyFaults));
    all.insert(all.end(), std::begin(kServiceFaults), std::end(kServiceFaults));
    return all;
  }();
  return names;
}

PipelineSimulationResult SimulatePipeline(const Program& program, const PipelineShape& shape,
                                          const PipelineSimulationOptions& options) {
  return SeedRun(program, shape, options).Simulate();
}

}  // namespace weir
