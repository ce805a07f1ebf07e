#include "tests/run/run_case.h"

#include "compiler/check/check.h"
#include "compiler/diagnostics/render.h"
#include "compiler/parse/parse.h"
#include "compiler/plan/passes.h"
#include "compiler/plan/passes/project_fields.h"
#include "runtime/testing/virtual_time.h"

namespace run {

using namespace weirc;

std::unique_ptr<Front> CompileProgram(const std::string& name, const std::string& program, std::string* errors) {
  auto front = std::make_unique<Front>();
  const SourceFile& file = front->sources.Add(name + ".weir", program);
  front->tree = Parse(file, front->diagnostics);
  CheckOptions options;
  options.default_name = name;
  options.sources = &front->sources;
  front->typed = Check({&front->tree}, options, front->diagnostics);
  if (front->diagnostics.HasErrors()) {
    *errors = RenderText(front->diagnostics, front->sources);
    return nullptr;
  }
  front->plan = plan::RunPasses(plan::BuildPlan(front->typed));
  return front;
}

namespace {

oracle::Reads ReadsOf(const plan::Live& live) {
  oracle::Reads reads;
  reads.all = live.whole;
  for (const auto& [field, part] : live.fields) reads.fields[field] = ReadsOf(part);
  return reads;
}

oracle::Reads Nothing() {
  oracle::Reads reads;
  reads.all = false;
  return reads;
}

oracle::Value Evaluated(const typed::TypedPipeline& pipeline, const std::vector<oracle::Value>& params, const typed::Expr& e) {
  oracle::Scope scope;
  scope.pipeline = &pipeline;
  scope.params = &params;
  return oracle::Evaluate(e, scope);
}

// A param's text as a value: JSON where that is the same, else quoted; lists are split at commas.
oracle::Value ParamValue(const std::string& text, const typed::Type* type) {
  using typed::TypeKind;
  if (type->Is(TypeKind::kString)) return oracle::Value::Text(text);
  if (type->Is(TypeKind::kList)) {
    oracle::Value list;
    list.kind = oracle::Value::kList;
    for (size_t at = 0; at <= text.size();) {
      size_t end = std::min(text.find(',', at), text.size());
      list.items.push_back(oracle::Value::Text(text.substr(at, end - at)));
      at = end + 1;
    }
    return list;
  }
  bool quoted = type->Is(TypeKind::kTimestamp) || type->Is(TypeKind::kDate) || type->Is(TypeKind::kDuration);
  return oracle::Decode(quoted ? "\"" + text + "\"" : text, type);
}

}  // namespace

RunCase::RunCase(RunFile run_file) : file(std::move(run_file)) {
  problem = file.problem;
  if (!problem.empty()) return;
  front = CompileProgram(file.name, file.program, &problem);
  if (front == nullptr) return;
  const weir::Compiled* compiled = nullptr;
  for (int i = 0; i < kLinkedProgramCount; ++i) {
    if (kLinkedPrograms[i].name == file.name) compiled = &kLinkedPrograms[i].compiled();
  }
  if (compiled == nullptr) {
    problem = file.path + ": this program is not linked in; configure the build again";
    return;
  }
  settings_ = std::make_unique<weir::Settings>(*compiled);
  weir::SettingSources sources;
  for (const auto& [name, text] : file.params) {
    sources.flags.push_back("--set");
    sources.flags.push_back(name + "=" + text);
  }
  settings_->Load(sources);
  for (const std::string& error : settings_->errors()) problem += error + "\n";
  if (!problem.empty()) return;
  compiled->load_params(*settings_);
  compiled->build(&program);
  // Runs on the store; tests/simulate runs the same on transactions.
  if (program.transactional) {
    program.transactional = false;
    program.stateful = !program.windows.empty() || !program.exchanges.empty();
  }

  for (const typed::SourceDef& source : typed().sources) {
    input.sources[source.name] = file.inputs[source.name];
    if (input.sources[source.name].empty()) input.sources[source.name].resize(1);
  }
  for (const typed::TableDef& table : typed().tables) input.tables[table.name] = file.tables[table.name];
  auto known = [&](const auto& sections, const auto& declared, const char* what) {
    for (const auto& [name, section] : sections) {
      bool found = false;
      for (const auto& def : declared) found = found || def.name == name;
      if (!found) problem = file.path + ": there is no " + what + " `" + name + "`";
    }
  };
  known(file.inputs, typed().sources, "source");
  known(file.tables, typed().tables, "table");
  known(file.services, typed().lookups, "lookup");
  if (!problem.empty()) return;
  ReadParams();
  ReadPolicies();
  ReadReads();
}

void RunCase::ReadParams() {
  for (const typed::ParamDef& param : typed().params) {
    auto given = file.params.find(param.name);
    if (given != file.params.end()) {
      params_.push_back(ParamValue(given->second, param.type));
    } else if (param.default_value != nullptr) {
      params_.push_back(Evaluated(typed(), params_, *param.default_value));
    } else {
      problem = file.path + ": the param `" + param.name + "` has no value";
      return;
    }
  }
}

void RunCase::ReadPolicies() {
  for (const typed::LookupDef& lookup : typed().lookups) {
    auto number = [&](const typed::ExprPtr& e, int64_t otherwise) {
      return e == nullptr ? otherwise : static_cast<int64_t>(Evaluated(typed(), params_, *e).number);
    };
    Policy& policy = policies_[lookup.name];
    policy.timeout_ns = number(lookup.timeout, 1'000'000'000);
    policy.deadline_ns = number(lookup.deadline, 0);
    policy.retries = static_cast<int>(number(lookup.retries, 0));
    policy.backoff_min_ns = number(lookup.backoff_min, 50'000'000);
    policy.backoff_max_ns = number(lookup.backoff_max, 1'000'000'000);
  }
}

void RunCase::ReadReads() {
  const plan::Plan& plan = front->plan;
  source_reads_.assign(typed().sources.size(), Nothing());
  table_reads_.assign(typed().tables.size(), Nothing());
  lookup_reads_.assign(typed().lookups.size(), Nothing());
  for (const plan::Table& table : plan.tables) {
    plan::Live live = table.live;
    oracle::Reads reads = ReadsOf(live);
    for (const typed::ExprPtr& key : typed().tables[static_cast<size_t>(table.table)].key) {
      if (!reads.all) reads.fields[typed::As<typed::FieldExpr>(*key).field];
    }
    table_reads_[static_cast<size_t>(table.table)] = reads;
  }
  std::map<int, plan::Live> answers;
  for (int id : plan.order) {
    const plan::Node& node = plan.node(id);
    if (node.Is<plan::SourceOp>()) {
      source_reads_[static_cast<size_t>(node.As<plan::SourceOp>().source)] = ReadsOf(plan::SourceLive(plan, node));
    } else if (node.Is<plan::LookupOp>() && !node.dead) {
      const auto& lookup = node.As<plan::LookupOp>();
      const plan::Live* answer = node.live.Field(static_cast<int>(node.output_row->fields.size()) - 1);
      if (answer != nullptr) answers[lookup.lookup].Add(lookup.as_outcome ? plan::Live::Whole() : *answer);
    }
  }
  for (const auto& [lookup, live] : answers) lookup_reads_[static_cast<size_t>(lookup)] = ReadsOf(live);
}

ServiceLine RunCase::Service(const std::string& lookup, const std::string& arguments) const {
  const ServiceLine* wild = nullptr;
  auto lines = file.services.find(lookup);
  if (lines != file.services.end()) {
    for (const ServiceLine& line : lines->second) {
      if (line.arguments == arguments) return line;
      if (line.arguments.empty()) wild = &line;
    }
  }
  if (make_answer) return make_answer(lookup, arguments);
  if (wild != nullptr) return *wild;
  ServiceLine none;
  none.says = Says::kError;
  none.text = "no line says what `" + lookup + "` answers to " + arguments;
  return none;
}

// ---- What must come out ----

std::string RequestKey(const std::string& lookup, std::string_view verb, std::string_view target, std::string_view body) {
  std::string key = lookup + " " + std::string(verb) + " " + std::string(target);
  if (!body.empty()) key += " " + std::string(body);
  return key;
}

namespace {

oracle::InputRecord InputOf(const RunRecord& record) {
  oracle::InputRecord out;
  out.value = record.value;
  out.has_value = record.has_value;
  out.key = record.key;
  out.has_key = record.has_key;
  out.headers = record.headers;
  out.has_timestamp = record.has_time;
  out.timestamp_ns = record.time_ns;
  return out;
}

}  // namespace

Expected Expect(const RunCase& run, const RunInput& input) {
  const typed::TypedPipeline& pipeline = run.typed();
  Expected expected;
  oracle::Scenario scenario;
  for (const typed::SourceDef& source : pipeline.sources) {
    scenario.sources.emplace_back();
    for (const auto& partition : input.sources.at(source.name)) {
      scenario.sources.back().emplace_back();
      for (const RunRecord& record : partition) scenario.sources.back().back().push_back(InputOf(record));
    }
  }
  for (const typed::TableDef& table : pipeline.tables) {
    scenario.tables.emplace_back();
    for (const RunRecord& record : input.tables.at(table.name)) scenario.tables.back().push_back(InputOf(record));
  }
  scenario.params = run.params();
  scenario.source_reads = run.source_reads();
  scenario.table_reads = run.table_reads();
  scenario.lookup_reads = run.lookup_reads();
  // A year ahead of the clock, which starts where virtual time does.
  scenario.time_max_ns = weir::VirtualClock::kWallStart + oracle::Big(366) * 24 * 3600 * 1'000'000'000;
  scenario.answer = [&](int lookup, const std::string& arguments, const oracle::Request& request) {
    const std::string& name = pipeline.lookups[static_cast<size_t>(lookup)].name;
    expected.requests[RequestKey(name, request.verb, request.target, request.body)] = arguments;
    return EndOf(run.Service(name, arguments), run.policy(name));
  };
  oracle::Result result = oracle::Run(pipeline, scenario);

  expected.stopped = result.stopped;
  for (const auto& [step, reason] : result.dropped) ++expected.dropped[{step, reason == "late"}];
  for (const typed::SinkDef& sink : pipeline.sinks) {
    ExpectedSink out;
    out.name = sink.name;
    out.dead = sink.from.kind == typed::StreamInput::kDeadletter;
    out.topic = sink.endpoint.operation == "topic";
    expected.sinks.push_back(std::move(out));
  }
  for (const oracle::Output& output : result.outputs) {
    ExpectedSink& sink = expected.sinks[static_cast<size_t>(output.sink)];
    RunRecord record;
    record.value = output.value;
    record.has_key = sink.topic && output.has_key;
    if (record.has_key) record.key = output.key;
    record.has_time = sink.topic && output.has_time;
    record.time_ns = static_cast<int64_t>(output.time_ns);
    record.headers = output.headers;
    sink.records.push_back({RecordText(record), output.sequence});
  }
  for (const oracle::DeadRecord& dead : result.dead) {
    std::string text = dead.step + " " + dead.reason + " " + dead.origin + " ";
    if (!dead.from_window) text += std::to_string(dead.partition) + " ";
    text += std::to_string(dead.offset);
    RunRecord record;
    record.value = dead.raw;
    text += " " + RecordText(record);
    for (size_t i = 0; i < pipeline.sinks.size(); ++i) {
      const typed::StreamInput& from = pipeline.sinks[i].from;
      if (from.kind == typed::StreamInput::kDeadletter && from.index == dead.deadletter) expected.sinks[i].records.push_back({text, ""});
    }
  }
  return expected;
}

}  // namespace run
