#include "runtime/testing/test_run.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "runtime/engine/engine.h"
#include "runtime/lookup/engine_lookups.h"
#include "runtime/testing/expectation.h"
#include "runtime/testing/memory_world.h"
#include "runtime/testing/scheduler.h"

namespace weir {

namespace {

// How long rows may wait in virtual time: longer than any sane deadline.
constexpr int64_t kAnswersNsMax = 24LL * 3600 * 1'000'000'000;

// One `lookup(args) answers … after …`.
struct Stub {
  int lookup = -1;
  std::vector<JsonValue> arguments;  // null matches any
  int64_t delay_ns = 0;
  std::vector<JsonValue> answers;    // the last one repeats
  size_t next = 0;
  uint32_t line = 0;
};

class TestWorld : private Taps, private Log {
 public:
  TestWorld(const Program& program, const TestSpec& test) : program_(program), test_(test), records_(program.taps.size()) {
    // Without `order input` the order of records is nobody's promise.
    for (const LookupStepSpec& step : program.lookup_steps) ordered_ = ordered_ && step.order == OrderMode::kInput;
  }

  TestResult Run() {
    for (size_t i = 0; i < program_.sources.size(); ++i) world_.AddTopic(SourceTopic(static_cast<int>(i)));
    for (size_t i = 0; i < program_.tables.size(); ++i) world_.AddTopic(TableTopic(static_cast<int>(i)));
    Program program = program_;
    program.stateful = true;  // the whole protocol, commits included
    program.transactional = false;
    world_.lookup_script = [this](int lookup, const LookupRequest& request) { return Answer(lookup, request); };

    MemoryStore store(&world_.disk);
    Environment environment;
    environment.clock = &world_.clock;
    environment.connectors = &world_;
    environment.store = &store;
    environment.log = this;
    environment.taps = this;
    environment.make_loop = [](int) { return std::make_unique<VirtualLoop>(); };
    environment.make_lookup_host = EngineLookups(1, nullptr);
    environment.time_ahead_ns_max = 0;
    Engine engine(program, environment);
    Status status = engine.Start();
    if (!status.ok()) {
      Failed(test_.line, "the pipeline does not start: " + status.message());
      return std::move(result_);
    }
    Scheduler scheduler(world_, engine, 1);
    scheduler.RunUntilQuiet();
    for (const TestItem& item : test_.items) {
      Do(item, scheduler);
      if (engine.ended() && !stopped_told_ && engine.exit_code() != ExitCode::kOk) {
        stopped_told_ = true;
        Failed(item.line, "the pipeline stopped: " + engine.message());
        break;
      }
    }
    for (const std::string& message : unstubbed_) Failed(test_.line, message);
    return std::move(result_);
  }

 private:
  // Every source and table reads a topic of its own, whatever its address is.
  std::string SourceTopic(int i) const { return "source " + program_.sources[i].name; }
  std::string TableTopic(int i) const { return "table " + program_.tables[i].name; }

  void Failed(uint32_t line, std::string what) {
    TestFailure failure;
    failure.line = line;
    failure.lines.push_back(std::move(what));
    result_.failures.push_back(std::move(failure));
  }

  bool ParseArray(const TestItem& item, const std::string& text, std::vector<JsonValue>* out) {
    JsonValue value;
    std::string error;
    if (!ParseJson(text, &value, &error) || value.kind != JsonValue::kArray) {
      Failed(item.line, "the compiler wrote data that cannot be read: " + error);
      return false;
    }
    *out = std::move(value.items);
    return true;
  }

  void Do(const TestItem& item, Scheduler& scheduler) {
    std::vector<JsonValue> values;
    switch (item.kind) {
      case TestItem::kFeed: {
        if (!ParseArray(item, item.text, &values)) return;
        bool table = item.target >= kTableTarget;
        int index = table ? item.target - kTableTarget : item.target;
        Format format = table ? program_.tables[index].format : program_.sources[index].format;
        MemoryTopic& topic = world_.topic(table ? TableTopic(index) : SourceTopic(index));
        for (const JsonValue& value : values) {
          bool raw = format == Format::kRaw && value.kind == JsonValue::kString;
          topic.Add(0, raw ? value.text : FormatJson(value));
          topic.partitions[0].records.back().time_ns = world_.clock.WallNs();
        }
        scheduler.RunUntilQuiet();
        return;
      }
      case TestItem::kStub: {
        Stub stub;
        stub.lookup = item.target;
        stub.delay_ns = item.duration_ns;
        stub.line = item.line;
        if (!ParseArray(item, item.text, &stub.answers)) return;
        if (!item.arguments.empty() && !ParseArray(item, item.arguments, &stub.arguments)) return;
        stubs_.push_back(std::move(stub));
        return;
      }
      case TestItem::kWait: scheduler.RunFor(item.duration_ns); return;
      case TestItem::kExpectContains:
      case TestItem::kExpectExactly: {
        if (!ParseArray(item, item.text, &values)) return;
        if (!scheduler.RunUntilAnswered(kAnswersNsMax)) {
          Failed(item.line, "lookups are still waiting after a day: give them a stub that answers");
          return;
        }
        const TapSpec& tap = program_.taps[item.target];
        const std::vector<JsonValue>& actual = records_[item.target];
        TestFailure failure;
        failure.lines = item.kind == TestItem::kExpectContains
                            ? CompareContains(values, actual)
                            : CompareExactly(values, actual, tap.ordered && ordered_, tap.deadletter >= 0);
        if (failure.lines.empty()) return;
        failure.lines.front() = fmt::format("`{}`: {}", tap.stream, failure.lines.front());
        failure.line = item.line;
        failure.expectation = item.kind == TestItem::kExpectExactly;
        failure.records = actual;
        result_.failures.push_back(std::move(failure));
        return;
      }
    }
  }

  // ---- Lookups ----

  ScriptedAnswer Answer(int lookup, const LookupRequest& request) {
    ScriptedAnswer scripted;
    const LookupSpec& spec = program_.lookups[lookup];
    std::vector<JsonValue> arguments;
    std::string shown = "…";
    if (spec.write_args != nullptr) {
      Buffer text;
      RowReader args(request.args);
      JsonWriter out(&text);
      spec.write_args(args, out);
      JsonValue value;
      std::string error;
      if (ParseJson(text.str().view(), &value, &error)) arguments = std::move(value.items);
      shown.clear();
      for (const JsonValue& argument : arguments) shown += (shown.empty() ? "" : ", ") + FormatLiteral(argument);
    }
    Stub* stub = FindStub(lookup, arguments);
    if (stub == nullptr) {
      std::string message = fmt::format("`{}({})` is asked, and the test has no stub for it: add "
                                        "`{}({}) answers missing` or the record it should find",
                                        spec.name, shown, spec.name, shown);
      if (std::find(unstubbed_.begin(), unstubbed_.end(), message) == unstubbed_.end()) unstubbed_.push_back(message);
      scripted.answer.outcome = Outcome::kError;
      scripted.answer.reason = "the test has no stub for this lookup";
      return scripted;
    }
    const JsonValue& answer = stub->answers[std::min(stub->next, stub->answers.size() - 1)];
    ++stub->next;
    scripted.delay_ns = stub->delay_ns;
    const JsonValue* outcome = answer.Find("outcome");
    const JsonValue* reason = answer.Find("reason");
    const JsonValue* value = answer.Find("value");
    std::string word = outcome != nullptr ? outcome->text : "error";
    LookupAnswer& out = scripted.answer;
    out.reason = reason != nullptr ? reason->text : word;
    if (word == "found") {
      out.outcome = Outcome::kFound;
      out.body = value != nullptr ? FormatJson(*value) : "null";
    } else if (word == "missing") {
      out.outcome = Outcome::kMissing;
    } else if (word == "rejected") {
      out.outcome = Outcome::kRejected;
    } else if (word == "timeout") {
      scripted.kind = ScriptedAnswer::kNever;  // the lookup's own clock says so
    } else {
      out.outcome = Outcome::kError;
      out.transient = true;
    }
    return scripted;
  }

  // The one that names most arguments; of several, the latest.
  Stub* FindStub(int lookup, const std::vector<JsonValue>& arguments) {
    Stub* best = nullptr;
    size_t most = 0;
    for (Stub& stub : stubs_) {
      if (stub.lookup != lookup || stub.answers.empty()) continue;
      size_t named = 0;
      bool fits = true;
      for (size_t i = 0; i < stub.arguments.size() && fits; ++i) {
        if (stub.arguments[i].kind == JsonValue::kNull) continue;
        ++named;
        fits = i < arguments.size() && SameJson(stub.arguments[i], arguments[i]);
      }
      if (!fits || (best != nullptr && named < most)) continue;
      best = &stub;
      most = named;
    }
    return best;
  }

  // ---- Taps and log ----

  bool Wanted(int) override { return true; }
  void Record(int tap, Str json) override {
    JsonValue value;
    std::string error;
    if (!ParseJson(json.view(), &value, &error)) {
      Failed(test_.line, fmt::format("`{}` put out a record that is no JSON ({}): {}", program_.taps[tap].stream, error,
                                     json.view()));
      return;
    }
    records_[tap].push_back(std::move(value));
  }
  void Write(LogLevel, uint32_t, const std::string&) override {}

  const Program& program_;
  const TestSpec& test_;
  MemoryWorld world_;
  std::vector<Stub> stubs_;
  std::vector<std::vector<JsonValue>> records_;  // by tap
  std::vector<std::string> unstubbed_;
  bool stopped_told_ = false;
  bool ordered_ = true;
  TestResult result_;
};

}  // namespace

TestResult RunTest(const Program& program, const TestSpec& test) { return TestWorld(program, test).Run(); }

}  // namespace weir
