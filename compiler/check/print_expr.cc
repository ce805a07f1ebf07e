// compiler/check/print_expr.cc — A typed expression as text: every conversion is shown.
#include "compiler/check/constant_json.h"
#include "compiler/check/number_text.h"
#include "compiler/check/print.h"
#include "compiler/check/stdlib_index.h"

namespace weirc {

using namespace typed;

namespace {

class ExprPrinter {
 public:
  ExprPrinter(const TypedPipeline& pipeline, const std::function<std::string(int)>& row_field)
      : pipeline_(pipeline), row_field_(row_field) {}

  std::string Print(const Expr& e) const {
    if (e.type == nullptr || e.type->Is(TypeKind::kError)) return "error";
    switch (e.kind) {
      case ExprKind::kLiteral: return Constant(As<LiteralExpr>(e).value, e.type);
      case ExprKind::kParam:
        return "$" + pipeline_.params[static_cast<size_t>(As<ParamExpr>(e).param)].name;
      case ExprKind::kLocal: return "%" + std::to_string(As<LocalExpr>(e).local);
      case ExprKind::kRow: return "row";
      case ExprKind::kField: return Field(As<FieldExpr>(e));
      case ExprKind::kMeta: return Meta(As<MetaExpr>(e));
      case ExprKind::kWindow:
        return As<WindowExpr>(e).field == WindowField::kStart ? "window.start" : "window.end";
      case ExprKind::kAggregate: return "aggregate " + std::to_string(As<AggregateExpr>(e).index);
      case ExprKind::kUnary:
        return (As<UnaryExpr>(e).op == UnaryOp::kNot ? "(not " : "(-") +
               Print(*As<UnaryExpr>(e).operand) + ")" + Mark(e);
      case ExprKind::kBinary: {
        const auto& b = As<BinaryExpr>(e);
        return "(" + Print(*b.left) + " " + Spelling(b.op) + " " + Print(*b.right) + ")" + Mark(e);
      }
      case ExprKind::kConvert: {
        const auto& c = As<ConvertExpr>(e);
        return std::string(NameOf(c.conversion)) + "(" + Print(*c.operand) + ": " +
               ToString(e.type) + ")";
      }
      case ExprKind::kCallStd:
        return stdlib::NameOf(As<CallStdExpr>(e).function) + "(" + List(As<CallStdExpr>(e).args) +
               ")" + Mark(e);
      case ExprKind::kCallFn:
        return pipeline_.fns[static_cast<size_t>(As<CallFnExpr>(e).fn)].name + "(" +
               List(As<CallFnExpr>(e).args) + ")" + Mark(e);
      case ExprKind::kIf: {
        const auto& i = As<IfExpr>(e);
        return "(if " + Print(*i.condition) + " then " + Print(*i.then_value) + " else " +
               Print(*i.else_value) + ")";
      }
      case ExprKind::kMatch: return Match(As<MatchExpr>(e));
      case ExprKind::kTry:
        return "(try " + Print(*As<TryExpr>(e).operand) + " else " +
               Print(*As<TryExpr>(e).fallback) + ")";
      case ExprKind::kCoalesce:
        return "(" + Print(*As<CoalesceExpr>(e).operand) + " ?? " +
               Print(*As<CoalesceExpr>(e).fallback) + ")";
      case ExprKind::kList: return "[" + List(As<ListExpr>(e).elements) + "]";
      case ExprKind::kMap: {
        std::string text;
        for (const auto& [key, value] : As<MapExpr>(e).entries)
          text += (text.empty() ? "" : ", ") + check::JsonString(key) + ": " + Print(*value);
        return "{" + text + "}";
      }
      case ExprKind::kRecord: {
        const auto& r = As<RecordExpr>(e);
        std::string text;
        for (size_t i = 0; i < r.values.size(); ++i) {
          text +=
              (i == 0 ? "" : ", ") + e.type->record->fields[i].name + ": " + Print(*r.values[i]);
        }
        return "{" + text + "}";
      }
      case ExprKind::kIndex:
        return Print(*As<IndexExpr>(e).base) + "[" + Print(*As<IndexExpr>(e).index) + "]";
      case ExprKind::kIn: {
        const auto& in = As<InExpr>(e);
        std::string list = in.list ? Print(*in.list) : Print(*in.low) + ".." + Print(*in.high);
        return "(" + Print(*in.operand) + (in.negated ? " not in " : " in ") + list + ")";
      }
      case ExprKind::kInterpolate: return "text(" + List(As<InterpolateExpr>(e).parts) + ")";
      case ExprKind::kHas: return "has(" + Print(*As<HasExpr>(e).operand) + ")";
    }
    return "?";
  }

  static std::string Constant(const Value& value, const Type* type) {
    if (value.is_null || type->Is(TypeKind::kNull)) return "null";
    const Type* t = type->Is(TypeKind::kOptional) ? type->element : type;
    switch (t->kind) {
      case TypeKind::kError: return "error";
      case TypeKind::kBool: return value.boolean ? "true" : "false";
      case TypeKind::kFloat64: return check::FloatText(value.real) + "f";
      case TypeKind::kDecimal:
        return check::DecimalText(value.number, t->scale) + ":" + ToString(t);
      case TypeKind::kString:
      case TypeKind::kBytes: return check::JsonString(value.text);
      case TypeKind::kTimestamp:
        return "t\"" + check::TimestampText(static_cast<int64_t>(value.number)) + "\"";
      case TypeKind::kDuration: return check::DurationText(value.number);
      case TypeKind::kDate:
        return "d\"" + check::DateText(static_cast<int32_t>(value.number)) + "\"";
      case TypeKind::kEnum:
        return t->enum_def->name + "." +
               t->enum_def->values[static_cast<size_t>(value.number)].name;
      case TypeKind::kInt32: return check::NumberText(value.number) + ":int32";
      default: return check::NumberText(value.number);
    }
  }

 private:
  // `!`: may fail; `^`: by overflow alone.
  static std::string Mark(const Expr& e) { return !e.fallible ? "" : e.overflow_only ? "^" : "!"; }

  static const char* Spelling(BinaryOp op) {
    constexpr const char* kSpellings[] = {
        "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or"};
    return kSpellings[static_cast<size_t>(op)];
  }
  static const char* NameOf(Conversion conversion) {
    constexpr const char* kNames[] = {"widen", "to_decimal", "widen", "to_float",
                                      "some",  "none",       "record"};
    return kNames[static_cast<size_t>(conversion)];
  }

  std::string List(const std::vector<ExprPtr>& values) const {
    std::string text;
    for (const ExprPtr& value : values) text += (text.empty() ? "" : ", ") + Print(*value);
    return text;
  }

  std::string Field(const FieldExpr& e) const {
    if (e.base->kind == ExprKind::kRow) {
      if (row_field_) return row_field_(e.field);
      return e.base->type->record->fields[static_cast<size_t>(e.field)].name;
    }
    const Type* base = e.base->type->Is(TypeKind::kOptional) ? e.base->type->element : e.base->type;
    return Print(*e.base) + (e.through_optional ? "?." : ".") +
           base->record->fields[static_cast<size_t>(e.field)].name;
  }

  static std::string Meta(const MetaExpr& e) {
    switch (e.field) {
      case MetaField::kTime: return "meta.time";
      case MetaField::kKey: return "meta.key";
      case MetaField::kHeader: return "meta.headers[" + check::JsonString(e.header) + "]";
      case MetaField::kTopic: return "meta.topic";
      case MetaField::kPartition: return "meta.partition";
      case MetaField::kOffset: return "meta.offset";
      case MetaField::kArrival: return "meta.arrival";
    }
    return "meta";
  }

  std::string Match(const MatchExpr& e) const {
    constexpr const char* kOutcomes[] = {"found",    "missing", "timeout",
                                         "rejected", "error",   "failed"};
    std::string text;
    for (const MatchArm& arm : e.arms) {
      text += text.empty() ? "" : ", ";
      for (size_t i = 0; i < arm.patterns.size(); ++i) {
        const Pattern& p = arm.patterns[i];
        text += i == 0 ? "" : " or ";
        switch (p.kind) {
          case Pattern::kAny: text += "_"; break;
          case Pattern::kNull: text += "null"; break;
          case Pattern::kPresent: text += "present"; break;
          case Pattern::kConstant: text += Constant(p.low, e.subject->type); break;
          case Pattern::kRange:
            text += Constant(p.low, e.subject->type) + ".." + Constant(p.high, e.subject->type);
            break;
          case Pattern::kOutcome: text += kOutcomes[p.outcome]; break;
        }
        if (p.bind_local >= 0) text += " %" + std::to_string(p.bind_local);
      }
      if (arm.guard) text += " if " + Print(*arm.guard);
      text += " -> " + Print(*arm.value);
    }
    return "(match " + Print(*e.subject) + " { " + text + " })";
  }

  const TypedPipeline& pipeline_;
  const std::function<std::string(int)>& row_field_;
};

}  // namespace

std::string PrintExpr(const TypedPipeline& pipeline, const Expr& e,
                      const std::function<std::string(int)>& row_field) {
  return ExprPrinter(pipeline, row_field).Print(e);
}

}  // namespace weirc
