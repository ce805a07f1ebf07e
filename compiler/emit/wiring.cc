// Build: the tables of what was declared, with pointers to the functions above; parameters; tests; main.
#include <set>
#include <utility>

#include "compiler/emit/program_emitter.h"
#include "compiler/plan/expr.h"
#include "compiler/plan/passes/derive_state.h"
#include "compiler/plan/passes/project_fields.h"

namespace weirc::emit {

using namespace typed;
using plan::Node;

namespace {

const char* ParamKindOf(const Type* type) {
  switch (type->kind) {
    case TypeKind::kBool: return "kBool";
    case TypeKind::kInt32:
    case TypeKind::kInt64: return "kInt64";
    case TypeKind::kFloat64: return "kFloat64";
    case TypeKind::kDecimal: return "kDecimal";
    case TypeKind::kDuration: return "kDuration";
    case TypeKind::kTimestamp: return "kTimestamp";
    case TypeKind::kDate: return "kDate";
    case TypeKind::kList: return "kStringList";
    default: return "kString";
  }
}

std::string ParamValue(const ParamDef& param, int index) {
  std::string i = "(" + std::to_string(index) + ")";
  switch (param.type->kind) {
    case TypeKind::kBool: return "values.Bool" + i;
    case TypeKind::kInt32:
    case TypeKind::kDate: return "static_cast<int32_t>(values.Int64" + i + ")";
    case TypeKind::kInt64:
    case TypeKind::kDuration:
    case TypeKind::kTimestamp: return "values.Int64" + i;
    case TypeKind::kFloat64: return "values.Float64" + i;
    case TypeKind::kDecimal: return IsWide(param.type) ? "values.Decimal" + i : "static_cast<int64_t>(values.Decimal" + i + ")";
    case TypeKind::kList: return "KeepList(values.StringList" + i + ")";
    default: return "values.String" + i;
  }
}

const char* KindOf(const Node& node) {
  static constexpr const char* kKinds[] = {"source", "where", "select", "let", "join", "lookup", "rekey", "window", "sink"};
  return kKinds[static_cast<int>(node.kind())];
}

std::string Hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llxu", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

void ProgramEmitter::Wiring() {
  LoadParams();
  Build();
  const std::string compiled = "{" + std::string(typed_.params.empty() ? "nullptr" : "kParams") + ", " +
                               std::to_string(typed_.params.size()) + ", " + StringLiteral(typed_.name) + ", " +
                               StringLiteral(file_) + ", &LoadParams, &Build}";
  if (!options_.main) {
    out_.Open("const Compiled& CompiledProgram() {");
    out_.Line("static const Compiled compiled = " + compiled + ";");
    out_.Line("return compiled;");
    out_.Close();
    out_.Line("}  // namespace " + PipelineNamespace(typed_.name));
    return;
  }
  std::string space = PipelineNamespace(typed_.name);
  out_.Line("}  // namespace " + space);
  out_.Line();
  out_.Open("int main(int argc, char** argv) {");
  std::string qualified = "{" + (typed_.params.empty() ? std::string("nullptr") : space + "::kParams") + ", " +
                          std::to_string(typed_.params.size()) + ", " + StringLiteral(typed_.name) + ", " +
                          StringLiteral(file_) + ", &" + space + "::LoadParams, &" + space + "::Build}";
  out_.Line("static const weir::Compiled compiled = " + qualified + ";");
  out_.Line(std::string("return weir::") + (plan_.options.tests ? "TestMain" : "Main") + "(compiled, argc, argv);");
  out_.Close();
}

void ProgramEmitter::LoadParams() {
  if (!typed_.params.empty()) {
    out_.Open("constexpr ParamSpec kParams[] = {");
    for (const ParamDef& param : typed_.params) {
      int precision = param.type->Is(TypeKind::kDecimal) ? param.type->precision : 0;
      out_.Line("{" + StringLiteral(param.name) + ", ParamKind::" + ParamKindOf(param.type) + ", " + std::to_string(precision) +
                ", " + std::to_string(ScaleOf(param.type)) + ", " + (param.secret ? "true" : "false") + ", " +
                (param.default_value ? StringLiteral(param.default_text) : "nullptr") + ", " +
                std::to_string(out_.LineOf(param.span)) + "},");
    }
    out_.Close("};");
  }
  out_.Open(typed_.params.empty() ? "static void LoadParams(const ParamValues&) {" : "static void LoadParams(const ParamValues& values) {");
  for (size_t i = 0; i < typed_.params.size(); ++i) {
    out_.Line("params." + Mangle(typed_.params[i].name) + " = " + ParamValue(typed_.params[i], static_cast<int>(i)) + ";");
  }
  out_.Close();
  out_.Line();
}

std::string ProgramEmitter::StartValue(const Expr& e, Code* code) {
  ExprPlace place;
  place.arena = "arena";
  place.fail = [](const std::string& detail) { return "StopAtStart(" + detail + ");"; };
  return Expressions(&place).EmitText(e, code);
}

void ProgramEmitter::Properties(const std::vector<PropertyDef>& list, const std::string& target, Code* code) {
  for (const PropertyDef& property : list) {
    const Expr& e = *property.value;
    bool secret = plan::Any(e, [&](const Expr& x) {
      return x.kind == ExprKind::kParam && typed_.params[static_cast<size_t>(As<ParamExpr>(x).param)].secret;
    });
    std::string value;
    if (e.kind == ExprKind::kLiteral && e.type->Is(TypeKind::kString)) {
      value = StringLiteral(As<LiteralExpr>(e).value.text);
    } else {
      std::string text = StartValue(e, code);
      switch (e.type->kind) {
        case TypeKind::kDecimal: value = "PropertyText(" + types_.Of(e.type) + "(" + text + "), " + std::to_string(e.type->scale) + ")"; break;
        case TypeKind::kEnum: value = "PropertyText(" + codec_.EnumTable(e.type->enum_def, "Text") + "[static_cast<int32_t>(" + text + ")])"; break;
        case TypeKind::kString:
        case TypeKind::kList:
        case TypeKind::kBool:
        case TypeKind::kFloat64: value = "PropertyText(" + text + ")"; break;
        default: value = "PropertyText(int64_t{" + text + "})";
      }
    }
    code->Add("AddProperty(&" + target + ".properties, " + StringLiteral(property.name) + ", " + value + (secret ? ", true" : "") + ");");
  }
}

void ProgramEmitter::Endpoint(const EndpointDef& endpoint, Code* code) {
  code->Add("spec_.connection = " + std::to_string(endpoint.connection) + ";");
  code->Add("spec_.operation = " + StringLiteral(endpoint.operation) + ";");
  if (endpoint.address) {
    const Expr& e = *endpoint.address;
    if (e.kind == ExprKind::kLiteral) {
      code->Add("spec_.address = " + StringLiteral(As<LiteralExpr>(e).value.text) + ";");
    } else {
      code->Add("spec_.address = PropertyText(" + StartValue(e, code) + ");");
    }
  }
  Properties(endpoint.properties, "spec_", code);
  if (endpoint.format == Format::kRaw) code->Add("spec_.format = Format::kRaw;");
}

std::string ProgramEmitter::UpstreamText(const Node& node) const {
  for (int id = node.input; id >= 0; id = plan_.node(id).input) {
    const Node& at = plan_.node(id);
    if (at.dead) continue;
    if (at.Is<plan::LookupOp>()) return lookup_step_names_.at(id);
    if (at.Is<plan::WindowOp>()) return "kWindowNode + " + window_names_.at(id);
    if (at.Is<plan::ExchangeOp>()) return "-1";
  }
  return "-1";
}

void ProgramEmitter::Build() {
  temporaries_ = 0;
  Code code;
  // Where there is something to say about stored values. The tables themselves are written in front of Build.
  auto layout = [&](const char* member, const std::string& list) {
    if (list != "{}") code.Add("spec_." + std::string(member) + " = " + list + ";");
  };
  code.Add("[[maybe_unused]] Arena arena;");
  code.Add("program->name = " + StringLiteral(typed_.name) + ";");
  code.Add("program->version = " + std::to_string(typed_.version) + ";");
  code.Add("program->file = " + StringLiteral(file_) + ";");
  std::string all;
  for (const SourceFile& file : sources_.files()) all += std::string(file.text()) + '\0';
  char hash[24];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(plan::LayoutHash(all)));
  code.Add("program->source_hash = " + StringLiteral(hash) + ";");
  code.Add("program->weir_version = " + StringLiteral(options_.weir_version) + ";");
  bool exactly_once = !plan_.promises.empty();
  for (const plan::SinkPromise& promise : plan_.promises) exactly_once = exactly_once && promise.exactly_once;
  code.Add(std::string("program->delivery = Delivery::") + (exactly_once ? "kExactlyOnce" : "kAtLeastOnce") + ";");
  if (typed_.commit) code.Add("program->commit_ns = " + StartValue(*typed_.commit, &code) + ";");
  code.Add(std::string("program->stateful = ") + (plan_.stateful ? "true" : "false") + ";");
  code.Add(std::string("program->transactional = ") + (plan_.transactional ? "true" : "false") + ";");
  if (plan_.outputs_at_once) code.Add("program->outputs_at_once = true;");
  std::string text = options_.plan_text ? plan::FormatPlan(plan_) : std::string();
  if (!text.empty()) code.Add("program->plan_text =");
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    bool last = end + 1 >= text.size();
    code.Add("    " + StringLiteral(text.substr(at, end + 1 - at)) + (last ? ";" : ""));
    at = end + 1;
  }

  // Steps, in the order of their numbers (Indices).
  auto step = [&](const std::string& name, const char* kind, Span span) {
    code.Add("AddStep(program, " + StringLiteral(name) + ", \"" + kind + "\", " + std::to_string(out_.LineOf(span)) + ");");
  };
  for (const plan::Table& table : plan_.tables) {
    if (table.used) step(TableOf(table.table).name, "table", TableOf(table.table).span);
  }
  for (const auto& [lookup, live] : lookup_live_) {
    const LookupDef& def = typed_.lookups[static_cast<size_t>(lookup)];
    step(def.name, "lookup", def.span);
  }
  for (const SinkDef& sink : typed_.sinks) {
    if (sink.from.kind == StreamInput::kDeadletter) step(sink.name, "sink", sink.span);
  }
  for (int id : plan_.order) {
    const Node& node = plan_.node(id);
    if (!node.dead) step(node.name, KindOf(node), node.span);
  }

  for (const ConnectionDef& connection : typed_.connections) {
    code.Open("{");
    code.Add("ConnectionSpec& spec_ = AddConnection(program, " + StringLiteral(connection.name) + ", \"" +
             std::string(NameOf(connection.kind)) + "\", " + std::to_string(out_.LineOf(connection.span)) + ");");
    if (connection.properties.empty()) code.Add("(void)spec_;");
    Properties(connection.properties, "spec_", &code);
    code.Close();
  }
  for (const DeadletterDef& deadletter : typed_.deadletters) {
    code.Add("AddDeadletter(program, " + StringLiteral(deadletter.name) + ");");
  }

  for (int id : plan_.order) {
    const Node& node = plan_.node(id);
    if (!node.Is<plan::SourceOp>()) continue;
    const SourceDef& source = SourceOf(node);
    code.Open("{");
    code.Add("SourceSpec& spec_ = AddSource(program, " + StringLiteral(source.name) + ");");
    Endpoint(source.endpoint, &code);
    if (UsesTopic(node)) code.Add("addresses." + Mangle(node.name) + " = Keep(spec_.address);");
    if (!source.key.empty()) code.Add("spec_.keyed = true;");
    if (source.lateness) {
      code.Add("spec_.has_lateness = true;");
      code.Add("spec_.lateness_ns = " + StartValue(*source.lateness, &code) + ";");
    }
    if (source.idle) code.Add("spec_.idle_ns = " + StartValue(*source.idle, &code) + ";");
    code.Add("spec_.stage = " + std::to_string(node.stage) + ";");
    code.Add("spec_.step = " + StepOf(node) + ";");
    code.Add("spec_.process = &" + FunctionOf(node) + ";");
    code.Close();
  }

  for (const plan::Table& table : plan_.tables) {
    if (!table.used) continue;
    const TableDef& def = TableOf(table.table);
    const TableFunctions& functions = table_functions_.at(table.table);
    code.Open("{");
    code.Add("TableSpec& spec_ = AddTable(program, " + StringLiteral(def.name) + ");");
    Endpoint(def.endpoint, &code);
    code.Add("spec_.step = " + table_steps_.at(table.table) + ";");
    code.Add("spec_.value_size = sizeof(" + functions.value + ");");
    code.Add("spec_.value_align = alignof(" + functions.value + ");");
    code.Add("spec_.decode = &" + functions.decode + ";");
    code.Add("spec_.load = &" + functions.load + ";");
    if (!functions.tombstone.empty()) code.Add("spec_.tombstone_key = &" + functions.tombstone + ";");
    code.Add("spec_.on_bad_deadletter = " + RouteConstant(def.on_bad) + ";");
    code.Close();
  }

  for (const auto& [index, live] : lookup_live_) {
    const LookupDef& def = typed_.lookups[static_cast<size_t>(index)];
    code.Open("{");
    code.Add("LookupSpec& spec_ = AddLookup(program, " + StringLiteral(def.name) + ");");
    code.Add("spec_.connection = " + std::to_string(def.connection) + ";");
    code.Add("spec_.step = " + lookup_steps_.at(index) + ";");
    if (def.sync) code.Add("spec_.sync = true;");
    auto set = [&](const char* member, const ExprPtr& e, const char* type) {
      if (!e) return;
      std::string value = StartValue(*e, &code);
      code.Add("spec_." + std::string(member) + " = " + (*type && e->kind != ExprKind::kLiteral ? "static_cast<" + std::string(type) + ">(" + value + ")" : value) + ";");
    };
    set("in_flight", def.in_flight, "int32_t");
    set("timeout_ns", def.timeout, "");
    set("deadline_ns", def.deadline, "");
    set("retries", def.retries, "int32_t");
    set("backoff_min_ns", def.backoff_min, "");
    set("backoff_max_ns", def.backoff_max, "");
    if (!def.jitter_full) code.Add("spec_.jitter_full = false;");
    set("cache_entries", def.cache_entries, "");
    set("cache_ttl_ns", def.cache_ttl, "");
    set("cache_missing_ttl_ns", def.cache_missing_ttl, "");
    if (!def.coalesce) code.Add("spec_.coalesce = false;");
    code.Add("spec_.render = &" + lookup_functions_.at(index).render + ";");
    code.Add("spec_.decode = &" + lookup_functions_.at(index).decode + ";");
    const std::string& write_args = lookup_functions_.at(index).write_args;
    if (!write_args.empty()) code.Add("spec_.write_args = &" + write_args + ";");
    layout("arguments", ArgumentsLayout(index));
    code.Close();
  }

  // Sinks, in the order of their numbers: dead letter sinks first.
  auto sink = [&](int index, const std::string& step_name, bool deadletter, const Route* refused) {
    const SinkDef& def = typed_.sinks[static_cast<size_t>(index)];
    code.Open("{");
    code.Add("SinkSpec& spec_ = AddSink(program, " + StringLiteral(def.name) + ");");
    Endpoint(def.endpoint, &code);
    code.Add("spec_.step = " + step_name + ";");
    if (deadletter) code.Add("spec_.of_deadletter = true;");
    if (refused != nullptr) code.Add("spec_.on_refused_deadletter = " + RouteConstant(*refused) + ";");
    code.Add("spec_.guarantee = " + StringLiteral(plan_.promises[static_cast<size_t>(index)].delivery) + ";");
    code.Close();
    if (deadletter) {
      code.Add("AddDeadletterSink(program, " + deadletter_names_.at(def.from.index) + ", " + sink_names_.at(index) + ");");
    }
  };
  for (size_t i = 0; i < typed_.sinks.size(); ++i) {
    int index = static_cast<int>(i);
    if (typed_.sinks[i].from.kind == StreamInput::kDeadletter) sink(index, sink_steps_.at(index), true, nullptr);
  }
  for (int id : plan_.order) {
    const Node& node = plan_.node(id);
    if (node.Is<plan::SinkOp>()) sink(node.As<plan::SinkOp>().sink, StepOf(node), false, &node.on_error);
  }

  for (int id : plan_.order) {
    const Node& node = plan_.node(id);
    if (node.dead) continue;
    if (node.Is<plan::LookupOp>()) {
      const plan::LookupOp& op = node.As<plan::LookupOp>();
      static constexpr const char* kOrders[] = {"kInput", "kKey", "kNone"};
      code.Open("{");
      code.Add("LookupStepSpec& spec_ = AddLookupStep(program);");
      code.Add("spec_.lookup = " + lookup_names_.at(op.lookup) + ";");
      code.Add("spec_.step = " + StepOf(node) + ";");
      code.Add("spec_.stage = " + std::to_string(node.stage) + ";");
      code.Add(std::string("spec_.order = OrderMode::") + kOrders[static_cast<int>(op.order)] + ";");
      code.Add("spec_.upstream = " + UpstreamText(node) + ";");
      if (op.keeps_raw) code.Add("spec_.keeps_raw = true;");
      code.Add("spec_.row_schema = " + Hex(op.row_schema) + ";");
      layout("order_key", OrderKeyLayout(node));
      layout("fields", PendingFieldsLayout(node));
      code.Add("spec_.resume = &" + Derived(node, "resume") + ";");
      code.Close();
    } else if (node.Is<plan::WindowOp>()) {
      const plan::WindowOp& op = node.As<plan::WindowOp>();
      const std::string& state = accumulators_.at(id);
      code.Open("{");
      code.Add("WindowSpec& spec_ = AddWindow(program);");
      code.Add("spec_.step = " + StepOf(node) + ";");
      code.Add("spec_.stage = " + std::to_string(node.stage) + ";");
      code.Add("spec_.upstream = " + UpstreamText(node) + ";");
      std::string size = StartValue(*op.size, &code);
      if (op.size->kind != ExprKind::kLiteral) {
        code.Add("sizes." + FunctionOf(node) + " = " + size + ";");
        code.Add("if (sizes." + FunctionOf(node) + " <= 0) StopAtStart(Str(" +
                 StringLiteral("the size of the window `" + node.name + "` is not above zero") + "));");
      }
      code.Add("spec_.size_ns = " + size + ";");
      code.Add("spec_.value_size = sizeof(" + state + ");");
      code.Add("spec_.value_align = alignof(" + state + ");");
      code.Add("spec_.value_schema = " + Hex(op.value_schema) + ";");
      layout("key", WindowKeyLayout(node));
      layout("aggregates", AggregatesLayout(node));
      if (counting_windows_.contains(id)) code.Add("spec_.counts_records = true;");
      code.Add("spec_.save = &" + state + "_save;");
      code.Add("spec_.load = &" + state + "_load;");
      if (drops_.contains(id)) code.Add("spec_.drop = &" + state + "_drop;");
      code.Add("spec_.fire = &" + Derived(node, "fire") + ";");
      code.Close();
    } else if (node.Is<plan::ExchangeOp>()) {
      code.Open("{");
      code.Add("ExchangeSpec& spec_ = AddExchange(program);");
      code.Add("spec_.step = " + StepOf(node) + ";");
      code.Add("spec_.from_stage = " + std::to_string(node.stage) + ";");
      int to = 0;
      while (plan_.stages[static_cast<size_t>(to)].feeder != id) ++to;
      code.Add("spec_.to_stage = " + std::to_string(to) + ";");
      code.Add("spec_.upstream = " + UpstreamText(node) + ";");
      if (node.As<plan::ExchangeOp>().keeps_raw) code.Add("spec_.keeps_raw = true;");
      code.Add("spec_.row_schema = " + Hex(node.As<plan::ExchangeOp>().row_schema) + ";");
      code.Add("spec_.process = &" + Derived(node, "receive") + ";");
      code.Close();
    }
  }
  for (const plan::Stage& stage : plan_.stages) {
    const Node& feeder = plan_.node(stage.feeder);
    code.Add("AddStage(program, " + StringLiteral(stage.name) + ", " +
             (feeder.Is<plan::SourceOp>() ? sources_names_.at(feeder.id) + ", -1" : "-1, " + exchange_names_.at(feeder.id)) +
             (stage.rereads ? ", true);" : ");"));
  }
  if (plan_.options.tests) BuildTests(&code);

  out_.Open("static void Build(Program* program) {");
  out_.Write(code);
  out_.Close();
  out_.Line();
}

// Whether a stream's records come in one order in every run, given one partition and the same answers.
bool ProgramEmitter::IsOrdered(int id) const {
  for (; id >= 0; id = plan_.node(id).input) {
    const Node& node = plan_.node(id);
    if (node.Is<plan::WindowOp>()) return true;
    bool waits = node.Is<plan::LookupOp>() && !node.dead && !LookupOf(node).sync;
    if (waits && node.As<plan::LookupOp>().order != typed::OrderMode::kInput) return false;
  }
  return true;
}

void ProgramEmitter::BuildTests(Code* code) {
  for (const auto& [index, name] : tap_names_) {
    const plan::Stream& stream = plan_.streams[static_cast<size_t>(index)];
    code->Add("AddTap(program, " + StringLiteral(stream.name) + ", -1, " + (IsOrdered(stream.node) ? "true" : "false") + ");");
  }
  for (const auto& [deadletter, name] : dead_tap_names_) {
    code->Add("AddTap(program, " + StringLiteral(typed_.deadletters[static_cast<size_t>(deadletter)].name) + ", " +
              deadletter_names_.at(deadletter) + ", false);");
  }
  std::map<int, std::string> source_of;
  for (const auto& [id, name] : sources_names_) source_of[plan_.node(id).As<plan::SourceOp>().source] = name;
  for (const TestDef& test : typed_.tests) {
    code->Add("AddTest(program, " + StringLiteral(test.name) + ", " + std::to_string(out_.LineOf(test.span)) + ");");
    for (const TestItem& item : test.items) {
      std::string kind, target = "-1";
      // What no step reads any more cannot be seen either.
      switch (item.kind) {
        case TestItem::kFeedSource:
          if (!source_of.contains(item.target)) continue;
          kind = "kFeed";
          target = source_of.at(item.target);
          break;
        case TestItem::kFeedTable:
          if (!table_names_.contains(item.target)) continue;
          kind = "kFeed";
          target = "kTableTarget + " + table_names_.at(item.target);
          break;
        case TestItem::kStub:
          if (!lookup_names_.contains(item.target)) continue;
          kind = "kStub";
          target = lookup_names_.at(item.target);
          break;
        case TestItem::kWait: kind = "kWait"; break;
        case TestItem::kContains:
        case TestItem::kExactly: {
          kind = item.kind == TestItem::kContains ? "kExpectContains" : "kExpectExactly";
          if (item.stream.kind == StreamInput::kDeadletter) {
            target = dead_tap_names_.at(item.stream.index);
            break;
          }
          for (const auto& [index, name] : tap_names_) {
            const plan::Stream& stream = plan_.streams[static_cast<size_t>(index)];
            bool same = item.stream.kind == StreamInput::kSource ? stream.source == item.stream.index : stream.typed == item.stream.index;
            if (same) target = name;
          }
          break;
        }
      }
      code->Open("{");
      code->Add("TestItem& item_ = AddTestItem(program, TestItem::" + kind + ", " + target + ", " +
                std::to_string(out_.LineOf(item.span)) + ");");
      if (!item.json.empty()) code->Add("item_.text = " + StringLiteral(item.json) + ";");
      if (!item.args_json.empty()) code->Add("item_.arguments = " + StringLiteral(item.args_json) + ";");
      if (item.duration_ns != 0) code->Add("item_.duration_ns = " + IntLiteral(item.duration_ns) + ";");
      if (code->lines().back().text.starts_with("TestItem&")) code->Add("(void)item_;");
      code->Close();
    }
  }
}

}  // namespace weirc::emit
