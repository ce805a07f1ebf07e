// Computes what is constant.
#include "compiler/plan/passes/fold_constants.h"

#include <limits>
#include <optional>
#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/fallible.h"
#include "compiler/plan/graph.h"

namespace weirc::plan {

using namespace typed;

namespace {

using Int = __int128;

const Value* ValueOf(const ExprPtr& e) {
  return e && e->kind == ExprKind::kLiteral ? &As<LiteralExpr>(*e).value : nullptr;
}

std::optional<Int> PowerOfTen(int n) {
  Int p = 1;
  for (int i = 0; i < n; ++i) {
    if (__builtin_mul_overflow(p, static_cast<Int>(10), &p)) return std::nullopt;
  }
  return p;
}

std::optional<Int> ScaleUp(Int value, int by) {
  std::optional<Int> p = PowerOfTen(by);
  Int out;
  if (!p || __builtin_mul_overflow(value, *p, &out)) return std::nullopt;
  return out;
}

// The value when the type holds it.
std::optional<Int> Fits(Int value, const Type* type) {
  auto in = [&](Int low, Int high) { return value >= low && value <= high ? std::optional<Int>(value) : std::nullopt; };
  switch (type->kind) {
    case TypeKind::kInt32: return in(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    case TypeKind::kInt64:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: return in(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
    case TypeKind::kDecimal: {
      std::optional<Int> limit = PowerOfTen(type->precision);
      return limit && value < *limit && value > -*limit ? std::optional<Int>(value) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

bool IsInt(const Type* t) { return t->Is(TypeKind::kInt32) || t->Is(TypeKind::kInt64); }
// Held by Value::number and ordered by it.
bool IsNumeric(const Type* t) {
  return IsInt(t) || t->Is(TypeKind::kDecimal) || t->Is(TypeKind::kTimestamp) || t->Is(TypeKind::kDuration) ||
         t->Is(TypeKind::kDate) || t->Is(TypeKind::kEnum);
}

std::optional<int> Compared(const Value& a, const Type* ta, const Value& b, const Type* tb) {
  if (ta->Is(TypeKind::kString)) return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
  if (ta->Is(TypeKind::kBool)) return static_cast<int>(a.boolean) - static_cast<int>(b.boolean);
  if (!IsNumeric(ta)) return std::nullopt;
  std::optional<Int> x = a.number, y = b.number;
  if (ta->Is(TypeKind::kDecimal)) {
    int scale = std::max(ta->scale, tb->scale);
    x = ScaleUp(a.number, scale - ta->scale);
    y = ScaleUp(b.number, scale - tb->scale);
  }
  if (!x || !y) return std::nullopt;
  return *x < *y ? -1 : *x > *y ? 1 : 0;
}

std::optional<Value> Boolean(bool b) {
  Value v;
  v.boolean = b;
  return v;
}

std::optional<Value> Numeric(std::optional<Int> n, const Type* type) {
  if (n) n = Fits(*n, type);
  if (!n) return std::nullopt;
  Value v;
  v.number = *n;
  return v;
}

std::optional<Value> Binary(const BinaryExpr& e, const Value& a, const Value& b) {
  const Type *ta = e.left->type, *tb = e.right->type;
  switch (e.op) {
    case BinaryOp::kAnd: return Boolean(a.boolean && b.boolean);
    case BinaryOp::kOr: return Boolean(a.boolean || b.boolean);
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterEqual: {
      std::optional<int> c = Compared(a, ta, b, tb);
      if (!c) return std::nullopt;
      switch (e.op) {
        case BinaryOp::kEqual: return Boolean(*c == 0);
        case BinaryOp::kNotEqual: return Boolean(*c != 0);
        case BinaryOp::kLess: return Boolean(*c < 0);
        case BinaryOp::kLessEqual: return Boolean(*c <= 0);
        case BinaryOp::kGreater: return Boolean(*c > 0);
        default: return Boolean(*c >= 0);
      }
    }
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract: {
      if (!IsNumeric(ta) || ta->scale != tb->scale) return std::nullopt;
      Int out;
      bool overflow = e.op == BinaryOp::kAdd ? __builtin_add_overflow(a.number, b.number, &out)
                                             : __builtin_sub_overflow(a.number, b.number, &out);
      return overflow ? std::nullopt : Numeric(out, e.type);
    }
    case BinaryOp::kMultiply: {
      if (!IsNumeric(ta) || !IsNumeric(tb)) return std::nullopt;
      Int out;
      return __builtin_mul_overflow(a.number, b.number, &out) ? std::nullopt : Numeric(out, e.type);
    }
    case BinaryOp::kDivide:
    case BinaryOp::kRemainder:
      if (!IsInt(ta) || !IsInt(tb) || b.number == 0) return std::nullopt;
      return Numeric(e.op == BinaryOp::kDivide ? a.number / b.number : a.number % b.number, e.type);
  }
  return std::nullopt;
}

std::optional<Value> Converted(const ConvertExpr& e, const Value& a) {
  const Type *from = e.operand->type, *to = e.type;
  switch (e.conversion) {
    case Conversion::kWidenInt: return Numeric(a.number, to);
    case Conversion::kIntToDecimal: return Numeric(ScaleUp(a.number, to->scale), to);
    case Conversion::kWidenDecimal: return Numeric(ScaleUp(a.number, to->scale - from->scale), to);
    default: return std::nullopt;
  }
}

class Folder {
 public:
  explicit Folder(const TypedPipeline& typed) : typed_(typed) {}

  void Fold(ExprPtr& e) {
    ForEachChild(*e, [&](ExprPtr& child) { Fold(child); });
    if (ExprPtr better = Better(*e)) {
      if (!better->span.IsValid()) better->span = e->span;
      e = std::move(better);
    }
  }

  void FoldWhole(ExprPtr& e) {
    Fold(e);
    UpdateFallible(typed_, *e);
  }

 private:
  static ExprPtr Literal(const Expr& e, std::optional<Value> value) {
    if (!value) return nullptr;
    auto literal = std::make_unique<LiteralExpr>();
    literal->type = e.type;
    literal->span = e.span;
    literal->value = std::move(*value);
    return literal;
  }

  // What `e`, whose parts are folded, can be replaced by; null when it stays.
  ExprPtr Better(Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kUnary: {
        auto& e = static_cast<UnaryExpr&>(expr);
        const Value* a = ValueOf(e.operand);
        if (a == nullptr) return nullptr;
        if (e.op == UnaryOp::kNot) return Literal(e, Boolean(!a->boolean));
        return IsNumeric(e.type) ? Literal(e, Numeric(-a->number, e.type)) : nullptr;
      }
      case ExprKind::kBinary: return BetterBinary(static_cast<BinaryExpr&>(expr));
      case ExprKind::kConvert: {
        auto& e = static_cast<ConvertExpr&>(expr);
        const Value* a = ValueOf(e.operand);
        return a == nullptr || a->is_null ? nullptr : Literal(e, Converted(e, *a));
      }
      case ExprKind::kIf: {
        auto& e = static_cast<IfExpr&>(expr);
        const Value* condition = ValueOf(e.condition);
        if (condition == nullptr) return nullptr;
        return condition->boolean ? std::move(e.then_value) : std::move(e.else_value);
      }
      case ExprKind::kTry: {
        auto& e = static_cast<TryExpr&>(expr);
        return UpdateFallible(typed_, *e.operand) ? nullptr : std::move(e.operand);
      }
      case ExprKind::kInterpolate: return BetterText(static_cast<InterpolateExpr&>(expr));
      default: return nullptr;
    }
  }

  ExprPtr BetterBinary(BinaryExpr& e) {
    const Value *a = ValueOf(e.left), *b = ValueOf(e.right);
    if (e.op == BinaryOp::kAnd || e.op == BinaryOp::kOr) {
      bool is_or = e.op == BinaryOp::kOr;
      // A left side that decides alone; a right side that decides nothing.
      if (a != nullptr) return a->boolean == is_or ? std::move(e.left) : std::move(e.right);
      if (b != nullptr && b->boolean != is_or) return std::move(e.left);
      return nullptr;
    }
    if (a == nullptr || b == nullptr || a->is_null || b->is_null) return nullptr;
    return Literal(e, Binary(e, *a, *b));
  }

  // Neighbouring literals become one.
  ExprPtr BetterText(InterpolateExpr& e) {
    std::vector<ExprPtr> parts;
    for (ExprPtr& part : e.parts) {
      const Value* text = ValueOf(part);
      if (text != nullptr && text->text.empty()) continue;
      if (text != nullptr && !parts.empty() && ValueOf(parts.back()) != nullptr) {
        static_cast<LiteralExpr&>(*parts.back()).value.text += text->text;
      } else {
        parts.push_back(std::move(part));
      }
    }
    e.parts = std::move(parts);
    if (e.parts.empty()) return Literal(e, Value());
    return e.parts.size() == 1 ? std::move(e.parts[0]) : nullptr;
  }

  const TypedPipeline& typed_;
};

bool IsTrue(const ExprPtr& e) {
  const Value* value = ValueOf(e);
  return value != nullptr && value->boolean;
}

}  // namespace

Plan FoldConstants(Plan plan) {
  Folder folder(*plan.typed);
  for (int id : std::vector<int>(plan.order)) {
    Node& node = plan.node(id);
    ForEachExpr(node, [&](ExprPtr& e) { folder.FoldWhole(e); });
    if (node.Is<WhereOp>() && IsTrue(node.As<WhereOp>().condition)) Remove(plan, id);
  }
  Renumber(plan);
  return plan;
}

}  // namespace weirc::plan
