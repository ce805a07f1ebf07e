// C++ types of the pipeline's types.
#include "compiler/emit/types.h"

#include <functional>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/live.h"
#include "compiler/plan/passes/project_fields.h"

namespace weirc::emit {

using namespace typed;
using plan::Live;
using plan::Node;

Types::Types(const plan::Plan& plan, Scope* scope) {
  for (const auto& def : plan.typed->enums) {
    enum_order_.push_back(def.get());
    enums_[def.get()] = scope->Take(MangleParts(def->name));
    type_names_.insert(enums_[def.get()]);
  }
  for (int id : plan.order) {
    Node& node = const_cast<Node&>(plan.node(id));
    if (node.Is<plan::SourceOp>()) {
      const SourceDef& source = plan.typed->sources[static_cast<size_t>(node.As<plan::SourceOp>().source)];
      Need(source.record, plan::SourceLive(plan, node));
      if (source.time) NeedIn(*source.time);
    } else if (node.Is<plan::SelectOp>() || node.Is<plan::WindowOp>()) {
      Need(node.output_row, node.live);
    } else {
      // The row is no struct of its own, its fields may be.
      for (size_t i = 0; i < node.output_row->fields.size(); ++i) {
        if (const Live* live = node.live.Field(static_cast<int>(i))) Need(node.output_row->fields[i].type, *live);
      }
    }
    if (node.Is<plan::LookupOp>() && !node.dead) Need(plan.typed->lookups[static_cast<size_t>(node.As<plan::LookupOp>().lookup)].result, Live{});
    if (node.Is<plan::WindowOp>() && node.As<plan::WindowOp>().key_record != nullptr) {
      Need(node.As<plan::WindowOp>().key_record, Live::Whole());
    }
    if (node.dead) continue;
    plan::ForEachExpr(node, [&](ExprPtr& e) { NeedIn(*e); });
  }
  for (const plan::Table& table : plan.tables) {
    if (!table.used) continue;
    const TableDef& def = plan.typed->tables[static_cast<size_t>(table.table)];
    Live live = table.live;
    plan::AddUses(def.key, &live);
    Need(def.record, live);
    for (const ExprPtr& key : def.key) NeedIn(*key);
  }
  for (const LookupDef& lookup : plan.typed->lookups) {
    for (const auto& [name, type] : lookup.params) Need(type, Live::Whole());
    for (const RequestPart& part : lookup.path) {
      if (part.value) NeedIn(*part.value);
    }
  }
  for (const FnDef& fn : plan.typed->fns) {
    for (const auto& [name, type] : fn.locals) Need(type, Live::Whole());
    Need(fn.result_type, Live::Whole());
    for (const auto& [local, value] : fn.lets) NeedIn(*value);
    NeedIn(*fn.result);
  }
  for (const RecordDef* record : found_) {
    structs_[record] = scope->Take(MangleParts(record->name));
    type_names_.insert(structs_[record]);
  }
  for (const RecordDef* record : found_) Order(record);
}

void Types::Need(const RecordDef* record, const Live& live) {
  auto [it, fresh] = held_.try_emplace(record);
  if (fresh) found_.push_back(record);
  Live before = it->second;
  it->second.Add(live);
  if (!fresh && it->second == before) return;
  Live now = it->second;
  for (size_t i = 0; i < record->fields.size(); ++i) {
    if (const Live* field = now.Field(static_cast<int>(i))) Need(record->fields[i].type, *field);
  }
}

void Types::Need(const Type* type, const Live& live) {
  switch (type->kind) {
    case TypeKind::kRecord: return Need(type->record, live);
    case TypeKind::kOptional: return Need(type->element, live);
    case TypeKind::kOutcome: return Need(type->element, live);
    case TypeKind::kList:
    case TypeKind::kMap: return Need(type->element, Live::Whole());
    default: return;
  }
}

void Types::NeedIn(const Expr& e) {
  // What is built or bound inside an expression is built whole.
  if (e.kind == ExprKind::kMatch) {
    for (const Type* type : As<MatchExpr>(e).local_types) Need(type, Live::Whole());
  }
  bool builds = e.kind == ExprKind::kRecord || e.kind == ExprKind::kList || e.kind == ExprKind::kMap ||
                e.kind == ExprKind::kConvert || e.kind == ExprKind::kLocal || e.kind == ExprKind::kCallStd;
  if (builds) Need(e.type, Live::Whole());
  if (e.kind == ExprKind::kBinary) {
    BinaryOp op = As<BinaryExpr>(e).op;
    if (op == BinaryOp::kEqual || op == BinaryOp::kNotEqual) Compared(As<BinaryExpr>(e).left->type);
  }
  if (e.kind == ExprKind::kIn) Compared(As<InExpr>(e).operand->type);
  plan::ForEachChild(e, [&](const Expr& child) { NeedIn(child); });
}

void Types::Compared(const Type* type) {
  if (type->Is(TypeKind::kRecord)) {
    if (!compared_.insert(type->record).second) return;
    for (const Field& field : type->record->fields) Compared(field.type);
  } else if (type->element != nullptr) {
    Compared(type->element);
  }
}

void Types::Order(const RecordDef* record) {
  if (!ordered_.insert(record).second) return;
  std::function<void(const Type*)> visit = [&](const Type* type) {
    if (type->Is(TypeKind::kRecord)) Order(type->record);
    if (type->element != nullptr) visit(type->element);
  };
  for (size_t i = 0; i < record->fields.size(); ++i) {
    if (Has(record, static_cast<int>(i))) visit(record->fields[i].type);
  }
  order_.push_back(record);
}

const Live& Types::Held(const RecordDef* record) const {
  static const Live kNothing;
  auto it = held_.find(record);
  return it == held_.end() ? kNothing : it->second;
}

bool Types::Has(const RecordDef* record, int field) const { return Held(record).Field(field) != nullptr; }

std::string Types::Of(const Type* type) const {
  switch (type->kind) {
    case TypeKind::kBool: return "bool";
    case TypeKind::kInt32:
    case TypeKind::kDate: return "int32_t";
    case TypeKind::kInt64:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: return "int64_t";
    case TypeKind::kFloat64: return "double";
    case TypeKind::kDecimal: return type->IsSmallDecimal() ? "int64_t" : "i128";
    case TypeKind::kString:
    case TypeKind::kBytes: return "Str";
    case TypeKind::kEnum: return enums_.at(type->enum_def);
    case TypeKind::kRecord: return structs_.at(type->record);
    case TypeKind::kList: return "List<" + Of(type->element) + ">";
    case TypeKind::kMap: return "Map<" + Of(type->element) + ">";
    case TypeKind::kOptional: return "Opt<" + Of(type->element) + ">";
    case TypeKind::kOutcome: return "LookupOutcome<" + Of(type->element) + ">";
    case TypeKind::kError:
    case TypeKind::kNull: return "void";
  }
  return "void";
}

bool Types::IsSmall(const Type* type) const {
  switch (type->kind) {
    case TypeKind::kRecord:
    case TypeKind::kOutcome: return false;
    case TypeKind::kOptional: return IsSmall(type->element);
    default: return true;
  }
}

}  // namespace weirc::emit
