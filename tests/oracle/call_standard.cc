// Standard functions for the slow evaluator. Text, times and floats go through the product's own scalar functions, which
// stdlib's examples test; arithmetic on ints, decimals and lists is done on big integers here.
#include <cmath>
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
namespace fn = weir::fn;

namespace {

// One call: its arguments and their types as the functions of stdlib/ take them.
struct Call {
  const CallStdExpr& expr;
  const std::vector<Value>& args;
  Arena& arena;

  const Type* type(size_t i) const { return expr.args[i]->type; }
  const Type* result() const { return expr.type; }
  Str text(size_t i) const { return Str{args[i].text.data(), static_cast<uint32_t>(args[i].text.size())}; }
  int64_t number(size_t i) const { return static_cast<int64_t>(args[i].number); }
  int32_t day(size_t i) const { return static_cast<int32_t>(args[i].number); }
  double real(size_t i) const { return args[i].real; }
  Big big(size_t i) const { return args[i].number; }
  int scale(size_t i) const { return type(i)->scale; }
};

Value Of(Str s) { return Value::Text(std::string(s.data, s.size)); }
Value Of(bool b) { return Value::Bool(b); }
Value Of(int64_t n) { return Value::Number(n); }
Value Of(int32_t n) { return Value::Number(n); }
Value Of(double d) { return Value::Real(d); }

Value Fitting(Big n, const Type* type) {
  CheckRange(n, type);
  return Value::Number(n);
}

// For functions that say whether they worked.
template <class T, class F>
Value Tried(F function) {
  T out{};
  if (!function(&out)) throw Failure("a standard function failed");
  return Of(out);
}

Value TextList(const std::vector<std::string>& parts) {
  Value list;
  list.kind = Value::kList;
  for (const std::string& part : parts) list.items.push_back(Value::Text(part));
  return list;
}

std::vector<std::string> SplitAt(const std::string& text, const std::string& at) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t found; !at.empty() && (found = text.find(at, from)) != std::string::npos; from = found + at.size())
    parts.push_back(text.substr(from, found - from));
  parts.push_back(text.substr(from));
  return parts;
}

// n / 10^by by a rule: 0 to the lower, 1 to the higher, 2 toward zero, 3 away from zero at half.
Big RoundedDown(Big n, int by, int rule) {
  Big unit = Pow10(by), quotient = n / unit, rest = n % unit;
  if (rest == 0) return quotient;
  switch (rule) {
    case 0: return rest < 0 ? quotient - 1 : quotient;
    case 1: return rest > 0 ? quotient + 1 : quotient;
    case 2: return quotient;
    default: {
      Big doubled = (rest < 0 ? -rest : rest) * 2;
      return doubled < unit ? quotient : quotient + (n < 0 ? -1 : 1);
    }
  }
}

using Function = Value (*)(const Call& c);

// By the name of the C++ function, which tells overloads apart.
const std::map<std::string, Function>& Functions() {
  static const std::map<std::string, Function> functions = {
      // text
      {"Concat", [](const Call& c) { std::string s; for (const Value& v : c.args) s += v.text; return Value::Text(s); }},
      {"EndsWith", [](const Call& c) { return Of(fn::EndsWith(c.text(0), c.text(1))); }},
      {"StartsWith", [](const Call& c) { return Of(fn::StartsWith(c.text(0), c.text(1))); }},
      {"FromBase64", [](const Call& c) { return Tried<Str>([&](Str* out) { return fn::FromBase64(c.arena, c.text(0), out); }); }},
      {"ToBase64", [](const Call& c) { return Of(fn::ToBase64(c.arena, c.text(0))); }},
      {"IndexOf", [](const Call& c) {
         auto found = fn::IndexOf(c.text(0), c.text(1));
         return found.has ? Of(found.value) : Value::Null();
       }},
      {"Join", [](const Call& c) {
         std::string text;
         for (size_t i = 0; i < c.args[0].items.size(); ++i) text += (i != 0 ? c.args[1].text : "") + c.args[0].items[i].text;
         return Value::Text(text);
       }},
      {"LengthOfBytes", [](const Call& c) { return Of(static_cast<int64_t>(c.args[0].text.size())); }},
      {"LengthOfMap", [](const Call& c) { return Of(static_cast<int64_t>(c.args[0].items.size())); }},
      {"Length", [](const Call& c) {
         return c.args[0].kind == Value::kText ? Of(fn::Length(c.text(0))) : Of(static_cast<int64_t>(c.args[0].items.size()));
       }},
      {"Contains", [](const Call& c) {
         if (c.args[0].kind == Value::kText) return Of(c.args[0].text.find(c.args[1].text) != std::string::npos);
         bool found = false;
         for (const Value& item : c.args[0].items) found = found || Equal(item, c.type(0)->element, c.args[1], c.type(1));
         return Of(found);
       }},
      {"ContainsKey", [](const Call& c) {
         bool found = false;
         for (const std::string& name : c.args[0].names) found = found || name == c.args[1].text;
         return Of(found);
       }},
      {"Lower", [](const Call& c) { return Of(fn::Lower(c.arena, c.text(0))); }},
      {"Upper", [](const Call& c) { return Of(fn::Upper(c.arena, c.text(0))); }},
      {"PadEnd", [](const Call& c) { return Of(fn::PadEnd(c.arena, c.text(0), c.number(1), c.text(2))); }},
      {"PadStart", [](const Call& c) { return Of(fn::PadStart(c.arena, c.text(0), c.number(1), c.text(2))); }},
      {"Repeat", [](const Call& c) { return Tried<Str>([&](Str* out) { return fn::Repeat(c.arena, c.text(0), c.number(1), out); }); }},
      {"Replace", [](const Call& c) { return Of(fn::Replace(c.arena, c.text(0), c.text(1), c.text(2))); }},
      {"Reverse", [](const Call& c) { return Of(fn::Reverse(c.arena, c.text(0))); }},
      {"Split", [](const Call& c) { return TextList(SplitAt(c.args[0].text, c.args[1].text)); }},
      {"SplitOnce", [](const Call& c) {
         size_t at = c.args[0].text.find(c.args[1].text);
         if (at == std::string::npos) return Value::Null();
         return TextList({c.args[0].text.substr(0, at), c.args[0].text.substr(at + c.args[1].text.size())});
       }},
      {"Substring", [](const Call& c) { return Of(fn::Substring(c.text(0), c.number(1), c.number(2))); }},
      {"SubstringFrom", [](const Call& c) { return Of(fn::SubstringFrom(c.text(0), c.number(1))); }},
      {"Trim", [](const Call& c) { return Of(fn::Trim(c.text(0))); }},
      {"TrimEnd", [](const Call& c) { return Of(fn::TrimEnd(c.text(0))); }},
      {"TrimStart", [](const Call& c) { return Of(fn::TrimStart(c.text(0))); }},
      // convert
      {"BytesOf", [](const Call& c) { return c.args[0]; }},
      {"StringOf", [](const Call& c) {
         if (!ValidUtf8(c.args[0].text)) throw Failure("no valid UTF-8");
         return c.args[0];
       }},
      {"DecimalFromDecimal", [](const Call& c) { return Fitting(Rescale(c.big(0), c.scale(0), c.result()->scale), c.result()); }},
      {"DecimalFromFloat64", [](const Call& c) {
         weir::i128 out = 0;
         if (!weir::DecimalFromDouble(c.real(0), c.result()->precision, c.result()->scale, &out)) throw Failure("no decimal");
         return Value::Number(static_cast<Big>(out));
       }},
      {"DecimalFromString", [](const Call& c) {
         weir::i128 out = 0;
         if (!fn::DecimalFromString(c.text(0), c.result()->precision, c.result()->scale, &out)) throw Failure("no decimal");
         return Value::Number(static_cast<Big>(out));
       }},
      {"ParseDecimal", [](const Call& c) {
         weir::i128 out = 0;
         if (!fn::ParseDecimal(c.text(0), c.result()->precision, c.result()->scale, &out)) throw Failure("no decimal");
         return Value::Number(static_cast<Big>(out));
       }},
      {"Float64FromFloat64", [](const Call& c) { return c.args[0]; }},
      {"Float64FromInt64", [](const Call& c) { return Of(static_cast<double>(c.number(0))); }},
      {"Float64FromDecimal", [](const Call& c) { return Of(std::strtod(Text(c.args[0], c.type(0)).c_str(), nullptr)); }},
      {"Float64FromString", [](const Call& c) { return Tried<double>([&](double* out) { return fn::Float64FromString(c.text(0), out); }); }},
      {"ParseFloat64", [](const Call& c) { return Tried<double>([&](double* out) { return fn::ParseFloat64(c.text(0), out); }); }},
      {"Int64FromInt64", [](const Call& c) { return c.args[0]; }},
      {"Int32FromInt64", [](const Call& c) { return Fitting(c.big(0), c.result()); }},
      {"Int64FromDecimal", [](const Call& c) {
         if (c.big(0) % Pow10(c.scale(0)) != 0) throw Failure("not whole");
         return Fitting(c.big(0) / Pow10(c.scale(0)), c.result());
       }},
      {"Int32FromDecimal", [](const Call& c) {
         if (c.big(0) % Pow10(c.scale(0)) != 0) throw Failure("not whole");
         return Fitting(c.big(0) / Pow10(c.scale(0)), c.result());
       }},
      {"Int64FromFloat64", [](const Call& c) { return Tried<int64_t>([&](int64_t* out) { return fn::Int64FromFloat64(c.real(0), out); }); }},
      {"Int32FromFloat64", [](const Call& c) { return Tried<int32_t>([&](int32_t* out) { return fn::Int32FromFloat64(c.real(0), out); }); }},
      {"Int64FromString", [](const Call& c) { return Tried<int64_t>([&](int64_t* out) { return fn::Int64FromString(c.text(0), out); }); }},
      {"Int32FromString", [](const Call& c) { return Tried<int32_t>([&](int32_t* out) { return fn::Int32FromString(c.text(0), out); }); }},
      {"ParseInt64", [](const Call& c) { return Tried<int64_t>([&](int64_t* out) { return fn::ParseInt64(c.text(0), out); }); }},
      {"ParseBool", [](const Call& c) { return Tried<bool>([&](bool* out) { return fn::ParseBool(c.text(0), out); }); }},
      {"ParseDate", [](const Call& c) { return Tried<int32_t>([&](int32_t* out) { return fn::ParseDate(c.text(0), out); }); }},
      {"ParseDuration", [](const Call& c) { return Tried<int64_t>([&](int64_t* out) { return fn::ParseDuration(c.text(0), out); }); }},
      {"ParseTimestamp", [](const Call& c) { return Tried<int64_t>([&](int64_t* out) { return fn::ParseTimestamp(c.text(0), out); }); }},
      {"ParseTimestampAs", [](const Call& c) {
         return Tried<int64_t>([&](int64_t* out) { return fn::ParseTimestampAs(c.text(0), c.text(1), out); });
       }},
      {"ToFixed", [](const Call& c) {
         std::string digits = Decimal(c.big(0) < 0 ? -c.big(0) : c.big(0));
         auto scale = static_cast<size_t>(c.scale(0));
         while (digits.size() <= scale) digits.insert(digits.begin(), '0');
         if (scale > 0) digits.insert(digits.size() - scale, ".");
         return Value::Text((c.big(0) < 0 ? "-" : "") + digits);
       }},
      // math
      {"AbsInt64", [](const Call& c) { return Fitting(c.big(0) < 0 ? -c.big(0) : c.big(0), c.result()); }},
      {"AbsDecimal", [](const Call& c) { return Value::Number(c.big(0) < 0 ? -c.big(0) : c.big(0)); }},
      {"AbsFloat64", [](const Call& c) { return Of(std::fabs(c.real(0))); }},
      {"CeilDecimal", [](const Call& c) { return Value::Number(RoundedDown(c.big(0), c.scale(0), 1)); }},
      {"FloorDecimal", [](const Call& c) { return Value::Number(RoundedDown(c.big(0), c.scale(0), 0)); }},
      {"TruncateDecimal", [](const Call& c) { return Value::Number(RoundedDown(c.big(0), c.scale(0), 2)); }},
      {"CeilFloat64", [](const Call& c) { return Of(std::ceil(c.real(0))); }},
      {"FloorFloat64", [](const Call& c) { return Of(std::floor(c.real(0))); }},
      {"TruncateFloat64", [](const Call& c) { return Of(std::trunc(c.real(0))); }},
      {"RoundFloat64", [](const Call& c) { return Of(fn::RoundFloat64(c.real(0))); }},
      {"RoundDecimal", [](const Call& c) { return Value::Number(Rescale(c.big(0), c.scale(0), c.result()->scale)); }},
      {"RoundHalfUp", [](const Call& c) { return Value::Number(RoundedDown(c.big(0), c.scale(0) - c.result()->scale, 3)); }},
      {"ClampInt64", [](const Call& c) { return Value::Number(c.big(0) < c.big(1) ? c.big(1) : c.big(0) > c.big(2) ? (c.big(2) < c.big(1) ? c.big(1) : c.big(2)) : c.big(0)); }},
      {"ClampDecimal", [](const Call& c) { return Value::Number(c.big(0) < c.big(1) ? c.big(1) : c.big(0) > c.big(2) ? (c.big(2) < c.big(1) ? c.big(1) : c.big(2)) : c.big(0)); }},
      {"ClampFloat64", [](const Call& c) { return Of(fn::ClampFloat64(c.real(0), c.real(1), c.real(2))); }},
      {"SignInt64", [](const Call& c) { return Of(static_cast<int64_t>((c.big(0) > 0) - (c.big(0) < 0))); }},
      {"SignDecimal", [](const Call& c) { return Of(static_cast<int64_t>((c.big(0) > 0) - (c.big(0) < 0))); }},
      {"SignFloat64", [](const Call& c) { return Of(fn::SignFloat64(c.real(0))); }},
      {"IsFinite", [](const Call& c) { return Of(std::isfinite(c.real(0))); }},
      {"IsNan", [](const Call& c) { return Of(std::isnan(c.real(0))); }},
      {"Exp", [](const Call& c) { return Tried<double>([&](double* out) { return fn::Exp(c.real(0), out); }); }},
      {"Ln", [](const Call& c) { return Tried<double>([&](double* out) { return fn::Ln(c.real(0), out); }); }},
      {"Sqrt", [](const Call& c) { return Tried<double>([&](double* out) { return fn::Sqrt(c.real(0), out); }); }},
      {"Pow", [](const Call& c) { return Tried<double>([&](double* out) { return fn::Pow(c.real(0), c.real(1), out); }); }},
      {"MaxFloat64", [](const Call& c) { return Of(fn::MaxFloat64(c.real(0), c.real(1))); }},
      {"MinFloat64", [](const Call& c) { return Of(fn::MinFloat64(c.real(0), c.real(1))); }},
      // time
      {"Add", [](const Call& c) { return Fitting(c.big(0) + c.big(1), c.result()); }},
      {"Between", [](const Call& c) { return Fitting(c.big(1) - c.big(0), c.result()); }},
      {"AddDays", [](const Call& c) { return Tried<int32_t>([&](int32_t* out) { return fn::AddDays(c.day(0), c.number(1), out); }); }},
      {"DaysBetween", [](const Call& c) { return Value::Number(c.big(1) - c.big(0)); }},
      {"DateOf", [](const Call& c) { return Of(fn::DateOf(c.number(0))); }},
      {"Day", [](const Call& c) { return Of(fn::Day(c.day(0))); }},
      {"DayOf", [](const Call& c) { return Of(fn::DayOf(c.number(0))); }},
      {"DayOfWeek", [](const Call& c) { return Of(fn::DayOfWeek(c.day(0))); }},
      {"DayOfWeekOf", [](const Call& c) { return Of(fn::DayOfWeekOf(c.number(0))); }},
      {"Month", [](const Call& c) { return Of(fn::Month(c.day(0))); }},
      {"MonthOf", [](const Call& c) { return Of(fn::MonthOf(c.number(0))); }},
      {"Year", [](const Call& c) { return Of(fn::Year(c.day(0))); }},
      {"YearOf", [](const Call& c) { return Of(fn::YearOf(c.number(0))); }},
      {"Hour", [](const Call& c) { return Of(fn::Hour(c.number(0))); }},
      {"Minute", [](const Call& c) { return Of(fn::Minute(c.number(0))); }},
      {"Second", [](const Call& c) { return Of(fn::Second(c.number(0))); }},
      {"Seconds", [](const Call& c) { return Value::Number(c.big(0) / 1'000'000'000); }},
      {"Milliseconds", [](const Call& c) { return Value::Number(c.big(0) / 1'000'000); }},
      {"EpochMs", [](const Call& c) { return Of(fn::EpochMs(c.number(0))); }},
      {"FromEpochMs", [](const Call& c) { return Fitting(c.big(0) * 1'000'000, c.result()); }},
      {"FromMilliseconds", [](const Call& c) { return Fitting(c.big(0) * 1'000'000, c.result()); }},
      {"FromSeconds", [](const Call& c) { return Fitting(c.big(0) * 1'000'000'000, c.result()); }},
      {"TimestampOf", [](const Call& c) { return Fitting(c.big(0) * 86'400'000'000'000, c.result()); }},
      {"TruncateTo", [](const Call& c) { return Of(fn::TruncateTo(c.number(0), c.number(1))); }},
      {"FormatTimestamp", [](const Call& c) { return Of(fn::FormatTimestamp(c.arena, c.number(0), c.text(1))); }},
      // list, hash
      {"First", [](const Call& c) { return c.args[0].items.empty() ? Value::Null() : c.args[0].items.front(); }},
      {"Last", [](const Call& c) { return c.args[0].items.empty() ? Value::Null() : c.args[0].items.back(); }},
      {"Get", [](const Call& c) {
         bool there = c.big(1) >= 0 && c.big(1) < static_cast<Big>(c.args[0].items.size());
         return there ? c.args[0].items[static_cast<size_t>(c.number(1))] : Value::Null();
       }},
      {"GetByKey", [](const Call& c) {
         for (size_t i = 0; i < c.args[0].names.size(); ++i)
           if (c.args[0].names[i] == c.args[1].text) return c.args[0].items[i];
         return Value::Null();
       }},
      {"Keys", [](const Call& c) { return TextList(c.args[0].names); }},
      {"Values", [](const Call& c) { Value v = c.args[0]; v.kind = Value::kList; v.names.clear(); return v; }},
      {"SumInt64", [](const Call& c) {
         Big sum = 0;
         for (const Value& v : c.args[0].items) CheckRange(sum += v.number, c.result());
         return Value::Number(sum);
       }},
      {"SumDecimal", [](const Call& c) {
         Big sum = 0;
         for (const Value& v : c.args[0].items) CheckRange(sum += v.number, c.result());
         return Value::Number(sum);
       }},
      {"SumFloat64", [](const Call& c) {
         double sum = 0;
         for (const Value& v : c.args[0].items) sum += v.real;
         return Of(sum);
       }},
      {"Murmur2", [](const Call& c) { return Of(fn::Murmur2(c.text(0))); }},
      {"Xxh64OfBytes", [](const Call& c) { return Of(fn::Xxh64OfBytes(c.text(0))); }},
      {"KafkaPartitionOf", [](const Call& c) {
         return Tried<int64_t>([&](int64_t* out) { return fn::KafkaPartitionOf(c.text(0), c.number(1), out); });
       }},
  };
  return functions;
}

}  // namespace

Value CallStandard(const CallStdExpr& call, const std::vector<Value>& args) {
  static Arena arena;  // results are copied out at once
  arena.Reset();
  const weir::stdlib::Function& function = weir::stdlib::kFunctions[call.function];
  const std::string name = function.name, cpp_name = function.cpp_name;
  if (name == "to_string") return Value::Text(Text(args[0], call.args[0]->type));
  bool larger = name == "max";
  if ((larger || name == "min") && args[0].kind != Value::kReal) {
    int order = Compare(args[0], call.args[0]->type, args[1], call.args[1]->type);
    return (larger ? order >= 0 : order <= 0) ? args[0] : args[1];
  }
  auto found = Functions().find(cpp_name);
  if (found == Functions().end()) throw std::logic_error("the slow evaluator does not know the function `" + cpp_name + "`");
  return found->second(Call{call, args, arena});
}

}  // namespace oracle
