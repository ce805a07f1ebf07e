// compiler/check/sources.cc — Sources and tables: what comes in, and its key and time.
#include <algorithm>

#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

// The record a source or table is made of; null after a report.
const RecordDef* RecordOf(Context& context, const ast::TypeRef& ref, const char* what) {
  const Type* type = ResolveType(context, ref);
  if (HasError(type)) return nullptr;
  if (!type->Is(TypeKind::kRecord)) {
    Reported reported =
        context.Report(Code::kNotARecord, ref.span, "this is `" + ToString(type) + "`", {what});
    if (IsOptional(type) && type->element->Is(TypeKind::kRecord)) {
      reported.Help("a record is there or it does not come: write `" + ToString(type->element) +
                    "`");
    } else if (type->Is(TypeKind::kString) || type->Is(TypeKind::kBytes)) {
      reported.Help("declare `record Line { text: string }`, and write `format: raw`");
    }
    return nullptr;
  }
  return type->record;
}

// Raw bytes make a record of one field.
void CheckRawRecord(Context& context, const RecordDef* record, const typed::EndpointDef& endpoint,
                    Span span) {
  if (record == nullptr || endpoint.format != typed::Format::kRaw) return;
  bool fits = record->fields.size() == 1 &&
              (record->fields[0].type->Is(TypeKind::kString) ||
               record->fields[0].type->Is(TypeKind::kBytes) || HasError(record->fields[0].type));
  if (fits) return;
  context.Report(Code::kRawRecord, span, "", {record->name})
      .Secondary(record->span, "`" + record->name + "` is declared here")
      .Help("declare `record Line { text: string }`");
}

Scope RecordScope(const Row& row, std::string what, bool meta) {
  Scope scope;
  scope.place = Place::kRecord;
  scope.what = std::move(what);
  scope.row = &row;
  scope.has_meta = meta;
  return scope;
}

bool IsMetaPart(const ast::Expr& e, std::string_view part) {
  const auto* field = As<ast::FieldExpr>(&e);
  const auto* meta = field == nullptr ? nullptr : As<ast::NameExpr>(field->object.get());
  return meta != nullptr && meta->name.text == "meta" && !meta->name.quoted &&
         field->name.text == part;
}

// A timestamp the record offers, for help.
std::string TimeField(const RecordDef* record) {
  if (record != nullptr) {
    for (const typed::Field& field : record->fields) {
      if (field.type->Is(TypeKind::kTimestamp)) return field.name;
    }
  }
  return "…";
}

void CheckTime(Context& context, const ast::SourceDecl& decl, const Row& row, int index) {
  typed::SourceDef& def = context.out.sources[static_cast<size_t>(index)];
  EntryReader entries(context, decl.block, "a source");
  def.lateness = entries.Duration("lateness", true);
  def.idle = entries.Duration("idle");
  const ast::Entry* time = decl.block.Find("time");
  if (time == nullptr) {
    if (const ast::Entry* lateness = decl.block.Find("lateness")) {
      context.Report(Code::kLatenessWithoutTime, lateness->name.span, "late by which time?")
          .Help("add `time: " + TimeField(row.record) + "`");
    }
    return;
  }
  context.source_timed[static_cast<size_t>(index)] = true;
  if (IsMetaPart(*time->value, "time")) {
    if (def.endpoint.operation == "topic" || def.endpoint.operation.empty())
      return;  // the topic's own: nothing to compute
    context
        .Report(Code::kArrivalMixed, time->value->span,
                "a line has no time but that of its arrival")
        .Help("write `time: " + TimeField(row.record) + "`");
    return;
  }
  if (IsMetaPart(*time->value, "arrival")) {
    context
        .Report(Code::kArrivalMixed, time->value->span,
                "this is when it arrived, not when it happened")
        .Help("write `time: " + TimeField(row.record) + "`");
    return;
  }
  Scope scope = RecordScope(row, "the time of a source", true);
  ExprPtr value = ExprChecker(context, scope).Infer(*time->value, context.timestamp);
  if (HasError(value->type)) return;
  if (!value->type->Is(TypeKind::kTimestamp)) {
    Reported reported =
        context.Report(Code::kTimeType, value->span, "this is `" + ToString(value->type) + "`");
    if (IsInt(value->type)) {
      reported.Help(
          "declare the field as `timestamp`: JSON numbers are read as epoch milliseconds");
    } else if (IsOptional(value->type)) {
      reported.Help("declare the field without `?`: a record without its time is bad input");
    } else if (value->type->Is(TypeKind::kString)) {
      reported.Help("declare the field as `timestamp`: JSON text is read as RFC 3339");
    }
    return;
  }
  ReportUnhandled(context, *value, "the time of a source", false);
  def.time = std::move(value);
}

void CheckSource(Context& context, const ast::SourceDecl& decl, int index) {
  typed::SourceDef& def = context.out.sources[static_cast<size_t>(index)];
  StreamFacts& facts = context.source_facts[static_cast<size_t>(index)];
  def.span = decl.name.span;
  def.doc = decl.doc;
  def.record = RecordOf(context, decl.type, "a source's type");
  facts.row = SourceRow(context, index);
  facts.known = def.record != nullptr;
  if (decl.broken) return;
  CheckBlock(context, decl.block,
             {.what = "a source",
              .entries = {{"format"}, {"key"}, {"time"}, {"lateness"}, {"idle"}, {"start"}},
              .events = {"bad"},
              .later_entries = {"partitioner", "refresh", "follow", "schema", "rate", "header"}});
  bool reads = decl.origin && ReadEndpoint(context, *decl.origin, decl.block, Direction::kSource,
                                           def.name, &def.endpoint);
  if (reads) CheckRawRecord(context, def.record, def.endpoint, decl.type.span);
  if (const ast::Entry* start = decl.block.Find("start")) {
    int word = EntryReader(context, decl.block, "a source").Word("start", {"earliest", "latest"});
    if (word >= 0 && reads && def.endpoint.operation != "topic") {
      context
          .Report(Code::kEntryNotPossible, start->name.span, "", {"start", def.endpoint.operation})
          .Note("`start` says where a topic is read from first");
    } else if (word >= 0) {
      auto text = std::make_unique<typed::LiteralExpr>();
      text->type = context.string;
      text->value.text = word == 0 ? "earliest" : "latest";
      text->span = start->value->span;
      def.endpoint.properties.push_back({"start", std::move(text), start->span});
    }
  }
  if (const ast::Entry* key = decl.block.Find("key")) {
    Scope scope = RecordScope(facts.row, "the key of a source", true);
    def.key = ReadKey(context, *key->value, scope, "the key of a source");
  }
  CheckTime(context, decl, facts.row, index);
  ReadRoutes(context, decl.block, {{"bad", &def.on_bad}},
             {.instead = "what cannot be decoded is no record: write `send …`, `drop` or `stop`"});
  bool handled =
      std::any_of(decl.block.ons.begin(), decl.block.ons.end(), [](const ast::OnClause& on) {
        return std::any_of(on.events.begin(), on.events.end(),
                           [](const ast::Name& e) { return e.text == "bad"; });
      });
  if (!handled) {
    auto names = context.ValueNames({SymbolKind::kDeadletter});
    context.Report(Code::kBadInputUnhandled, decl.name.span, "", {decl.name.text})
        .Help(names.empty() ? "declare `deadletter dead`, and write `on bad send dead`"
                            : "add `on bad send " + names.front() + "`")
        .Note("or `on bad drop`, which counts them, or `on bad stop`");
  }
}

void CheckTable(Context& context, const ast::TableDecl& decl, typed::TableDef& def) {
  def.span = decl.name.span;
  if (decl.type) {
    def.record = RecordOf(context, *decl.type, "a table's type");
  } else if (!decl.broken) {
    context.Report(Code::kTableType, decl.name.span, "", {decl.name.text})
        .Help("write `table " + decl.name.text + ": T = …` with `record T { … }`");
  }
  if (decl.broken) return;
  CheckBlock(context, decl.block,
             {.what = "a table",
              .entries = {{"format"}, {"key"}},
              .events = {"bad"},
              .later_entries = {"refresh", "time", "lateness", "keep", "history", "header"}});
  bool reads = decl.origin && ReadEndpoint(context, *decl.origin, decl.block, Direction::kTable,
                                           def.name, &def.endpoint);
  if (reads)
    CheckRawRecord(context, def.record, def.endpoint, decl.type ? decl.type->span : decl.name.span);
  const ast::Entry* key = decl.block.Find("key");
  if (key == nullptr) {
    std::string field =
        def.record != nullptr && !def.record->fields.empty() ? def.record->fields[0].name : "id";
    context.Report(Code::kTableKeyMissing, decl.name.span, "", {decl.name.text})
        .Help("add `key: " + field + "`");
  } else {
    Row row;
    row.record = def.record;
    row.owner = def.name;
    row.qualifiers = {def.name};
    Scope scope = RecordScope(row, "the key of a table", false);
    def.key = ReadKey(context, *key->value, scope, "the key of a table");
    for (const ExprPtr& part : def.key) {
      bool field = part->kind == typed::ExprKind::kField &&
                   typed::As<typed::FieldExpr>(*part).base->kind == typed::ExprKind::kRow;
      if (field) continue;
      context.Report(Code::kTableKeyComputed, part->span, "", {decl.name.text});
      def.key.clear();
      break;
    }
  }
  def.on_bad.kind = Route::kStop;  // a table that cannot be read is noticed at once
  ReadRoutes(context, decl.block, {{"bad", &def.on_bad}},
             {.instead = "what cannot be decoded is no row: write `send …`, `drop` or `stop`"});
}

}  // namespace

Row SourceRow(Context& context, int source) {
  const typed::SourceDef& def = context.out.sources[static_cast<size_t>(source)];
  Row row;
  row.record = def.record;
  row.owner = def.name;
  row.qualifiers = {def.name};
  row.source = source;
  if (def.record != nullptr) {
    for (const typed::Field& field : def.record->fields) {
      std::string name = def.name + "." + field.name;
      row.origins[field.name] = {name, {name}};
    }
  }
  return row;
}

void CheckSources(Context& context) {
  context.source_timed.resize(context.out.sources.size());
  for (const auto* decl : DeclsOf<ast::SourceDecl>(context))
    CheckSource(context, *decl, SymbolOf(context, *decl)->index);
}

void CheckTables(Context& context) {
  for (const auto* decl : DeclsOf<ast::TableDecl>(context)) {
    CheckTable(context, *decl,
               context.out.tables[static_cast<size_t>(SymbolOf(context, *decl)->index)]);
  }
}

}  // namespace weirc::check
