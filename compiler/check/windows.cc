// compiler/check/windows.cc — `| window tumbling SIZE by KEY { on late … } | aggregate { … }`.
#include <algorithm>
#include <map>

#include "compiler/check/number_text.h"
#include "compiler/check/stream_checker.h"

namespace weirc::check {

namespace {

// A name for a part of the key inside `aggregate`.
std::string NameOfPart(const ast::Expr& e, size_t index) {
  if (const auto* name = As<ast::NameExpr>(&e)) return name->name.text;
  if (const auto* field = As<ast::FieldExpr>(&e)) return field->name.text;
  return "key_" + std::to_string(index + 1);
}

}  // namespace

void StreamChecker::Window(const ast::WindowStep& step, const ast::AggregateStep* aggregate) {
  if (aggregate == nullptr) {
    bool broken = !decl_.steps.empty() && decl_.steps.back()->kind == ast::StepKind::kError;
    if (!broken) {
      context_.Report(Code::kWindowWithoutAggregate, step.keyword, "what comes out of it?")
          .Help("write `| aggregate { …, n: count() }` behind it");
    }
  }
  if (!step.window_kind) return MarkUnknown();
  const std::string& kind = step.window_kind.text;
  if (kind != "tumbling") {
    for (std::string_view later : {"hopping", "sliding", "session", "count", "trading"}) {
      if (kind != later) continue;
      context_.ReportLater(Code::kLaterWindow, step.window_kind.span, "a `" + kind + "` window",
                           "this version has `window tumbling`");
      return MarkUnknown();
    }
    std::string label =
        Context::Suggest(kind, {"tumbling", "hopping", "sliding", "session", "count", "trading"});
    context_.Report(Code::kUnknownWindow, step.window_kind.span, label, {kind})
        .Help("write `window tumbling 1s by …`");
    return MarkUnknown();
  }
  auto out = std::make_unique<typed::WindowAggregateStep>();
  out->span = aggregate == nullptr ? step.span : weirc::Join(step.span, aggregate->span);
  if (window_ != nullptr) {
    context_.Report(Code::kSecondWindow, step.keyword, "", {def_.name})
        .Secondary(window_->keyword, "the first")
        .Help("give the second window a stream of its own: its state is named by it");
  }
  window_ = &step;
  if (step.has_args) {
    context_.Report(Code::kMisplacedClause, step.window_kind.span, "it takes none",
                    {"arguments", "a tumbling window"});
  }
  if (step.every) {
    context_.Report(Code::kMisplacedClause, step.every->span, "windows that overlap are `hopping`",
                    {"every", "a tumbling window"});
  }
  if (step.size) {
    out->size = EntryReader(context_, step.block, "a window")
                    .DurationValue(*step.size, "the size of a window", false);
  } else {
    context_.Report(Code::kWindowWithoutSize, step.window_kind.span, "how long?")
        .Help("write `window tumbling 1s`");
  }
  CheckBlock(context_, step.block,
             {.what = "a window",
              .events = {"late"},
              .later_entries = {"keep", "early", "align", "offset"},
              .emit_later = true});

  // Event time, of the source the records came from.
  if (row_.source >= 0 && !context_.source_timed[static_cast<size_t>(row_.source)]) {
    const typed::SourceDef& source = context_.out.sources[static_cast<size_t>(row_.source)];
    std::string field = "…";
    if (source.record != nullptr) {
      for (const typed::Field& f : source.record->fields) {
        if (f.type->Is(TypeKind::kTimestamp)) {
          field = f.name;
          break;
        }
      }
    }
    Reported reported = context_.Report(Code::kEventTimeMissing, step.keyword, "", {source.name});
    reported.Secondary(source.span, "without `time:`, its records have the time of their arrival");
    reported.Help("add `time: " + field + "` to `source " + source.name + "`");
    if (source.endpoint.operation == "topic")
      reported.Help("or `time: meta.time`, the topic's own timestamps");
  }

  Scope scope = RowScope();
  std::vector<typed::Field> key_fields;
  std::unordered_map<std::string, Origin> key_origins;
  bool key_known = true;
  if (step.by) {
    auto parts = KeyParts(*step.by);
    out->by = ReadKey(context_, *step.by, scope, "the key of a window");
    key_known = out->by.size() == parts.size();
    for (size_t i = 0; i < parts.size(); ++i) {
      typed::Field field;
      field.name = field.json_name = NameOfPart(*parts[i], i);
      field.type = key_known ? out->by[i]->type : context_.error;
      field.span = parts[i]->span;
      bool twice = std::any_of(key_fields.begin(), key_fields.end(),
                               [&](const auto& f) { return f.name == field.name; });
      if (twice) {
        context_.Report(Code::kDuplicateMember, field.span, "", {"the key", field.name})
            .Help("give one of them a name of its own: `| let … = …`");
      }
      if (key_known) key_origins[field.name] = OriginOf(context_, row_, *out->by[i]);
      key_fields.push_back(std::move(field));
    }
  }
  ReadRoutes(
      context_, step.block, {{"late", &out->on_late}},
      {.instead = "a late record has no window left to go into: write `drop`, `send …` or `stop`"});
  bool given = std::any_of(step.block.ons.begin(), step.block.ons.end(), [](const auto& on) {
    return std::any_of(on.events.begin(), on.events.end(),
                       [](const auto& e) { return e.text == "late"; });
  });
  if (!given && !Fallback(out->on_late)) {
    context_.Report(Code::kLateUnhandled, step.keyword, "")
        .Help(SendHelp("late", true))
        .Note("or `on late drop`, which counts them");
  }
  RecordDef* key_record = const_cast<RecordDef*>(
      context_.NewRow(def_.name + ".key", 0, std::move(key_fields), step.keyword));
  key_record->name = def_.name + ".key";
  out->key_record = key_record;
  if (aggregate == nullptr || !aggregate->fields) return MarkUnknown();

  // The results.
  Row key_row;
  key_row.record = key_record;
  key_row.owner = def_.name;
  key_row.origins = key_origins;
  AggregateScope aggregates;
  aggregates.input = &row_;
  aggregates.aggregates = &out->aggregates;
  Scope inner;
  inner.place = Place::kRecord;
  inner.what = "`aggregate`";
  inner.row = &key_row;
  inner.has_window = true;
  inner.aggregate = &aggregates;
  std::vector<typed::Field> fields;
  std::unordered_map<std::string, Origin> origins;
  if (aggregate->fields->pairs.empty()) {
    context_.Report(Code::kEmptyStep, aggregate->keyword, "", {"aggregate", "result"});
  }
  bool unknown = aggregate->fields->pairs.empty();
  out->by_fields.assign(out->by.size(), -1);
  for (const ast::Pair& pair : aggregate->fields->pairs) {
    ExprPtr value = ExprChecker(context_, inner).Infer(*pair.value);
    if (value->type->Is(TypeKind::kNull)) {
      context_.Report(Code::kTypeUnknown, value->span, "absent what?", {"`null`"});
      value->type = context_.error;
    }
    Handle(*value, "`aggregate`");
    typed::Field field;
    field.name = field.json_name = pair.name.text;
    field.type = value->type;
    field.span = pair.name.span;
    bool of_key = value->kind == typed::ExprKind::kField &&
                  typed::As<typed::FieldExpr>(*value).base->kind == typed::ExprKind::kRow;
    if (of_key) {
      int part = typed::As<typed::FieldExpr>(*value).field;
      if (static_cast<size_t>(part) < out->by_fields.size())
        out->by_fields[static_cast<size_t>(part)] = static_cast<int>(fields.size());
      origins[field.name] = OriginOf(context_, key_row, *value);
    } else {
      std::string leaf = def_.name + "." + field.name;
      origins[field.name] = {leaf, {leaf}};
    }
    fields.push_back(std::move(field));
    out->values.push_back(std::move(value));
  }
  for (const typed::Aggregate& a : out->aggregates) {
    for (const ExprPtr& arg : a.args) Handle(*arg, "`aggregate`");
    if (a.kind != typed::AggregateKind::kFirst && a.kind != typed::AggregateKind::kLast) continue;
    std::vector<Origin> key;
    for (const auto& [_, origin] : key_origins) key.push_back(origin);
    CheckOrder(context_, row_, key, step.by ? context_.Written(step.by->span) : "", a.span,
               a.kind == typed::AggregateKind::kFirst ? "`first`" : "`last`");
  }
  const RecordDef* row =
      context_.NewRow(def_.name, ++row_count_, std::move(fields), aggregate->keyword);
  if (unknown) context_.poisoned.insert(row);
  Add(std::move(out), "", "window", unknown || row_.record == nullptr ? nullptr : row);
  row_.record = row;
  row_.joined.clear();
  row_.qualifiers = {def_.name};
  row_.origins = std::move(origins);
  row_.disorders.clear();  // results leave in the order of their windows
  row_.windowed = true;
}

}  // namespace weirc::check
