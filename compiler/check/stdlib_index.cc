// compiler/check/stdlib_index.cc — The standard library as the checker sees it.
#include "compiler/check/stdlib_index.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>

#include "compiler/check/number_text.h"
#include "stdlib/index.h"

namespace weirc::stdlib {

using typed::Type;
using typed::TypeKind;
using typed::TypeTable;

namespace {

// A type in a signature.
struct Shape {
  TypeKind kind = TypeKind::kError;
  bool constant = false;           // a literal int
  bool any = false;                // T
  std::string precision, scale;    // of decimals: a number or a variable
  std::shared_ptr<Shape> element;  // of list, map, optional
};

struct Function {
  std::string name;
  std::string signature;
  std::vector<std::pair<std::string, Shape>> parameters;
  Shape result;
  weir::stdlib::Failing failing = weir::stdlib::Failing::kNever;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::string Word() {
    Skip();
    size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  bool Take(std::string_view token) {
    Skip();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  Shape ReadShape() {
    static const std::map<std::string, TypeKind> kKinds = {
        {"bool", TypeKind::kBool},           {"int32", TypeKind::kInt32},
        {"int64", TypeKind::kInt64},         {"float64", TypeKind::kFloat64},
        {"string", TypeKind::kString},       {"bytes", TypeKind::kBytes},
        {"timestamp", TypeKind::kTimestamp}, {"duration", TypeKind::kDuration},
        {"date", TypeKind::kDate},           {"decimal", TypeKind::kDecimal},
        {"list", TypeKind::kList},           {"map", TypeKind::kMap},
        {"enum", TypeKind::kEnum},           {"const", TypeKind::kInt64}};
    Shape shape;
    std::string word = Word();
    auto it = kKinds.find(word);
    if (it != kKinds.end()) shape.kind = it->second;
    shape.constant = word == "const";
    shape.any = word == "T";
    if (shape.kind == TypeKind::kDecimal && Take("(")) {
      shape.precision = Word();
      Take(",");
      shape.scale = Word();
      Take(")");
    } else if (shape.kind == TypeKind::kList && Take("<")) {
      shape.element = std::make_shared<Shape>(ReadShape());
      Take(">");
    } else if (shape.kind == TypeKind::kMap && Take("<")) {
      ReadShape();
      Take(",");
      shape.element = std::make_shared<Shape>(ReadShape());
      Take(">");
    }
    if (Take("?")) {
      Shape optional;
      optional.kind = TypeKind::kOptional;
      optional.element = std::make_shared<Shape>(std::move(shape));
      return optional;
    }
    return shape;
  }
  // "value: decimal(p, s); digits: const"
  std::vector<std::pair<std::string, Shape>> ReadParameters() {
    std::vector<std::pair<std::string, Shape>> parameters;
    for (Skip(); at_ < text_.size(); Take(";"), Skip()) {
      std::string name = Word();
      if (name.empty() || !Take(":")) break;
      parameters.emplace_back(std::move(name), ReadShape());
    }
    return parameters;
  }

 private:
  void Skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  std::string_view text_;
  size_t at_ = 0;
};

struct Index {
  std::vector<Function> functions;
  std::map<std::string, std::vector<int>, std::less<>> by_name;
  std::vector<std::string> names;
};

const Index& TheIndex() {
  static const Index index = [] {
    Index result;
    for (int i = 0; i < weir::stdlib::kFunctionCount; ++i) {
      const weir::stdlib::Function& row = weir::stdlib::kFunctions[i];
      Function function;
      function.name = row.name;
      function.signature = row.signature;
      function.parameters = Reader(row.params).ReadParameters();
      function.result = Reader(row.result).ReadShape();
      function.failing = row.failing;
      result.by_name[function.name].push_back(i);
      result.functions.push_back(std::move(function));
    }
    for (const auto& [name, _] : result.by_name) result.names.push_back(name);
    return result;
  }();
  return index;
}

const std::vector<int>& Named(std::string_view name) {
  static const std::vector<int> none;
  auto it = TheIndex().by_name.find(name);
  return it == TheIndex().by_name.end() ? none : it->second;
}

const Function& At(int function) { return TheIndex().functions[static_cast<size_t>(function)]; }

// What the letters of a signature stand for in one call.
struct Bindings {
  std::map<std::string, int> digits;  // p, s, and `const` parameters
  std::map<std::string, const Type*>
      decimals;               // by "p,s": the smallest decimal that holds all given for it
  const Type* any = nullptr;  // T
};

int Number(const std::string& text, const Bindings& bindings) {
  if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) != 0)
    return std::stoi(text);
  auto it = bindings.digits.find(text);
  return it == bindings.digits.end() ? -1 : it->second;
}

constexpr int kNoFit = 1000;

int FitDecimal(TypeTable& types, const Shape& shape, const Argument& argument, Bindings* bindings,
               const Type** wanted) {
  const Type* type = argument.type;
  if (!check::IsDecimal(type) && !check::IsInt(type)) return kNoFit;
  const Type* decimal = check::AsDecimal(types, type);
  if (argument.is_int_literal) decimal = types.Decimal(check::CountDigits(argument.literal), 0);
  const Type*& common = bindings->decimals[shape.precision + "," + shape.scale];
  common = common == nullptr ? decimal : check::CommonType(types, common, decimal);
  if (common == nullptr) return kNoFit;
  *wanted = common;
  return check::IsInt(type) ? 3 : 0;
}

// Penalty of giving an argument where the shape stands, and the type it is converted to.
int FitArgument(TypeTable& types, const Shape& shape, const std::string& name,
                const Argument& argument, Bindings* bindings, const Type** wanted) {
  const Type* type = argument.type;
  if (shape.constant) {
    if (!argument.is_int_literal || argument.literal < 0 || argument.literal > 38) return kNoFit;
    bindings->digits[name] = static_cast<int>(argument.literal);
    *wanted = types.Simple(TypeKind::kInt64);
    return 0;
  }
  if (type->Is(TypeKind::kNull)) return kNoFit;
  if (shape.any) {
    if (bindings->any == nullptr) bindings->any = type;
    check::Fit fit = check::FitOf(type, bindings->any);
    bool literal = argument.is_int_literal || argument.is_decimal_literal;
    if (literal && check::IsNumber(bindings->any)) fit = check::Fit::kSame;
    if (fit != check::Fit::kSame && fit != check::Fit::kLossless) return kNoFit;
    *wanted = bindings->any;
    return 0;
  }
  switch (shape.kind) {
    case TypeKind::kOptional: {
      Argument inner = argument;
      if (type->Is(TypeKind::kOptional)) inner.type = type->element;
      int penalty = FitArgument(types, *shape.element, name, inner, bindings, wanted);
      if (penalty >= kNoFit) return kNoFit;
      *wanted = types.Optional(*wanted);
      return penalty + (type->Is(TypeKind::kOptional) ? 0 : 1);
    }
    case TypeKind::kList:
    case TypeKind::kMap: {
      if (type->kind != shape.kind) return kNoFit;
      Argument inner;
      inner.type = type->element;
      int penalty = FitArgument(types, *shape.element, name, inner, bindings, wanted);
      if (penalty != 0) return kNoFit;  // elements are not converted
      *wanted = type;
      return 0;
    }
    case TypeKind::kDecimal: return FitDecimal(types, shape, argument, bindings, wanted);
    case TypeKind::kEnum: *wanted = type; return type->Is(TypeKind::kEnum) ? 0 : kNoFit;
    default: break;
  }
  const Type* simple = types.Simple(shape.kind);
  *wanted = simple;
  if (type->kind == shape.kind) {
    *wanted = type;  // with its unit
    return 0;
  }
  bool literal = argument.is_int_literal || argument.is_decimal_literal;
  if (check::IsFloat(simple) && literal) return 4;
  if (check::IsFloat(simple) && type->Is(TypeKind::kInt32)) return 4;
  if (simple->Is(TypeKind::kInt64) && type->Is(TypeKind::kInt32)) return 1;
  if (simple->Is(TypeKind::kInt32) && argument.is_int_literal) return 1;
  return kNoFit;
}

const Type* Make(TypeTable& types, const Shape& shape, const Bindings& bindings,
                 const std::string& unit) {
  if (shape.any) return bindings.any;
  switch (shape.kind) {
    case TypeKind::kOptional: return types.Optional(Make(types, *shape.element, bindings, unit));
    case TypeKind::kList: return types.List(Make(types, *shape.element, bindings, unit));
    case TypeKind::kMap: return types.Map(Make(types, *shape.element, bindings, unit));
    case TypeKind::kDecimal: {
      int precision = std::clamp(Number(shape.precision, bindings), 1, 38);
      int scale = std::clamp(Number(shape.scale, bindings), 0, 38);
      return types.Decimal(std::max(precision, scale), scale, unit);
    }
    default: {
      const Type* simple = types.Simple(shape.kind);
      return check::IsNumber(simple) ? types.WithUnit(simple, unit) : simple;
    }
  }
}

// Parameters that share digits are brought to one type.
void BringTogether(const Function& function, Bindings* bindings, std::vector<const Type*>* wanted) {
  for (size_t i = 0; i < wanted->size(); ++i) {
    const Shape* shape = &function.parameters[i].second;
    bool optional = shape->kind == TypeKind::kOptional;
    if (optional || shape->kind == TypeKind::kList) shape = shape->element.get();
    if (shape->kind != TypeKind::kDecimal) continue;
    const Type* common = bindings->decimals.at(shape->precision + "," + shape->scale);
    bindings->digits[shape->precision] = common->precision;
    bindings->digits[shape->scale] = common->scale;
    if (function.parameters[i].second.kind == TypeKind::kDecimal) (*wanted)[i] = common;
  }
}

// A result of the arguments' own kind keeps their unit: abs, max, round, sum.
std::string UnitOfResult(const Function& function, const std::vector<const Type*>& wanted) {
  if (function.parameters.empty() || wanted.empty()) return "";
  const Shape& first = function.parameters[0].second;
  const Shape& of =
      first.element != nullptr && first.kind == TypeKind::kList ? *first.element : first;
  if (of.kind != function.result.kind) return "";
  const Type* type = first.kind == TypeKind::kList ? wanted[0]->element : wanted[0];
  return type->unit;
}

// `round(x, digits)` cannot have more digits than x.
bool DigitsFit(const Function& function, const Bindings& bindings) {
  if (function.name != "round" && function.name != "round_half_up") return true;
  auto digits = bindings.digits.find("digits"), scale = bindings.digits.find("s");
  return digits == bindings.digits.end() || scale == bindings.digits.end() ||
         digits->second <= scale->second;
}

}  // namespace

bool Exists(std::string_view name) { return !Named(name).empty(); }

const std::vector<std::string>& Names() { return TheIndex().names; }

std::vector<std::string> Signatures(std::string_view name) {
  std::vector<std::string> signatures;
  for (int function : Named(name)) signatures.push_back(At(function).signature);
  return signatures;
}

std::vector<std::string> ParameterNames(std::string_view name, size_t count) {
  for (int function : Named(name)) {
    const Function& f = At(function);
    if (f.parameters.size() != count) continue;
    std::vector<std::string> names;
    for (const auto& [parameter, _] : f.parameters) names.push_back(parameter);
    return names;
  }
  return {};
}

Match Resolve(TypeTable& types, std::string_view name, const std::vector<Argument>& arguments) {
  Match best;
  int best_penalty = kNoFit;
  for (int index : Named(name)) {
    const Function& function = At(index);
    if (function.parameters.size() != arguments.size()) continue;
    Bindings bindings;
    std::vector<const Type*> wanted(arguments.size(), nullptr);
    int penalty = 0;
    for (size_t i = 0; i < arguments.size() && penalty < kNoFit; ++i) {
      const auto& [parameter, shape] = function.parameters[i];
      penalty += FitArgument(types, shape, parameter, arguments[i], &bindings, &wanted[i]);
    }
    if (penalty >= best_penalty) continue;
    BringTogether(function, &bindings, &wanted);
    if (!DigitsFit(function, bindings)) continue;
    best_penalty = penalty;
    best.function = index;
    best.result = Make(types, function.result, bindings, UnitOfResult(function, wanted));
    best.parameters = std::move(wanted);
    best.fallible = function.failing != weir::stdlib::Failing::kNever;
    best.overflow_only = function.failing == weir::stdlib::Failing::kOverflows;
  }
  return best;
}

int ToStringFunction(const Type* type) {
  TypeTable types;
  Argument argument;
  argument.type = type;
  return Resolve(types, "to_string", {argument}).function;
}

std::string NameOf(int function) { return At(function).name; }
bool Fails(int function) { return At(function).failing != weir::stdlib::Failing::kNever; }

}  // namespace weirc::stdlib
