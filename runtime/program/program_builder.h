// How generated `Build` fills a Program: out of line, so that generated code instantiates no containers.
#pragma once

#include <string>

#include "runtime/core/list.h"
#include "runtime/program/program.h"

namespace weir {

// Each appends an empty spec and returns it; valid until the next one of its kind.
StepInfo& AddStep(Program* program, const char* name, const char* kind, uint32_t line);
ConnectionSpec& AddConnection(Program* program, const char* name, const char* kind, uint32_t line);
SourceSpec& AddSource(Program* program, const char* name);
TableSpec& AddTable(Program* program, const char* name);
LookupSpec& AddLookup(Program* program, const char* name);
LookupStepSpec& AddLookupStep(Program* program);
WindowSpec& AddWindow(Program* program);
ExchangeSpec& AddExchange(Program* program);
void AddStage(Program* program, const char* name, int source, int exchange, bool rereads = false);
SinkSpec& AddSink(Program* program, const char* name);
void AddDeadletter(Program* program, const char* name);
void AddDeadletterSink(Program* program, int deadletter, int sink);
void AddTap(Program* program, const char* stream, int deadletter, bool ordered);
void AddTest(Program* program, const char* name, uint32_t line);
// To the test added last.
TestItem& AddTestItem(Program* program, TestItem::Kind kind, int target, uint32_t line);

void AddProperty(Properties* properties, const char* name, std::string value, bool secret = false);

// Values of properties as the runtime reads them.
std::string PropertyText(Str value);
std::string PropertyText(int64_t value);
std::string PropertyText(bool value);
std::string PropertyText(double value);
std::string PropertyText(const List<Str>& values);  // joined with commas
std::string PropertyText(int64_t unscaled, int scale);
std::string PropertyText(i128 unscaled, int scale);

// A list parameter that lives as long as the process.
List<Str> KeepList(const std::vector<Str>& values);
// Text that lives as long as the process.
Str Keep(const std::string& text);

// An expression of a declaration failed when the pipeline started: says so and ends the process.
[[noreturn]] void StopAtStart(Str detail);

}  // namespace weir
