// compiler/check/typed_walk.h — The direct parts of a typed expression, in evaluation order.
#pragma once

#include "compiler/check/typed.h"

namespace weirc::typed {

// Calls `visit(const Expr&)` for each part that is there.
template <class Visit>
void ForEachChild(const Expr& e, Visit&& visit) {
  auto one = [&](const ExprPtr& child) {
    if (child) visit(static_cast<const Expr&>(*child));
  };
  auto all = [&](const std::vector<ExprPtr>& children) {
    for (const ExprPtr& child : children) one(child);
  };
  switch (e.kind) {
    case ExprKind::kLiteral:
    case ExprKind::kParam:
    case ExprKind::kLocal:
    case ExprKind::kRow:
    case ExprKind::kMeta:
    case ExprKind::kWindow:
    case ExprKind::kAggregate: return;
    case ExprKind::kField: return one(As<FieldExpr>(e).base);
    case ExprKind::kUnary: return one(As<UnaryExpr>(e).operand);
    case ExprKind::kBinary: one(As<BinaryExpr>(e).left); return one(As<BinaryExpr>(e).right);
    case ExprKind::kConvert: return one(As<ConvertExpr>(e).operand);
    case ExprKind::kCallStd: return all(As<CallStdExpr>(e).args);
    case ExprKind::kCallFn: return all(As<CallFnExpr>(e).args);
    case ExprKind::kIf:
      one(As<IfExpr>(e).condition);
      one(As<IfExpr>(e).then_value);
      return one(As<IfExpr>(e).else_value);
    case ExprKind::kMatch:
      one(As<MatchExpr>(e).subject);
      for (const MatchArm& arm : As<MatchExpr>(e).arms) {
        one(arm.guard);
        one(arm.value);
      }
      return;
    case ExprKind::kTry: one(As<TryExpr>(e).operand); return one(As<TryExpr>(e).fallback);
    case ExprKind::kCoalesce:
      one(As<CoalesceExpr>(e).operand);
      return one(As<CoalesceExpr>(e).fallback);
    case ExprKind::kList: return all(As<ListExpr>(e).elements);
    case ExprKind::kMap:
      for (const auto& entry : As<MapExpr>(e).entries) one(entry.second);
      return;
    case ExprKind::kRecord: return all(As<RecordExpr>(e).values);
    case ExprKind::kIndex: one(As<IndexExpr>(e).base); return one(As<IndexExpr>(e).index);
    case ExprKind::kIn:
      one(As<InExpr>(e).operand);
      one(As<InExpr>(e).list);
      one(As<InExpr>(e).low);
      return one(As<InExpr>(e).high);
    case ExprKind::kInterpolate: return all(As<InterpolateExpr>(e).parts);
    case ExprKind::kHas: return one(As<HasExpr>(e).operand);
  }
}

}  // namespace weirc::typed
