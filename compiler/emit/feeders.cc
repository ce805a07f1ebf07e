// What brings records in: sources, tables, and the requests and answers of lookups.
#include <utility>

#include "compiler/emit/program_emitter.h"
#include "compiler/plan/expr.h"
#include "compiler/plan/passes/project_fields.h"

namespace weirc::emit {

using namespace typed;
using plan::Live;
using plan::Node;

void ProgramEmitter::Source(const Node& node) {
  const SourceDef& source = SourceOf(node);
  const std::string& name = sources_names_.at(node.id);
  std::string route = RouteConstant(source.on_bad);
  std::string record = types_.StructName(source.record);
  Live live = plan::SourceLive(plan_, node);
  bool json = source.endpoint.format == Format::kJson;
  Code code;
  if (json) code.Add("JsonContext json_(&task.arena());");
  code.Open("for (uint32_t i_ = begin; i_ < batch.size; ++i_) {");
  code.Add("if (task.blocked()) return i_;");
  code.Add("const Message& message_ = batch.messages[i_];");
  code.Add("Meta meta;");
  code.Add("task.BeginRecord(" + name + ", message_, &meta);");
  code.Add(record + " row;");
  auto bad = [&](const std::string& test, const std::string& what) {
    code.Open("if (" + test + ") {");
    code.Add("task.BadInput(" + name + ", meta, " + what + ", " + route + ");");
    code.Add("continue;");
    code.Close();
  };
  if (json) {
    code.Add("JsonReader in_(message_.value, &json_);");
    bad("!" + codec_.Decoder(source.record, live) + "(in_, task.arena(), &row) || !in_.End()", "json_");
  } else {
    // Raw: the one field is the record's bytes.
    const typed::Field& field = source.record->fields[0];
    if (field.type->Is(TypeKind::kString)) bad("!ValidUtf8(message_.value)", "Str(\"not valid UTF-8\")");
    if (live.Field(0) != nullptr) code.Add("row." + types_.Member(field.name) + " = message_.value;");
  }
  if (source.time) {
    ExprPlace place = PlaceOf(Shape{source.record, {}}, source.record, "row", node);
    place.fail = [&](const std::string& detail) {
      return "{ task.BadInput(" + name + ", meta, " + detail + ", " + route + "); continue; }";
    };
    code.At(source.time->span);
    std::string time = Expressions(&place).EmitText(*source.time, &code);
    std::string test = "!task.SetTime(&meta, " + time + ")";
    code.At({});
    bad(test, "Str(\"its time is out of range\")");
  } else {
    bad("!task.SetTime(&meta, RecordTime(message_, meta))", "Str(\"its time is out of range\")");
  }
  Next(node, "row", "meta", &code);
  code.Add("task.EndRecord(meta);");
  code.Close();
  code.Add("return batch.size;");
  out_.UserComment(source.span);
  out_.Open("static uint32_t " + FunctionOf(node) + "(Task& task, const Batch& batch, uint32_t begin) {");
  out_.Write(code);
  out_.Close();
  out_.Line();
}

void ProgramEmitter::Tables() {
  for (const plan::Table& table : plan_.tables) {
    if (table.used) Table(table);
  }
}

void ProgramEmitter::Table(const plan::Table& table) {
  const TableDef& def = TableOf(table.table);
  std::string name = MangleParts(def.name);
  std::string decode = table_functions_[table.table].decode = scope_.Take(name + "_decode");
  std::string load = table_functions_[table.table].load = scope_.Take(name + "_load");
  std::string record = types_.StructName(def.record);
  const Type* type = plan_.typed->types->Record(def.record);
  Live live = TableLive(table);
  temporaries_ = 0;
  codec_.Restart();
  Code code;
  code.Add(record + " row_;");
  if (def.endpoint.format == Format::kJson) {
    code.Add("JsonContext json_(&arena);");
    code.Add("JsonReader in_(message.value, &json_);");
    code.Open("if (!" + codec_.Decoder(def.record, live) + "(in_, arena, &row_) || !in_.End()) {");
    code.Add("DescribeError(json_, error);");
    code.Add("return false;");
    code.Close();
  } else {
    const typed::Field& field = def.record->fields[0];
    code.Open("if (!ValidUtf8(message.value)) {");
    code.Add("*error = \"not valid UTF-8\";");
    code.Add("return false;");
    code.Close();
    if (live.Field(0) != nullptr) code.Add("row_." + types_.Member(field.name) + " = message.value;");
  }
  ExprPlace place;
  place.row = def.record;
  Shape shape{def.record, {}};
  place.row_field = [this, shape](int field) { return FieldOf(shape, field, "row_"); };
  place.row_name = "row_";
  place.arena = "arena";
  place.fail = [](const std::string& detail) {
    return "{ const Str detail_ = " + detail + "; error->assign(detail_.data, detail_.size); return false; }";
  };
  ExprEmitter expressions = Expressions(&place);
  std::vector<const Type*> key_types;
  std::vector<std::string> keys;
  for (const ExprPtr& e : def.key) {
    code.At(e->span);
    key_types.push_back(e->type);
    keys.push_back(expressions.EmitText(*e, &code));
  }
  code.At({});
  if (Codec::IsTextKey(key_types)) {
    code.Add("key.Raw(" + keys[0] + ");");
  } else {
    for (size_t i = 0; i < keys.size(); ++i) codec_.Save(key_types[i], Live::Whole(), "key", keys[i], &code);
  }
  codec_.Save(type, table.live, "row", "row_", &code);
  code.Add("return true;");
  out_.UserComment(def.span);
  out_.Open("static bool " + decode + "(const Message& message, [[maybe_unused]] Arena& arena, RowWriter& key, " +
            "[[maybe_unused]] RowWriter& row, [[maybe_unused]] std::string* error) {");
  out_.Write(code);
  out_.Close();
  Code read;
  bool raw = Codec::NeedsArena(type, table.live);
  if (raw) {
    // Lists need an arena, which a join has: the row's bytes are kept as they are.
    read.Add("*static_cast<Str*>(value) = row.Raw(row.remaining());");
  } else {
    read.Add(record + "& row_ = *new (value) " + record + "{};");
    size_t before = read.lines().size();
    codec_.Load(type, table.live, "row", "", "row_", &read);
    if (read.lines().size() == before) read.lines().back().text = "new (value) " + record + "{};";
  }
  read.Add("return row.ok();");
  table_functions_[table.table].value = raw ? "Str" : record;
  out_.Open("static bool " + load + "(RowReader& row, void* value) {");
  out_.Write(read);
  out_.Close();
  // The record key of a tombstone is the table's key when that is one string.
  if (Codec::IsTextKey(key_types) && def.key[0]->kind == ExprKind::kField) {
    std::string tombstone = table_functions_[table.table].tombstone = scope_.Take(name + "_tombstone");
    out_.Open("static bool " + tombstone + "(const Message& message, Arena&, RowWriter& key) {");
    out_.Line("key.Raw(message.key);");
    out_.Line("return message.has_key;");
    out_.Close();
  }
  out_.Line();
}

void ProgramEmitter::Lookups() {
  for (const auto& [lookup, live] : lookup_live_) Lookup(lookup);
}

void ProgramEmitter::Lookup(int index) {
  const LookupDef& lookup = typed_.lookups[static_cast<size_t>(index)];
  std::string name = MangleParts(lookup.name);
  std::string render = lookup_functions_[index].render = scope_.Take(name + "_render");
  std::string decode = lookup_functions_[index].decode = scope_.Take(name + "_answer");
  const Type* result = plan_.typed->types->Record(lookup.result);
  const Live& live = lookup_live_.at(index);
  temporaries_ = 0;
  codec_.Restart();

  ExprPlace place;
  place.arena = "arena";
  place.fail = [](const std::string& detail) { return "return static_cast<void>(request->unmade = " + detail + ");"; };
  Code code;
  for (size_t i = 0; i < lookup.params.size(); ++i) {
    const auto& [param, type] = lookup.params[i];
    std::string local = Mangle(param);
    place.locals[static_cast<int>(i)] = CppValue::Atom(local);
    code.Add("[[maybe_unused]] " + types_.Of(type) + " " + local + "{};");
    codec_.Load(type, Live::Whole(), "args", "arena", local, &code);
  }
  ExprEmitter expressions = Expressions(&place);
  code.Add("request->verb = Str(\"" + std::string(lookup.operation == "post" ? "POST" : "GET") + "\");");
  std::string parts;
  for (const RequestPart& part : lookup.path) {
    parts += parts.empty() ? "" : ", ";
    if (!part.value) {
      parts += "Str(" + StringLiteral(part.text) + ")";
      continue;
    }
    code.At(part.value->span);
    parts += "PercentEncode(arena, " + expressions.EmitText(*part.value, &code) + ")";
  }
  code.Add("request->target = Concat(arena, {" + parts + "});");
  if (lookup.body) {
    code.At(lookup.body->span);
    code.Add("Buffer& body_ = ScratchBuffer();");
    code.Add("JsonWriter json_(&body_);");
    WriteJson(*lookup.body, &expressions, "json_", &code);
    code.Add("request->body = arena.Copy(body_.str());");
  }
  code.At({});
  out_.UserComment(lookup.span);
  out_.Open("static void " + render + "([[maybe_unused]] RowReader& args, Arena& arena, LookupRequest* request) {");
  out_.Write(code);
  out_.Close();

  if (plan_.options.tests) WriteArgs(index);

  Code answer;
  answer.Add("JsonContext json_(&arena);");
  answer.Add("JsonReader in_(body, &json_);");
  answer.Add(types_.StructName(lookup.result) + " value_{};");
  answer.Open("if (!" + codec_.Decoder(lookup.result, live) + "(in_, arena, &value_) || !in_.End()) {");
  answer.Add("DescribeError(json_, error);");
  answer.Add("return false;");
  answer.Close();
  codec_.Save(result, live, "value", "value_", &answer);
  answer.Add("return true;");
  out_.Open("static bool " + decode + "(Str body, Arena& arena, [[maybe_unused]] RowWriter& value, std::string* error) {");
  out_.Write(answer);
  out_.Close();
  out_.Line();
}

// The arguments as a JSON array, for the stubs of tests.
void ProgramEmitter::WriteArgs(int index) {
  const LookupDef& lookup = typed_.lookups[static_cast<size_t>(index)];
  std::string name = lookup_functions_[index].write_args = scope_.Take(MangleParts(lookup.name) + "_arguments");
  codec_.Restart();
  Code code;
  bool needs_arena = false;
  for (const auto& [param, type] : lookup.params) needs_arena = needs_arena || Codec::NeedsArena(type, Live::Whole());
  if (needs_arena) code.Add("Arena arena;");
  for (const auto& [param, type] : lookup.params) {
    code.Add(types_.Of(type) + " " + Mangle(param) + "{};");
    codec_.Load(type, Live::Whole(), "args", "arena", Mangle(param), &code);
  }
  {
    Codec::Json json(&codec_, "out", &code);
    json.Text("[");
    bool first = true;
    for (const auto& [param, type] : lookup.params) {
      if (!std::exchange(first, false)) json.Text(",");
      json.Value(type, Mangle(param));
    }
    json.Text("]");
  }
  out_.Open("static void " + name + "([[maybe_unused]] RowReader& args, JsonWriter& out) {");
  out_.Write(code);
  out_.Close();
}

// The JSON of an expression without building what it says first.
void ProgramEmitter::WriteJson(const Expr& e, ExprEmitter* expressions, const std::string& writer, Code* code) {
  Codec::Json json(&codec_, writer, code);
  JsonOf(e, expressions, &json, code);
}

void ProgramEmitter::JsonOf(const Expr& e, ExprEmitter* expressions, Codec::Json* json, Code* code) {
  switch (e.kind) {
    case ExprKind::kRecord: {
      const auto& record = As<RecordExpr>(e);
      json->Text("{");
      for (size_t i = 0; i < record.values.size(); ++i) {
        json->Name(i == 0, e.type->record->fields[i].json_name);
        JsonOf(*record.values[i], expressions, json, code);
      }
      return json->Text("}");
    }
    case ExprKind::kMap: {
      bool first = true;
      json->Text("{");
      for (const auto& [key, value] : As<MapExpr>(e).entries) {
        json->Name(std::exchange(first, false), key);
        JsonOf(*value, expressions, json, code);
      }
      return json->Text("}");
    }
    case ExprKind::kList: {
      bool first = true;
      json->Text("[");
      for (const ExprPtr& element : As<ListExpr>(e).elements) {
        if (!std::exchange(first, false)) json->Text(",");
        JsonOf(*element, expressions, json, code);
      }
      return json->Text("]");
    }
    default: {
      // Statements of the value must not stand between text that is still to be written and its place.
      json->Flush();
      json->Value(e.type, expressions->EmitOnceText(e, code));
    }
  }
}

std::string ProgramEmitter::RouteConstant(const Route& route) const {
  int number = RouteNumber(route);
  return number >= 0 ? deadletter_names_.at(number) : std::to_string(number);
}

}  // namespace weirc::emit
