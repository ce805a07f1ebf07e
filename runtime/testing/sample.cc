#include "runtime/testing/sample.h"

#include <cstring>

#include "runtime/engine/task.h"
#include "runtime/lookup/lookup_call.h"
#include "runtime/program/window_meta.h"
#include "runtime/window/aggregate.h"
#include "runtime/window/window_instance.h"

namespace weir {

namespace {

SampleOptions options;

constexpr int kDead = 0, kLateDead = 1;
constexpr int kOut = 0, kBarsOut = 1;
constexpr int64_t kWindowNs = 1'000'000'000;

struct Event {
  int64_t id;
  Str key;
  int64_t ts;
  int64_t qty;
  Str answer;
  bool has_answer;
  Str second;
  bool has_second;
};

constexpr JsonField kEventTable[] = {"id", "key", "ts", "qty"};
constexpr JsonFields kEventFields(kEventTable);

bool DecodeEvent(JsonReader& reader, Event* out) {
  JsonReader in = reader;
  if (!in.BeginObject()) return false;
  uint64_t seen = 0;
  for (int f, next = 0; (f = in.NextField(kEventFields, next)) >= 0; next = f + 1) {
    if (f == kUnknownField) {
      if (!in.Skip()) return false;
      f = next - 1;
      continue;
    }
    if (!in.Once(&seen, kEventFields, f)) return false;
    switch (f) {
      case 0: if (!in.Int64(&out->id)) return false; break;
      case 1: if (!in.String(&out->key)) return false; break;
      case 2: if (!in.Timestamp(&out->ts)) return false; break;
      case 3: if (!in.Int64(&out->qty)) return false; break;
    }
  }
  if (!in.ok() || !in.Complete(kEventFields, seen, 0xf)) return false;
  reader = in;
  return true;
}

void SaveEvent(const Event& event, RowWriter& row) {
  row.I64(event.id);
  row.Str(event.key);
  row.I64(event.ts);
  row.I64(event.qty);
  row.OptTag(event.has_answer);
  if (event.has_answer) row.Str(event.answer);
}

Event LoadEvent(RowReader& row) {
  Event event{};
  event.id = row.I64();
  event.key = row.Str();
  event.ts = row.I64();
  event.qty = row.I64();
  event.has_answer = row.OptTag();
  if (event.has_answer) event.answer = row.Str();
  return event;
}

// ---- sinks ----

void Out(Task& task, const Event& event, const Meta& meta) {
  OutputBuffer& out = task.BeginOutput(kOut);
  task.OutputKey(out).Append(event.key);
  JsonWriter json(&task.OutputValue(out));
  json.Literal("{\"id\":");
  json.Int64(event.id);
  json.Literal(",\"key\":");
  json.Str(event.key);
  json.Literal(",\"qty\":");
  json.Int64(event.qty);
  json.Literal(",\"partition\":");
  json.Int32(meta.partition);
  json.Literal(",\"answer\":");
  if (event.has_answer) {
    json.Str(event.answer);
  } else {
    json.Null();
  }
  json.Literal(",\"second\":");
  if (event.has_second) {
    json.Str(event.second);
  } else {
    json.Null();
  }
  json.Literal("}");
  task.EndOutput(kOut, meta);
  if (task.tapped(0)) {
    JsonWriter& tap = task.BeginTap(0);
    tap.Literal("{\"id\":");
    tap.Int64(event.id);
    tap.Literal(",\"key\":");
    tap.Str(event.key);
    tap.Literal(",\"answer\":");
    if (event.has_answer) {
      tap.Str(event.answer);
    } else {
      tap.Null();
    }
    tap.Literal("}");
    task.EndTap(0, meta);
  }
}

// ---- window ----

struct BarAcc {
  Count count;
  SumInt64 sum;
  Extreme<int64_t> low;
  ExtremeStr last;
};

void SaveBar(const void* value, RowWriter& row) {
  const BarAcc* acc = static_cast<const BarAcc*>(value);
  acc->count.Save(row);
  acc->sum.Save(row);
  acc->low.Save(row);
  acc->last.Save(row);
}

bool LoadBar(RowReader& row, void* value, Task&) {
  BarAcc* acc = static_cast<BarAcc*>(value);
  acc->count.Load(row);
  acc->sum.Load(row);
  acc->low.Load(row);
  acc->last.Load(row);
  return row.ok();
}

void DropBar(void* value) { static_cast<BarAcc*>(value)->last.Drop(); }

void FireBar(Task& task, Str key, int64_t start, const void* value) {
  const BarAcc* acc = static_cast<const BarAcc*>(value);
  Meta meta = WindowMeta(task, 0, key, start, kWindowNs);
  OutputBuffer& out = task.BeginOutput(kBarsOut);
  task.OutputKey(out).Append(key);
  JsonWriter json(&task.OutputValue(out));
  json.Literal("{\"key\":");
  json.Str(key);
  json.Literal(",\"start\":");
  json.Milliseconds(start);
  json.Literal(",\"count\":");
  json.Int64(acc->count.count);
  json.Literal(",\"sum\":");
  json.Int64(acc->sum.sum);
  json.Literal(",\"low\":");
  json.Int64(acc->low.value);
  // Across partitions the order of arrival is nobody's promise, so a re-keyed window has no last.
  json.Literal(",\"last\":");
  json.Str(options.rekeyed ? Str("") : acc->last.value.str());
  json.Literal("}");
  task.EndOutput(kBarsOut, meta);
  if (task.tapped(1)) {
    JsonWriter& tap = task.BeginTap(1);
    tap.Literal("{\"key\":");
    tap.Str(key);
    tap.Literal(",\"start\":");
    tap.Timestamp(start);
    tap.Literal(",\"count\":");
    tap.Int64(acc->count.count);
    tap.Literal("}");
    task.EndTap(1, meta);
  }
}

void Bars(Task& task, const Event& event, const Meta& meta) {
  WindowInstance& window = task.window(0);
  int64_t start = WindowStart(meta.time_ns, kWindowNs);
  if (window.Late(start)) {
    task.SendDead(kLateDead, kSampleBars, DeadReason::kLate, Str(), meta);
    return;
  }
  bool created;
  BarAcc* acc = static_cast<BarAcc*>(window.FindOrAdd(event.key, start, &created));
  int64_t sum = 0;
  if (!CheckedAdd(acc->sum.sum, event.qty, &sum)) {
    task.SendDead(kDead, kSampleBars, DeadReason::kExpression, Str("sum(qty) overflows int64"), meta);
    return;
  }
  acc->sum.sum = sum;
  acc->count.Add();
  acc->low.AddMin(event.qty);
  acc->last.AddLast(event.has_answer ? event.answer : Str("-"));
}

// ---- enriched ----

void Lookup(Task& task, const Event& event, const Meta& meta);

void Rekey(Task& task, const Event& event, const Meta& meta) {
  SaveEvent(event, task.BeginExchange(0));
  task.EndExchange(0, event.key.Sub(0, 1), meta);
}

void Enriched(Task& task, const Event& event, const Meta& meta) {
  Out(task, event, meta);
  if (!options.with_window) return;
  if (options.rekeyed && !options.lookup_behind_exchange) {
    Rekey(task, event, meta);
  } else {
    Bars(task, event, meta);
  }
}

void RekeyProcess(Task& task, const Meta& meta, RowReader& row) {
  Event event = LoadEvent(row);
  if (options.rekeyed_twice) {
    SaveEvent(event, task.BeginExchange(1));
    task.EndExchange(1, event.key, meta);
  } else if (options.lookup_behind_exchange) {
    Lookup(task, event, meta);
  } else {
    Bars(task, event, meta);
  }
}

void RekeyAgainProcess(Task& task, const Meta& meta, RowReader& row) { Bars(task, LoadEvent(row), meta); }

void Second(Task& task, const Event& event, const Meta& meta) {
  if (!options.with_second_lookup) return Enriched(task, event, meta);
  LookupCall call(task, 1);
  call.args().Str(event.key);
  call.args().I64(event.id + 1'000'000);
  SaveEvent(event, call.row());
  call.Submit(meta, event.key);
}

void SecondResume(Task& task, const Meta& meta, RowReader& row, const LookupResult& result) {
  Event event = LoadEvent(row);
  event.has_second = result.outcome == Outcome::kFound;
  event.second = result.value;
  Enriched(task, event, meta);
}

void Lookup(Task& task, const Event& event, const Meta& meta) {
  if (!options.with_lookup) return Enriched(task, event, meta);
  LookupCall call(task, 0);
  call.args().Str(event.key);
  call.args().I64(event.id);
  SaveEvent(event, call.row());
  call.Submit(meta, event.key);
}

void LookupResume(Task& task, const Meta& meta, RowReader& row, const LookupResult& result) {
  Event event = LoadEvent(row);
  switch (result.outcome) {
    case Outcome::kFound:
      event.has_answer = true;
      event.answer = result.value;
      break;
    case Outcome::kMissing: break;
    default: task.SendDead(kDead, kSampleAccount, DeadReasonOf(result.outcome), result.reason, meta); return;
  }
  Second(task, event, meta);
}

void RenderAccount(RowReader& args, Arena& arena, LookupRequest* request) {
  Str key = args.Str();
  int64_t id = args.I64();
  std::string target = "/" + std::string(key.view()) + "/" + std::to_string(id);
  request->verb = Str("GET");
  request->target = arena.Copy(Str(std::string_view(target)));
}

bool DecodeAccount(Str body, Arena&, RowWriter& value, std::string* error) {
  if (body == Str("broken")) {
    *error = "the answer cannot be read";
    return false;
  }
  value.Raw(body);
  return true;
}

void WriteAccountArgs(RowReader& args, JsonWriter& out) {
  out.BeginArray();
  out.Str(args.Str());
  out.Literal(",");
  out.Int64(args.I64());
  out.EndArray();
}

// ---- table ----

struct Name {
  Str key;
};

constexpr JsonField kNameTable[] = {"key"};
constexpr JsonFields kNameFields(kNameTable);

bool DecodeName(const Message& message, Arena& arena, RowWriter& key, RowWriter& row, std::string* error) {
  JsonContext context(&arena);
  JsonReader in(message.value, &context);
  Str name;
  bool ok = in.BeginObject();
  int f = ok ? in.NextField(kNameFields, 0) : kJsonError;
  ok = f == 0 && in.String(&name) && in.NextField(kNameFields, 1) == kEndObject && in.End();
  if (!ok) {
    *error = "no name";
    return false;
  }
  key.Raw(name);
  row.Str(name);
  return true;
}

bool LoadName(RowReader& row, void* value) {
  static_cast<Name*>(value)->key = row.Str();
  return row.AtEnd();
}

void Joined(Task& task, const Event& event, const Meta& meta) {
  if (options.with_table && task.FindRow(0, event.key) == nullptr) {
    task.SendDead(kDead, kSampleJoin, DeadReason::kMissingRow, Str(), meta);
    return;
  }
  if (options.rekeyed && options.lookup_behind_exchange) {
    Rekey(task, event, meta);
  } else {
    Lookup(task, event, meta);
  }
}

uint32_t EventsProcess(Task& task, const Batch& batch, uint32_t begin) {
  for (uint32_t i = begin; i < batch.size; ++i) {
    if (task.blocked()) return i;
    const Message& m = batch.messages[i];
    Meta meta;
    task.BeginRecord(0, m, &meta);
    Event event{};
    JsonContext& context = task.json();
    JsonReader in(m.value, &context);
    if (!DecodeEvent(in, &event) || !in.End()) {
      task.BadInput(0, meta, context, options.bad_deadletter);
      continue;
    }
    if (!task.SetTime(&meta, event.ts)) {
      task.BadInput(0, meta, Str("the event time is out of range"), options.bad_deadletter);
      continue;
    }
    Joined(task, event, meta);
    task.EndRecord(meta);
  }
  return batch.size;
}

}  // namespace

Program BuildSample(const SampleOptions& wanted) {
  options = wanted;
  Program program;
  program.name = "sample";
  program.file = "sample.weir";
  program.stateful = options.stateful;
  const char* names[][2] = {{"events", "source"},      {"names", "table"},   {"joined.names", "join"},
                            {"enriched.account", "lookup"}, {"enriched.second", "lookup"}, {"bars.rekey", "rekey"},
                            {"bars.window", "window"}, {"out", "sink"},      {"bars_out", "sink"},
                            {"dead_out", "sink"},      {"late_out", "sink"}, {"account", "lookup"}, {"bars.again", "rekey"}};
  for (uint32_t i = 0; i < std::size(names); ++i) program.steps.push_back({names[i][0], names[i][1], i + 1});
  program.connections.push_back({"main", "kafka", {}, 1});

  SourceSpec source;
  source.name = "events";
  source.connection = 0;
  source.operation = options.stateful ? "ndjson" : "topic";
  source.address = "events";
  source.has_lateness = true;
  source.lateness_ns = options.lateness_ns;
  source.idle_ns = options.idle_ns;
  source.keyed = true;
  source.step = kSampleEvents;
  source.process = &EventsProcess;
  program.sources.push_back(source);
  program.stages.push_back({"events", 0, -1});
  program.stages.back().rereads = options.rereads;

  if (options.with_table) {
    TableSpec table;
    table.name = "names";
    table.connection = 0;
    table.operation = "topic";
    table.address = "names";
    table.step = kSampleNames;
    table.value_size = sizeof(Name);
    table.decode = &DecodeName;
    table.load = &LoadName;
    table.on_bad_deadletter = kDead;
    program.tables.push_back(table);
  }
  int lookup_stage = options.rekeyed && options.lookup_behind_exchange ? 1 : 0;
  if (options.with_lookup) {
    LookupSpec lookup;
    lookup.name = "account";
    lookup.connection = 0;
    lookup.step = kSampleLookup;
    lookup.sync = options.sync;
    lookup.in_flight = options.in_flight;
    lookup.timeout_ns = options.timeout_ns;
    lookup.retries = options.retries;
    lookup.coalesce = false;
    lookup.render = &RenderAccount;
    lookup.decode = &DecodeAccount;
    lookup.write_args = &WriteAccountArgs;
    program.lookups.push_back(lookup);
    LookupStepSpec step;
    step.lookup = 0;
    step.step = kSampleAccount;
    step.stage = lookup_stage;
    step.order = options.order;
    step.keeps_raw = true;
    step.row_schema = 1;
    step.resume = &LookupResume;
    program.lookup_steps.push_back(step);
    if (options.with_second_lookup) {
      step.step = kSampleSecond;
      step.upstream = 0;
      step.resume = &SecondResume;
      program.lookup_steps.push_back(step);
    }
  }
  int behind = !options.with_lookup ? -1 : options.with_second_lookup ? 1 : 0;
  if (options.with_window) {
    WindowSpec window;
    window.step = kSampleBars;
    window.stage = options.rekeyed ? options.rekeyed_twice ? 2 : 1 : 0;
    window.upstream = options.rekeyed && !options.lookup_behind_exchange ? -1 : behind;
    window.size_ns = kWindowNs;
    window.value_size = sizeof(BarAcc);
    window.value_align = alignof(BarAcc);
    window.value_schema = 1;
    window.save = &SaveBar;
    window.load = &LoadBar;
    window.drop = &DropBar;
    window.fire = &FireBar;
    program.windows.push_back(window);
    if (options.rekeyed) {
      ExchangeSpec exchange;
      exchange.step = kSampleRekey;
      exchange.from_stage = 0;
      exchange.to_stage = 1;
      exchange.upstream = options.lookup_behind_exchange ? -1 : behind;
      exchange.keeps_raw = true;
      exchange.row_schema = 1;
      exchange.process = &RekeyProcess;
      program.exchanges.push_back(exchange);
      program.stages.push_back({"bars.rekey", -1, 0});
      if (options.rekeyed_twice) {
        ExchangeSpec again = exchange;
        again.step = kSampleRekeyAgain;
        again.from_stage = 1;
        again.to_stage = 2;
        again.upstream = -1;
        again.process = &RekeyAgainProcess;
        program.exchanges.push_back(again);
        program.stages.push_back({"bars.again", -1, 1});
      }
    }
  }
  auto sink = [&](const char* name, uint32_t step, bool dead) {
    SinkSpec spec;
    spec.name = name;
    spec.connection = 0;
    spec.operation = "ndjson";
    spec.address = name;
    spec.step = step;
    spec.of_deadletter = dead;
    program.sinks.push_back(spec);
  };
  sink("out", kSampleOut, false);
  sink("bars", kSampleBarsOut, false);
  sink("dead", kSampleDeadOut, true);
  sink("late", kSampleLateOut, true);
  program.deadletters.push_back({"dead", {2}});
  program.deadletters.push_back({"late", {3}});
  program.taps.push_back({"enriched"});
  program.taps.push_back({"bars"});
  TapSpec dead;
  dead.stream = "dead";
  dead.deadletter = 0;
  program.taps.push_back(dead);
  return program;
}

}  // namespace weir
