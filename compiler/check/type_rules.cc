// compiler/check/type_rules.cc — What the language says about types alone.
#include "compiler/check/type_rules.h"

#include <algorithm>

namespace weirc::check {

namespace {

constexpr int kDigitsMax = 38;

}  // namespace

bool HasError(const Type* t) {
  for (; t != nullptr; t = t->element) {
    if (t->kind == TypeKind::kError) return true;
  }
  return false;
}

bool SameButUnit(const Type* a, const Type* b) {
  if (a == b) return true;
  if (a->kind != b->kind) return false;
  switch (a->kind) {
    case TypeKind::kDecimal: return a->precision == b->precision && a->scale == b->scale;
    case TypeKind::kEnum: return a->enum_def == b->enum_def;
    case TypeKind::kRecord: return a->record == b->record;
    case TypeKind::kList:
    case TypeKind::kMap:
    case TypeKind::kOptional:
    case TypeKind::kOutcome: return SameButUnit(a->element, b->element);
    default: return true;
  }
}

namespace {

// A unit may be added to or taken from a number that says nothing of units; two different ones
// never meet.
bool UnitsClash(const Type* a, const Type* b) {
  return !a->unit.empty() && !b->unit.empty() && a->unit != b->unit;
}

// Both present, units aside.
Fit FitOfNumbers(const Type* from, const Type* to) {
  if (from->kind == to->kind && !IsDecimal(from)) return Fit::kSame;
  if (IsFloat(to)) {
    if (from->Is(TypeKind::kInt32)) return Fit::kLossless;
    return Fit::kMixed;
  }
  if (IsFloat(from)) return Fit::kMixed;
  if (IsInt(from) && IsInt(to)) {
    return to->Is(TypeKind::kInt64) ? Fit::kLossless : Fit::kNarrowing;
  }
  if (IsInt(from)) {
    return to->precision - to->scale >= DigitsOfInt(from) ? Fit::kLossless : Fit::kNarrowing;
  }
  if (IsInt(to)) return Fit::kNarrowing;
  if (from->precision == to->precision && from->scale == to->scale) return Fit::kSame;
  bool holds =
      to->scale >= from->scale && to->precision - to->scale >= from->precision - from->scale;
  return holds ? Fit::kLossless : Fit::kNarrowing;
}

}  // namespace

Fit FitOf(const Type* from, const Type* to) {
  if (from == to) return Fit::kSame;
  if (HasError(from) || HasError(to)) return Fit::kSame;
  if (IsOptional(to)) {
    if (from->Is(TypeKind::kNull)) return Fit::kLossless;
    Fit inner = FitOf(Present(from), to->element);
    return inner == Fit::kSame ? (IsOptional(from) ? Fit::kSame : Fit::kLossless) : inner;
  }
  if (IsOptional(from)) {
    Fit inner = FitOf(from->element, to);
    return inner == Fit::kSame || inner == Fit::kLossless ? Fit::kOptionalUsed : inner;
  }
  if (UnitsClash(from, to)) return Fit::kUnits;
  if (IsNumber(from) && IsNumber(to)) return FitOfNumbers(from, to);
  if (SameButUnit(from, to)) return Fit::kSame;
  if (from->Is(TypeKind::kRecord) && to->Is(TypeKind::kRecord)) {
    // A record without a name of its own becomes a declared one with the same fields.
    const RecordDef& a = *from->record;
    const RecordDef& b = *to->record;
    if (!a.synthetic || a.fields.size() != b.fields.size()) return Fit::kNone;
    for (const typed::Field& field : b.fields) {
      int index = a.IndexOf(field.name);
      if (index < 0) return Fit::kNone;
      Fit fit = FitOf(a.fields[static_cast<size_t>(index)].type, field.type);
      if (fit != Fit::kSame && fit != Fit::kLossless) return fit;
    }
    return Fit::kLossless;
  }
  return Fit::kNone;
}

const Type* AsDecimal(TypeTable& types, const Type* t) {
  return IsInt(t) ? types.Decimal(DigitsOfInt(t), 0, t->unit) : t;
}

const Type* CommonType(TypeTable& types, const Type* a, const Type* b) {
  if (a == b) return a;
  if (IsError(a)) return b;
  if (IsError(b)) return a;
  if (a->Is(TypeKind::kNull)) return types.Optional(b);
  if (b->Is(TypeKind::kNull)) return types.Optional(a);
  if (IsOptional(a) || IsOptional(b)) {
    const Type* common = CommonType(types, Present(a), Present(b));
    return common == nullptr ? nullptr : types.Optional(common);
  }
  if (UnitsClash(a, b)) return nullptr;
  const std::string unit = a->unit.empty() ? b->unit : a->unit;
  if (IsNumber(a) && IsNumber(b)) {
    if (a->kind == b->kind && !IsDecimal(a)) return types.WithUnit(a, unit);
    if (IsInt(a) && IsInt(b)) return types.WithUnit(types.Simple(TypeKind::kInt64), unit);
    if (IsFloat(a) || IsFloat(b)) {
      const Type* other = IsFloat(a) ? b : a;
      if (!other->Is(TypeKind::kInt32)) return nullptr;
      return types.WithUnit(types.Simple(TypeKind::kFloat64), unit);
    }
    const Type* x = AsDecimal(types, a);
    const Type* y = AsDecimal(types, b);
    int scale = std::max(x->scale, y->scale);
    int whole = std::max(x->precision - x->scale, y->precision - y->scale);
    if (whole + scale > kDigitsMax) return nullptr;
    return types.Decimal(std::max(whole + scale, 1), scale, unit);
  }
  Fit forward = FitOf(a, b);
  if (forward == Fit::kSame || forward == Fit::kLossless) return types.WithUnit(b, b->unit);
  Fit backward = FitOf(b, a);
  if (backward == Fit::kSame || backward == Fit::kLossless) return a;
  return nullptr;
}

namespace {

std::string UnitOfSum(const Type* a, const Type* b) { return a->unit.empty() ? b->unit : a->unit; }

}  // namespace

DecimalResult AddDecimals(TypeTable& types, const Type* a, const Type* b) {
  int scale = std::max(a->scale, b->scale);
  int precision = std::max(a->precision - a->scale, b->precision - b->scale) + scale + 1;
  return {types.Decimal(std::min(precision, kDigitsMax), scale, UnitOfSum(a, b)),
          precision > kDigitsMax};
}

DecimalResult MultiplyDecimals(TypeTable& types, const Type* a, const Type* b) {
  int scale = a->scale + b->scale;
  int precision = a->precision + b->precision;
  if (scale > kDigitsMax) return {};
  // The product of an amount and a plain number keeps the amount's unit; of two units there is no
  // name.
  std::string unit;
  if (a->unit.empty() != b->unit.empty()) unit = UnitOfSum(a, b);
  return {types.Decimal(std::min(precision, kDigitsMax), scale, unit), precision > kDigitsMax};
}

DecimalResult DivideDecimals(TypeTable& types, const Type* a, const Type* b) {
  int scale = std::max({6, a->scale, b->scale});
  // |a / b| <= |a| × 10^scale(b): only then is an overflow out of the question.
  bool overflows = (a->precision - a->scale) + b->scale + scale > kDigitsMax;
  return {types.Decimal(kDigitsMax, scale, b->unit.empty() ? a->unit : ""), overflows};
}

DecimalResult RemainderDecimals(TypeTable& types, const Type* a, const Type* b) {
  int scale = std::max(a->scale, b->scale);
  int precision = std::max(a->precision - a->scale, b->precision - b->scale) + scale;
  return {types.Decimal(std::clamp(precision, 1, kDigitsMax), scale, UnitOfSum(a, b)),
          precision > kDigitsMax};
}

bool IsKeyType(const Type* t) {
  switch (t->kind) {
    case TypeKind::kBool:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kDecimal:
    case TypeKind::kString:
    case TypeKind::kBytes:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kDate:
    case TypeKind::kEnum:
    case TypeKind::kError: return true;
    default: return false;
  }
}

bool HasText(const Type* t) {
  switch (t->kind) {
    case TypeKind::kBool:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kFloat64:
    case TypeKind::kDecimal:
    case TypeKind::kString:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kDate:
    case TypeKind::kEnum:
    case TypeKind::kError: return true;
    default: return false;
  }
}

bool IsOrdered(const Type* t) {
  switch (t->kind) {
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kFloat64:
    case TypeKind::kDecimal:
    case TypeKind::kString:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kDate:
    case TypeKind::kError: return true;
    default: return false;
  }
}

bool IsComparable(const Type* t) {
  return IsOrdered(t) || t->Is(TypeKind::kBool) || t->Is(TypeKind::kEnum) ||
         t->Is(TypeKind::kBytes);
}

std::string WithArticle(const Type* t) {
  std::string text = ToString(t);
  bool vowel = !text.empty() && std::string("aeiouAEIOU").find(text[0]) != std::string::npos;
  return (vowel ? "an `" : "a `") + text + "`";
}

}  // namespace weirc::check
