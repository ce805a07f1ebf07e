// Values of the slow evaluator: arithmetic, order and text of them. JSON is in value_json.cc.
#include "tests/oracle/value.h"

#include <cmath>
#include <cstdlib>

namespace oracle {

using weirc::typed::Type;
using weirc::typed::TypeKind;

Value Value::Bool(bool b) { Value v; v.kind = kBool; v.boolean = b; return v; }
Value Value::Number(Big n) { Value v; v.kind = kNumber; v.number = n; return v; }
Value Value::Real(double r) { Value v; v.kind = kReal; v.real = r; return v; }
Value Value::Text(std::string s) { Value v; v.kind = kText; v.text = std::move(s); return v; }

Big Pow10(int n) {
  Big result = 1;
  for (int i = 0; i < n; ++i) result *= 10;
  return result;
}

std::string Decimal(Big n) {
  if (n == 0) return "0";
  bool negative = n < 0;
  if (negative) n = -n;
  std::string digits;
  for (; n != 0; n /= 10) digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(n % 10)));
  return negative ? "-" + digits : digits;
}

Big DivideHalfEven(Big n, Big d) {
  if (d < 0) { n = -n; d = -d; }
  Big quotient = n / d;
  Big rest = n % d;  // has the sign of n
  Big doubled = (rest < 0 ? -rest : rest) * 2;
  bool away = doubled > d || (doubled == d && quotient % 2 != 0);
  if (away) quotient += n < 0 ? -1 : 1;
  return quotient;
}

Big Rescale(Big n, int from, int to) {
  return to >= from ? n * Pow10(to - from) : DivideHalfEven(n, Pow10(from - to));
}

void CheckRange(Big n, const Type* type) {
  Big two63 = static_cast<Big>(1) << 63;
  Big two31 = static_cast<Big>(1) << 31;
  bool ok = true;
  switch (type->kind) {
    case TypeKind::kInt32: ok = n >= -two31 && n < two31; break;
    case TypeKind::kInt64: case TypeKind::kTimestamp: case TypeKind::kDuration: ok = n >= -two63 && n < two63; break;
    case TypeKind::kDecimal: { Big max = Pow10(type->precision); ok = n < max && n > -max; break; }
    default: break;
  }
  if (!ok) throw Failure("overflow: " + Decimal(n) + " is no " + ToString(type));
}

namespace {

int Sign(Big n) { return n < 0 ? -1 : n > 0 ? 1 : 0; }

int CompareText(const std::string& a, const std::string& b) {
  int order = a.compare(b);  // std::string compares as unsigned bytes
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

const Type* Present(const Type* type) { return type->kind == TypeKind::kOptional ? type->element : type; }

std::string Padded(long long n, int width) {
  std::string s = Decimal(n < 0 ? -static_cast<Big>(n) : static_cast<Big>(n));
  while (static_cast<int>(s.size()) < width) s.insert(s.begin(), '0');
  return n < 0 ? "-" + s : s;
}

// The calendar, by counting years and months: slow and obvious.
std::string DateText(long long days) {
  long long year = 1970;
  auto leap = [](long long y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; };
  while (days < 0) days += leap(--year) ? 366 : 365;
  while (days >= (leap(year) ? 366 : 365)) days -= leap(year++) ? 366 : 365;
  int month = 0;
  const int lengths[] = {31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  while (days >= lengths[month]) days -= lengths[month++];
  return Padded(year, 4) + "-" + Padded(month + 1, 2) + "-" + Padded(days + 1, 2);
}

std::string TimestampText(Big ns) {
  const Big day = static_cast<Big>(86'400) * 1'000'000'000;
  Big days = ns / day;
  if (ns % day < 0) days -= 1;
  long long rest = static_cast<long long>(ns - days * day);
  long long seconds = rest / 1'000'000'000, fraction = rest % 1'000'000'000;
  std::string text = DateText(static_cast<long long>(days)) + "T" + Padded(seconds / 3600, 2) + ":" +
                     Padded(seconds / 60 % 60, 2) + ":" + Padded(seconds % 60, 2);
  if (fraction != 0) {
    std::string digits = Padded(fraction, 9);
    while (digits.back() == '0') digits.pop_back();
    text += "." + digits;
  }
  return text + "Z";
}

// The fewest digits that read back as the same number; with an exponent from 1e18 on and below 1e-7.
std::string FloatText(double d) {
  if (std::isnan(d)) return "NaN";
  std::string sign = std::signbit(d) ? "-" : "";
  d = std::fabs(d);
  if (std::isinf(d)) return sign + "Infinity";
  if (d == 0) return sign + "0";
  char text[40];
  for (int digits = 0; digits < 18; ++digits) {
    snprintf(text, sizeof text, "%.*e", digits, d);
    if (std::strtod(text, nullptr) == d) break;
  }
  std::string digits(1, text[0]);
  const char* e = text + 1;
  for (; *e != 'e'; ++e)
    if (*e != '.') digits += *e;
  int exponent = atoi(e + 1);
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  if (exponent >= 18 || exponent < -7) {
    std::string out = sign + digits[0] + (digits.size() > 1 ? "." + digits.substr(1) : "");
    return out + (exponent < 0 ? "e-" : "e+") + std::to_string(exponent < 0 ? -exponent : exponent);
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + (digits.size() > whole ? "." + digits.substr(whole) : "");
}

std::string DurationText(Big ns) {
  if (ns == 0) return "0s";
  std::string text = ns < 0 ? "-" : "";
  if (ns < 0) ns = -ns;
  const std::pair<const char*, long long> units[] = {
      {"w", 604'800'000'000'000}, {"d", 86'400'000'000'000}, {"h", 3'600'000'000'000}, {"m", 60'000'000'000},
      {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};
  for (const auto& [unit, size] : units) {
    if (std::string(unit) == "w") continue;  // days are the largest unit written
    Big count = ns / size;
    if (count != 0) text += Decimal(count) + unit;
    ns -= count * size;
  }
  return text;
}

}  // namespace

int Compare(const Value& a, const Type* type_a, const Value& b, const Type* type_b) {
  type_a = Present(type_a);
  type_b = Present(type_b);
  switch (a.kind) {
    case Value::kBool: return static_cast<int>(a.boolean) - static_cast<int>(b.boolean);
    case Value::kReal: return a.real < b.real ? -1 : a.real > b.real ? 1 : 0;
    case Value::kText: return CompareText(a.text, b.text);
    case Value::kNumber: {
      int scale = type_a->scale > type_b->scale ? type_a->scale : type_b->scale;
      return Sign(Rescale(a.number, type_a->scale, scale) - Rescale(b.number, type_b->scale, scale));
    }
    default: throw std::logic_error("compared values that have no order");
  }
}

bool Equal(const Value& a, const Type* type_a, const Value& b, const Type* type_b) {
  if (a.null() || b.null()) return a.null() && b.null();
  type_a = Present(type_a);
  type_b = Present(type_b);
  if (a.kind != Value::kList && a.kind != Value::kMap && a.kind != Value::kRecord) return Compare(a, type_a, b, type_b) == 0;
  if (a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i) {
    const Type* left = a.kind == Value::kRecord ? type_a->record->fields[i].type : type_a->element;
    const Type* right = b.kind == Value::kRecord ? type_b->record->fields[i].type : type_b->element;
    if (!Equal(a.items[i], left, b.items[i], right)) return false;
    if (a.kind == Value::kMap && a.names[i] != b.names[i]) return false;
  }
  return true;
}

std::string Text(const Value& v, const Type* type) {
  type = Present(type);
  switch (type->kind) {
    case TypeKind::kBool: return v.boolean ? "true" : "false";
    case TypeKind::kInt32: case TypeKind::kInt64: return Decimal(v.number);
    case TypeKind::kDecimal: {
      std::string digits = Decimal(v.number < 0 ? -v.number : v.number);
      while (static_cast<int>(digits.size()) <= type->scale) digits.insert(digits.begin(), '0');
      std::string whole = digits.substr(0, digits.size() - type->scale), part = digits.substr(digits.size() - type->scale);
      while (!part.empty() && part.back() == '0') part.pop_back();
      return (v.number < 0 ? "-" : "") + whole + (part.empty() ? "" : "." + part);
    }
    case TypeKind::kFloat64: return FloatText(v.real);
    case TypeKind::kString: case TypeKind::kBytes: return v.text;
    case TypeKind::kTimestamp: return TimestampText(v.number);
    case TypeKind::kDate: return DateText(static_cast<long long>(v.number));
    case TypeKind::kDuration: return DurationText(v.number);
    case TypeKind::kEnum: return type->enum_def->values[static_cast<size_t>(v.number)].text;
    default: throw std::logic_error("a value of type " + ToString(type) + " has no text");
  }
}

}  // namespace oracle
