// How generated `Build` fills a Program.
#include "runtime/program/program_builder.h"

#include <cstdio>
#include <cstdlib>

#include "runtime/core/decimal.h"
#include "runtime/engine/exit_code.h"

namespace weir {

namespace {

template <class T>
T& Append(std::vector<T>& list) {
  return list.emplace_back();
}

template <class T>
T& AppendNamed(std::vector<T>& list, const char* name) {
  T& spec = list.emplace_back();
  spec.name = name;
  return spec;
}

}  // namespace

StepInfo& AddStep(Program* program, const char* name, const char* kind, uint32_t line) {
  StepInfo& step = AppendNamed(program->steps, name);
  step.kind = kind;
  step.line = line;
  return step;
}

ConnectionSpec& AddConnection(Program* program, const char* name, const char* kind, uint32_t line) {
  ConnectionSpec& connection = AppendNamed(program->connections, name);
  connection.kind = kind;
  connection.line = line;
  return connection;
}

SourceSpec& AddSource(Program* program, const char* name) { return AppendNamed(program->sources, name); }
TableSpec& AddTable(Program* program, const char* name) { return AppendNamed(program->tables, name); }
LookupSpec& AddLookup(Program* program, const char* name) { return AppendNamed(program->lookups, name); }
LookupStepSpec& AddLookupStep(Program* program) { return Append(program->lookup_steps); }
WindowSpec& AddWindow(Program* program) { return Append(program->windows); }
ExchangeSpec& AddExchange(Program* program) { return Append(program->exchanges); }

void AddStage(Program* program, const char* name, int source, int exchange, bool rereads) {
  StageSpec& stage = AppendNamed(program->stages, name);
  stage.source = source;
  stage.exchange = exchange;
  stage.rereads = rereads;
}

SinkSpec& AddSink(Program* program, const char* name) { return AppendNamed(program->sinks, name); }
void AddDeadletter(Program* program, const char* name) { AppendNamed(program->deadletters, name); }
void AddDeadletterSink(Program* program, int deadletter, int sink) {
  program->deadletters[static_cast<size_t>(deadletter)].sinks.push_back(sink);
}

void AddTap(Program* program, const char* stream, int deadletter, bool ordered) {
  TapSpec& tap = Append(program->taps);
  tap.stream = stream;
  tap.deadletter = deadletter;
  tap.ordered = ordered;
}

void AddTest(Program* program, const char* name, uint32_t line) {
  AppendNamed(program->tests, name).line = line;
}

TestItem& AddTestItem(Program* program, TestItem::Kind kind, int target, uint32_t line) {
  TestItem& item = Append(program->tests.back().items);
  item.kind = kind;
  item.target = target;
  item.line = line;
  return item;
}

void AddProperty(Properties* properties, const char* name, std::string value, bool secret) {
  Property& property = AppendNamed(*properties, name);
  property.value = std::move(value);
  property.secret = secret;
}

std::string PropertyText(Str value) { return std::string(value.view()); }
std::string PropertyText(int64_t value) { return std::to_string(value); }
std::string PropertyText(bool value) { return value ? "true" : "false"; }

std::string PropertyText(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string PropertyText(const List<Str>& values) {
  std::string out;
  for (Str value : values) {
    if (!out.empty()) out += ',';
    out += value.view();
  }
  return out;
}

std::string PropertyText(int64_t unscaled, int scale) { return PropertyText(static_cast<i128>(unscaled), scale); }

std::string PropertyText(i128 unscaled, int scale) {
  char text[kDecimalTextMax];
  return std::string(text, FormatDecimal(unscaled, scale, text));
}

List<Str> KeepList(const std::vector<Str>& values) {
  // Parameters are set once per process.
  Str* data = new Str[values.size()];
  for (size_t i = 0; i < values.size(); ++i) data[i] = values[i];
  return List<Str>{data, static_cast<uint32_t>(values.size())};
}

Str Keep(const std::string& text) {
  char* data = new char[text.size() + 1];
  text.copy(data, text.size());
  return Str(data, text.size());
}

void StopAtStart(Str detail) {
  std::fprintf(stderr, "error: the pipeline cannot start: %.*s; check the values of its params\n",
               static_cast<int>(detail.size), detail.data);
  std::exit(static_cast<int>(ExitCode::kUsage));
}

}  // namespace weir
