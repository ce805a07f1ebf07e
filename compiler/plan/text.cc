// Expressions and constants as text.
#include <cstdio>

#include "compiler/plan/expr.h"
#include "compiler/plan/std_functions.h"

namespace weirc::plan {

using namespace typed;

namespace {

// Binding strength, as in docs/grammar.md; higher binds tighter.
enum Level { kLowest = 0, kOr, kAnd, kNot, kCompare, kCoalesceLevel, kRange, kAdd, kMultiply, kUnaryLevel, kPostfix };

std::string Number(__int128 v) {
  if (v == 0) return "0";
  bool negative = v < 0;
  unsigned __int128 u = negative ? -static_cast<unsigned __int128>(v) : static_cast<unsigned __int128>(v);
  std::string digits;
  for (; u != 0; u /= 10) digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(u % 10)));
  return negative ? "-" + digits : digits;
}

std::string DecimalText(__int128 v, int scale) {
  bool negative = v < 0;
  std::string digits = Number(negative ? -v : v);
  if (scale > 0) {
    while (static_cast<int>(digits.size()) <= scale) digits.insert(digits.begin(), '0');
    digits.insert(digits.size() - static_cast<size_t>(scale), ".");
    while (digits.back() == '0') digits.pop_back();
    if (digits.back() == '.') digits.pop_back();
  }
  return negative ? "-" + digits : digits;
}

// Days since 1970-01-01 as a civil date (Howard Hinnant's algorithm).
std::string DateText(int64_t days) {
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  char text[40];
  std::snprintf(text, sizeof text, "%04lld-%02lld-%02lld", static_cast<long long>(year), static_cast<long long>(month),
                static_cast<long long>(day));
  return text;
}

std::string TimestampText(int64_t ns) {
  constexpr int64_t kDay = 86'400'000'000'000;
  int64_t day = ns / kDay, rest = ns % kDay;
  if (rest < 0) {
    --day;
    rest += kDay;
  }
  int64_t seconds = rest / 1'000'000'000, fraction = rest % 1'000'000'000;
  char text[40];
  std::snprintf(text, sizeof text, "T%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string out = DateText(day) + text;
  if (fraction != 0) {
    std::snprintf(text, sizeof text, ".%09d", static_cast<int>(fraction));
    out += text;
    while (out.back() == '0') out.pop_back();
  }
  return out + "Z";
}

const char* Operator(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd: return "+";
    case BinaryOp::kSubtract: return "-";
    case BinaryOp::kMultiply: return "*";
    case BinaryOp::kDivide: return "/";
    case BinaryOp::kRemainder: return "%";
    case BinaryOp::kEqual: return "==";
    case BinaryOp::kNotEqual: return "!=";
    case BinaryOp::kLess: return "<";
    case BinaryOp::kLessEqual: return "<=";
    case BinaryOp::kGreater: return ">";
    case BinaryOp::kGreaterEqual: return ">=";
    case BinaryOp::kAnd: return "and";
    case BinaryOp::kOr: return "or";
  }
  return "?";
}

Level LevelOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract: return kAdd;
    case BinaryOp::kMultiply:
    case BinaryOp::kDivide:
    case BinaryOp::kRemainder: return kMultiply;
    case BinaryOp::kAnd: return kAnd;
    case BinaryOp::kOr: return kOr;
    default: return kCompare;
  }
}

class Printer {
 public:
  explicit Printer(const TextOptions& options) : o_(options) {}

  std::string Print(const Expr& e, Level least = kLowest) {
    Level level = kPostfix;
    std::string text = Bare(e, &level);
    return level < least ? "(" + text + ")" : text;
  }

  std::string List(const std::vector<ExprPtr>& list) {
    std::string out;
    for (const ExprPtr& e : list) out += (out.empty() ? "" : ", ") + Print(*e);
    return out;
  }

 private:
  std::string Bare(const Expr& expr, Level* level) {
    switch (expr.kind) {
      case ExprKind::kLiteral: {
        std::string text = Text(As<LiteralExpr>(expr).value, expr.type);
        return o_.exact ? text + ":" + ToString(expr.type) : text;
      }
      case ExprKind::kParam: return o_.typed->params[As<ParamExpr>(expr).param].name;
      case ExprKind::kLocal: {
        const auto& local = As<LocalExpr>(expr);
        return o_.exact || local.name.empty() ? "$" + std::to_string(local.local) : local.name;
      }
      case ExprKind::kRow: return "record";
      case ExprKind::kField: return FieldText(As<FieldExpr>(expr));
      case ExprKind::kMeta: return MetaText(As<MetaExpr>(expr));
      case ExprKind::kWindow: return As<WindowExpr>(expr).field == WindowField::kStart ? "window.start" : "window.end";
      case ExprKind::kAggregate: {
        int index = As<AggregateExpr>(expr).index;
        if (o_.aggregates == nullptr) return "aggregate" + std::to_string(index);
        return Text((*o_.aggregates)[index], o_);
      }
      case ExprKind::kUnary: {
        const auto& e = As<UnaryExpr>(expr);
        bool is_not = e.op == UnaryOp::kNot;
        *level = is_not ? kNot : kUnaryLevel;
        return (is_not ? "not " : "-") + Print(*e.operand, *level);
      }
      case ExprKind::kBinary: {
        const auto& e = As<BinaryExpr>(expr);
        *level = LevelOf(e.op);
        Level right = static_cast<Level>(*level + 1);
        std::string left = Print(*e.left, *level == kCompare ? right : *level);
        return left + " " + Operator(e.op) + " " + Print(*e.right, right);
      }
      case ExprKind::kConvert: {
        const auto& e = As<ConvertExpr>(expr);
        if (o_.exact) return "as(" + Print(*e.operand) + ", " + ToString(e.type) + ")";
        return Bare(*e.operand, level);
      }
      case ExprKind::kCallStd: {
        const auto& e = As<CallStdExpr>(expr);
        std::string name = StdFunctionName(e.function);
        if (o_.exact) name += "#" + std::to_string(e.function) + ":" + ToString(e.type);
        return name + "(" + List(e.args) + ")";
      }
      case ExprKind::kCallFn: {
        const auto& e = As<CallFnExpr>(expr);
        return o_.typed->fns[e.fn].name + "(" + List(e.args) + ")";
      }
      case ExprKind::kIf: {
        const auto& e = As<IfExpr>(expr);
        *level = kLowest;
        return "if " + Print(*e.condition) + " then " + Print(*e.then_value) + " else " + Print(*e.else_value);
      }
      case ExprKind::kMatch: return MatchText(As<MatchExpr>(expr));
      case ExprKind::kTry: {
        const auto& e = As<TryExpr>(expr);
        *level = kLowest;
        return "try " + Print(*e.operand) + " else " + Print(*e.fallback);
      }
      case ExprKind::kCoalesce: {
        const auto& e = As<CoalesceExpr>(expr);
        *level = kCoalesceLevel;
        return Print(*e.operand, kCoalesceLevel) + " ?? " + Print(*e.fallback, kRange);
      }
      case ExprKind::kHas: {
        *level = kCompare;
        return Print(*As<HasExpr>(expr).operand, kCoalesceLevel) + " != null";
      }
      case ExprKind::kList: return "[" + List(As<ListExpr>(expr).elements) + "]";
      case ExprKind::kMap: {
        std::string out;
        for (const auto& [key, value] : As<MapExpr>(expr).entries)
          out += (out.empty() ? "" : ", ") + Quoted(key) + ": " + Print(*value);
        return "{ " + out + " }";
      }
      case ExprKind::kRecord: {
        const auto& e = As<RecordExpr>(expr);
        std::string out;
        for (size_t i = 0; i < e.values.size(); ++i)
          out += (i == 0 ? "" : ", ") + e.type->record->fields[i].name + ": " + Print(*e.values[i]);
        return "{ " + out + " }";
      }
      case ExprKind::kIndex: {
        const auto& e = As<IndexExpr>(expr);
        return Print(*e.base, kPostfix) + "[" + Print(*e.index) + "]";
      }
      case ExprKind::kIn: {
        const auto& e = As<InExpr>(expr);
        *level = kCompare;
        std::string out = Print(*e.operand, kCoalesceLevel) + (e.negated ? " not in " : " in ");
        if (e.list) return out + Print(*e.list, kCoalesceLevel);
        return out + Print(*e.low, kAdd) + ".." + Print(*e.high, kAdd);
      }
      case ExprKind::kInterpolate: {
        std::string out = "\"";
        for (const ExprPtr& part : As<InterpolateExpr>(expr).parts) {
          if (part->kind == ExprKind::kLiteral) {
            std::string text = Quoted(As<LiteralExpr>(*part).value.text);
            out += text.substr(1, text.size() - 2);
          } else {
            // The conversion to text is what the braces say.
            bool to_string = !o_.exact && part->kind == ExprKind::kCallStd &&
                             StdFunctionName(As<CallStdExpr>(*part).function) == "to_string";
            out += "{" + Print(to_string ? *As<CallStdExpr>(*part).args[0] : *part) + "}";
          }
        }
        return out + "\"";
      }
    }
    return "?";
  }

  std::string FieldText(const FieldExpr& e) {
    const Type* base_type = e.base->type->Is(TypeKind::kOptional) ? e.base->type->element : e.base->type;
    if (e.base->kind == ExprKind::kRow) {
      if (o_.row != nullptr) return (*o_.row)[e.field];
      return base_type->record->fields[e.field].name;
    }
    return Print(*e.base, kPostfix) + (e.through_optional ? "?." : ".") + base_type->record->fields[e.field].name;
  }

  static std::string MetaText(const MetaExpr& e) {
    switch (e.field) {
      case MetaField::kTime: return "meta.time";
      case MetaField::kKey: return "meta.key";
      case MetaField::kHeader: return "meta.headers[" + Quoted(e.header) + "]";
      case MetaField::kTopic: return "meta.topic";
      case MetaField::kPartition: return "meta.partition";
      case MetaField::kOffset: return "meta.offset";
      case MetaField::kArrival: return "meta.arrival";
    }
    return "meta";
  }

  static std::string PatternText(const Pattern& p, const Type* subject) {
    static const char* const kOutcomes[] = {"found", "missing", "timeout", "rejected", "error", "failed"};
    if (subject->Is(TypeKind::kOptional)) subject = subject->element;
    switch (p.kind) {
      case Pattern::kAny: return "_";
      case Pattern::kNull: return "null";
      case Pattern::kPresent: return "present";
      case Pattern::kConstant: return Text(p.low, subject);
      case Pattern::kRange: return Text(p.low, subject) + ".." + Text(p.high, subject);
      case Pattern::kOutcome: {
        std::string out = kOutcomes[p.outcome];
        return p.bind_local < 0 ? out : out + " $" + std::to_string(p.bind_local);
      }
    }
    return "_";
  }

  std::string MatchText(const MatchExpr& e) {
    std::string out = "match " + Print(*e.subject) + " { ";
    for (size_t i = 0; i < e.arms.size(); ++i) {
      const MatchArm& arm = e.arms[i];
      if (i > 0) out += ", ";
      for (size_t p = 0; p < arm.patterns.size(); ++p)
        out += (p > 0 ? " or " : "") + PatternText(arm.patterns[p], e.subject->type);
      if (arm.guard) out += " if " + Print(*arm.guard);
      out += " -> " + Print(*arm.value);
    }
    return out + " }";
  }

  const TextOptions& o_;
};

}  // namespace

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '{': out += "{{"; break;
      default: out += c;
    }
  }
  return out + "\"";
}

std::string DurationText(int64_t ns) {
  if (ns == 0) return "0s";
  static constexpr struct { int64_t ns; const char* unit; } kUnits[] = {
      {86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "m"}, {1'000'000'000, "s"},
      {1'000'000, "ms"},         {1'000, "us"},            {1, "ns"}};
  std::string out;
  unsigned __int128 rest = ns < 0 ? -static_cast<unsigned __int128>(ns) : static_cast<unsigned __int128>(ns);
  for (const auto& unit : kUnits) {
    int64_t n = static_cast<int64_t>(rest / static_cast<unsigned __int128>(unit.ns));
    if (n != 0) out += std::to_string(n) + unit.unit;
    rest %= static_cast<unsigned __int128>(unit.ns);
  }
  return ns < 0 ? "-" + out : out;
}

std::string Text(const Value& value, const Type* type) {
  if (value.is_null) return "null";
  switch (type->kind) {
    case TypeKind::kOptional: return Text(value, type->element);
    case TypeKind::kBool: return value.boolean ? "true" : "false";
    case TypeKind::kInt32:
    case TypeKind::kInt64: return Number(value.number);
    case TypeKind::kDecimal: return DecimalText(value.number, type->scale);
    case TypeKind::kFloat64: {
      char text[40];
      std::snprintf(text, sizeof text, "%.17g", value.real);
      double back = 0;
      for (int digits = 1; digits < 17; ++digits) {
        char shorter[40];
        std::snprintf(shorter, sizeof shorter, "%.*g", digits, value.real);
        std::sscanf(shorter, "%lf", &back);
        if (back == value.real) return shorter;
      }
      return text;
    }
    case TypeKind::kString:
    case TypeKind::kBytes: return Quoted(value.text);
    case TypeKind::kTimestamp: return "t\"" + TimestampText(static_cast<int64_t>(value.number)) + "\"";
    case TypeKind::kDuration: return DurationText(static_cast<int64_t>(value.number));
    case TypeKind::kDate: return "d\"" + DateText(static_cast<int64_t>(value.number)) + "\"";
    case TypeKind::kEnum: return type->enum_def->values[static_cast<size_t>(value.number)].name;
    default: return "null";
  }
}

std::string Text(const Expr& e, const TextOptions& options) { return Printer(options).Print(e); }

std::string Text(const std::vector<ExprPtr>& list, const TextOptions& options) {
  std::string text = Printer(options).List(list);
  return list.size() > 1 ? "(" + text + ")" : text;
}

std::string Text(const Aggregate& aggregate, const TextOptions& options) {
  static const char* const kNames[] = {"count", "sum", "min", "max", "first", "last", "avg", "vwap"};
  return std::string(kNames[static_cast<int>(aggregate.kind)]) + "(" + Printer(options).List(aggregate.args) + ")";
}

}  // namespace weirc::plan
