// compiler/check/names.cc — What names and field accesses mean: locals, fields, metadata, params,
// enum values.
#include <algorithm>

#include "compiler/base/suggest.h"
#include "compiler/check/expr_checker.h"

namespace weirc::check {

const Local* ExprChecker::FindLocal(std::string_view name) const {
  for (auto it = scope_.locals.rbegin(); it != scope_.locals.rend(); ++it) {
    if (it->name == name) return &*it;
  }
  return nullptr;
}

int ExprChecker::FindField(std::string_view name) const {
  if (scope_.row == nullptr || scope_.row->record == nullptr) return -1;
  return scope_.row->record->IndexOf(std::string(name));
}

std::vector<std::string> ExprChecker::VisibleNames() const {
  std::vector<std::string> names;
  for (const Local& local : scope_.locals) names.push_back(local.name);
  if (scope_.row != nullptr && scope_.row->record != nullptr) {
    for (const typed::Field& field : scope_.row->record->fields) names.push_back(field.name);
  }
  if (scope_.place != Place::kConstant) {
    for (std::string& name : context_.ValueNames({SymbolKind::kParam})) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

bool ExprChecker::IsPseudo(const ast::Expr& e, std::string_view name) const {
  const auto* written = As<ast::NameExpr>(&e);
  if (written == nullptr || written->name.quoted || written->name.text != name) return false;
  if (FindLocal(name) != nullptr) return false;
  return name == "meta" ? scope_.has_meta : scope_.has_window;
}

ExprPtr ExprChecker::RowField(int field, Span span) {
  auto row = std::make_unique<typed::RowExpr>();
  row->type = context_.types.Record(scope_.row->record);
  row->span = span;
  auto access = std::make_unique<typed::FieldExpr>();
  access->base = std::move(row);
  access->field = field;
  access->type = scope_.row->record->fields[static_cast<size_t>(field)].type;
  access->span = span;
  return access;
}

bool ExprChecker::ReportAmbiguous(const ast::Name& name) {
  if (scope_.row == nullptr) return false;
  for (const Row::Joined& joined : scope_.row->joined) {
    if (joined.record == nullptr || joined.equal.contains(name.text)) continue;
    int index = joined.record->IndexOf(name.text);
    if (index < 0) continue;
    std::string own = scope_.row->qualifiers.empty() ? "…" : scope_.row->qualifiers.front();
    context_.Report(Code::kAmbiguousName, name.span, "which one?", {name.text, own, joined.alias})
        .Secondary(joined.record->fields[static_cast<size_t>(index)].span,
                   "`" + joined.alias + "` has it from here")
        .Help("write `" + own + "." + name.text + "` or `" + joined.alias + "." + name.text + "`");
    return true;
  }
  return false;
}

ExprPtr ExprChecker::EnumValue(const typed::EnumDef* def, int value, Span span) {
  auto literal = std::make_unique<typed::LiteralExpr>();
  literal->type = context_.types.Enum(def);
  literal->value.number = value;
  literal->span = span;
  return literal;
}

namespace {

int IndexOfValue(const typed::EnumDef* def, std::string_view name) {
  for (size_t i = 0; i < def->values.size(); ++i) {
    if (def->values[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<std::string> NamesOf(const typed::EnumDef* def) {
  std::vector<std::string> names;
  for (const auto& value : def->values) names.push_back(value.name);
  return names;
}

}  // namespace

ExprPtr ExprChecker::InferEnumValue(const ast::Name& name, const Type* expected, bool* found) {
  *found = true;
  if (expected != nullptr && Present(expected)->Is(TypeKind::kEnum)) {
    const typed::EnumDef* def = Present(expected)->enum_def;
    int index = IndexOfValue(def, name.text);
    if (index >= 0) return EnumValue(def, index, name.span);
  }
  auto it = context_.enum_values.find(name.text);
  if (it == context_.enum_values.end()) {
    *found = false;
    return nullptr;
  }
  if (it->second.size() == 1) {
    return EnumValue(it->second[0].first, it->second[0].second, name.span);
  }
  Reported reported =
      context_.Report(Code::kAmbiguousEnumValue, name.span, "of which enum?", {name.text});
  std::vector<std::string> choices;
  for (const auto& [def, index] : it->second) {
    reported.Secondary(def->values[static_cast<size_t>(index)].span, "of `" + def->name + "`");
    choices.push_back("`" + def->name + "." + name.text + "`");
  }
  reported.Help("write " + choices[0] + " or " + choices[1]);
  return Error(name.span);
}

ExprPtr ExprChecker::InferSymbol(const ast::Name& name, Symbol& symbol) {
  symbol.used = true;
  if (symbol.kind == SymbolKind::kParam || symbol.kind == SymbolKind::kSecret) {
    bool secret = symbol.kind == SymbolKind::kSecret;
    if (secret && scope_.place != Place::kConnection) {
      context_.Report(Code::kSecretLeak, name.span, "here its value could be seen", {name.text})
          .Secondary(symbol.span, "declared secret here")
          .Help("use it in a `connection`; a value that may be seen is a `param`");
      return Error(name.span);
    }
    if (scope_.place == Place::kConstant) {
      context_
          .Report(Code::kNotConstant, name.span, "a param is known only when the pipeline starts",
                  {scope_.what})
          .Secondary(symbol.span, "declared here");
      return Error(name.span);
    }
    if (symbol.index < 0) return Error(name.span);
    auto param = std::make_unique<typed::ParamExpr>();
    param->param = symbol.index;
    param->type = context_.out.params[static_cast<size_t>(symbol.index)].type;
    param->span = name.span;
    return param;
  }
  if (symbol.kind == SymbolKind::kLater) return Error(name.span);
  Reported reported = context_.Report(Code::kNotAValue, name.span, "",
                                      {name.text, std::string(NameOf(symbol.kind))});
  reported.Secondary(symbol.span, "declared here");
  if (symbol.kind == SymbolKind::kTable) {
    reported.Help("bring a row of it in: `| join " + name.text + " as … on …`");
  } else if (symbol.kind == SymbolKind::kLookup) {
    reported.Help("ask it in a step of its own: `| lookup " + name.text + "(…) as …`");
  } else if (symbol.kind == SymbolKind::kFn) {
    reported.Help("call it: `" + name.text + "(…)`");
  }
  return Error(name.span);
}

ExprPtr ExprChecker::UnknownName(const ast::Name& name) {
  // The record is unknown: so may be its fields.
  if (scope_.row != nullptr && context_.IsPoisoned(scope_.row->record)) return Error(name.span);

  const Row* row = scope_.row;
  if (scope_.aggregate != nullptr && !scope_.aggregate->inside) {
    const RecordDef* input = scope_.aggregate->input->record;
    if (context_.IsPoisoned(input)) return Error(name.span);
    if (input->IndexOf(name.text) >= 0) {
      context_
          .Report(Code::kNotInWindowKey, name.span, "a window has many records, each with its own",
                  {name.text})
          .Help("say which one: `last(" + name.text + ")`, `max(" + name.text + ")`")
          .Help(scope_.row->record->fields.empty()
                    ? "or open a window for each: `window … by " + name.text + "`"
                    : "or make it part of the key: `by (…, " + name.text + ")`");
      return Error(name.span);
    }
    row = scope_.aggregate->input;
  }
  std::string label = Context::Suggest(name.text, VisibleNames());
  if (row != nullptr && row->record != nullptr) {
    // A field of a joined side is reached through its alias.
    for (const Row::Joined& joined : row->joined) {
      if (joined.record != nullptr && joined.record->IndexOf(name.text) >= 0) {
        label = "did you mean `" + joined.alias + "." + name.text + "`?";
      }
    }
    if (name.text == "window" && scope_.aggregate == nullptr) {
      context_.Report(Code::kWindowMisplaced, name.span, "here is no window");
      return Error(name.span);
    }
    context_.Report(Code::kUnknownField, name.span, label,
                    {name.text, context_.DisplayName(row->record)});
    return Error(name.span);
  }
  if (name.text == "meta") {
    context_.Report(Code::kMetaMisplaced, name.span, "", {scope_.what});
    return Error(name.span);
  }
  context_.Report(Code::kUnknownName, name.span, label, {name.text});
  return Error(name.span);
}

ExprPtr ExprChecker::InferName(const ast::NameExpr& e, const Type* expected) {
  const ast::Name& name = e.name;
  if (!name) return Error(e.span);
  if (const Local* local = FindLocal(name.text)) {
    auto access = std::make_unique<typed::LocalExpr>();
    access->local = local->index;
    access->name = name.text;
    access->type = local->type;
    access->span = e.span;
    return access;
  }
  int field = FindField(name.text);
  for (std::string_view pseudo : {"meta", "window"}) {
    if (!IsPseudo(e, pseudo)) continue;
    if (field >= 0) {
      context_.Report(Code::kPseudoCollision, e.span, "", {std::string(pseudo)})
          .Secondary(scope_.row->record->fields[static_cast<size_t>(field)].span, "the field")
          .Help("backticks mean the field: `` `" + std::string(pseudo) + "` ``");
    } else {
      context_
          .Report(Code::kNotAValue, e.span, "",
                  {name.text, pseudo == "meta" ? "record's metadata" : "window"})
          .Help(pseudo == "meta" ? "name a part: `meta.time`, `meta.key`, `meta.headers[\"x\"]`"
                                 : "name a part: `window.start`, `window.end`");
    }
    return Error(e.span);
  }
  if (field >= 0) {
    if (ReportAmbiguous(name)) return Error(e.span);
    return RowField(field, e.span);
  }
  Symbol* symbol = context_.FindValue(name.text);
  bool is_value = symbol != nullptr &&
                  (symbol->kind == SymbolKind::kParam || symbol->kind == SymbolKind::kSecret);
  if (is_value) return InferSymbol(name, *symbol);
  bool found = false;
  ExprPtr value = InferEnumValue(name, expected, &found);
  if (found) return value;
  if (expected != nullptr && Present(expected)->Is(TypeKind::kEnum) && symbol == nullptr) {
    const typed::EnumDef* def = Present(expected)->enum_def;
    std::vector<std::string> names = VisibleNames();
    std::string label = Context::Suggest(name.text, NamesOf(def));
    if (Context::Suggest(name.text, names).empty() &&
        !(scope_.row != nullptr && context_.IsPoisoned(scope_.row->record))) {
      context_.Report(Code::kUnknownEnumValue, e.span, label, {name.text, def->name})
          .Secondary(def->span, "`" + def->name + "` is declared here");
      return Error(e.span);
    }
  }
  // With an unknown record the name may well be a field of it.
  bool unknown_row = scope_.row != nullptr && context_.IsPoisoned(scope_.row->record);
  if (symbol != nullptr && !unknown_row) return InferSymbol(name, *symbol);
  return UnknownName(name);
}

ExprPtr ExprChecker::InferMeta(const ast::FieldExpr& e) {
  struct Part {
    std::string_view name;
    typed::MetaField field;
    const Type* type;
    bool of_window;  // exists behind a window too
  };
  const Part parts[] = {
      {"time", typed::MetaField::kTime, context_.timestamp, true},
      {"key", typed::MetaField::kKey, context_.types.Optional(context_.string), true},
      {"topic", typed::MetaField::kTopic, context_.string, false},
      {"partition", typed::MetaField::kPartition, context_.int64, false},
      {"offset", typed::MetaField::kOffset, context_.int64, false},
      {"arrival", typed::MetaField::kArrival, context_.timestamp, false},
  };
  if (FindField("meta") >= 0) {
    context_.Report(Code::kPseudoCollision, e.object->span, "", {"meta"})
        .Secondary(scope_.row->record->fields[static_cast<size_t>(FindField("meta"))].span,
                   "the field")
        .Help("backticks mean the field: `` `meta` ``");
    return Error(e.span);
  }
  for (const Part& part : parts) {
    if (part.name != e.name.text) continue;
    if (!part.of_window && scope_.row != nullptr && scope_.row->windowed) {
      context_.Report(Code::kMetaMisplaced, e.span,
                      "a window's result has no " + std::string(part.name) + " of its own",
                      {"a result of a window"});
      return Error(e.span);
    }
    auto meta = std::make_unique<typed::MetaExpr>();
    meta->field = part.field;
    meta->type = part.type;
    meta->span = e.span;
    return meta;
  }
  if (!e.name) return Error(e.span);
  if (e.name.text == "headers") {
    context_.Report(Code::kNotAValue, e.span, "", {"meta.headers", "map of the record's headers"})
        .Help("name one: `meta.headers[\"x\"]`");
    return Error(e.span);
  }
  std::string label = Context::Suggest(
      e.name.text, {"time", "key", "headers", "topic", "partition", "offset", "arrival"});
  context_.Report(Code::kUnknownMeta, e.name.span, label, {e.name.text})
      .Note(
          "`meta` has `time`, `key`, `headers[\"…\"]`, `topic`, `partition`, `offset` and "
          "`arrival`");
  return Error(e.span);
}

ExprPtr ExprChecker::InferWindow(const ast::FieldExpr& e) {
  if (FindField("window") >= 0) {
    context_.Report(Code::kPseudoCollision, e.object->span, "", {"window"})
        .Help("backticks mean the field: `` `window` ``");
    return Error(e.span);
  }
  auto window = std::make_unique<typed::WindowExpr>();
  window->type = context_.timestamp;
  window->span = e.span;
  if (e.name.text == "start") {
    window->field = typed::WindowField::kStart;
  } else if (e.name.text == "end") {
    window->field = typed::WindowField::kEnd;
  } else {
    context_
        .Report(Code::kUnknownWindowPart, e.name.span,
                Context::Suggest(e.name.text, {"start", "end"}), {e.name.text})
        .Help("write `window.start` or `window.end`");
    return Error(e.span);
  }
  return window;
}

ExprPtr ExprChecker::InferField(const ast::FieldExpr& e, const Type* expected) {
  if (IsPseudo(*e.object, "meta")) return InferMeta(e);
  if (IsPseudo(*e.object, "window")) return InferWindow(e);
  const auto* object = As<ast::NameExpr>(e.object.get());
  if (object != nullptr && FindLocal(object->name.text) == nullptr &&
      FindField(object->name.text) < 0) {
    const std::string& owner = object->name.text;
    if (scope_.row != nullptr && scope_.row->record != nullptr &&
        std::find(scope_.row->qualifiers.begin(), scope_.row->qualifiers.end(), owner) !=
            scope_.row->qualifiers.end()) {
      context_.FindValue(owner);
      int field = FindField(e.name.text);
      if (field >= 0) return RowField(field, e.span);
      if (!context_.IsPoisoned(scope_.row->record)) {
        std::vector<std::string> names;
        for (const auto& f : scope_.row->record->fields) names.push_back(f.name);
        context_.Report(Code::kUnknownField, e.name.span, Context::Suggest(e.name.text, names),
                        {e.name.text, owner});
      }
      return Error(e.span);
    }
    Symbol* value = context_.FindValue(owner);
    if (value != nullptr && value->kind == SymbolKind::kNamespace) {
      auto member = value->members.find(e.name.text);
      if (member != value->members.end()) return InferSymbol(e.name, *member->second);
      std::vector<std::string> names;
      for (const auto& [name, _] : value->members) names.push_back(name);
      std::sort(names.begin(), names.end());
      context_.Report(Code::kUnknownImported, e.name.span, Context::Suggest(e.name.text, names),
                      {owner, e.name.text});
      return Error(e.span);
    }
    Symbol* type = value == nullptr ? context_.FindType(owner) : nullptr;
    if (type != nullptr && type->kind == SymbolKind::kEnum && type->index >= 0) {
      const typed::EnumDef* def = context_.out.enums[static_cast<size_t>(type->index)].get();
      int index = IndexOfValue(def, e.name.text);
      if (index >= 0) return EnumValue(def, index, e.span);
      context_
          .Report(Code::kUnknownEnumValue, e.name.span, Context::Suggest(e.name.text, NamesOf(def)),
                  {e.name.text, def->name})
          .Secondary(def->span, "`" + def->name + "` is declared here");
      return Error(e.span);
    }
    if (owner == "window" && scope_.aggregate == nullptr && value == nullptr &&
        !(scope_.row != nullptr && context_.IsPoisoned(scope_.row->record))) {
      context_.Report(Code::kWindowMisplaced, object->span, "here is no window")
          .Help("take it along: `aggregate { …, start: window.start }`");
      return Error(e.span);
    }
    if (owner == "meta" && value == nullptr && !scope_.has_meta) {
      context_.Report(Code::kMetaMisplaced, object->span, "no record is at hand here",
                      {scope_.what});
      return Error(e.span);
    }
  }
  return FieldOf(Infer(*e.object), e);
}

ExprPtr ExprChecker::FieldOf(ExprPtr base, const ast::FieldExpr& e) {
  if (HasError(base->type) || !e.name) return Error(e.span);
  const Type* type = Present(base->type);
  if (!type->Is(TypeKind::kRecord)) {
    Reported reported = context_.Report(Code::kNoFields, e.object->span, "",
                                        {context_.Written(e.object->span), ToString(base->type)});
    if (type->Is(TypeKind::kMap)) {
      reported.Help("a map is read by key: `" + context_.Written(e.object->span) + "[\"" +
                    e.name.text + "\"]`");
    }
    return Error(e.span);
  }
  const RecordDef& record = *type->record;
  int index = record.IndexOf(e.name.text);
  if (index < 0) {
    if (context_.IsPoisoned(&record)) return Error(e.span);
    std::vector<std::string> names;
    for (const auto& field : record.fields) names.push_back(field.name);
    Reported reported =
        context_.Report(Code::kUnknownField, e.name.span, Context::Suggest(e.name.text, names),
                        {e.name.text, context_.DisplayName(&record)});
    if (!record.synthetic && record.span.IsValid()) {
      reported.Secondary(record.span, "`" + record.name + "` is declared here");
    }
    return Error(e.span);
  }
  const Type* field_type = record.fields[static_cast<size_t>(index)].type;
  bool absent_possible = IsOptional(base->type);
  if (absent_possible && !e.optional) {
    const std::string text = context_.Written(e.object->span);
    context_
        .Report(Code::kOptionalUsed, e.object->span, "this is `" + ToString(base->type) + "`",
                {text})
        .Help("write `" + text + "?." + e.name.text +
              "`, which is absent with it, and `?? …` behind it");
    return Error(e.span);
  }
  if (!absent_possible && e.optional) {
    context_.Report(Code::kUselessOptionalAccess, e.span, "", {context_.Written(e.object->span)})
        .Help("write `" + context_.Written(e.object->span) + "." + e.name.text + "`");
  }
  auto access = std::make_unique<typed::FieldExpr>();
  access->field = index;
  access->through_optional = absent_possible;
  access->type =
      absent_possible && !HasError(field_type) ? context_.types.Optional(field_type) : field_type;
  access->span = e.span;
  Absorb(*access, *base);
  access->base = std::move(base);
  return access;
}

}  // namespace weirc::check
