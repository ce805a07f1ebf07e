// C++ types of the pipeline's types, and which fields generated structs have.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/check/typed.h"
#include "compiler/emit/names.h"
#include "compiler/plan/plan.h"

namespace weirc::emit {

class Types {
 public:
  // Finds which fields of which records anything in the plan needs, and names structs and enums in `scope`.
  Types(const plan::Plan& plan, Scope* scope);

  // "int64_t", "Opt<Str>", "Trade".
  std::string Of(const typed::Type* type) const;
  // Held in a register or two: passed by value.
  bool IsSmall(const typed::Type* type) const;

  const std::string& StructName(const typed::RecordDef* record) const { return structs_.at(record); }
  const std::string& EnumName(const typed::EnumDef* def) const { return enums_.at(def); }
  // The C++ name of a record's field or an enum's value.
  std::string Member(const std::string& name) const {
    return type_names_.contains(name) ? Escaped(name) : MangleMember(name);
  }
  // Whether the record's struct has this field.
  bool Has(const typed::RecordDef* record, int field) const;
  // What the record's struct holds.
  const plan::Live& Held(const typed::RecordDef* record) const;

  // Records that need structs, each behind those it contains; enums in the order of their declaration.
  const std::vector<const typed::RecordDef*>& records() const { return order_; }
  const std::vector<const typed::EnumDef*>& enums() const { return enum_order_; }
  // Records compared with == somewhere.
  bool IsCompared(const typed::RecordDef* record) const { return compared_.contains(record); }

 private:
  void Need(const typed::Type* type, const plan::Live& live);
  void Need(const typed::RecordDef* record, const plan::Live& live);
  void NeedIn(const typed::Expr& e);
  void Compared(const typed::Type* type);
  void Order(const typed::RecordDef* record);

  std::map<const typed::RecordDef*, plan::Live> held_;
  std::map<const typed::RecordDef*, std::string> structs_;
  std::map<const typed::EnumDef*, std::string> enums_;
  std::vector<const typed::RecordDef*> found_;  // in the order in which they were met
  std::vector<const typed::RecordDef*> order_;
  std::vector<const typed::EnumDef*> enum_order_;
  std::set<const typed::RecordDef*> compared_;
  std::set<const typed::RecordDef*> ordered_;
  std::set<std::string> type_names_;  // of generated structs and enums
};

// The value type behind a `?`, else the type itself.
inline const typed::Type* Present(const typed::Type* type) {
  return type->Is(typed::TypeKind::kOptional) ? type->element : type;
}
// Held in an i128.
inline bool IsWide(const typed::Type* type) {
  return type->Is(typed::TypeKind::kDecimal) && !type->IsSmallDecimal();
}
inline bool IsText(const typed::Type* type) {
  return type->Is(typed::TypeKind::kString) || type->Is(typed::TypeKind::kBytes);
}
// A decimal's unscaled digits behind the point; 0 for ints.
inline int ScaleOf(const typed::Type* type) { return type->Is(typed::TypeKind::kDecimal) ? type->scale : 0; }

}  // namespace weirc::emit
