// One engine on a rig's world, driven step by step.
#pragma once

#include <memory>
#include <string>

#include "tests/recover/recover_rig.h"

namespace weir {

constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs;
constexpr int64_t kBaseMs = 1'767'225'600'000;  // event time at which tests begin

// An empty world with so many partitions of `events`.
inline RigInput NoEvents(int partitions = 1) {
  RigInput input;
  input.partitions = partitions;
  input.records = 0;
  return input;
}

class EngineRig {
 public:
  explicit EngineRig(const SampleOptions& options, int partitions = 1, bool finite = false)
      : rig(options, NoEvents(partitions)), world(rig.world) {
    for (auto& partition : world.topic("events").partitions) partition.finished = finite;
    world.topic("events").batch_max = 3;
    world.lookup_script = [this](int, const LookupRequest& request) {
      ++asked;
      ScriptedAnswer scripted;
      scripted.delay_ns = delay_ns;
      scripted.answer.outcome = Outcome::kFound;
      scripted.answer.body = "ok";
      if (never) scripted.kind = ScriptedAnswer::kNever;
      targets.emplace_back(request.target.view());
      return scripted;
    };
  }

  // A new life. The one before ends as by a kill.
  Status Start(int workers = 1) {
    Stop();
    Environment environment = rig.MakeEnvironment(workers);
    environment.faults = &faults;
    if (tune) tune(environment);
    engine = std::make_unique<Engine>(rig.program, environment);
    Status status = engine->Start();
    if (status.ok()) scheduler = std::make_unique<Scheduler>(world, *engine, 1);
    return status;
  }
  void Stop() {
    scheduler.reset();
    engine.reset();
    world.Crash();
  }
  void Add(int64_t id, int64_t at_ms, const std::string& key = "a", int partition = 0, int64_t qty = 1) {
    SampleEvent event;
    event.id = id;
    event.key = key;
    event.ts_ms = kBaseMs + at_ms;
    event.qty = qty;
    world.topic("events").Add(partition, EventJson(event));
  }
  void Quiet() { scheduler->RunUntilQuiet(); }
  void For(int64_t ns) { scheduler->RunFor(ns); }
  // Ids of what `out` has, in order: "1 2 3".
  std::string Ids() {
    std::string ids;
    for (const std::string& value : rig.Values("out")) ids += (ids.empty() ? "" : " ") + FieldOf(value, "id");
    return ids;
  }
  // "key@start count", starts relative to the beginning in ms.
  std::string Bars() {
    std::string bars;
    for (const std::string& value : rig.Values("bars")) {
      bars += (bars.empty() ? "" : ", ") + FieldOf(value, "key") + "@" +
              std::to_string(std::stoll(FieldOf(value, "start")) - kBaseMs) + " " + FieldOf(value, "count");
    }
    return bars;
  }
  uint64_t Pending() {
    uint64_t pending = 0;
    for (int i = 0; i < engine->workers(); ++i) pending += engine->worker(i).pending_rows();
    return pending;
  }
  // Outputs are seen at once, acknowledged at once.
  void Streaming() {
    for (const char* name : {"out", "bars", "dead", "late"}) world.MakeStreaming(name);
  }

  RecoverRig rig;
  MemoryWorld& world;
  FaultPoints faults;
  std::function<void(Environment&)> tune;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Scheduler> scheduler;
  int64_t delay_ns = 10 * kMs;
  bool never = false;
  uint64_t asked = 0;
  std::vector<std::string> targets;
};

}  // namespace weir
