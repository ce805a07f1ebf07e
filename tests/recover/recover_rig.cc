#include "tests/recover/recover_rig.h"

#include <algorithm>

#include "runtime/lookup/engine_lookups.h"
#include "tests/recover/output_checker.h"

namespace weir {

std::vector<std::vector<SampleEvent>> MakeEvents(const RigInput& input) {
  std::mt19937_64 random(input.seed);
  std::vector<std::vector<SampleEvent>> partitions(static_cast<size_t>(input.partitions));
  int64_t id = 1;
  for (int p = 0; p < input.partitions; ++p) {
    int64_t now = 1'767'225'600'000;
    for (int i = 0; i < input.records; ++i) {
      SampleEvent event;
      event.id = id++;
      if (static_cast<int>(random() % 100) < input.bad_percent) {
        event.bad = true;
        event.text = random() % 2 == 0 ? "{\"id\":" + std::to_string(event.id) + ",\"key\"" : "\xff\xfe not text";
      }
      now += static_cast<int64_t>(random() % static_cast<uint64_t>(2 * input.step_ms));
      event.ts_ms = now - static_cast<int64_t>(random() % 500);
      if (static_cast<int>(random() % 100) < input.late_percent) event.ts_ms -= 6000;
      int key = static_cast<int>(random() % static_cast<uint64_t>(input.keys));
      // The first letter is the group that re-keying goes by.
      event.key = std::string(1, static_cast<char>('a' + key)) +
                  (input.shared_keys ? "" : std::to_string(p)) + (key == 0 ? std::string(600, 'x') : "");
      event.qty = 1 + static_cast<int64_t>(random() % 250);
      partitions[static_cast<size_t>(p)].push_back(event);
    }
  }
  return partitions;
}

std::string FieldOf(const std::string& json, const std::string& field) {
  size_t at = json.find("\"" + field + "\":");
  if (at == std::string::npos) return "";
  at += field.size() + 3;
  if (json[at] == '"') {
    size_t end = json.find('"', at + 1);
    return json.substr(at + 1, end - at - 1);
  }
  return json.substr(at, json.find_first_of(",}", at) - at);
}

RecoverRig::RecoverRig(const SampleOptions& options, const RigInput& input, uint64_t world_seed)
    : world(world_seed), options(options), program(BuildSample(options)), events(MakeEvents(input)) {
  MemoryTopic& topic = world.AddTopic("events", input.partitions);
  for (size_t p = 0; p < events.size(); ++p) {
    for (const SampleEvent& event : events[p]) topic.Add(static_cast<int>(p), EventJson(event));
  }
  topic.FinishAll();
  MemoryTopic& table = world.AddTopic("names");
  for (auto& partition : events) {
    for (const SampleEvent& event : partition) {
      if (event.key.empty() || event.key[0] == 'b' || event.key[0] == 'b') continue;  // one group is not in the table
      if (std::find(names.begin(), names.end(), event.key) != names.end()) continue;
      names.push_back(event.key);
      table.Add(0, "{\"key\":\"" + event.key + "\"}");
    }
  }
  for (const char* name : {"out", "bars", "dead", "late"}) world.MakeStoreBacked(name);
  world.lookup_script = [this](int, const LookupRequest& request) {
    std::string target(request.target.view());
    int64_t id = std::stoll(target.substr(target.rfind('/') + 1));
    ScriptedAnswer scripted;
    ++asked_;
    scripted.delay_ns = reversed_ ? std::max<int64_t>(0, delay_ns_max_ - static_cast<int64_t>(asked_) * 1000)
                        : delay_ns_max_ > 0 ? static_cast<int64_t>(world.random() % static_cast<uint64_t>(delay_ns_max_))
                                            : 0;
    LookupAnswer& answer = scripted.answer;
    switch (AnswerFor(id)) {
      case SampleAnswer::kFound:
        answer.outcome = Outcome::kFound;
        answer.body = AnswerText(id);
        break;
      case SampleAnswer::kMissing: answer.outcome = Outcome::kMissing; break;
      case SampleAnswer::kRejected:
        answer.outcome = Outcome::kRejected;
        answer.reason = "no";
        break;
      case SampleAnswer::kTimeout:
        if (!late_) {
          scripted.kind = ScriptedAnswer::kNever;
          break;
        }
        scripted.delay_ns = this->options.timeout_ns + 1 + static_cast<int64_t>(world.random() % 300'000'000);
        answer.outcome = Outcome::kFound;
        answer.body = "too late";
        scripted.stubborn = true;
        break;
    }
    if (world.random() % 20 == 0) scripted.times = 2;
    return scripted;
  };
}

Environment RecoverRig::MakeEnvironment(int workers) {
  Environment environment;
  environment.clock = &world.clock;
  environment.connectors = &world;
  store_ = std::make_unique<MemoryStore>(&world.disk);
  environment.store = store_.get();
  environment.log = &log_;
  environment.make_loop = [](int) { return std::make_unique<VirtualLoop>(); };
  environment.make_lookup_host = EngineLookups(1, nullptr);
  environment.workers = workers;
  return environment;
}

RigResult RecoverRig::Run(const RigRun& run) {
  RigResult result;
  delay_ns_max_ = run.delay_ns_max;
  reversed_ = run.reversed;
  world.topic("events").batch_max = run.batch_max;
  for (int life = 0; life < 6; ++life) {
    result.lives = life + 1;
    int workers = run.workers[std::min<size_t>(static_cast<size_t>(life), run.workers.size() - 1)];
    FaultPoints faults;
    if (life == 0) faults.stop_at = run.stop_at;
    Environment environment = MakeEnvironment(workers);
    environment.faults = &faults;
    // Destroyed without Close, as a kill would leave it.
    auto engine = std::make_unique<Engine>(program, environment);
    Status status = engine->Start();
    if (!status.ok()) {
      result.code = engine->exit_code();
      result.message = status.message();
      return result;
    }
    Scheduler scheduler(world, *engine, run.seed + static_cast<uint64_t>(life) * 1000);
    uint64_t kill = life == 0 ? run.kill_turn : life == 1 && run.kill_again ? run.seed % 40 + 1 : 0;
    int64_t end = world.clock.MonoNs() + 3'600'000'000'000;
    if (kill != 0) {
      scheduler.RunUntilQuietOrTurn(kill);
      while (!engine->ended() && scheduler.turns() < kill && scheduler.AdvanceToNext(end)) {
        scheduler.RunUntilQuietOrTurn(kill);
      }
    } else {
      scheduler.RunUntilEnd(3'600'000'000'000);
    }
    if (life == 0) {
      result.points = faults.count;
      result.turns = scheduler.turns();
      result.passed = faults.passed;
      for (int i = 0; i < workers; ++i) result.pending_at_stop += engine->worker(i).pending_rows();
      for (auto& [key, value] : world.disk.entries) {
        if (key.size() > 8 && key[8] == static_cast<char>(StateKind::kRow)) ++result.stored_rows;
      }
    }
    if (engine->ended() && !engine->killed()) {
      result.ended = true;
      result.code = engine->exit_code();
      result.message = engine->message();
      if (result.code == ExitCode::kOk) {
        for (int i = 0; i < workers; ++i) engine->worker(i).Close();
        engine->Close();
      }
      result.requests = world.requests;
      return result;
    }
    if (!engine->killed() && kill == 0) return result;  // it hangs
    engine.reset();
    world.Crash();
  }
  return result;
}

std::vector<std::string> RecoverRig::Values(const std::string& output) {
  std::vector<std::string> values;
  for (const MemoryRecord& record : world.output(output).records) values.push_back(record.value);
  return values;
}

std::vector<std::string> RecoverRig::DeadPlaces(const std::string& output) {
  std::vector<std::string> places;
  for (const std::string& value : Values(output)) {
    places.push_back(FieldOf(value, "reason") + " " + FieldOf(value, "partition") + " " + FieldOf(value, "offset"));
  }
  return places;
}

std::string RecoverRig::Check() {
  SampleExpectation expected = ModelSample(options, events, names);
  OutputRules rules;
  rules.exactly_once = exactly_once;
  OrderMode order = options.with_lookup ? options.order : OrderMode::kInput;
  bool behind_exchange = options.rekeyed && options.lookup_behind_exchange;
  if (order == OrderMode::kInput && !behind_exchange) {
    rules.order_key = [](const std::string& record) { return FieldOf(record, "partition"); };
  } else if (order == OrderMode::kKey || (order == OrderMode::kInput && behind_exchange)) {
    rules.order_key = [](const std::string& record) {
      return FieldOf(record, "partition") + "/" + FieldOf(record, "key");
    };
  }
  std::string wrong = CheckOutput(expected.out, Values("out"), rules);
  if (!wrong.empty()) return "out: " + wrong;

  std::vector<std::string> bars = Values("bars");
  if (!options.rekeyed && options.order == OrderMode::kNone) {
    for (std::string& bar : bars) {
      size_t at = bar.find("\"last\":\"");
      bar.replace(at, bar.size() - at, "\"last\":\"?\"}");
    }
  }
  // Bars of one key are in the order of their starts; of one partition, in the order of (start, key).
  rules.order_key = [this](const std::string& record) {
    std::string key = FieldOf(record, "key");
    return options.rekeyed ? key : key.substr(1, 1);
  };
  if (!options.rekeyed) rules.order_key = [](const std::string& record) { return FieldOf(record, "key").substr(1, 1); };
  wrong = CheckOutput(expected.bars, bars, rules);
  if (!wrong.empty()) return "bars: " + wrong;
  rules.order_key = nullptr;
  wrong = CheckOutput(expected.dead, DeadPlaces("dead"), rules);
  if (!wrong.empty()) return "dead: " + wrong;
  wrong = CheckOutput(expected.late, DeadPlaces("late"), rules);
  return wrong.empty() ? "" : "late: " + wrong;
}

}  // namespace weir
