// compiler/check/literals.cc — Literals take the type that is wanted where they stand, as long as
// nothing is lost.
#include <algorithm>
#include <cstdlib>

#include "compiler/check/expr_checker.h"
#include "compiler/check/number_text.h"

namespace weirc::check {

namespace {

std::unique_ptr<typed::LiteralExpr> Literal(const Type* type, Span span) {
  auto literal = std::make_unique<typed::LiteralExpr>();
  literal->type = type;
  literal->span = span;
  return literal;
}

}  // namespace

ExprPtr ExprChecker::InferInt(const ast::IntLit& e, bool negative, Span span,
                              const Type* expected) {
  __int128 value = negative ? -e.value : e.value;
  const Type* type = expected == nullptr ? context_.int64 : Present(expected);
  if (IsDecimal(type)) {
    auto unscaled = ScaleUp(value, type->scale);
    if (!unscaled || CountDigits(*unscaled) > type->precision) {
      context_
          .Report(Code::kLiteralRange, span, "", {(negative ? "-" : "") + e.text, ToString(type)})
          .Note("`" + ToString(type) + "` has " + std::to_string(type->precision - type->scale) +
                " digits before the point");
      return Error(span);
    }
    auto literal = Literal(type, span);
    literal->value.number = *unscaled;
    return literal;
  }
  if (IsFloat(type)) {
    auto literal = Literal(type, span);
    literal->value.real = static_cast<double>(value);
    if (static_cast<__int128>(literal->value.real) != value) {
      context_.Report(Code::kLiteralRange, span, "a float64 holds 53 bits exactly",
                      {(negative ? "-" : "") + e.text, ToString(type)});
      return Error(span);
    }
    return literal;
  }
  __int128 low = type->Is(TypeKind::kInt32) ? INT32_MIN : INT64_MIN;
  __int128 high = type->Is(TypeKind::kInt32) ? INT32_MAX : INT64_MAX;
  bool fits = value >= low && value <= high;
  if (!fits && (expected == nullptr || !IsInt(type))) {
    // Nothing asks for an int: as many digits as it has.
    auto literal = Literal(context_.types.Decimal(CountDigits(value), 0), span);
    literal->value.number = value;
    return literal;
  }
  if (!fits) {
    context_.Report(Code::kLiteralRange, span, "", {(negative ? "-" : "") + e.text, ToString(type)})
        .Note("`" + ToString(type) + "` goes from " + NumberText(low) + " to " + NumberText(high));
    return Error(span);
  }
  auto literal = Literal(IsInt(type) ? type : context_.int64, span);
  literal->value.number = value;
  return literal;
}

ExprPtr ExprChecker::InferDecimal(const ast::DecimalLit& e, bool negative, Span span,
                                  const Type* expected) {
  const Type* type = expected == nullptr ? nullptr : Present(expected);
  if (type != nullptr && IsFloat(type)) {
    std::string digits = (negative ? "-" : "") + e.digits + "e" + std::to_string(-e.scale);
    auto literal = Literal(type, span);
    literal->value.real = std::strtod(digits.c_str(), nullptr);
    return literal;
  }
  std::string digits = e.digits;
  int scale = e.scale;
  const int wanted = type != nullptr && IsDecimal(type) ? type->scale : std::max(scale, 0);
  // 1.50 is 1.5 when one digit is all there is room for; never the other way round.
  while (scale > wanted && digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    --scale;
  }
  if (digits == "0") scale = std::min(scale, wanted);
  auto too_many = [&](const Type* t) {
    context_.Report(Code::kLiteralDigits, span, "", {(negative ? "-" : "") + e.text, ToString(t)})
        .Note("`" + ToString(t) + "` has " + std::to_string(t->precision - t->scale) +
              " digits before and " + std::to_string(t->scale) + " after the point");
    return Error(span);
  };
  if (type != nullptr && IsDecimal(type)) {
    auto value = ParseDigits(digits);
    auto unscaled =
        scale <= wanted && wanted - scale <= 76 ? ScaleUp(value, wanted - scale) : std::nullopt;
    if (digits == "0") unscaled = 0;
    if (!unscaled || CountDigits(*unscaled) > type->precision) return too_many(type);
    auto literal = Literal(type, span);
    literal->value.number = negative ? -*unscaled : *unscaled;
    return literal;
  }
  auto value = ParseDigits(digits);
  auto unscaled = scale >= 0 ? std::optional(value) : ScaleUp(value, std::min(-scale, 77));
  scale = std::max(scale, 0);
  if (digits == "0") unscaled = 0, scale = std::min(scale, 38);
  if (!unscaled || scale > 38 || CountDigits(*unscaled) > 38) {
    return too_many(context_.types.Decimal(38, std::min(std::max(scale, 0), 38)));
  }
  auto literal =
      Literal(context_.types.Decimal(std::max({CountDigits(*unscaled), scale, 1}), scale), span);
  literal->value.number = negative ? -*unscaled : *unscaled;
  return literal;
}

ExprPtr ExprChecker::InferString(const ast::StringLit& e, const Type*) {
  if (e.IsPlain()) {
    auto literal = Literal(context_.string, e.span);
    literal->value.text = std::string(e.PlainText());
    return literal;
  }
  auto text = std::make_unique<typed::InterpolateExpr>();
  text->type = context_.string;
  text->span = e.span;
  for (const ast::StringPart& part : e.parts) {
    if (!part.expr) {
      auto literal = Literal(context_.string, part.span.IsValid() ? part.span : e.span);
      literal->value.text = part.text;
      text->parts.push_back(std::move(literal));
      continue;
    }
    if (scope_.place == Place::kConstant) {
      context_.Report(Code::kNotConstant, part.span, "nothing can be put in here", {scope_.what})
          .Help("a brace that is text is written `{{`");
      return Error(e.span);
    }
    ExprPtr value = ToText(Infer(*part.expr));
    if (HasError(value->type)) text->type = context_.error;
    Absorb(*text, *value);
    text->parts.push_back(std::move(value));
  }
  return text;
}

ExprPtr ExprChecker::InferList(const ast::ListLit& e, const Type* expected) {
  auto list = std::make_unique<typed::ListExpr>();
  list->span = e.span;
  const Type* wanted = expected == nullptr ? nullptr : Present(expected);
  const Type* element = nullptr;
  if (wanted != nullptr && wanted->Is(TypeKind::kList)) {
    element = wanted->element;
    for (const ast::ExprPtr& item : e.items) {
      list->elements.push_back(Check(*item, element, {.role = "an element of this list"}));
    }
  } else {
    if (e.items.empty()) {
      context_.Report(Code::kTypeUnknown, e.span, "of what?", {"an empty list"});
      return Error(e.span);
    }
    std::vector<ExprPtr*> values;
    for (const ast::ExprPtr& item : e.items) {
      list->elements.push_back(Infer(*item, list->elements.empty() || NeedsContext(*e.items[0])
                                                ? nullptr
                                                : list->elements[0]->type));
    }
    for (ExprPtr& value : list->elements) values.push_back(&value);
    element = Unify(values, nullptr, "the elements of a list");
  }
  list->type = context_.types.List(element);
  for (const ExprPtr& value : list->elements) {
    if (HasError(value->type)) list->type = context_.error;
    Absorb(*list, *value);
  }
  return list;
}

ExprPtr ExprChecker::FieldDefault(const typed::Field& field, Span span) {
  if (field.default_value) return CloneConstant(*field.default_value);
  if (!IsOptional(field.type)) return nullptr;
  auto null = Literal(context_.null_type, span);
  null->value.is_null = true;
  return Convert(std::move(null), field.type);
}

ExprPtr ExprChecker::RecordOf(const ast::RecordLit& e, const Type* expected) {
  const RecordDef& record = *expected->record;
  auto value = std::make_unique<typed::RecordExpr>();
  value->type = expected;
  value->span = e.span;
  std::vector<std::string> names;
  for (const auto& field : record.fields) names.push_back(field.name);
  bool wrong = false;
  for (const ast::Pair& pair : e.pairs) {
    if (record.IndexOf(pair.name.text) >= 0 || pair.name.text.empty()) continue;
    wrong = true;
    if (context_.IsPoisoned(&record)) continue;
    Reported reported = context_.Report(Code::kUnknownField, pair.name.span,
                                        Context::Suggest(pair.name.text, names),
                                        {pair.name.text, context_.DisplayName(&record)});
    if (!record.synthetic)
      reported.Secondary(record.span, "`" + record.name + "` is declared here");
  }
  std::vector<std::string> missing;
  for (const typed::Field& field : record.fields) {
    const ast::Pair* pair = e.Find(field.name);
    ExprPtr part;
    if (pair != nullptr) {
      part =
          Check(*pair->value, field.type, {.role = "`" + field.name + "`", .declared = field.span});
    } else {
      part = FieldDefault(field, e.span);
      if (!part) {
        missing.push_back(field.name);
        part = Error(e.span);
      }
    }
    if (HasError(part->type)) wrong = true;
    Absorb(*value, *part);
    value->values.push_back(std::move(part));
  }
  if (!missing.empty() && !context_.IsPoisoned(&record)) {
    std::string paste;
    for (const std::string& name : missing) paste += (paste.empty() ? "" : ", ") + name + ": …";
    Reported reported = context_.Report(
        Code::kMissingField, e.span, missing.size() == 1 ? "it is not given" : "they are not given",
        {context_.DisplayName(&record), OneOfNames(missing, "and")});
    if (!record.synthetic)
      reported.Secondary(record.span, "`" + record.name + "` is declared here");
    reported.Help("add `" + paste + "`");
  }
  if (wrong) value->type = context_.error;
  return value;
}

ExprPtr ExprChecker::MapOf(const ast::RecordLit& e, const Type* value_type) {
  auto map = std::make_unique<typed::MapExpr>();
  map->span = e.span;
  bool wrong = false;
  for (const ast::Pair& pair : e.pairs) {
    ExprPtr value = value_type != nullptr
                        ? Check(*pair.value, value_type, {.role = "a value of this map"})
                        : Infer(*pair.value);
    if (HasError(value->type)) wrong = true;
    map->entries.emplace_back(pair.name.text, std::move(value));
  }
  if (value_type == nullptr) {
    std::vector<ExprPtr*> values;
    for (auto& entry : map->entries) values.push_back(&entry.second);
    value_type = Unify(values, nullptr, "the values of a map");
  }
  map->type = wrong ? context_.error : context_.types.Map(value_type);
  for (auto& entry : map->entries) Absorb(*map, *entry.second);
  return map;
}

ExprPtr ExprChecker::InferRecord(const ast::RecordLit& e, const Type* expected) {
  const Type* wanted = expected == nullptr ? nullptr : Present(expected);
  if (wanted != nullptr && wanted->Is(TypeKind::kRecord)) return RecordOf(e, wanted);
  if (wanted != nullptr && wanted->Is(TypeKind::kMap)) return MapOf(e, wanted->element);
  if (e.pairs.empty()) {
    context_.Report(Code::kTypeUnknown, e.span, "a record has at least one field", {"`{}`"});
    return Error(e.span);
  }
  bool keys =
      std::all_of(e.pairs.begin(), e.pairs.end(), [](const ast::Pair& p) { return p.string_key; });
  if (keys) return MapOf(e, nullptr);

  auto value = std::make_unique<typed::RecordExpr>();
  value->span = e.span;
  std::vector<typed::Field> fields;
  for (const ast::Pair& pair : e.pairs) {
    ExprPtr part = Infer(*pair.value);
    if (part->type->Is(TypeKind::kNull)) {
      context_.Report(Code::kTypeUnknown, part->span, "absent what?", {"`null`"});
      part = Error(part->span);
    }
    typed::Field field;
    field.name = field.json_name = pair.name.text;
    field.type = part->type;
    field.span = pair.name.span;
    fields.push_back(std::move(field));
    Absorb(*value, *part);
    value->values.push_back(std::move(part));
  }
  value->type = context_.types.Record(context_.AnonymousRecord(std::move(fields), e.span));
  return value;
}

}  // namespace weirc::check
