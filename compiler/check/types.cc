// compiler/check/types.cc — Types are interned: equal types are one pointer. And their names, as an
// author writes them.
#include <deque>
#include <map>
#include <tuple>
#include <unordered_map>

#include "compiler/check/typed.h"

namespace weirc::typed {

struct TypeTable::Impl {
  // Everything but the unit, which is part of the key too.
  using Key = std::tuple<TypeKind, int, int, std::string, const void*>;
  std::deque<Type> types;
  std::map<Key, const Type*> by_key;

  const Type* Intern(Type type) {
    const void* part = type.element;
    if (type.enum_def != nullptr) part = type.enum_def;
    if (type.record != nullptr) part = type.record;
    auto [it, added] =
        by_key.try_emplace(Key(type.kind, type.precision, type.scale, type.unit, part), nullptr);
    if (added) {
      types.push_back(std::move(type));
      it->second = &types.back();
    }
    return it->second;
  }
};

TypeTable::TypeTable() : impl_(std::make_unique<Impl>()) {}
TypeTable::~TypeTable() = default;

const Type* TypeTable::Simple(TypeKind kind) {
  Type type;
  type.kind = kind;
  return impl_->Intern(std::move(type));
}

const Type* TypeTable::Decimal(int precision, int scale, const std::string& unit) {
  Type type;
  type.kind = TypeKind::kDecimal;
  type.precision = precision;
  type.scale = scale;
  type.unit = unit;
  return impl_->Intern(std::move(type));
}

const Type* TypeTable::WithUnit(const Type* type, const std::string& unit) {
  if (type->kind == TypeKind::kOptional) return Optional(WithUnit(type->element, unit));
  if (type->unit == unit) return type;
  Type changed = *type;
  changed.unit = unit;
  return impl_->Intern(std::move(changed));
}

const Type* TypeTable::Enum(const EnumDef* def) {
  Type type;
  type.kind = TypeKind::kEnum;
  type.enum_def = def;
  return impl_->Intern(std::move(type));
}

const Type* TypeTable::Record(const RecordDef* def) {
  Type type;
  type.kind = TypeKind::kRecord;
  type.record = def;
  return impl_->Intern(std::move(type));
}

namespace {

Type OfElement(TypeKind kind, const Type* element) {
  Type type;
  type.kind = kind;
  type.element = element;
  return type;
}

}  // namespace

const Type* TypeTable::List(const Type* element) {
  return impl_->Intern(OfElement(TypeKind::kList, element));
}
const Type* TypeTable::Map(const Type* value) {
  return impl_->Intern(OfElement(TypeKind::kMap, value));
}
const Type* TypeTable::Optional(const Type* type) {
  if (type->kind == TypeKind::kOptional || type->kind == TypeKind::kError) return type;
  return impl_->Intern(OfElement(TypeKind::kOptional, type));
}
const Type* TypeTable::Outcome(const Type* found) {
  return impl_->Intern(OfElement(TypeKind::kOutcome, found));
}

namespace {

std::string WithoutUnit(const Type* type) {
  switch (type->kind) {
    case TypeKind::kError: return "?";
    case TypeKind::kNull: return "null";
    case TypeKind::kBool: return "bool";
    case TypeKind::kInt32: return "int32";
    case TypeKind::kInt64: return "int64";
    case TypeKind::kFloat64: return "float64";
    case TypeKind::kDecimal:
      return "decimal(" + std::to_string(type->precision) + ", " + std::to_string(type->scale) +
             ")";
    case TypeKind::kString: return "string";
    case TypeKind::kBytes: return "bytes";
    case TypeKind::kTimestamp: return "timestamp";
    case TypeKind::kDuration: return "duration";
    case TypeKind::kDate: return "date";
    case TypeKind::kEnum: return type->enum_def->name;
    case TypeKind::kRecord: return type->record->name;
    case TypeKind::kList: return "list<" + ToString(type->element) + ">";
    case TypeKind::kMap: return "map<string, " + ToString(type->element) + ">";
    case TypeKind::kOptional: return WithoutUnit(type->element) + "?";
    case TypeKind::kOutcome: return "outcome of " + ToString(type->element);
  }
  return "?";
}

}  // namespace

std::string ToString(const Type* type) {
  if (type == nullptr) return "?";
  const Type* bare = type->kind == TypeKind::kOptional ? type->element : type;
  std::string text = WithoutUnit(type);
  if (!bare->unit.empty()) text += " in " + bare->unit;
  return text;
}

}  // namespace weirc::typed
