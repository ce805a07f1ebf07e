// Which operations can fail when a pipeline runs.
#include "compiler/plan/fallible.h"

#include <algorithm>

#include "compiler/plan/expr.h"
#include "compiler/plan/std_functions.h"

namespace weirc::plan {

using namespace typed;

namespace {

bool IsInt(const Type* t) { return t->Is(TypeKind::kInt32) || t->Is(TypeKind::kInt64); }
bool IsTime(const Type* t) { return t->Is(TypeKind::kTimestamp) || t->Is(TypeKind::kDuration); }

bool BinaryFails(const BinaryExpr& e) {
  const Type *l = e.left->type, *r = e.right->type;
  switch (e.op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract:
      if (IsInt(l) || IsTime(l)) return true;
      if (l->Is(TypeKind::kDecimal)) {
        int scale = std::max(l->scale, r->scale);
        return std::max(l->precision - l->scale, r->precision - r->scale) + scale + 1 > 38;
      }
      return false;
    case BinaryOp::kMultiply:
      if (IsInt(l) || IsTime(l) || IsTime(r)) return true;
      return l->Is(TypeKind::kDecimal) && l->precision + r->precision > 38;
    case BinaryOp::kDivide:
    case BinaryOp::kRemainder:
      if (l->Is(TypeKind::kFloat64)) {
        return e.right->kind != ExprKind::kLiteral || As<LiteralExpr>(*e.right).value.real == 0;
      }
      if (IsInt(l) && e.right->kind == ExprKind::kLiteral) {
        // Only the smallest int divided by -1 overflows.
        __int128 divisor = As<LiteralExpr>(*e.right).value.number;
        return divisor == 0 || divisor == -1;
      }
      return true;
    default: return false;
  }
}

}  // namespace

bool OwnFallible(const TypedPipeline& typed, const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kBinary: return BinaryFails(As<BinaryExpr>(expr));
    case ExprKind::kUnary: {
      const auto& e = As<UnaryExpr>(expr);
      return e.op == UnaryOp::kNegate && (IsInt(e.type) || e.type->Is(TypeKind::kDuration)) &&
             e.operand->kind != ExprKind::kLiteral;
    }
    case ExprKind::kCallStd: return StdFunctionFails(As<CallStdExpr>(expr).function);
    case ExprKind::kCallFn: return typed.fns[static_cast<size_t>(As<CallFnExpr>(expr).fn)].fallible;
    default: return false;
  }
}

bool UpdateFallible(const TypedPipeline& typed, Expr& expr) {
  bool fallible = OwnFallible(typed, expr);
  if (expr.kind == ExprKind::kTry) {
    auto& e = static_cast<TryExpr&>(expr);
    UpdateFallible(typed, *e.operand);
    fallible = UpdateFallible(typed, *e.fallback);
  } else {
    ForEachChild(expr, [&](ExprPtr& child) { fallible = UpdateFallible(typed, *child) || fallible; });
  }
  expr.fallible = fallible;
  if (!fallible) expr.overflow_only = false;
  return fallible;
}

}  // namespace weirc::plan
