// Which parts of a row an expression reads.
#include "compiler/plan/live.h"

#include "compiler/plan/expr.h"

namespace weirc::plan {

using namespace typed;

void Live::Add(const Live& other) {
  whole = whole || other.whole;
  if (whole) {
    fields.clear();
    return;
  }
  for (const auto& [index, live] : other.fields) fields[index].Add(live);
}

const Live* Live::Field(int i) const {
  static const Live kWhole = Whole();
  if (whole) return &kWhole;
  auto it = fields.find(i);
  return it == fields.end() ? nullptr : &it->second;
}

void AddUses(const Expr& expr, const Live& want, Live* row) {
  switch (expr.kind) {
    case ExprKind::kRow: return row->Add(want);
    case ExprKind::kField: {
      const auto& e = As<FieldExpr>(expr);
      Live base;
      base.fields[e.field] = want;
      return AddUses(*e.base, base, row);
    }
    case ExprKind::kHas: return AddUses(*As<HasExpr>(expr).operand, Live{}, row);
    case ExprKind::kConvert: {
      const auto& e = As<ConvertExpr>(expr);
      // The fields of both sides have the same order, so what is wanted keeps its indices.
      return AddUses(*e.operand, want, row);
    }
    case ExprKind::kRecord: {
      const auto& e = As<RecordExpr>(expr);
      for (size_t i = 0; i < e.values.size(); ++i) {
        const Live* field = want.Field(static_cast<int>(i));
        // A failing value is evaluated whoever reads it.
        if (field == nullptr && !e.values[i]->fallible) continue;
        AddUses(*e.values[i], field ? *field : Live{}, row);
      }
      return;
    }
    case ExprKind::kIf: {
      const auto& e = As<IfExpr>(expr);
      AddUses(*e.condition, row);
      AddUses(*e.then_value, want, row);
      return AddUses(*e.else_value, want, row);
    }
    case ExprKind::kTry: {
      const auto& e = As<TryExpr>(expr);
      AddUses(*e.operand, want, row);
      return AddUses(*e.fallback, want, row);
    }
    case ExprKind::kCoalesce: {
      const auto& e = As<CoalesceExpr>(expr);
      AddUses(*e.operand, want, row);
      return AddUses(*e.fallback, want, row);
    }
    case ExprKind::kMatch: {
      const auto& e = As<MatchExpr>(expr);
      AddUses(*e.subject, row);
      for (const MatchArm& arm : e.arms) {
        if (arm.guard) AddUses(*arm.guard, row);
        AddUses(*arm.value, want, row);
      }
      return;
    }
    default: ForEachChild(expr, [&](const Expr& child) { AddUses(child, row); });
  }
}

void AddUses(const std::vector<ExprPtr>& list, Live* row) {
  for (const ExprPtr& e : list) AddUses(*e, row);
}

namespace {

void AddPaths(const RecordDef& record, const Live& live, const std::string& prefix, std::vector<std::string>* paths) {
  for (size_t i = 0; i < record.fields.size(); ++i) {
    const Live* field = live.Field(static_cast<int>(i));
    if (field == nullptr) continue;
    std::string path = prefix + record.fields[i].name;
    const Type* type = record.fields[i].type;
    if (type->Is(TypeKind::kOptional)) type = type->element;
    if (field->whole || !type->Is(TypeKind::kRecord) || field->fields.empty()) {
      paths->push_back(path);
    } else {
      AddPaths(*type->record, *field, path + ".", paths);
    }
  }
}

}  // namespace

std::vector<std::string> LivePaths(const RecordDef& record, const Live& live) {
  std::vector<std::string> paths;
  AddPaths(record, live, "", &paths);
  return paths;
}

}  // namespace weirc::plan
