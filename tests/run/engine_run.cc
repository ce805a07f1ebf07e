#include "tests/run/engine_run.h"

#include <algorithm>

#include "runtime/engine/engine.h"
#include "runtime/state/memory_store.h"
#include "runtime/lookup/engine_lookups.h"
#include "runtime/testing/scheduler.h"
#include "tests/run/answering_services.h"

namespace run {

using namespace weir;

namespace {

// Virtual time in which every run must have ended.
constexpr int64_t kRunNsMax = 3'600'000'000'000;
constexpr uint64_t kTurnsMax = 2'000'000;
constexpr int kLivesMax = 6;

struct NullLog : Log {
  void Write(LogLevel, uint32_t, const std::string&) override {}
};

class Running {
 public:
  Running(const RunCase& run, const RunInput& input, const Expected& expected, const RunPlan& plan)
      : run_(run), plan_(plan), world_(plan.seed), program_(run.program), random_(plan.seed * 977),
        services_(run, expected, plan.answers, plan.seed) {
    for (SourceSpec& source : program_.sources) {
      source.address = AddressOf(source.address, source.name);
      const auto& partitions = input.sources.at(source.name);
      MemoryTopic& topic = world_.AddTopic(source.address, static_cast<int>(partitions.size()));
      topic.batch_max = plan.batch_max;
      for (size_t p = 0; p < partitions.size(); ++p) {
        for (const RunRecord& record : partitions[p]) topic.partitions[p].records.push_back(RecordOf(record));
      }
      topic.FinishAll();
    }
    for (const TableSpec& table : program_.tables) {
      MemoryTopic& topic = world_.AddTopic(table.address);
      for (const RunRecord& record : input.tables.at(table.name)) topic.partitions[0].records.push_back(RecordOf(record));
      topic.FinishAll();
    }
    for (SinkSpec& sink : program_.sinks) {
      sink.address = AddressOf(sink.address, sink.name);
      for (const auto& def : run.typed().sinks) {
        if (def.name == sink.name && StoreBacked(def)) world_.MakeStoreBacked(sink.address);
      }
    }
    world_.lookup_script = [this](int lookup, const LookupRequest& request) { return services_.Answer(lookup, request); };
  }

  RunResult Run() {
    RunLives();
    if (result_.problem.empty()) result_.problem = services_.problem();
    result_.requests = services_.requests();
    return std::move(result_);
  }

 private:
  void RunLives() {
    for (int life = 0; life < kLivesMax; ++life) {
      result_.lives = life + 1;
      if (Live(life)) break;
      if (result_.problem.empty() && life + 1 == kLivesMax) result_.problem = "it is stopped again and again";
    }
    for (const auto& def : run_.typed().sinks) {
      result_.outputs.emplace_back();
      for (const SinkSpec& sink : program_.sinks) {
        if (sink.name == def.name) result_.outputs.back() = world_.output(sink.address).records;
      }
    }
  }

  // True: no other life follows.
  bool Live(int life) {
    FaultPoints faults;
    if (life == 0) faults.stop_at = plan_.stop_at;
    MemoryStore store(&world_.disk);
    Environment environment;
    environment.clock = &world_.clock;
    environment.connectors = &world_;
    environment.store = &store;
    environment.faults = &faults;
    environment.log = &log_;
    environment.make_loop = [](int) { return std::make_unique<VirtualLoop>(); };
    environment.make_lookup_host = EngineLookups(plan_.seed, nullptr);
    environment.workers = plan_.workers[std::min<size_t>(static_cast<size_t>(life), plan_.workers.size() - 1)];
    // Destroyed without Close, as a kill would leave it.
    auto engine = std::make_unique<Engine>(program_, environment);
    Status status = engine->Start();
    if (!status.ok()) {
      result_.problem = "it does not start: " + status.message();
      return true;
    }
    result_.exactly_once = engine->store_mode();
    Scheduler scheduler(world_, *engine, plan_.seed + static_cast<uint64_t>(life) * 1000);
    uint64_t kill = life == 0 && plan_.kill_turn != 0 ? plan_.kill_turn : UINT64_MAX;
    bool hangs = !Drive(*engine, scheduler, kill);
    if (life == 0) {
      result_.points = faults.count;
      result_.turns = scheduler.turns();
      for (int i = 0; i < engine->workers(); ++i) result_.pending_at_stop += engine->worker(i).pending_rows();
    }
    if (!services_.problem().empty()) return true;
    if (hangs) {
      result_.problem = "it hangs: nothing happens any more, and it has not ended";
      return true;
    }
    if (engine->ended() && !engine->killed()) {
      result_.code = engine->exit_code();
      result_.message = engine->message();
      if (result_.code == ExitCode::kOk) {
        for (int i = 0; i < engine->workers(); ++i) engine->worker(i).Close();
        engine->Close();
      }
      for (size_t step = 0; step < program_.steps.size(); ++step) {
        for (int i = 0; i < engine->workers(); ++i) {
          const StepCounters& counters = engine->worker(i).counters(static_cast<uint32_t>(step));
          if (counters.dropped.Get() != 0) result_.dropped[program_.steps[step].name] += counters.dropped.Get();
          if (counters.late.Get() != 0) result_.late[program_.steps[step].name] += counters.late.Get();
        }
      }
      return true;
    }
    engine.reset();
    world_.Crash();
    return false;
  }

  // Until it ends or `kill` turns were taken. False: it hangs.
  bool Drive(Engine& engine, Scheduler& scheduler, uint64_t kill) {
    const int64_t end = world_.clock.MonoNs() + kRunNsMax;
    while (!engine.ended() && scheduler.turns() < kill && services_.problem().empty()) {
      if (plan_.tick_ns_max == 0 || random_() % 4 == 0) {
        scheduler.RunUntilQuietOrTurn(kill);
        if (engine.ended() || scheduler.turns() >= kill) break;
        if (!scheduler.AdvanceToNext(end)) {
          // A member of a group has no end: it is told to stop when nothing happens any more.
          if (engine.store_mode() || engine.draining()) return false;
          engine.RequestStop();
        }
      } else {
        scheduler.RunUntilQuietOrTurn(std::min(kill, scheduler.turns() + 1 + random_() % 6));
        world_.clock.SetMono(world_.clock.MonoNs() + static_cast<int64_t>(random_() % static_cast<uint64_t>(plan_.tick_ns_max)));
      }
      if (scheduler.turns() > kTurnsMax) return false;
    }
    return true;
  }

  const RunCase& run_;
  const RunPlan& plan_;
  MemoryWorld world_;
  Program program_;
  std::mt19937_64 random_;
  NullLog log_;
  AnsweringServices services_;
  RunResult result_;
};

}  // namespace

std::string AddressOf(const std::string& address, const std::string& name) { return address.empty() ? name : address; }

MemoryRecord RecordOf(const RunRecord& record) {
  MemoryRecord out;
  out.value = record.value;
  out.has_value = record.has_value;
  out.key = record.key;
  out.has_key = record.has_key;
  if (record.has_time) out.time_ns = record.time_ns;
  for (const auto& header : record.headers) out.headers.push_back(header);
  return out;
}

bool StoreBacked(const weirc::typed::SinkDef& sink) {
  return sink.endpoint.operation == "ndjson" || sink.endpoint.operation == "lines";
}

RunResult RunEngine(const RunCase& run, const RunInput& input, const Expected& expected, const RunPlan& plan) {
  return Running(run, input, expected, plan).Run();
}

}  // namespace run
