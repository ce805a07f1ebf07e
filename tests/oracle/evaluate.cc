// The slow evaluator's expressions: each case is the sentence of docs/language.md about it, and nothing else.
#include "tests/oracle/evaluate.h"

#include <cmath>

namespace oracle {

using namespace weirc::typed;

namespace {

const Type* Present(const Type* type) { return type->kind == TypeKind::kOptional ? type->element : type; }

Value Arithmetic(const BinaryExpr& e, const Value& a, const Value& b) {
  const Type* left = Present(e.left->type);
  const Type* right = Present(e.right->type);
  const Type* result = Present(e.type);
  if (result->kind == TypeKind::kFloat64) {
    switch (e.op) {
      case BinaryOp::kAdd: return Value::Real(a.real + b.real);
      case BinaryOp::kSubtract: return Value::Real(a.real - b.real);
      case BinaryOp::kMultiply: return Value::Real(a.real * b.real);
      case BinaryOp::kDivide:
        if (b.real == 0) throw Failure("division by zero");
        return Value::Real(a.real / b.real);
      default:
        if (b.real == 0) throw Failure("division by zero");
        return Value::Real(std::fmod(a.real, b.real));
    }
  }
  Big n = 0;
  if (result->kind == TypeKind::kDecimal) {
    int scale = result->scale;
    switch (e.op) {
      case BinaryOp::kAdd: n = Rescale(a.number, left->scale, scale) + Rescale(b.number, right->scale, scale); break;
      case BinaryOp::kSubtract: n = Rescale(a.number, left->scale, scale) - Rescale(b.number, right->scale, scale); break;
      case BinaryOp::kMultiply: n = a.number * b.number; break;
      case BinaryOp::kDivide:
        if (b.number == 0) throw Failure("division by zero");
        n = DivideHalfEven(a.number * Pow10(scale + right->scale), b.number * Pow10(left->scale));
        break;
      default:
        if (b.number == 0) throw Failure("division by zero");
        n = Rescale(a.number, left->scale, scale) % Rescale(b.number, right->scale, scale);
    }
  } else {
    switch (e.op) {
      case BinaryOp::kAdd: n = a.number + b.number; break;
      case BinaryOp::kSubtract: n = a.number - b.number; break;
      case BinaryOp::kMultiply: n = a.number * b.number; break;
      case BinaryOp::kDivide:
        if (b.number == 0) throw Failure("division by zero");
        n = a.number / b.number;
        break;
      default:
        if (b.number == 0) throw Failure("division by zero");
        n = a.number % b.number;
    }
  }
  CheckRange(n, result);
  return Value::Number(n);
}

Value Binary(const BinaryExpr& e, Scope& scope) {
  Value a = Evaluate(*e.left, scope);
  if (e.op == BinaryOp::kAnd && !a.boolean) return a;
  if (e.op == BinaryOp::kOr && a.boolean) return a;
  Value b = Evaluate(*e.right, scope);
  switch (e.op) {
    case BinaryOp::kAnd: case BinaryOp::kOr: return b;
    case BinaryOp::kEqual: return Value::Bool(Equal(a, e.left->type, b, e.right->type));
    case BinaryOp::kNotEqual: return Value::Bool(!Equal(a, e.left->type, b, e.right->type));
    case BinaryOp::kLess: return Value::Bool(Compare(a, e.left->type, b, e.right->type) < 0);
    case BinaryOp::kLessEqual: return Value::Bool(Compare(a, e.left->type, b, e.right->type) <= 0);
    case BinaryOp::kGreater: return Value::Bool(Compare(a, e.left->type, b, e.right->type) > 0);
    case BinaryOp::kGreaterEqual: return Value::Bool(Compare(a, e.left->type, b, e.right->type) >= 0);
    default: return Arithmetic(e, a, b);
  }
}

Value Convert(const ConvertExpr& e, Scope& scope) {
  Value v = Evaluate(*e.operand, scope);
  const Type* from = e.operand->type;
  const Type* to = e.type;
  switch (e.conversion) {
    case Conversion::kIntToDecimal: v.number = Rescale(v.number, 0, to->scale); CheckRange(v.number, to); return v;
    case Conversion::kWidenDecimal: v.number = Rescale(v.number, from->scale, to->scale); return v;
    case Conversion::kIntToFloat: return Value::Real(static_cast<double>(static_cast<long long>(v.number)));
    default: return v;  // the value stays the same
  }
}

bool Matches(const Pattern& p, const Value& subject, const Type* type) {
  switch (p.kind) {
    case Pattern::kAny: return true;
    case Pattern::kNull: return subject.null();
    case Pattern::kPresent: return !subject.null();
    case Pattern::kConstant: return !subject.null() && Equal(subject, type, FromConstant(p.low, type), type);
    case Pattern::kRange:
      return !subject.null() && Compare(subject, type, FromConstant(p.low, type), type) >= 0 &&
             Compare(subject, type, FromConstant(p.high, type), type) <= 0;
    case Pattern::kOutcome: return p.outcome == 5 ? subject.number >= 2 : subject.number == p.outcome;
  }
  return false;
}

Value Match(const MatchExpr& e, Scope& scope) {
  static const char* const kNames[] = {"found", "missing", "timeout", "rejected", "error"};
  Value subject = Evaluate(*e.subject, scope);
  for (const MatchArm& arm : e.arms) {
    for (const Pattern& pattern : arm.patterns) {
      if (!Matches(pattern, subject, e.subject->type)) continue;
      if (pattern.bind_local >= 0) {
        if (scope.locals.size() <= static_cast<size_t>(pattern.bind_local)) scope.locals.resize(pattern.bind_local + 1);
        Value bound = subject;
        if (subject.kind == Value::kOutcome) {
          bound = subject.number == 0 ? subject.items.at(0) : Value();
          if (subject.number != 0) {
            bound.kind = Value::kRecord;
            bound.items = {Value::Text(subject.text), Value::Text(kNames[static_cast<int>(subject.number)])};
          }
        }
        scope.locals[pattern.bind_local] = bound;
      }
      if (arm.guard != nullptr && !Evaluate(*arm.guard, scope).boolean) break;
      return Evaluate(*arm.value, scope);
    }
  }
  throw std::logic_error("a match was not exhaustive");
}

Value CallFunction(const CallFnExpr& e, Scope& scope) {
  const FnDef& fn = scope.pipeline->fns.at(e.fn);
  Scope inner;
  inner.pipeline = scope.pipeline;
  inner.params = scope.params;
  for (const ExprPtr& arg : e.args) inner.locals.push_back(Evaluate(*arg, scope));
  inner.locals.resize(fn.locals.size());
  for (const auto& [local, value] : fn.lets) inner.locals[local] = Evaluate(*value, inner);
  return Evaluate(*fn.result, inner);
}

Value Index(const IndexExpr& e, Scope& scope) {
  Value base = Evaluate(*e.base, scope);
  Value index = Evaluate(*e.index, scope);
  if (base.kind == Value::kMap) {
    for (size_t i = 0; i < base.items.size(); ++i)
      if (base.names[i] == index.text) return base.items[i];
    return Value::Null();
  }
  if (index.number < 0 || index.number >= static_cast<Big>(base.items.size())) return Value::Null();
  return base.items[static_cast<size_t>(index.number)];
}

Value In(const InExpr& e, Scope& scope) {
  Value v = Evaluate(*e.operand, scope);
  bool in = false;
  if (e.list != nullptr) {
    Value list = Evaluate(*e.list, scope);
    for (const Value& item : list.items) in = in || Equal(v, e.operand->type, item, e.list->type->element);
  } else {
    Value low = Evaluate(*e.low, scope), high = Evaluate(*e.high, scope);
    in = Compare(v, e.operand->type, low, e.low->type) >= 0 && Compare(v, e.operand->type, high, e.high->type) <= 0;
  }
  return Value::Bool(in != e.negated);
}

Value OfMeta(const MetaExpr& e, const Meta& meta) {
  switch (e.field) {
    case MetaField::kTime: return Value::Number(meta.time_ns);
    case MetaField::kKey: return meta.has_key ? Value::Text(meta.key) : Value::Null();
    case MetaField::kHeader: {
      auto found = meta.headers.find(e.header);
      return found == meta.headers.end() ? Value::Null() : Value::Text(found->second);
    }
    case MetaField::kTopic: return Value::Text(meta.topic);
    case MetaField::kPartition: return Value::Number(meta.partition);
    case MetaField::kOffset: return Value::Number(meta.offset);
    case MetaField::kArrival: break;
  }
  throw std::logic_error("arrival times are not part of the run tests");
}

}  // namespace

Value FromConstant(const weirc::typed::Value& constant, const Type* type) {
  if (constant.is_null) return Value::Null();
  switch (Present(type)->kind) {
    case TypeKind::kBool: return Value::Bool(constant.boolean);
    case TypeKind::kFloat64: return Value::Real(constant.real);
    case TypeKind::kString: case TypeKind::kBytes: return Value::Text(constant.text);
    case TypeKind::kNull: return Value::Null();
    default: return Value::Number(static_cast<Big>(constant.number));
  }
}

Value Evaluate(const Expr& e, Scope& scope) {
  switch (e.kind) {
    case ExprKind::kLiteral: return FromConstant(As<LiteralExpr>(e).value, e.type);
    case ExprKind::kParam: return scope.params->at(As<ParamExpr>(e).param);
    case ExprKind::kLocal: return scope.locals.at(As<LocalExpr>(e).local);
    case ExprKind::kRow: return *scope.row;
    case ExprKind::kField: {
      Value base = Evaluate(*As<FieldExpr>(e).base, scope);
      return base.null() ? Value::Null() : base.items.at(As<FieldExpr>(e).field);
    }
    case ExprKind::kMeta: return OfMeta(As<MetaExpr>(e), *scope.meta);
    case ExprKind::kWindow:
      return Value::Number(As<WindowExpr>(e).field == WindowField::kStart ? scope.window_start : scope.window_end);
    case ExprKind::kAggregate: return scope.aggregates->at(As<AggregateExpr>(e).index);
    case ExprKind::kUnary: {
      Value v = Evaluate(*As<UnaryExpr>(e).operand, scope);
      if (As<UnaryExpr>(e).op == UnaryOp::kNot) return Value::Bool(!v.boolean);
      if (v.kind == Value::kReal) return Value::Real(-v.real);
      CheckRange(-v.number, Present(e.type));
      return Value::Number(-v.number);
    }
    case ExprKind::kBinary: return Binary(As<BinaryExpr>(e), scope);
    case ExprKind::kConvert: return Convert(As<ConvertExpr>(e), scope);
    case ExprKind::kCallStd: {
      std::vector<Value> args;
      for (const ExprPtr& arg : As<CallStdExpr>(e).args) args.push_back(Evaluate(*arg, scope));
      return CallStandard(As<CallStdExpr>(e), args);
    }
    case ExprKind::kCallFn: return CallFunction(As<CallFnExpr>(e), scope);
    case ExprKind::kIf: {
      const auto& choice = As<IfExpr>(e);
      return Evaluate(Evaluate(*choice.condition, scope).boolean ? *choice.then_value : *choice.else_value, scope);
    }
    case ExprKind::kMatch: return Match(As<MatchExpr>(e), scope);
    case ExprKind::kTry:
      try {
        return Evaluate(*As<TryExpr>(e).operand, scope);
      } catch (const Failure&) {
        return Evaluate(*As<TryExpr>(e).fallback, scope);
      }
    case ExprKind::kCoalesce: {
      Value v = Evaluate(*As<CoalesceExpr>(e).operand, scope);
      return v.null() ? Evaluate(*As<CoalesceExpr>(e).fallback, scope) : v;
    }
    case ExprKind::kHas: return Value::Bool(!Evaluate(*As<HasExpr>(e).operand, scope).null());
    case ExprKind::kList: {
      Value v;
      v.kind = Value::kList;
      for (const ExprPtr& item : As<ListExpr>(e).elements) v.items.push_back(Evaluate(*item, scope));
      return v;
    }
    case ExprKind::kMap: {
      Value v;
      v.kind = Value::kMap;
      for (const auto& [name, item] : As<MapExpr>(e).entries) {
        v.names.push_back(name);
        v.items.push_back(Evaluate(*item, scope));
      }
      return v;
    }
    case ExprKind::kRecord: {
      Value v;
      v.kind = Value::kRecord;
      for (const ExprPtr& item : As<RecordExpr>(e).values) v.items.push_back(Evaluate(*item, scope));
      return v;
    }
    case ExprKind::kIndex: return Index(As<IndexExpr>(e), scope);
    case ExprKind::kIn: return In(As<InExpr>(e), scope);
    case ExprKind::kInterpolate: {
      std::string text;
      for (const ExprPtr& part : As<InterpolateExpr>(e).parts) text += Evaluate(*part, scope).text;
      return Value::Text(text);
    }
  }
  throw std::logic_error("unknown expression");
}

}  // namespace oracle
