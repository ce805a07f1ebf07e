// Copying and walking typed expressions.
#include "compiler/plan/expr.h"

#include <utility>

namespace weirc::plan {

using namespace typed;

namespace {

template <class T>
std::unique_ptr<T> Copy(const T& e) {
  auto copy = std::make_unique<T>();
  copy->type = e.type;
  copy->fallible = e.fallible;
  copy->overflow_only = e.overflow_only;
  copy->span = e.span;
  return copy;
}

}  // namespace

ExprPtr Clone(const ExprPtr& e) { return e ? Clone(*e) : nullptr; }

std::vector<ExprPtr> Clone(const std::vector<ExprPtr>& list) {
  std::vector<ExprPtr> out;
  for (const ExprPtr& e : list) out.push_back(Clone(e));
  return out;
}

Route Clone(const Route& route) { return Route{route.kind, route.deadletter, Clone(route.use), route.span}; }

Aggregate Clone(const Aggregate& a) { return Aggregate{a.kind, Clone(a.args), a.type, a.span}; }

ExprPtr Clone(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral: {
      const auto& e = As<LiteralExpr>(expr);
      auto c = Copy(e);
      c->value = e.value;
      return c;
    }
    case ExprKind::kParam: {
      const auto& e = As<ParamExpr>(expr);
      auto c = Copy(e);
      c->param = e.param;
      return c;
    }
    case ExprKind::kLocal: {
      const auto& e = As<LocalExpr>(expr);
      auto c = Copy(e);
      c->local = e.local;
      c->name = e.name;
      return c;
    }
    case ExprKind::kRow: return Copy(As<RowExpr>(expr));
    case ExprKind::kField: {
      const auto& e = As<FieldExpr>(expr);
      auto c = Copy(e);
      c->base = Clone(e.base);
      c->field = e.field;
      c->through_optional = e.through_optional;
      return c;
    }
    case ExprKind::kMeta: {
      const auto& e = As<MetaExpr>(expr);
      auto c = Copy(e);
      c->field = e.field;
      c->header = e.header;
      return c;
    }
    case ExprKind::kWindow: {
      const auto& e = As<WindowExpr>(expr);
      auto c = Copy(e);
      c->field = e.field;
      return c;
    }
    case ExprKind::kAggregate: {
      const auto& e = As<AggregateExpr>(expr);
      auto c = Copy(e);
      c->index = e.index;
      return c;
    }
    case ExprKind::kUnary: {
      const auto& e = As<UnaryExpr>(expr);
      auto c = Copy(e);
      c->op = e.op;
      c->operand = Clone(e.operand);
      return c;
    }
    case ExprKind::kBinary: {
      const auto& e = As<BinaryExpr>(expr);
      auto c = Copy(e);
      c->op = e.op;
      c->left = Clone(e.left);
      c->right = Clone(e.right);
      return c;
    }
    case ExprKind::kConvert: {
      const auto& e = As<ConvertExpr>(expr);
      auto c = Copy(e);
      c->conversion = e.conversion;
      c->operand = Clone(e.operand);
      return c;
    }
    case ExprKind::kCallStd: {
      const auto& e = As<CallStdExpr>(expr);
      auto c = Copy(e);
      c->function = e.function;
      c->args = Clone(e.args);
      return c;
    }
    case ExprKind::kCallFn: {
      const auto& e = As<CallFnExpr>(expr);
      auto c = Copy(e);
      c->fn = e.fn;
      c->args = Clone(e.args);
      return c;
    }
    case ExprKind::kIf: {
      const auto& e = As<IfExpr>(expr);
      auto c = Copy(e);
      c->condition = Clone(e.condition);
      c->then_value = Clone(e.then_value);
      c->else_value = Clone(e.else_value);
      return c;
    }
    case ExprKind::kMatch: {
      const auto& e = As<MatchExpr>(expr);
      auto c = Copy(e);
      c->subject = Clone(e.subject);
      for (const MatchArm& arm : e.arms) c->arms.push_back({arm.patterns, Clone(arm.guard), Clone(arm.value)});
      c->local_types = e.local_types;
      c->first_local = e.first_local;
      return c;
    }
    case ExprKind::kTry: {
      const auto& e = As<TryExpr>(expr);
      auto c = Copy(e);
      c->operand = Clone(e.operand);
      c->fallback = Clone(e.fallback);
      return c;
    }
    case ExprKind::kCoalesce: {
      const auto& e = As<CoalesceExpr>(expr);
      auto c = Copy(e);
      c->operand = Clone(e.operand);
      c->fallback = Clone(e.fallback);
      return c;
    }
    case ExprKind::kHas: {
      const auto& e = As<HasExpr>(expr);
      auto c = Copy(e);
      c->operand = Clone(e.operand);
      return c;
    }
    case ExprKind::kList: {
      const auto& e = As<ListExpr>(expr);
      auto c = Copy(e);
      c->elements = Clone(e.elements);
      return c;
    }
    case ExprKind::kMap: {
      const auto& e = As<MapExpr>(expr);
      auto c = Copy(e);
      for (const auto& [key, value] : e.entries) c->entries.emplace_back(key, Clone(value));
      return c;
    }
    case ExprKind::kRecord: {
      const auto& e = As<RecordExpr>(expr);
      auto c = Copy(e);
      c->values = Clone(e.values);
      return c;
    }
    case ExprKind::kIndex: {
      const auto& e = As<IndexExpr>(expr);
      auto c = Copy(e);
      c->base = Clone(e.base);
      c->index = Clone(e.index);
      return c;
    }
    case ExprKind::kIn: {
      const auto& e = As<InExpr>(expr);
      auto c = Copy(e);
      c->operand = Clone(e.operand);
      c->list = Clone(e.list);
      c->low = Clone(e.low);
      c->high = Clone(e.high);
      c->negated = e.negated;
      return c;
    }
    case ExprKind::kInterpolate: {
      const auto& e = As<InterpolateExpr>(expr);
      auto c = Copy(e);
      c->parts = Clone(e.parts);
      return c;
    }
  }
  return nullptr;
}

void ForEachChild(Expr& expr, const std::function<void(ExprPtr&)>& f) {
  auto one = [&](ExprPtr& e) {
    if (e) f(e);
  };
  auto all = [&](std::vector<ExprPtr>& list) {
    for (ExprPtr& e : list) one(e);
  };
  switch (expr.kind) {
    case ExprKind::kLiteral:
    case ExprKind::kParam:
    case ExprKind::kLocal:
    case ExprKind::kRow:
    case ExprKind::kMeta:
    case ExprKind::kWindow:
    case ExprKind::kAggregate: return;
    case ExprKind::kField: return one(static_cast<FieldExpr&>(expr).base);
    case ExprKind::kUnary: return one(static_cast<UnaryExpr&>(expr).operand);
    case ExprKind::kBinary: {
      auto& e = static_cast<BinaryExpr&>(expr);
      one(e.left);
      return one(e.right);
    }
    case ExprKind::kConvert: return one(static_cast<ConvertExpr&>(expr).operand);
    case ExprKind::kCallStd: return all(static_cast<CallStdExpr&>(expr).args);
    case ExprKind::kCallFn: return all(static_cast<CallFnExpr&>(expr).args);
    case ExprKind::kIf: {
      auto& e = static_cast<IfExpr&>(expr);
      one(e.condition);
      one(e.then_value);
      return one(e.else_value);
    }
    case ExprKind::kMatch: {
      auto& e = static_cast<MatchExpr&>(expr);
      one(e.subject);
      for (MatchArm& arm : e.arms) {
        one(arm.guard);
        one(arm.value);
      }
      return;
    }
    case ExprKind::kTry: {
      auto& e = static_cast<TryExpr&>(expr);
      one(e.operand);
      return one(e.fallback);
    }
    case ExprKind::kCoalesce: {
      auto& e = static_cast<CoalesceExpr&>(expr);
      one(e.operand);
      return one(e.fallback);
    }
    case ExprKind::kHas: return one(static_cast<HasExpr&>(expr).operand);
    case ExprKind::kList: return all(static_cast<ListExpr&>(expr).elements);
    case ExprKind::kMap:
      for (auto& entry : static_cast<MapExpr&>(expr).entries) one(entry.second);
      return;
    case ExprKind::kRecord: return all(static_cast<RecordExpr&>(expr).values);
    case ExprKind::kIndex: {
      auto& e = static_cast<IndexExpr&>(expr);
      one(e.base);
      return one(e.index);
    }
    case ExprKind::kIn: {
      auto& e = static_cast<InExpr&>(expr);
      one(e.operand);
      one(e.list);
      one(e.low);
      return one(e.high);
    }
    case ExprKind::kInterpolate: return all(static_cast<InterpolateExpr&>(expr).parts);
  }
}

void ForEachChild(const Expr& e, const std::function<void(const Expr&)>& f) {
  // The mutable walk changes nothing unless `f` does.
  ForEachChild(const_cast<Expr&>(e), [&](ExprPtr& child) { f(*child); });
}

bool Any(const Expr& e, const std::function<bool(const Expr&)>& f) {
  if (f(e)) return true;
  bool found = false;
  ForEachChild(e, [&](const Expr& child) { found = found || Any(child, f); });
  return found;
}

bool ReadsRow(const Expr& e) {
  return Any(e, [](const Expr& x) { return x.kind == ExprKind::kRow; });
}

bool ReadsRowField(const Expr& e, int index) {
  if (e.kind == ExprKind::kRow) return true;
  if (e.kind == ExprKind::kField) {
    const auto& field = As<FieldExpr>(e);
    if (field.base->kind == ExprKind::kRow) return field.field == index;
  }
  bool found = false;
  ForEachChild(e, [&](const Expr& child) { found = found || ReadsRowField(child, index); });
  return found;
}

ExprPtr MakeRow(const Type* type) {
  auto e = std::make_unique<RowExpr>();
  e->type = type;
  return e;
}

ExprPtr MakeField(ExprPtr base, int field) {
  auto e = std::make_unique<FieldExpr>();
  e->type = base->type->record->fields[field].type;
  e->span = base->span;
  e->base = std::move(base);
  e->field = field;
  return e;
}

ExprPtr MakeBool(const Type* type, bool value) {
  auto e = std::make_unique<LiteralExpr>();
  e->type = type;
  e->value.boolean = value;
  return e;
}

}  // namespace weirc::plan
