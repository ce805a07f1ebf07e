// compiler/check/type_decls.cc — Enums and records, and the types that declarations name.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/check/number_text.h"
#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

// What types are called elsewhere.
const char* OtherTypeOf(std::string_view name) {
  static const std::map<std::string_view, const char*> names = {{"int", "int64"},
                                                                {"integer", "int32"},
                                                                {"long", "int64"},
                                                                {"bigint", "int64"},
                                                                {"short", "int32"},
                                                                {"smallint", "int32"},
                                                                {"int16", "int32"},
                                                                {"uint32", "int64"},
                                                                {"uint64", "decimal(20, 0)"},
                                                                {"double", "float64"},
                                                                {"float", "float64"},
                                                                {"real", "float64"},
                                                                {"float32", "float64"},
                                                                {"number", "decimal(18, 4)"},
                                                                {"numeric", "decimal(18, 4)"},
                                                                {"money", "decimal(18, 2)"},
                                                                {"text", "string"},
                                                                {"varchar", "string"},
                                                                {"char", "string"},
                                                                {"str", "string"},
                                                                {"boolean", "bool"},
                                                                {"datetime", "timestamp"},
                                                                {"time", "timestamp"},
                                                                {"instant", "timestamp"},
                                                                {"interval", "duration"},
                                                                {"binary", "bytes"},
                                                                {"bytea", "bytes"},
                                                                {"array", "list<…>"},
                                                                {"vector", "list<…>"},
                                                                {"set", "list<…>"},
                                                                {"struct", "a record"},
                                                                {"object", "map<string, …>"},
                                                                {"dict", "map<string, …>"},
                                                                {"hash", "map<string, …>"},
                                                                {"json", "a record"},
                                                                {"uuid", "string"}};
  auto it = names.find(name);
  return it == names.end() ? nullptr : it->second;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

const Type* Decimal(Context& context, const ast::TypeRef& ref) {
  auto wrong = [&](Span span, const char* label) {
    context.Report(Code::kBadTypeParameters, span, label, {"decimal"})
        .Help(
            "write `decimal(18, 4)`: 18 digits in all, 4 of them after the point; at most 38 "
            "digits");
    return context.error;
  };
  if (ref.parameters.size() != 2 || !ref.arguments.empty()) {
    return wrong(ref.span, "it takes how many digits it has, and how many after the point");
  }
  __int128 precision = ref.parameters[0]->value, scale = ref.parameters[1]->value;
  if (precision < 1 || precision > 38) return wrong(ref.parameters[0]->span, "1 to 38 digits");
  if (scale > precision)
    return wrong(ref.parameters[1]->span, "more digits after the point than in all");
  return context.types.Decimal(static_cast<int>(precision), static_cast<int>(scale));
}

const Type* Bare(Context& context, const ast::TypeRef& ref) {
  const std::string& name = ref.name.text;
  if (!ref.name) return context.error;
  if (name == "decimal") return Decimal(context, ref);
  bool is_list = name == "list", is_map = name == "map";
  if (is_list || is_map) {
    size_t count = is_list ? 1 : 2;
    if (ref.arguments.size() != count || !ref.parameters.empty()) {
      context.Report(Code::kBadTypeParameters, ref.span, "", {name})
          .Help(is_list ? "write `list<string>`" : "write `map<string, int64>`");
      return context.error;
    }
    if (is_map) {
      const Type* key = ResolveType(context, ref.arguments[0]);
      if (!HasError(key) && !key->Is(TypeKind::kString)) {
        context.Report(Code::kBadTypeParameters, ref.arguments[0].span,
                       "the keys of a map are `string`", {"map"});
        return context.error;
      }
    }
    const Type* element = ResolveType(context, ref.arguments.back());
    if (HasError(element)) return context.error;
    return is_list ? context.types.List(element) : context.types.Map(element);
  }
  static const std::map<std::string_view, TypeKind> simple = {{"bool", TypeKind::kBool},
                                                              {"int32", TypeKind::kInt32},
                                                              {"int64", TypeKind::kInt64},
                                                              {"float64", TypeKind::kFloat64},
                                                              {"string", TypeKind::kString},
                                                              {"bytes", TypeKind::kBytes},
                                                              {"timestamp", TypeKind::kTimestamp},
                                                              {"duration", TypeKind::kDuration},
                                                              {"date", TypeKind::kDate}};
  const Type* type = nullptr;
  if (auto it = simple.find(name); it != simple.end()) {
    type = context.types.Simple(it->second);
  } else if (Symbol* symbol = context.FindType(name)) {
    size_t index = static_cast<size_t>(symbol->index);
    type = symbol->kind == SymbolKind::kEnum
               ? context.types.Enum(context.out.enums[index].get())
               : context.types.Record(context.out.records[index].get());
  }
  if (type == nullptr) {
    std::vector<std::string> names = {"bool",   "int32", "int64",     "float64",  "decimal(18, 4)",
                                      "string", "bytes", "timestamp", "duration", "date"};
    for (const auto& symbol : context.symbols) {
      if (symbol->kind == SymbolKind::kEnum || symbol->kind == SymbolKind::kRecord)
        names.push_back(symbol->name);
    }
    const char* other = OtherTypeOf(Lower(name));
    bool described = other != nullptr && std::string_view(other) == "a record";
    std::string label = described          ? "declare a `record` for it"
                        : other != nullptr ? "here it is called `" + std::string(other) + "`"
                                           : Context::Suggest(name, names);
    Reported reported = context.Report(Code::kUnknownType, ref.name.span, label, {name});
    if (auto it = context.values.find(name); it != context.values.end()) {
      reported.Secondary(it->second->span,
                         "this is a " + std::string(NameOf(it->second->kind)) + ", not a type");
    }
    return context.error;
  }
  if (!ref.parameters.empty() || !ref.arguments.empty()) {
    context.Report(Code::kBadTypeParameters, ref.span, "`" + name + "` takes none", {name});
    return context.error;
  }
  return type;
}

void CheckEnum(Context& context, const ast::EnumDecl& decl, typed::EnumDef& def) {
  std::map<std::string, Span> names, texts;
  for (const ast::EnumMember& member : decl.members) {
    if (!member.name) continue;
    typed::EnumValue value;
    value.name = member.name.text;
    value.text = member.from ? std::string(member.from->PlainText()) : value.name;
    value.span = member.name.span;
    auto [it, added] = names.try_emplace(value.name, value.span);
    if (!added) {
      context.Report(Code::kDuplicateMember, value.span, "", {def.name, value.name})
          .Secondary(it->second, "first declared here");
      continue;
    }
    auto [text, new_text] = texts.try_emplace(value.text, value.span);
    if (!new_text) {
      context
          .Report(Code::kDuplicateWireName, member.from ? member.from->span : value.span, "",
                  {def.name, value.text})
          .Secondary(text->second, "this one is read from it already");
    }
    def.values.push_back(std::move(value));
  }
  for (size_t i = 0; i < def.values.size(); ++i) {
    context.enum_values[def.values[i].name].emplace_back(&def, static_cast<int>(i));
  }
}

void CheckField(Context& context, const ast::RecordField& written, typed::Field& field) {
  field.type = ResolveType(context, written.type);
  if (written.unit) {
    const auto* unit = As<ast::NameExpr>(written.unit.get());
    const auto* text = As<ast::StringLit>(written.unit.get());
    bool is_text = text != nullptr && text->IsPlain() && !text->PlainText().empty();
    if (unit == nullptr && !is_text) {
      if (written.unit->kind != ast::ExprKind::kError) {
        context.Report(Code::kBadUnit, written.unit->span, "a unit is a name", {field.name})
            .Help("write `in USD` or `in \"m/s\"`");
      }
    } else if (!HasError(field.type)) {
      if (!IsNumber(Present(field.type))) {
        context.Report(Code::kBadUnit, written.unit->span, "only numbers have a unit", {field.name})
            .Secondary(written.type.span, "this is `" + ToString(field.type) + "`");
      } else {
        field.type = context.types.WithUnit(
            field.type, unit != nullptr ? unit->name.text : std::string(text->PlainText()));
      }
    }
  }
}

void CheckRecord(Context& context, const ast::RecordDecl& decl, RecordDef& record) {
  std::map<std::string, Span> names, wire;
  if (decl.broken) context.poisoned.insert(&record);
  for (const ast::RecordField& written : decl.fields) {
    if (!written.name) continue;
    typed::Field field;
    field.name = written.name.text;
    field.json_name = written.from ? std::string(written.from->PlainText()) : field.name;
    field.span = written.name.span;
    auto [it, added] = names.try_emplace(field.name, field.span);
    if (!added) {
      context.Report(Code::kDuplicateMember, field.span, "", {record.name, field.name})
          .Secondary(it->second, "first declared here");
      continue;
    }
    CheckField(context, written, field);
    auto [text, new_text] = wire.try_emplace(field.json_name, field.span);
    if (!new_text) {
      context
          .Report(Code::kDuplicateWireName, written.from ? written.from->span : field.span, "",
                  {record.name, field.json_name})
          .Secondary(text->second, "this one is read from it already");
    }
    record.fields.push_back(std::move(field));
  }
}

// Records inside a field's type that its size depends on; a list or map of itself is refused too,
// because nothing in the language can walk it.
const RecordDef* RecordIn(const Type* type) {
  while (type != nullptr && !type->Is(TypeKind::kRecord)) type = type->element;
  return type == nullptr ? nullptr : type->record;
}

constexpr int kRecordDepthMax = 32;

}  // namespace

const Type* ResolveType(Context& context, const ast::TypeRef& ref) {
  const Type* type = Bare(context, ref);
  return ref.nullable && !HasError(type) ? context.types.Optional(type) : type;
}

void CheckTypes(Context& context) {
  for (const auto* decl : DeclsOf<ast::EnumDecl>(context)) {
    Symbol* symbol = SymbolOf(context, *decl);
    CheckEnum(context, *decl, *context.out.enums[static_cast<size_t>(symbol->index)]);
  }
  auto records = DeclsOf<ast::RecordDecl>(context);
  std::map<const RecordDef*, int> number;
  std::vector<RecordDef*> defs;
  for (const auto* decl : records) {
    RecordDef* def =
        context.out.records[static_cast<size_t>(SymbolOf(context, *decl)->index)].get();
    number[def] = static_cast<int>(defs.size());
    defs.push_back(def);
  }
  for (size_t i = 0; i < records.size(); ++i) CheckRecord(context, *records[i], *defs[i]);

  // No record inside itself.
  std::vector<std::vector<int>> edges(defs.size());
  std::vector<std::vector<int>> edge_fields(defs.size());
  for (size_t i = 0; i < defs.size(); ++i) {
    for (size_t f = 0; f < defs[i]->fields.size(); ++f) {
      auto it = number.find(RecordIn(defs[i]->fields[f].type));
      if (it == number.end()) continue;
      edges[i].push_back(it->second);
      edge_fields[i].push_back(static_cast<int>(f));
    }
  }
  auto order = InDependencyOrder(edges, [&](const std::vector<int>& cycle) {
    auto from = static_cast<size_t>(cycle[cycle.size() - 2]),
         to = static_cast<size_t>(cycle.back());
    size_t edge = static_cast<size_t>(
        std::find(edges[from].begin(), edges[from].end(), cycle.back()) - edges[from].begin());
    typed::Field& field = defs[from]->fields[static_cast<size_t>(edge_fields[from][edge])];
    std::string path;
    for (int i : cycle) path += (path.empty() ? "" : " → ") + defs[static_cast<size_t>(i)]->name;
    context.Report(Code::kRecursiveRecord, field.span, "", {defs[to]->name}).Note(path);
    field.type = context.error;
  });
  std::vector<int> depth(defs.size(), 1);
  for (int i : order) {
    for (int inner : edges[static_cast<size_t>(i)]) {
      int& d = depth[static_cast<size_t>(i)];
      d = std::max(d, depth[static_cast<size_t>(inner)] + 1);
      if (d <= kRecordDepthMax) continue;
      context.Report(Code::kDeepRecord, defs[static_cast<size_t>(i)]->span, "",
                     {defs[static_cast<size_t>(i)]->name, kRecordDepthMax});
      for (typed::Field& field : defs[static_cast<size_t>(i)]->fields) {
        if (RecordIn(field.type) != nullptr) field.type = context.error;
      }
      d = 1;
      break;
    }
  }

  // Defaults may use enum values and other records, so they come last; inner records before outer
  // ones.
  Scope scope;
  scope.place = Place::kConstant;
  scope.what = "a default";
  for (int i : order) {
    for (const ast::RecordField& written : records[static_cast<size_t>(i)]->fields) {
      int index = defs[static_cast<size_t>(i)]->IndexOf(written.name.text);
      if (!written.default_value || index < 0) continue;
      typed::Field& field = defs[static_cast<size_t>(i)]->fields[static_cast<size_t>(index)];
      if (field.default_value || HasError(field.type)) continue;
      ExprPtr value = ExprChecker(context, scope)
                          .Check(*written.default_value, field.type,
                                 {.role = "`" + field.name + "`", .declared = written.type.span});
      if (!HasError(value->type) && !IsConstant(*value)) {
        context
            .Report(Code::kNotConstant, written.default_value->span, "it is computed",
                    {"a default"})
            .Help("write its value");
        value->type = context.error;
      }
      // A default that is wrong is a default all the same: the field may be left out.
      field.default_value = std::move(value);
    }
  }
}

}  // namespace weirc::check
