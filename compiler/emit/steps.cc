// One C++ function per step: conditions, selects, lets, joins, lookups, exchanges, sinks.
#include <utility>

#include "compiler/emit/program_emitter.h"
#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/passes/derive_state.h"
#include "compiler/plan/passes/project_fields.h"

namespace weirc::emit {

using namespace typed;
using plan::Live;
using plan::Node;

// ---- Rows between steps ---------------------------------------------------------------------------------------------

Shape ProgramEmitter::ShapeOf(int id) const {
  const Node& node = plan_.node(id);
  switch (node.kind()) {
    case plan::NodeKind::kSource:
    case plan::NodeKind::kSelect:
    case plan::NodeKind::kWindow: return Shape{node.output_row, {}};
    case plan::NodeKind::kLet:
    case plan::NodeKind::kTableJoin:
    case plan::NodeKind::kLookup: {
      Shape shape = ShapeOf(node.input);
      const typed::Field& field = node.output_row->fields.back();
      shape.added.emplace_back(Mangle(field.name), field.type);
      return shape;
    }
    default: return ShapeOf(node.input);
  }
}

CppValue ProgramEmitter::FieldOf(const Shape& shape, int field, const std::string& base) const {
  int own = static_cast<int>(shape.base->fields.size());
  if (field >= own) return CppValue::Atom(shape.added[static_cast<size_t>(field - own)].first);
  return CppValue::Atom(base + "." + types_.Member(shape.base->fields[static_cast<size_t>(field)].name));
}

namespace {

bool ReadsBase(const Shape& shape, const Live& live) {
  if (live.whole) return true;
  return !live.fields.empty() && live.fields.begin()->first < static_cast<int>(shape.base->fields.size());
}

}  // namespace

std::string ProgramEmitter::Parameters(const Shape& shape, const Live& live) const {
  std::string out;
  int own = static_cast<int>(shape.base->fields.size());
  if (ReadsBase(shape, live)) out += ", const " + types_.StructName(shape.base) + "& row";
  for (size_t i = 0; i < shape.added.size(); ++i) {
    const auto& [name, type] = shape.added[i];
    if (live.Field(own + static_cast<int>(i)) == nullptr) continue;
    out += ", " + (types_.IsSmall(type) ? types_.Of(type) : "const " + types_.Of(type) + "&") + " " + name;
  }
  return out;
}

std::string ProgramEmitter::Arguments(const Shape& shape, const Live& live, const std::string& base) const {
  std::string out;
  int own = static_cast<int>(shape.base->fields.size());
  if (ReadsBase(shape, live)) out += ", " + base;
  for (size_t i = 0; i < shape.added.size(); ++i) {
    if (live.Field(own + static_cast<int>(i)) != nullptr) out += ", " + shape.added[i].first;
  }
  return out;
}

std::string ProgramEmitter::Signature(const Node& node) const {
  return "static void " + FunctionOf(node) + "(Task& task, const Meta& meta" +
         Parameters(ShapeOf(node.input), plan::InputLive(plan_, node)) + ")";
}

ExprPlace ProgramEmitter::PlaceOf(const Shape& shape, const RecordDef* row, const std::string& base, const Node& node) {
  ExprPlace place;
  place.row = row;
  place.row_field = [this, shape, base](int field) { return FieldOf(shape, field, base); };
  if (shape.added.empty() && row == shape.base) place.row_name = base;
  place.topic = TopicOf(node);
  place.has_key = KeyPasses(node);
  place.fail = [name = Derived(node, "failed")](const std::string& detail) {
    return "return " + name + "(task, meta, " + detail + ");";
  };
  return place;
}

ExprPlace ProgramEmitter::PlaceOf(const Node& node) {
  return PlaceOf(ShapeOf(node.input), node.input_row, "row", node);
}

std::string ProgramEmitter::TopicOf(const Node& node) const {
  for (int id = node.id; id >= 0; id = plan_.node(id).input) {
    if (plan_.node(id).Is<plan::SourceOp>()) return "addresses." + Mangle(plan_.node(id).name);
  }
  return "Str()";
}

bool ProgramEmitter::KeyPasses(const Node& node) const {
  for (int id = node.input; id >= 0; id = plan_.node(id).input) {
    if (!plan_.node(id).Is<plan::WindowOp>()) continue;
    std::vector<const Type*> by;
    for (const ExprPtr& e : plan_.node(id).As<plan::WindowOp>().by) by.push_back(e->type);
    return Codec::IsTextKey(by);
  }
  return true;
}

std::string ProgramEmitter::Derived(const Node& node, const char* what) {
  std::string& name = derived_[{node.id, what}];
  if (name.empty()) name = scope_.Take(FunctionOf(node) + "_" + what);
  return name;
}

// ---- Going on, and not ----------------------------------------------------------------------------------------------

std::vector<int> ProgramEmitter::Outputs(const Node& node) const {
  std::vector<int> out;
  for (int id : node.outputs) {
    if (!plan_.node(id).dead) {
      out.push_back(id);
      continue;
    }
    for (int behind : Outputs(plan_.node(id))) out.push_back(behind);
  }
  return out;
}

void ProgramEmitter::Next(const Node& node, const std::string& base, const std::string& meta, Code* code) {
  code->At({});
  for (const auto& [stream, name] : tap_names_) {
    if (plan_.streams[static_cast<size_t>(stream)].node == node.id) Tap(node, stream, base, meta, code);
  }
  for (int id : Outputs(node)) {
    const Node& next = plan_.node(id);
    code->Add(FunctionOf(next) + "(task, " + meta + Arguments(ShapeOf(next.input), plan::InputLive(plan_, next), base) + ");");
  }
}

void ProgramEmitter::Tap(const Node& node, int stream, const std::string& base, const std::string& meta, Code* code) {
  const std::string& tap = tap_names_.at(stream);
  code->Open("if (task.tapped(" + tap + ")) {");
  code->Add("JsonWriter& json_ = task.BeginTap(" + tap + ");");
  JsonRow(node.output_row, ShapeOf(node.id), base, "json_", code);
  code->Add("task.EndTap(" + tap + ", " + meta + ");");
  code->Close();
}

void ProgramEmitter::JsonRow(const RecordDef* row, const Shape& shape, const std::string& base, const std::string& writer,
                             Code* code) {
  Codec::Json json(&codec_, writer, code);
  json.Text("{");
  for (size_t i = 0; i < row->fields.size(); ++i) {
    json.Name(i == 0, row->fields[i].json_name);
    json.Value(row->fields[i].type, FieldOf(shape, static_cast<int>(i), base).text);
  }
  json.Text("}");
}

std::string ProgramEmitter::RouteText(const Route& route, const std::string& step, const std::string& reason,
                                      const std::string& detail) const {
  switch (route.kind) {
    case Route::kSend:
      return "task.SendDead(" + deadletter_names_.at(route.deadletter) + ", " + step + ", " + reason + ", " + detail + ", meta);";
    case Route::kDrop: return "task.Drop(" + step + ", " + reason + ");";
    default: return "task.Stop(" + step + ", " + reason + ", " + detail + ", meta);";
  }
}

int ProgramEmitter::RouteNumber(const Route& route) {
  switch (route.kind) {
    case Route::kSend: return route.deadletter;
    case Route::kDrop: return -1;
    default: return -2;
  }
}

// Where a step's expressions leave to: out of the way of the usual path.
void ProgramEmitter::FailFunction(const Node& node) {
  out_.Open("[[gnu::cold, gnu::noinline]] static void " + Derived(node, "failed") +
            "(Task& task, [[maybe_unused]] const Meta& meta, [[maybe_unused]] Str detail) {");
  out_.Line(RouteText(node.on_error, StepOf(node), "DeadReason::kExpression", "detail"));
  out_.Close();
}

void ProgramEmitter::Function(const Node& node, const std::string& signature, const Code& body) {
  bool fails = false;
  for (const Code::Line& line : body.lines()) fails = fails || line.text.find(Derived(node, "failed") + "(") != std::string::npos;
  temporaries_ = 0;
  codec_.Restart();
  out_.UserComment(node.span);
  if (fails && failures_.insert(node.id).second) FailFunction(node);
  out_.Open(signature + " {");
  out_.Write(body);
  out_.Close();
  out_.Line();
}

// ---- Steps ----------------------------------------------------------------------------------------------------------

void ProgramEmitter::Step(const Node& node) {
  temporaries_ = 0;
  codec_.Restart();
  switch (node.kind()) {
    case plan::NodeKind::kSource: return Source(node);
    case plan::NodeKind::kWhere: return Where(node);
    case plan::NodeKind::kSelect: return Select(node);
    case plan::NodeKind::kLet: return Let(node);
    case plan::NodeKind::kTableJoin: return TableJoin(node);
    case plan::NodeKind::kLookup:
      LookupAsk(node);
      return LookupResume(node);
    case plan::NodeKind::kExchange:
      ExchangeSend(node);
      return ExchangeReceive(node);
    case plan::NodeKind::kWindow:
      WindowFold(node);
      return WindowFire(node);
    case plan::NodeKind::kSink: return Sink(node);
  }
}

void ProgramEmitter::Where(const Node& node) {
  const Expr& condition = *node.As<plan::WhereOp>().condition;
  ExprPlace place = PlaceOf(node);
  Code code;
  code.At(condition.span);
  CppValue value = Expressions(&place).Emit(condition, &code);
  code.Add("if (!" + (value.atomic ? value.text : "(" + value.text + ")") + ") return;");
  Next(node, "row", "meta", &code);
  Function(node, Signature(node), code);
}

void ProgramEmitter::Select(const Node& node) {
  const plan::SelectOp& op = node.As<plan::SelectOp>();
  ExprPlace place = PlaceOf(node);
  ExprEmitter expressions = Expressions(&place);
  Code code;
  std::vector<std::pair<Span, std::string>> fields;
  for (size_t i = 0; i < op.values.size(); ++i) {
    const Expr& value = *op.values[i];
    bool live = node.live.Field(static_cast<int>(i)) != nullptr;
    if (!live && !value.fallible) continue;
    code.At(value.span);
    std::string text = expressions.EmitText(value, &code);
    if (!live) continue;
    const typed::Field& field = node.output_row->fields[i];
    fields.emplace_back(value.span, "." + types_.Member(field.name) + " = " + text + ",");
  }
  std::string meta = "meta";
  if (op.with_time) {
    code.At(op.with_time->span);
    std::string time = expressions.EmitText(*op.with_time, &code);
    code.Add("Meta timed_ = meta;");
    code.Add("timed_.time_ns = " + time + ";");
    meta = "timed_";
  }
  Construct(node.output_row, fields, &code);
  Next(node, "out_", meta, &code);
  Function(node, Signature(node), code);
}

// `const Row out_{.a = …};`, fields that stand in one line of the pipeline in one line here.
void ProgramEmitter::Construct(const RecordDef* record, const std::vector<std::pair<Span, std::string>>& fields, Code* code) {
  code->At({});
  code->Open("const " + types_.StructName(record) + " out_{");
  for (size_t i = 0; i < fields.size();) {
    std::string line = " ", place = out_.Place(fields[i].first);
    code->At(fields[i].first);
    for (; i < fields.size() && out_.Place(fields[i].first) == place; ++i) line += " " + fields[i].second;
    code->Add(line);
  }
  code->At({});
  code->Close("};");
}

void ProgramEmitter::Let(const Node& node) {
  const Expr& value = *node.As<plan::LetOp>().value;
  ExprPlace place = PlaceOf(node);
  Code code;
  code.At(value.span);
  std::string text = Expressions(&place).EmitText(value, &code);
  const typed::Field& field = node.output_row->fields.back();
  code.Add("[[maybe_unused]] const " + types_.Of(field.type) + " " + Mangle(field.name) + " = " + text + ";");
  Next(node, "row", "meta", &code);
  Function(node, Signature(node), code);
}

void ProgramEmitter::TableJoin(const Node& node) {
  const plan::TableJoinOp& op = node.As<plan::TableJoinOp>();
  const TableDef& table = TableOf(op.table);
  ExprPlace place = PlaceOf(node);
  ExprEmitter expressions = Expressions(&place);
  Code code;
  std::vector<std::pair<const Type*, std::string>> key;
  for (const ExprPtr& e : op.key) {
    code.At(e->span);
    key.emplace_back(e->type, expressions.EmitOnceText(*e, &code));
  }
  code.At({});
  std::string bytes = codec_.KeyBytes(key, &code);
  code.Add("const void* const found_ = task.FindRow(" + table_names_.at(op.table) + ", " + bytes + ");");
  const typed::Field& field = node.output_row->fields.back();
  std::string name = Mangle(field.name);
  const Live* wanted = node.live.Field(static_cast<int>(node.output_row->fields.size()) - 1);
  bool optional = field.type->Is(TypeKind::kOptional);
  bool raw = Codec::NeedsArena(plan_.typed->types->Record(table.record), plan_.tables[static_cast<size_t>(op.table)].live);
  std::string record = types_.StructName(table.record);
  // A table row with lists is kept as bytes and read where it is joined: lists live in the task's arena.
  auto read = [&](const std::string& target) {
    if (!raw) return code.Add(target + " = *static_cast<const " + record + "*>(found_);");
    code.Add("RowReader bytes_(*static_cast<const Str*>(found_));");
    codec_.Load(plan_.typed->types->Record(table.record), plan_.tables[static_cast<size_t>(op.table)].live, "bytes_", "task.arena()", target, &code);
  };
  if (op.on_missing.kind == Route::kUse && !optional && op.on_missing.use) {
    code.Add(record + " " + name + "{};");
    code.Open("if (found_ != nullptr) {");
    read(name);
    code.Turn("} else {");
    code.At(op.on_missing.use->span);
    std::string use = expressions.EmitText(*op.on_missing.use, &code);
    code.Add(name + " = " + use + ";");
    code.At({});
    code.Close();
  } else if (optional) {
    if (wanted != nullptr) {
      code.Add("Opt<" + record + "> " + name + ";");
      code.Open("if (found_ != nullptr) {");
      code.Add(name + ".has = true;");
      read(name + ".value");
      code.Close();
    }
  } else {
    bool text = Codec::IsTextKey({op.key[0]->type}) && op.key.size() == 1;
    std::string what = "no row of `" + table.name + "` has this key";
    std::string detail = "Str(" + StringLiteral(what) + ")";
    if (text) detail = "Concat(task.arena(), {Str(" + StringLiteral("no row of `" + table.name + "` has the key ") + "), " + bytes + "})";
    code.Open("if (found_ == nullptr) {");
    code.Add(RouteText(op.on_missing, StepOf(node), "DeadReason::kMissingRow", detail));
    code.Add("return;");
    code.Close();
    if (wanted != nullptr) {
      if (raw) {
        code.Add(record + " " + name + "{};");
        read(name);
      } else {
        code.Add("const " + record + "& " + name + " = *static_cast<const " + record + "*>(found_);");
      }
    }
  }
  Next(node, "row", "meta", &code);
  Function(node, Signature(node), code);
}

void ProgramEmitter::SaveRow(const Shape& shape, const Live& live, const std::string& row, Code* code) {
  int own = static_cast<int>(shape.base->fields.size());
  int all = own + static_cast<int>(shape.added.size());
  for (int i = 0; i < all; ++i) {
    const Live* field = live.Field(i);
    if (field == nullptr) continue;
    const Type* type = i < own ? shape.base->fields[static_cast<size_t>(i)].type : shape.added[static_cast<size_t>(i - own)].second;
    codec_.Save(type, *field, row, FieldOf(shape, i, "row").text, code);
  }
}

void ProgramEmitter::LoadRow(const Shape& shape, const Live& live, const std::string& row, Code* code) {
  int own = static_cast<int>(shape.base->fields.size());
  if (ReadsBase(shape, live)) code->Add(types_.StructName(shape.base) + " row{};");
  int all = own + static_cast<int>(shape.added.size());
  for (int i = 0; i < all; ++i) {
    const Live* field = live.Field(i);
    if (field == nullptr) continue;
    const Type* type = i < own ? shape.base->fields[static_cast<size_t>(i)].type : shape.added[static_cast<size_t>(i - own)].second;
    std::string target = FieldOf(shape, i, "row").text;
    if (i >= own) code->Add(types_.Of(type) + " " + target + "{};");
    codec_.Load(type, *field, row, "task.arena()", target, code);
  }
}

void ProgramEmitter::LookupAsk(const Node& node) {
  const plan::LookupOp& op = node.As<plan::LookupOp>();
  ExprPlace place = PlaceOf(node);
  ExprEmitter expressions = Expressions(&place);
  Code code;
  std::vector<std::pair<const Type*, std::string>> args, key;
  for (const ExprPtr& e : op.args) {
    code.At(e->span);
    args.emplace_back(e->type, expressions.EmitOnceText(*e, &code));
  }
  for (const ExprPtr& e : op.order_key) {
    code.At(e->span);
    key.emplace_back(e->type, expressions.EmitOnceText(*e, &code));
  }
  code.At({});
  code.Add("LookupCall call_(task, " + lookup_step_names_.at(node.id) + ");");
  for (const auto& [type, text] : args) codec_.Save(type, Live::Whole(), "call_.args()", text, &code);
  Live pending = plan::PendingLive(node);
  if (pending.Any()) {
    code.Add("RowWriter& saved_ = call_.row();");
    SaveRow(ShapeOf(node.input), pending, "saved_", &code);
  }
  if (op.order == typed::OrderMode::kKey) {
    std::string bytes = codec_.KeyBytes(key, &code);
    code.Add("call_.Submit(meta, " + bytes + ");");
  } else {
    code.Add("call_.Submit(meta);");
  }
  Function(node, Signature(node), code);
}

void ProgramEmitter::LookupResume(const Node& node) {
  const plan::LookupOp& op = node.As<plan::LookupOp>();
  const LookupDef& lookup = LookupOf(node);
  Shape shape = ShapeOf(node.input);
  Live pending = plan::PendingLive(node);
  Code code;
  LoadRow(shape, pending, "saved_", &code);
  const typed::Field& field = node.output_row->fields.back();
  const Live* wanted = node.live.Field(static_cast<int>(node.output_row->fields.size()) - 1);
  std::string name = Mangle(field.name);
  const Type* result = plan_.typed->types->Record(lookup.result);
  const Live& live = lookup_live_[op.lookup];
  if (wanted != nullptr) code.Add(types_.Of(field.type) + " " + name + "{};");
  auto read = [&](const std::string& target) {
    code.Add("RowReader value_(result_.value);");
    codec_.Load(result, live, "value_", "task.arena()", target, &code);
  };
  if (op.as_outcome) {
    if (wanted != nullptr) {
      code.Add(name + ".outcome = result_.outcome;");
      code.Add(name + ".reason = result_.reason;");
      code.Open("if (result_.outcome == Outcome::kFound) {");
      read(name + ".value");
      code.Close();
    }
  } else {
    bool optional = field.type->Is(TypeKind::kOptional);
    ExprPlace place = PlaceOf(shape, node.input_row, "row", node);
    ExprEmitter expressions = Expressions(&place);
    code.Open("switch (result_.outcome) {");
    code.Open("case Outcome::kFound: {");
    if (wanted != nullptr) {
      if (optional) code.Add(name + ".has = true;");
      read(optional ? name + ".value" : name);
    }
    code.Add("break;");
    code.Close();
    struct { const char* outcome; const Route* route; } outcomes[] = {
        {"kMissing", &op.on_missing}, {"kTimeout", &op.on_timeout}, {"kRejected", &op.on_rejected}, {"kError", &op.on_error_outcome}};
    auto text = [&](const Route& route) {
      return RouteText(route, StepOf(node), "DeadReasonOf(result_.outcome)", "result_.reason");
    };
    for (size_t i = 0; i < 4; ++i) {
      const Route& route = *outcomes[i].route;
      code.Add(std::string("case Outcome::") + outcomes[i].outcome + ":");
      if (route.kind == Route::kUse) {
        // Absent is what the variable is already.
        bool null = !route.use || (optional && route.use->kind == ExprKind::kConvert &&
                                   As<ConvertExpr>(*route.use).conversion == Conversion::kNullToOptional);
        if (null || wanted == nullptr) {
          code.Add("  break;");
        } else {
          code.Open("{");
          code.At(route.use->span);
          std::string use = expressions.EmitText(*route.use, &code);
          code.Add(name + " = " + use + ";");
          code.At({});
          code.Add("break;");
          code.Close();
        }
        continue;
      }
      // Neighbours that go the same way share it.
      if (i < 3 && outcomes[i + 1].route->kind != Route::kUse && text(*outcomes[i + 1].route) == text(route)) continue;
      code.Add("  " + text(route));
      code.Add("  return;");
    }
    code.Close();
  }
  Next(node, "row", "meta", &code);
  std::string body;
  for (const Code::Line& line : code.lines()) body += line.text;
  Function(node, "static void " + Derived(node, "resume") + "(Task& task, const Meta& meta, " +
                     (pending.Any() ? "RowReader& saved_" : "RowReader&") +
                     ", " + (body.find("result_.") != std::string::npos ? "const LookupResult& result_)" : "const LookupResult&)"),
           code);
}

void ProgramEmitter::ExchangeSend(const Node& node) {
  const plan::ExchangeOp& op = node.As<plan::ExchangeOp>();
  ExprPlace place = PlaceOf(node);
  ExprEmitter expressions = Expressions(&place);
  Code code;
  std::vector<std::pair<const Type*, std::string>> key;
  for (const ExprPtr& e : op.key) {
    code.At(e->span);
    key.emplace_back(e->type, expressions.EmitOnceText(*e, &code));
  }
  code.At({});
  const std::string& exchange = exchange_names_.at(node.id);
  code.Add("RowWriter& saved_ = task.BeginExchange(" + exchange + ");");
  SaveRow(ShapeOf(node.input), node.live, "saved_", &code);
  std::string bytes = key.empty() ? "Str()" : codec_.KeyBytes(key, &code);
  code.Add("task.EndExchange(" + exchange + ", " + bytes + ", meta);");
  bool used = false;
  for (const Code::Line& line : code.lines()) used = used || line.text.starts_with("saved_.");
  if (!used) {
    for (Code::Line& line : code.lines()) {
      if (line.text.starts_with("RowWriter& saved_ = ")) line.text = line.text.substr(std::string("RowWriter& saved_ = ").size());
    }
  }
  Function(node, Signature(node), code);
}

void ProgramEmitter::ExchangeReceive(const Node& node) {
  Code code;
  LoadRow(ShapeOf(node.input), node.live, "saved_", &code);
  Next(node, "row", "meta", &code);
  Function(node, "static void " + Derived(node, "receive") + "(Task& task, const Meta& meta, " +
                     (node.live.Any() ? "RowReader& saved_)" : "RowReader&)"),
           code);
}

void ProgramEmitter::Sink(const Node& node) {
  const plan::SinkOp& op = node.As<plan::SinkOp>();
  const SinkDef& sink = typed_.sinks[static_cast<size_t>(op.sink)];
  Shape shape = ShapeOf(node.input);
  ExprPlace place = PlaceOf(node);
  ExprEmitter expressions = Expressions(&place);
  Code code;
  std::vector<std::pair<const Type*, std::string>> key;
  for (const ExprPtr& e : op.key) {
    code.At(e->span);
    key.emplace_back(e->type, expressions.EmitOnceText(*e, &code));
  }
  code.At({});
  const std::string& name = sink_names_.at(op.sink);
  code.Add("OutputBuffer& output_ = task.BeginOutput(" + name + ");");
  if (key.size() == 1 && IsText(key[0].first)) {
    code.Add("task.OutputKey(output_).Append(" + key[0].second + ");");
  } else if (key.size() == 1 && key[0].first->Is(TypeKind::kEnum)) {
    code.Add("task.OutputKey(output_).Append(" + codec_.EnumTable(key[0].first->enum_def, "Text") + "[static_cast<int32_t>(" +
             key[0].second + ")]);");
  } else if (!key.empty()) {
    // A key that is no string is its JSON; of several values an array.
    code.Add("JsonWriter key_(&task.OutputKey(output_));");
    Codec::Json json(&codec_, "key_", &code);
    if (key.size() > 1) json.Text("[");
    for (size_t i = 0; i < key.size(); ++i) {
      if (i > 0) json.Text(",");
      json.Value(key[i].first, key[i].second);
    }
    if (key.size() > 1) json.Text("]");
  } else if (KeyPasses(node)) {
    code.Add("if (meta.has_key) task.OutputKey(output_).Append(meta.key);");
  }
  if (sink.endpoint.format == Format::kRaw) {
    code.Add("task.OutputValue(output_).Append(" + FieldOf(shape, 0, "row").text + ");");
  } else {
    code.Add("JsonWriter json_(&task.OutputValue(output_));");
    JsonRow(node.input_row, shape, "row", "json_", &code);
  }
  code.Add("task.EndOutput(" + name + ", meta);");
  Function(node, Signature(node), code);
}

}  // namespace weirc::emit
