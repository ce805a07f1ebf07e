// compiler/check/stdlib_index.cc — The standard library as the checker sees it.
#include "compiler/check/stdlib_index.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>

namespace weirc::stdlib {

using typed::Type;
using typed::TypeKind;
using typed::TypeTable;

namespace {

// One line for each function: its declaration in the language. `p`, `s` … stand for the digits of the decimal given;
// `const` for a literal int that becomes such a number itself; `fails` for one that may fail.
constexpr const char* kTable[] = {
    "to_string(value: string) -> string",
    "to_string(value: int64) -> string",
    "to_string(value: float64) -> string",
    "to_string(value: decimal(p, s)) -> string",
    "to_string(value: bool) -> string",
    "to_string(value: timestamp) -> string",
    "to_string(value: date) -> string",
    "to_string(value: duration) -> string",
    "to_string(value: enum) -> string",
    "upper(text: string) -> string",
    "lower(text: string) -> string",
    "trim(text: string) -> string",
    "length(text: string) -> int64",
    "contains(text: string, part: string) -> bool",
    "starts_with(text: string, prefix: string) -> bool",
    "abs(value: decimal(p, s)) -> decimal(p, s)",
    "abs(value: float64) -> float64",
    "round(value: decimal(p, s), digits: const) -> decimal(p, digits)",
    "int32(value: int64) -> int32 fails",
    "int64(value: decimal(p, s)) -> int64 fails",
    "int64(value: string) -> int64 fails",
    "float64(value: decimal(p, s)) -> float64",
    "float64(value: int64) -> float64",
    "decimal(value: string, p: const, s: const) -> decimal(p, s) fails",
    "decimal(value: float64, p: const, s: const) -> decimal(p, s) fails",
    "decimal(value: decimal(a, b), p: const, s: const) -> decimal(p, s) fails",
};

// A type in a signature.
struct Shape {
  TypeKind kind = TypeKind::kError;
  bool constant = false;             // a literal int
  std::string precision, scale;      // of decimals: a number or a variable
  std::shared_ptr<Shape> element;    // of list, map, optional
};

struct Function {
  std::string name;
  std::string signature;
  std::vector<std::pair<std::string, Shape>> parameters;
  Shape result;
  bool fails = false;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::string Word() {
    Skip();
    size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) ++at_;
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
        {"bool", TypeKind::kBool},         {"int32", TypeKind::kInt32},   {"int64", TypeKind::kInt64},
        {"float64", TypeKind::kFloat64},   {"string", TypeKind::kString}, {"bytes", TypeKind::kBytes},
        {"timestamp", TypeKind::kTimestamp}, {"duration", TypeKind::kDuration}, {"date", TypeKind::kDate},
        {"decimal", TypeKind::kDecimal},   {"list", TypeKind::kList},     {"map", TypeKind::kMap},
        {"enum", TypeKind::kEnum},         {"const", TypeKind::kInt64}};
    Shape shape;
    std::string word = Word();
    auto it = kKinds.find(word);
    if (it != kKinds.end()) shape.kind = it->second;
    shape.constant = word == "const";
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
  Function ReadFunction() {
    Function function;
    function.name = Word();
    Take("(");
    while (!Take(")") && at_ < text_.size()) {
      std::string name = Word();
      Take(":");
      function.parameters.emplace_back(std::move(name), ReadShape());
      Take(",");
    }
    Take("->");
    function.result = ReadShape();
    Skip();
    function.signature = std::string(text_);
    function.fails = Take("fails");
    return function;
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
    for (const char* line : kTable) {
      Function function = Reader(line).ReadFunction();
      result.by_name[function.name].push_back(static_cast<int>(result.functions.size()));
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

using Bindings = std::map<std::string, int>;

int Number(const std::string& text, const Bindings& bindings) {
  if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) != 0) return std::stoi(text);
  auto it = bindings.find(text);
  return it == bindings.end() ? -1 : it->second;
}

constexpr int kNoFit = 1000;

// Penalty of giving an argument where the shape stands, and the type it is converted to.
int FitArgument(TypeTable& types, const Shape& shape, const std::string& name, const Argument& argument,
                Bindings* bindings, const Type** wanted) {
  const Type* type = argument.type;
  if (shape.constant) {
    if (!argument.is_int_literal || argument.literal < 0 || argument.literal > 38) return kNoFit;
    (*bindings)[name] = static_cast<int>(argument.literal);
    *wanted = types.Simple(TypeKind::kInt64);
    return 0;
  }
  switch (shape.kind) {
    case TypeKind::kOptional: {
      Argument inner = argument;
      if (type->Is(TypeKind::kOptional)) inner.type = type->element;
      if (type->Is(TypeKind::kNull)) return kNoFit;
      int penalty = FitArgument(types, *shape.element, name, inner, bindings, wanted);
      *wanted = penalty >= kNoFit ? nullptr : types.Optional(*wanted);
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
    case TypeKind::kDecimal: {
      if (!check::IsDecimal(type) && !check::IsInt(type)) return kNoFit;
      int penalty = check::IsInt(type) ? 3 : 0;
      const Type* decimal = check::AsDecimal(types, type);
      int precision = Number(shape.precision, *bindings), scale = Number(shape.scale, *bindings);
      if (precision >= 0 || scale >= 0) {
        // Fixed digits, or those of an argument before.
        precision = std::max(precision, 1);
        const Type* fixed = types.Decimal(precision, std::max(scale, 0), type->unit);
        check::Fit fit = check::FitOf(decimal, fixed);
        bool literal = argument.is_int_literal || argument.is_decimal_literal;
        if (fit != check::Fit::kSame && fit != check::Fit::kLossless && !literal) return kNoFit;
        *wanted = fixed;
        return penalty + 1;
      }
      (*bindings)[shape.precision] = decimal->precision;
      (*bindings)[shape.scale] = decimal->scale;
      *wanted = decimal;
      return penalty;
    }
    case TypeKind::kEnum:
      *wanted = type;
      return type->Is(TypeKind::kEnum) ? 0 : kNoFit;
    default: break;
  }
  const Type* simple = types.Simple(shape.kind);
  *wanted = simple;
  if (type->kind == shape.kind) {
    *wanted = type;  // with its unit
    return 0;
  }
  bool literal = argument.is_int_literal || argument.is_decimal_literal;
  if (check::IsFloat(simple) && (literal || type->Is(TypeKind::kInt32))) return 4;
  if (simple->Is(TypeKind::kInt64) && type->Is(TypeKind::kInt32)) return 1;
  if (simple->Is(TypeKind::kInt32) && argument.is_int_literal) return 1;
  return kNoFit;
}

const Type* Make(TypeTable& types, const Shape& shape, const Bindings& bindings, const std::string& unit) {
  switch (shape.kind) {
    case TypeKind::kOptional: return types.Optional(Make(types, *shape.element, bindings, unit));
    case TypeKind::kList: return types.List(Make(types, *shape.element, bindings, unit));
    case TypeKind::kMap: return types.Map(Make(types, *shape.element, bindings, unit));
    case TypeKind::kDecimal: {
      int precision = std::clamp(Number(shape.precision, bindings), 1, 38);
      int scale = std::clamp(Number(shape.scale, bindings), 0, 38);
      return types.Decimal(std::max(precision, scale), scale, unit);
    }
    default: return types.Simple(shape.kind);
  }
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
    std::string unit;
    for (size_t i = 0; i < arguments.size() && penalty < kNoFit; ++i) {
      const auto& [parameter, shape] = function.parameters[i];
      penalty += FitArgument(types, shape, parameter, arguments[i], &bindings, &wanted[i]);
      if (unit.empty() && shape.kind == TypeKind::kDecimal) unit = arguments[i].type->unit;
    }
    if (penalty >= best_penalty) continue;
    best_penalty = penalty;
    best.function = index;
    best.parameters = std::move(wanted);
    best.result = Make(types, function.result, bindings, unit);
    best.fallible = function.fails;
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
bool Fails(int function) { return At(function).fails; }

}  // namespace weirc::stdlib
