// compiler/check/operators.cc — Arithmetic, comparison, `in`, logic, `??`, `if`, `try`, indexing.
#include "compiler/check/expr_checker.h"
#include "compiler/check/number_text.h"

namespace weirc::check {

using typed::BinaryOp;

namespace {

bool IsNumberLiteral(const ast::Expr& e) {
  if (const auto* unary = As<ast::UnaryExpr>(&e)) {
    return unary->op == ast::UnaryOp::kNegate && IsNumberLiteral(*unary->operand);
  }
  return e.kind == ast::ExprKind::kInt || e.kind == ast::ExprKind::kDecimal;
}

bool IsZeroLiteral(const typed::Expr& e) {
  if (e.kind == typed::ExprKind::kConvert)
    return IsZeroLiteral(*typed::As<typed::ConvertExpr>(e).operand);
  if (e.kind != typed::ExprKind::kLiteral) return false;
  const typed::Value& value = typed::As<typed::LiteralExpr>(e).value;
  return value.number == 0 && value.real == 0;
}

bool IsNonZeroLiteral(const typed::Expr& e) {
  if (e.kind == typed::ExprKind::kConvert) {
    return IsNonZeroLiteral(*typed::As<typed::ConvertExpr>(e).operand);
  }
  return e.kind == typed::ExprKind::kLiteral && IsNumber(e.type) && !IsZeroLiteral(e);
}

BinaryOp OpOf(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::kMultiply: return BinaryOp::kMultiply;
    case ast::BinaryOp::kDivide: return BinaryOp::kDivide;
    case ast::BinaryOp::kModulo: return BinaryOp::kRemainder;
    case ast::BinaryOp::kAdd: return BinaryOp::kAdd;
    case ast::BinaryOp::kSubtract: return BinaryOp::kSubtract;
    case ast::BinaryOp::kEqual: return BinaryOp::kEqual;
    case ast::BinaryOp::kNotEqual: return BinaryOp::kNotEqual;
    case ast::BinaryOp::kLess: return BinaryOp::kLess;
    case ast::BinaryOp::kLessEqual: return BinaryOp::kLessEqual;
    case ast::BinaryOp::kGreater: return BinaryOp::kGreater;
    case ast::BinaryOp::kGreaterEqual: return BinaryOp::kGreaterEqual;
    case ast::BinaryOp::kAnd: return BinaryOp::kAnd;
    default: return BinaryOp::kOr;
  }
}

std::unique_ptr<typed::BinaryExpr> Binary(BinaryOp op, ExprPtr left, ExprPtr right,
                                          const Type* type, Span span) {
  auto e = std::make_unique<typed::BinaryExpr>();
  e->op = op;
  e->type = type;
  e->span = span;
  Absorb(*e, *left);
  Absorb(*e, *right);
  e->left = std::move(left);
  e->right = std::move(right);
  return e;
}

void FailsByOverflow(typed::Expr& e) {
  if (!e.fallible) e.overflow_only = true;
  e.fallible = true;
}

void FailsByItself(typed::Expr& e) {
  e.fallible = true;
  e.overflow_only = false;
}

}  // namespace

bool ExprChecker::NeedsContext(const ast::Expr& e) const {
  switch (e.kind) {
    case ast::ExprKind::kInt:
    case ast::ExprKind::kDecimal:
    case ast::ExprKind::kNull:
    case ast::ExprKind::kList:
    case ast::ExprKind::kRecord: return true;
    case ast::ExprKind::kUnary: return IsNumberLiteral(e);
    case ast::ExprKind::kName: {
      const ast::Name& name = Cast<ast::NameExpr>(e).name;
      if (FindLocal(name.text) != nullptr || FindField(name.text) >= 0) return false;
      auto it = context_.values.find(name.text);
      return it == context_.values.end() ||
             (it->second->kind != SymbolKind::kParam && it->second->kind != SymbolKind::kSecret);
    }
    case ast::ExprKind::kIf: {
      const auto& i = Cast<ast::IfExpr>(e);
      return NeedsContext(*i.then_value) && NeedsContext(*i.else_value);
    }
    default: return false;
  }
}

void ExprChecker::InferPair(const ast::Expr& left, const ast::Expr& right, ExprPtr* l, ExprPtr* r) {
  // A literal beside a decimal keeps its own digits; beside anything else it takes the other's
  // type.
  auto infer_beside = [this](const ast::Expr& e, const Type* other) {
    bool keeps = IsNumberLiteral(e) && IsDecimal(Present(other));
    if (!keeps) return Infer(e, other);
    ExprPtr value = Infer(e);
    if (IsInt(value->type)) {
      auto& literal = static_cast<typed::LiteralExpr&>(*value);
      literal.type = context_.types.Decimal(CountDigits(literal.value.number), 0);
    }
    return value;
  };
  if (NeedsContext(left) && !NeedsContext(right)) {
    *r = Infer(right);
    *l = infer_beside(left, (*r)->type);
  } else {
    *l = Infer(left);
    *r = infer_beside(right, (*l)->type);
  }
}

bool ExprChecker::RefuseOptional(const typed::Expr& e, std::string_view use) {
  if (!IsOptional(e.type) && !e.type->Is(TypeKind::kNull)) return false;
  const std::string text = context_.Written(e.span);
  context_
      .Report(Code::kOptionalUsed, e.span,
              "this is `" + ToString(e.type) + "`; " + std::string(use), {text})
      .Help("say what stands in for an absent value: `(" + text + " ?? …)`");
  return true;
}

bool ExprChecker::RefuseOptionals(std::initializer_list<const typed::Expr*> values,
                                  std::string_view use) {
  bool refused = false;
  for (const typed::Expr* value : values) refused = RefuseOptional(*value, use) || refused;
  return refused;
}

ExprPtr ExprChecker::InferUnary(const ast::UnaryExpr& e, const Type* expected) {
  if (e.op == ast::UnaryOp::kNot) {
    auto unary = std::make_unique<typed::UnaryExpr>();
    unary->op = typed::UnaryOp::kNot;
    unary->span = e.span;
    unary->operand = Check(*e.operand, context_.boolean, {.role = "what `not` turns around"});
    unary->type = HasError(unary->operand->type) ? context_.error : context_.boolean;
    Absorb(*unary, *unary->operand);
    return unary;
  }
  if (const auto* number = As<ast::IntLit>(e.operand.get())) {
    return InferInt(*number, true, e.span, expected);
  }
  if (const auto* number = As<ast::DecimalLit>(e.operand.get())) {
    return InferDecimal(*number, true, e.span, expected);
  }
  ExprPtr operand = Infer(*e.operand, expected);
  if (HasError(operand->type)) return Error(e.span);
  if (operand->kind == typed::ExprKind::kLiteral && operand->type->Is(TypeKind::kDuration)) {
    static_cast<typed::LiteralExpr&>(*operand).value.number *= -1;
    operand->span = e.span;
    return operand;
  }
  if (RefuseOptional(*operand, "`-` needs a value")) return Error(e.span);
  if (!IsNumber(operand->type) && !operand->type->Is(TypeKind::kDuration)) {
    context_.Report(Code::kBadOperand, operand->span, "", {"-", ToString(operand->type)});
    return Error(e.span);
  }
  auto unary = std::make_unique<typed::UnaryExpr>();
  unary->op = typed::UnaryOp::kNegate;
  unary->span = e.span;
  if (operand->type->Is(TypeKind::kInt32))
    operand =
        Convert(std::move(operand), context_.types.WithUnit(context_.int64, operand->type->unit));
  unary->type = operand->type;
  Absorb(*unary, *operand);
  if (IsInt(unary->type) || unary->type->Is(TypeKind::kDuration)) FailsByOverflow(*unary);
  unary->operand = std::move(operand);
  return unary;
}

ExprPtr ExprChecker::InferBinary(const ast::BinaryExpr& e, const Type* expected) {
  switch (e.op) {
    case ast::BinaryOp::kAnd:
    case ast::BinaryOp::kOr: return InferLogic(e);
    case ast::BinaryOp::kCoalesce: return InferCoalesce(e, expected);
    case ast::BinaryOp::kIn:
    case ast::BinaryOp::kNotIn: return InferIn(e);
    case ast::BinaryOp::kEqual:
    case ast::BinaryOp::kNotEqual:
    case ast::BinaryOp::kLess:
    case ast::BinaryOp::kLessEqual:
    case ast::BinaryOp::kGreater:
    case ast::BinaryOp::kGreaterEqual: return InferComparison(e);
    case ast::BinaryOp::kRange:
      context_.Report(Code::kMisplacedRange, e.span, "a range is no value")
          .Help("ask whether a value lies in it: `x in " + context_.Written(e.span) + "`");
      return Error(e.span);
    default: return InferArithmetic(e, expected);
  }
}

ExprPtr ExprChecker::InferLogic(const ast::BinaryExpr& e) {
  std::string role = e.op == ast::BinaryOp::kAnd ? "each side of `and`" : "each side of `or`";
  ExprPtr left = Check(*e.left, context_.boolean, {.role = role});
  ExprPtr right = Check(*e.right, context_.boolean, {.role = role});
  bool wrong = HasError(left->type) || HasError(right->type);
  return Binary(OpOf(e.op), std::move(left), std::move(right),
                wrong ? context_.error : context_.boolean, e.span);
}

ExprPtr ExprChecker::InferArithmetic(const ast::BinaryExpr& e, const Type* expected) {
  ExprPtr left, right;
  if (IsNumberLiteral(*e.left) && IsNumberLiteral(*e.right)) {
    // Two literals are computed in the type that is wanted, where that is not a decimal.
    const Type* wanted =
        expected == nullptr || IsDecimal(Present(expected)) ? nullptr : Present(expected);
    left = Infer(*e.left, wanted);
    right = Infer(*e.right, wanted);
  } else {
    InferPair(*e.left, *e.right, &left, &right);
  }
  return Arithmetic(e, std::move(left), std::move(right));
}

ExprPtr ExprChecker::TimeArithmetic(const ast::BinaryExpr& e, ExprPtr& left, ExprPtr& right) {
  const Type* l = left->type;
  const Type* r = right->type;
  bool add = e.op == ast::BinaryOp::kAdd;
  bool subtract = e.op == ast::BinaryOp::kSubtract;
  const Type* result = nullptr;
  if (l->Is(TypeKind::kTimestamp) && r->Is(TypeKind::kDuration) && (add || subtract)) result = l;
  if (l->Is(TypeKind::kTimestamp) && r->Is(TypeKind::kTimestamp) && subtract)
    result = context_.duration;
  if (l->Is(TypeKind::kDuration) && r->Is(TypeKind::kDuration) && (add || subtract)) result = l;
  if (l->Is(TypeKind::kDuration) && r->Is(TypeKind::kTimestamp) && add) {
    std::swap(left, right);  // the timestamp stands first
    result = r;
  }
  if (result == nullptr) return nullptr;
  auto sum = Binary(OpOf(e.op), std::move(left), std::move(right), result, e.span);
  FailsByOverflow(*sum);
  return sum;
}

ExprPtr ExprChecker::Arithmetic(const ast::BinaryExpr& e, ExprPtr left, ExprPtr right) {
  if (HasError(left->type) || HasError(right->type)) return Error(e.span);
  const std::string op(ast::Spelling(e.op));
  if (RefuseOptionals({left.get(), right.get()}, "`" + op + "` needs a value")) {
    return Error(e.span);
  }
  const Type* l = left->type;
  const Type* r = right->type;
  // Text joins text.
  if (l->Is(TypeKind::kString) && r->Is(TypeKind::kString) && e.op == ast::BinaryOp::kAdd) {
    auto text = std::make_unique<typed::InterpolateExpr>();
    text->type = context_.string;
    text->span = e.span;
    Absorb(*text, *left);
    Absorb(*text, *right);
    text->parts.push_back(std::move(left));
    text->parts.push_back(std::move(right));
    return text;
  }
  if (ExprPtr time = TimeArithmetic(e, left, right)) return time;
  for (const typed::Expr* side : {left.get(), right.get()}) {
    if (IsNumber(side->type)) continue;
    const typed::Expr* other = side == left.get() ? right.get() : left.get();
    Reported reported =
        context_.Report(Code::kBadOperand, side->span, "this is " + WithArticle(side->type),
                        {op, ToString(side->type)});
    if (l->Is(TypeKind::kString) || r->Is(TypeKind::kString)) {
      if (e.op == ast::BinaryOp::kAdd) {
        reported.Help("put values into text with braces: `\"{" + context_.Written(left->span) +
                      "}{" + context_.Written(right->span) + "}\"`");
      }
    } else if (l->Is(TypeKind::kTimestamp) && IsInt(other->type)) {
      reported.Help("a duration has a unit: `" + context_.Written(left->span) + " " + op + " 5s`");
    }
    return Error(e.span);
  }
  bool adds = e.op == ast::BinaryOp::kAdd || e.op == ast::BinaryOp::kSubtract ||
              e.op == ast::BinaryOp::kModulo;
  if (adds && !l->unit.empty() && !r->unit.empty() && l->unit != r->unit) {
    context_.Report(Code::kUnitsMixed, e.span, "", {l->unit, r->unit})
        .Secondary(left->span, "in " + l->unit)
        .Secondary(right->span, "in " + r->unit)
        .Help("multiply one of them by a rate with a unit of its own, `in \"" + l->unit + "/" +
              r->unit + "\"`: the product has none");
    return Error(e.span);
  }
  std::string unit;
  if (adds) {
    unit = l->unit.empty() ? r->unit : l->unit;
  } else if (e.op == ast::BinaryOp::kMultiply) {
    if (l->unit.empty() != r->unit.empty()) unit = l->unit + r->unit;
  } else if (r->unit.empty()) {
    unit = l->unit;
  }

  const bool divides = e.op == ast::BinaryOp::kDivide || e.op == ast::BinaryOp::kModulo;
  const bool by_constant = IsNonZeroLiteral(*right);
  if (divides && IsZeroLiteral(*right)) {
    context_.Report(Code::kDivisionByZero, right->span, "this is always zero");
    return Error(e.span);
  }
  if (IsFloat(l) != IsFloat(r)) {
    const typed::Expr& other = IsFloat(l) ? *right : *left;
    if (!other.type->Is(TypeKind::kInt32)) {
      context_.Report(Code::kFloatMixed, e.span, "", {ToString(l), ToString(r)})
          .Secondary(left->span, "this is `" + ToString(l) + "`")
          .Secondary(right->span, "this is `" + ToString(r) + "`")
          .Help("write `float64(" + context_.Written(other.span) +
                ")` to accept what is lost, or make both exact with `decimal(…, p, s)`");
      return Error(e.span);
    }
  }
  if (IsFloat(l) || IsFloat(r)) {
    left = Convert(std::move(left), context_.types.WithUnit(context_.float64, left->type->unit));
    right = Convert(std::move(right), context_.types.WithUnit(context_.float64, right->type->unit));
    auto result = Binary(OpOf(e.op), std::move(left), std::move(right),
                         context_.types.WithUnit(context_.float64, unit), e.span);
    if (divides && !by_constant) FailsByItself(*result);
    return result;
  }
  if (IsInt(l) && IsInt(r)) {
    left = Convert(std::move(left), context_.types.WithUnit(context_.int64, left->type->unit));
    right = Convert(std::move(right), context_.types.WithUnit(context_.int64, right->type->unit));
    auto result = Binary(OpOf(e.op), std::move(left), std::move(right),
                         context_.types.WithUnit(context_.int64, unit), e.span);
    if (divides && !by_constant) {
      FailsByItself(*result);
    } else {
      FailsByOverflow(*result);
    }
    return result;
  }
  auto widen = [this](ExprPtr side) {
    return IsInt(side->type) ? Convert(std::move(side), AsDecimal(context_.types, side->type))
                             : std::move(side);
  };
  left = widen(std::move(left));
  right = widen(std::move(right));
  DecimalResult result;
  switch (e.op) {
    case ast::BinaryOp::kMultiply:
      result = MultiplyDecimals(context_.types, left->type, right->type);
      break;
    case ast::BinaryOp::kDivide:
      result = DivideDecimals(context_.types, left->type, right->type);
      break;
    case ast::BinaryOp::kModulo:
      result = RemainderDecimals(context_.types, left->type, right->type);
      break;
    default: result = AddDecimals(context_.types, left->type, right->type); break;
  }
  if (result.type == nullptr) {
    context_.Report(Code::kScaleOverflow, e.span, "", {left->type->scale + right->type->scale})
        .Secondary(left->span, "this is `" + ToString(left->type) + "`")
        .Secondary(right->span, "this is `" + ToString(right->type) + "`")
        .Help("round one side first: `round(" + context_.Written(left->span) + ", 8)`");
    return Error(e.span);
  }
  auto sum = Binary(OpOf(e.op), std::move(left), std::move(right), result.type, e.span);
  if (divides && !by_constant) {
    FailsByItself(*sum);
  } else if (result.overflows) {
    FailsByOverflow(*sum);
  }
  return sum;
}

ExprPtr ExprChecker::InferComparison(const ast::BinaryExpr& e) {
  ExprPtr left, right;
  InferPair(*e.left, *e.right, &left, &right);
  if (HasError(left->type) || HasError(right->type)) return Error(e.span);
  const bool equality = e.op == ast::BinaryOp::kEqual || e.op == ast::BinaryOp::kNotEqual;
  const std::string op(ast::Spelling(e.op));
  const bool left_null = left->type->Is(TypeKind::kNull);
  const bool right_null = right->type->Is(TypeKind::kNull);
  // x == null asks whether x is absent.
  if (equality && (left_null || right_null)) {
    ExprPtr& value = left_null ? right : left;
    if (!IsOptional(value->type)) {
      context_.Report(Code::kNeverNull, e.span,
                      "this is " + WithArticle(value->type) + ", which is always there",
                      {context_.Written(value->span)});
      return Error(e.span);
    }
    auto has = std::make_unique<typed::HasExpr>();
    has->type = context_.boolean;
    has->span = e.span;
    Absorb(*has, *value);
    has->operand = std::move(value);
    if (e.op == ast::BinaryOp::kNotEqual) return has;
    auto absent = std::make_unique<typed::UnaryExpr>();
    absent->op = typed::UnaryOp::kNot;
    absent->type = context_.boolean;
    absent->span = e.span;
    Absorb(*absent, *has);
    absent->operand = std::move(has);
    return absent;
  }
  if (!equality && RefuseOptionals({left.get(), right.get()}, "`" + op + "` needs a value")) {
    return Error(e.span);
  }
  const Type* l = Present(left->type);
  const Type* r = Present(right->type);
  auto unlike = [&]() {
    return context_
        .Report(Code::kUnlikeComparison, e.span, "",
                {context_.DisplayName(left->type), context_.DisplayName(right->type)})
        .Secondary(left->span, "this is `" + context_.DisplayName(left->type) + "`")
        .Secondary(right->span, "this is `" + context_.DisplayName(right->type) + "`");
  };
  if (IsNumber(l) && IsNumber(r) && !l->unit.empty() && !r->unit.empty() && l->unit != r->unit) {
    context_.Report(Code::kUnitsMixed, e.span, "", {l->unit, r->unit})
        .Secondary(left->span, "in " + l->unit)
        .Secondary(right->span, "in " + r->unit)
        .Help("multiply one of them by a rate with a unit of its own, `in \"" + l->unit + "/" +
              r->unit + "\"`: the product has none");
    return Error(e.span);
  }
  if (IsNumber(l) && IsNumber(r) && IsFloat(l) != IsFloat(r) &&
      !(IsFloat(l) ? r : l)->Is(TypeKind::kInt32)) {
    const typed::Expr& other = IsFloat(l) ? *right : *left;
    context_.Report(Code::kFloatMixed, e.span, "", {ToString(l), ToString(r)})
        .Secondary(left->span, "this is `" + ToString(l) + "`")
        .Secondary(right->span, "this is `" + ToString(r) + "`")
        .Help("write `float64(" + context_.Written(other.span) + ")` to accept what is lost");
    return Error(e.span);
  }
  bool alike = l->kind == r->kind || (IsNumber(l) && IsNumber(r));
  if (alike && l->Is(TypeKind::kEnum)) alike = l->enum_def == r->enum_def;
  if (!alike) {
    Reported reported = unlike();
    for (bool swap : {false, true}) {
      const Type* enumeration = swap ? r : l;
      const typed::Expr& text = swap ? *left : *right;
      if (!enumeration->Is(TypeKind::kEnum) || text.kind != typed::ExprKind::kLiteral ||
          !text.type->Is(TypeKind::kString)) {
        continue;
      }
      for (const auto& value : enumeration->enum_def->values) {
        const std::string& written = typed::As<typed::LiteralExpr>(text).value.text;
        if (value.name == written || value.text == written) {
          reported.Help("a value of an enum stands without quotes: `" + value.name + "`");
        }
      }
    }
    return Error(e.span);
  }
  if (equality ? !IsComparable(l) : !IsOrdered(l)) {
    context_.Report(Code::kBadOperand, e.op_span, "", {op, context_.DisplayName(l)})
        .Secondary(left->span, "this is `" + context_.DisplayName(left->type) + "`");
    return Error(e.span);
  }
  // Decimals may differ in digits; everything else meets in one type.
  if (IsInt(l) && IsDecimal(r)) {
    left = Convert(std::move(left), IsOptional(left->type)
                                        ? context_.types.Optional(AsDecimal(context_.types, l))
                                        : AsDecimal(context_.types, l));
  } else if (IsDecimal(l) && IsInt(r)) {
    right = Convert(std::move(right), IsOptional(right->type)
                                          ? context_.types.Optional(AsDecimal(context_.types, r))
                                          : AsDecimal(context_.types, r));
  }
  l = Present(left->type);
  r = Present(right->type);
  bool optional = IsOptional(left->type) || IsOptional(right->type);
  if (!IsDecimal(l) || optional) {
    const Type* common = CommonType(context_.types, l, r);
    if (common == nullptr) {
      unlike();
      return Error(e.span);
    }
    if (optional) common = context_.types.Optional(common);
    left = Convert(std::move(left), common);
    right = Convert(std::move(right), common);
  }
  return Binary(OpOf(e.op), std::move(left), std::move(right), context_.boolean, e.span);
}

ExprPtr ExprChecker::InferIn(const ast::BinaryExpr& e) {
  auto in = std::make_unique<typed::InExpr>();
  in->negated = e.op == ast::BinaryOp::kNotIn;
  in->type = context_.boolean;
  in->span = e.span;
  ExprPtr operand = Infer(*e.left);
  const auto* range = As<ast::BinaryExpr>(e.right.get());
  bool is_range = range != nullptr && range->op == ast::BinaryOp::kRange;
  const Type* wanted = HasError(operand->type) ? nullptr : Present(operand->type);
  if (is_range) {
    ExprPtr low = Infer(*range->left, wanted);
    ExprPtr high = Infer(*range->right, wanted);
    if (HasError(operand->type) || HasError(low->type) || HasError(high->type))
      return Error(e.span);
    if (RefuseOptional(*operand, "`in` needs a value") ||
        RefuseOptionals({low.get(), high.get()}, "a range needs two ends")) {
      return Error(e.span);
    }
    const Type* common = nullptr;
    const Type* ends = CommonType(context_.types, low->type, high->type);
    if (ends != nullptr) common = CommonType(context_.types, operand->type, ends);
    if (ends == nullptr) {
      context_
          .Report(Code::kUnlikeComparison, range->span, "",
                  {context_.DisplayName(low->type), context_.DisplayName(high->type)})
          .Secondary(low->span, "this is `" + context_.DisplayName(low->type) + "`")
          .Secondary(high->span, "this is `" + context_.DisplayName(high->type) + "`");
      return Error(e.span);
    }
    if (common == nullptr || !IsOrdered(common)) {
      context_
          .Report(Code::kUnlikeComparison, e.span, "",
                  {context_.DisplayName(operand->type), context_.DisplayName(low->type)})
          .Secondary(operand->span, "this is `" + context_.DisplayName(operand->type) + "`")
          .Secondary(range->span, "the range is of `" + context_.DisplayName(low->type) + "`");
      return Error(e.span);
    }
    operand = Convert(std::move(operand), common);
    low = Convert(std::move(low), common);
    high = Convert(std::move(high), common);
    if (low->kind == typed::ExprKind::kLiteral && high->kind == typed::ExprKind::kLiteral) {
      const auto& a = typed::As<typed::LiteralExpr>(*low).value;
      const auto& b = typed::As<typed::LiteralExpr>(*high).value;
      bool empty = IsFloat(common)                 ? a.real > b.real
                   : common->Is(TypeKind::kString) ? a.text > b.text
                                                   : a.number > b.number;
      if (empty) {
        context_.Report(Code::kEmptyRange, range->span, "its low end is above its high end");
        return Error(e.span);
      }
    }
    for (ExprPtr* part : {&operand, &low, &high}) Absorb(*in, **part);
    in->operand = std::move(operand);
    in->low = std::move(low);
    in->high = std::move(high);
    return in;
  }
  ExprPtr list = Infer(*e.right, wanted == nullptr ? nullptr : context_.types.List(wanted));
  if (HasError(operand->type) || HasError(list->type)) return Error(e.span);
  if (!list->type->Is(TypeKind::kList)) {
    context_
        .Report(Code::kNotAList, list->span, "this is `" + context_.DisplayName(list->type) + "`",
                {context_.Written(list->span)})
        .Help("write a list `x in [a, b]` or a range `x in a..b`");
    return Error(e.span);
  }
  if (RefuseOptional(*operand, "`in` needs a value")) return Error(e.span);
  const Type* element = list->type->element;
  if (!IsComparable(element) || !IsComparable(operand->type)) {
    context_.Report(Code::kBadOperand, e.op_span, "", {"in", ToString(list->type)});
    return Error(e.span);
  }
  Fit fit = FitOf(operand->type, element);
  if (fit != Fit::kSame && fit != Fit::kLossless) {
    context_
        .Report(Code::kUnlikeComparison, e.span, "",
                {context_.DisplayName(operand->type), ToString(element)})
        .Secondary(operand->span, "this is `" + context_.DisplayName(operand->type) + "`")
        .Secondary(list->span, "this is `" + ToString(list->type) + "`");
    return Error(e.span);
  }
  operand = Convert(std::move(operand), element);
  Absorb(*in, *operand);
  Absorb(*in, *list);
  in->operand = std::move(operand);
  in->list = std::move(list);
  return in;
}

ExprPtr ExprChecker::InferCoalesce(const ast::BinaryExpr& e, const Type* expected) {
  const Type* wanted = expected == nullptr ? nullptr : context_.types.Optional(expected);
  ExprPtr operand = Infer(*e.left, NeedsContext(*e.left) ? wanted : nullptr);
  if (HasError(operand->type)) {
    Infer(*e.right, expected);
    return Error(e.span);
  }
  ExprPtr fallback =
      Infer(*e.right, operand->type->Is(TypeKind::kNull) ? expected : Present(operand->type));
  if (HasError(fallback->type)) return Error(e.span);
  if (!IsOptional(operand->type)) {
    context_
        .Report(Code::kUselessCoalesce, e.op_span, "the left side is always there",
                {context_.Written(operand->span)})
        .Help("write `" + context_.Written(operand->span) + "`");
    return operand;
  }
  const Type* common = CommonType(context_.types, operand->type->element, fallback->type);
  if (common == nullptr) {
    fallback = Convert(std::move(fallback), operand->type->element,
                       {.role = "the value it stands in for"});
    return Error(e.span);
  }
  bool still_optional = IsOptional(common) || fallback->type->Is(TypeKind::kNull);
  if (still_optional) common = context_.types.Optional(common);
  operand = Convert(std::move(operand), context_.types.Optional(common));
  fallback = Convert(std::move(fallback), common);
  auto result = std::make_unique<typed::CoalesceExpr>();
  result->type = common;
  result->span = e.span;
  Absorb(*result, *operand);
  Absorb(*result, *fallback);
  result->operand = std::move(operand);
  result->fallback = std::move(fallback);
  return result;
}

const Type* ExprChecker::Unify(std::vector<ExprPtr*> values, const Type* expected,
                               std::string_view what) {
  const Type* common = nullptr;
  const typed::Expr* first = nullptr;
  for (ExprPtr* value : values) {
    if (HasError((*value)->type)) return context_.error;
    const Type* next =
        common == nullptr ? (*value)->type : CommonType(context_.types, common, (*value)->type);
    if (next == nullptr) {
      context_
          .Report(Code::kNoCommonType, (*value)->span,
                  "this is `" + context_.DisplayName((*value)->type) + "`",
                  {std::string(what), context_.DisplayName(common),
                   context_.DisplayName((*value)->type)})
          .Secondary(first->span, "and this is `" + context_.DisplayName(common) + "`");
      return context_.error;
    }
    common = next;
    if (first == nullptr) first = value->get();
  }
  if (common == nullptr) return context_.error;
  // What is wanted outside may be wider than what the parts have in common: then they are widened
  // once.
  if (expected != nullptr && !HasError(expected)) {
    Fit fit = FitOf(common, expected);
    if (fit == Fit::kSame || fit == Fit::kLossless) common = expected;
  }
  if (common->Is(TypeKind::kNull)) {
    context_.Report(Code::kTypeUnknown, first->span, "absent what?", {"`null`"});
    return context_.error;
  }
  for (ExprPtr* value : values) *value = Convert(std::move(*value), common);
  return common;
}

ExprPtr ExprChecker::InferIf(const ast::IfExpr& e, const Type* expected) {
  auto result = std::make_unique<typed::IfExpr>();
  result->span = e.span;
  result->condition = Check(*e.condition, context_.boolean, {.role = "the condition of `if`"});
  if (expected == nullptr && NeedsContext(*e.then_value) && !NeedsContext(*e.else_value)) {
    result->else_value = Infer(*e.else_value);
    result->then_value = Infer(
        *e.then_value, HasError(result->else_value->type) ? nullptr : result->else_value->type);
  } else {
    result->then_value = Infer(*e.then_value, expected);
    const Type* hint = expected != nullptr || HasError(result->then_value->type)
                           ? expected
                           : result->then_value->type;
    result->else_value = Infer(*e.else_value, NeedsContext(*e.else_value) ? hint : expected);
  }
  result->type =
      Unify({&result->then_value, &result->else_value}, expected, "the branches of `if`");
  if (HasError(result->condition->type)) result->type = context_.error;
  Absorb(*result, *result->condition);
  Absorb(*result, *result->then_value);
  Absorb(*result, *result->else_value);
  return result;
}

ExprPtr ExprChecker::InferTry(const ast::TryExpr& e, const Type* expected) {
  auto result = std::make_unique<typed::TryExpr>();
  result->span = e.span;
  result->operand = Infer(*e.value, expected);
  const Type* hint =
      expected != nullptr || HasError(result->operand->type) ? expected : result->operand->type;
  result->fallback = Infer(*e.fallback, NeedsContext(*e.fallback) ? hint : expected);
  if (!result->operand->fallible && !HasError(result->operand->type)) {
    context_
        .Report(Code::kUselessTry, e.value->span, "nothing in it can fail",
                {context_.Written(e.value->span)})
        .Help("write `" + context_.Written(e.value->span) + "`");
  }
  result->type = Unify({&result->operand, &result->fallback}, expected, "`try` and its `else`");
  Absorb(*result, *result->fallback);
  return result;
}

ExprPtr ExprChecker::InferIndex(const ast::IndexExpr& e) {
  // meta.headers["x"]
  const auto* access = As<ast::FieldExpr>(e.object.get());
  if (access != nullptr && IsPseudo(*access->object, "meta") && access->name.text == "headers" &&
      FindField("meta") < 0) {
    const auto* name = As<ast::StringLit>(e.index.get());
    if (name == nullptr || !name->IsPlain()) {
      context_.Report(Code::kNotConstant, e.index->span, "", {"the name of a header"})
          .Help("write `meta.headers[\"x\"]`");
      return Error(e.span);
    }
    if (scope_.row != nullptr && scope_.row->windowed) {
      context_.Report(Code::kMetaMisplaced, e.span, "a window's result has no headers of its own",
                      {"a result of a window"});
      return Error(e.span);
    }
    auto meta = std::make_unique<typed::MetaExpr>();
    meta->field = typed::MetaField::kHeader;
    meta->header = std::string(name->PlainText());
    meta->type = context_.types.Optional(context_.string);
    meta->span = e.span;
    return meta;
  }
  ExprPtr base = Infer(*e.object);
  if (HasError(base->type)) {
    Infer(*e.index);
    return Error(e.span);
  }
  if (RefuseOptional(*base, "`[…]` needs a value")) return Error(e.span);
  bool is_list = base->type->Is(TypeKind::kList);
  if (!is_list && !base->type->Is(TypeKind::kMap)) {
    context_.Report(Code::kNotIndexable, e.object->span, "", {context_.DisplayName(base->type)});
    return Error(e.span);
  }
  ExprPtr index = Check(*e.index, is_list ? context_.int64 : context_.string,
                        {.role = is_list ? "the place in a list" : "the key of a map"});
  if (HasError(index->type)) return Error(e.span);
  auto result = std::make_unique<typed::IndexExpr>();
  result->type = context_.types.Optional(base->type->element);
  result->span = e.span;
  Absorb(*result, *base);
  Absorb(*result, *index);
  result->base = std::move(base);
  result->index = std::move(index);
  return result;
}

}  // namespace weirc::check
