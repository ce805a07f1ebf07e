// Standard functions for the slow evaluator. Text and time functions are the product's own scalar functions, which
// stdlib's examples test; arithmetic ones are done on big integers here.
#include <map>

#include "runtime/core/arena.h"
#include "stdlib/all.h"
#include "stdlib/index.h"
#include "tests/oracle/evaluate.h"

namespace oracle {

using weir::Arena;
using weir::Str;
using weirc::typed::CallStdExpr;
using weirc::typed::Type;
using weirc::typed::TypeKind;

namespace {

Str ToStr(const Value& v) { return Str{v.text.data(), static_cast<uint32_t>(v.text.size())}; }
Value FromStr(Str s) { return Value::Text(std::string(s.data, s.size)); }
int64_t ToInt(const Value& v) { return static_cast<int64_t>(v.number); }

// The value of a decimal, int or text argument as a decimal of `type`; digits that do not fit are rounded half to even
// when `round`, else they fail.
Value ToDecimal(const Value& v, const Type* from, const Type* to) {
  if (v.kind == Value::kText) return Decode(v.text, to);
  Big n = Rescale(v.number, from->scale, to->scale);
  CheckRange(n, to);
  return Value::Number(n);
}

}  // namespace

Value CallStandard(const CallStdExpr& call, const std::vector<Value>& args) {
  static Arena arena;  // results are copied out at once
  arena.Reset();
  const std::string name = weir::stdlib::kFunctions[call.function].name;
  const Type* first = call.args.empty() ? nullptr : call.args[0]->type;
  const Type* result = call.type;
  if (name == "to_string" || name == "string") return Value::Text(Text(args[0], first));
  if (name == "upper") return FromStr(weir::fn::Upper(arena, ToStr(args[0])));
  if (name == "lower") return FromStr(weir::fn::Lower(arena, ToStr(args[0])));
  if (name == "trim") return FromStr(weir::fn::Trim(ToStr(args[0])));
  if (name == "length" && first->kind == TypeKind::kString) return Value::Number(weir::fn::Length(ToStr(args[0])));
  if (name == "length" && (first->kind == TypeKind::kList || first->kind == TypeKind::kMap))
    return Value::Number(static_cast<Big>(args[0].items.size()));
  if (name == "starts_with") return Value::Bool(weir::fn::StartsWith(ToStr(args[0]), ToStr(args[1])));
  if (name == "ends_with") return Value::Bool(weir::fn::EndsWith(ToStr(args[0]), ToStr(args[1])));
  if (name == "contains" && first->kind == TypeKind::kString)
    return Value::Bool(weir::fn::Contains(ToStr(args[0]), ToStr(args[1])));
  if (name == "contains" && first->kind == TypeKind::kList) {
    for (const Value& item : args[0].items)
      if (Equal(item, first->element, args[1], call.args[1]->type)) return Value::Bool(true);
    return Value::Bool(false);
  }
  if (name == "substring" && args.size() == 3)
    return FromStr(weir::fn::Substring(ToStr(args[0]), ToInt(args[1]), ToInt(args[2])));
  if (name == "pad_start") return FromStr(weir::fn::PadStart(arena, ToStr(args[0]), ToInt(args[1]), ToStr(args[2])));
  if (name == "concat") {
    std::string text;
    for (const Value& arg : args) text += arg.text;
    return Value::Text(text);
  }
  if (name == "abs" && args[0].kind == Value::kNumber) {
    Big n = args[0].number < 0 ? -args[0].number : args[0].number;
    CheckRange(n, result);
    return Value::Number(n);
  }
  if (name == "min" || name == "max") {
    int order = Compare(args[0], first, args[1], call.args[1]->type);
    return (name == "min" ? order <= 0 : order >= 0) ? args[0] : args[1];
  }
  if (name == "round" && args.size() == 2)
    return Value::Number(Rescale(args[0].number, first->scale, result->scale));
  if ((name == "decimal" || name == "parse_decimal") && args[0].kind != Value::kReal)
    return ToDecimal(args[0], first, result);
  if ((name == "int64" || name == "int32") && args[0].kind == Value::kNumber) {
    if (first->scale > 0 && args[0].number % Pow10(first->scale) != 0) throw Failure("not whole");
    Big n = args[0].number / Pow10(first->scale);
    CheckRange(n, result);
    return Value::Number(n);
  }
  if (name == "int64" || name == "int32" || name == "parse_int64") {
    if (args[0].kind == Value::kText) return Decode(args[0].text, result);
  }
  if (name == "truncate_to") return Value::Number(weir::fn::TruncateTo(ToInt(args[0]), ToInt(args[1])));
  if (name == "epoch_ms") return Value::Number(weir::fn::EpochMs(ToInt(args[0])));
  if (name == "date_of") return Value::Number(weir::fn::DateOf(ToInt(args[0])));
  if (name == "hour") return Value::Number(weir::fn::Hour(ToInt(args[0])));
  throw std::logic_error("the slow evaluator does not know the function `" + name + "`");
}

}  // namespace oracle
