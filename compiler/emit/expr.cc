// Typed expressions as C++.
#include "compiler/emit/expr.h"

#include <algorithm>
#include <utility>

#include "compiler/emit/std_call.h"
#include "compiler/plan/expr.h"

namespace weirc::emit {

using namespace typed;

namespace {

// Where a sub-expression leaves when it fails, until the place it leaves to is known.
constexpr char kFailMark = '\1';

std::string Power(int digits) {
  if (digits <= 18) {
    std::string text = "1";
    for (int i = 0; i < digits; ++i) text += "0";
    if (digits > 6) {
      for (size_t at = text.size() - 3; at > 0; at = at > 3 ? at - 3 : 0) text.insert(at, "'");
    }
    return text;
  }
  return "Pow10(" + std::to_string(digits) + ")";
}

const char* OperatorText(BinaryOp op) {
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
    case BinaryOp::kAnd: return "&&";
    case BinaryOp::kOr: return "||";
  }
  return "";
}

}  // namespace

std::string ExprEmitter::Whole(const CppValue& value, const Type* type) const {
  if (!value.split) return value.text;
  return types_.Of(type) + "(" + value.value + ", " + value.has + ")";
}

CppValue ExprEmitter::Once(CppValue value, const Type* type, Code* code) {
  if (value.atomic) return value;
  std::string name = Temporary();
  code->Add("const " + types_.Of(type) + " " + name + " = " + value.text + ";");
  return CppValue::Atom(name);
}

std::string ExprEmitter::EmitOnceText(const Expr& e, Code* code) {
  CppValue value = Emit(e, code);
  if (value.split) value = CppValue::Made(Whole(value, e.type));
  return Once(std::move(value), e.type, code).text;
}

CppValue ExprEmitter::Parts(CppValue value, const Type* type, Code* code) {
  if (value.split) return value;
  value = Once(std::move(value), type, code);
  return CppValue::Split(value.text + ".value", value.text + ".has");
}

std::string ExprEmitter::FailText(const Expr& e) const {
  plan::TextOptions options;
  options.typed = &typed_;
  std::string what;
  if (e.kind == ExprKind::kBinary) {
    const auto& b = As<BinaryExpr>(e);
    bool divides = b.op == BinaryOp::kDivide || b.op == BinaryOp::kRemainder;
    what = divides ? "division by zero or overflow in " : "overflow in ";
  } else if (e.kind == ExprKind::kUnary) {
    what = "overflow in ";
  } else {
    what = "failed: ";
  }
  return "Str(" + StringLiteral(what + "`" + plan::Text(e, options) + "`") + ")";
}

CppValue ExprEmitter::Checked(const Expr& e, const std::string& before, const std::string& after, Code* code) {
  std::string name = Temporary();
  code->Add(types_.Of(e.type) + " " + name + ";");
  code->Add("if (!" + before + "&" + name + after + ") " + place_.fail(FailText(e)));
  return CppValue::Atom(name);
}

std::string ExprEmitter::Operand(const Expr& e, Code* code) {
  CppValue value = Emit(e, code);
  std::string text = Whole(value, e.type);
  return value.atomic && (text.empty() || text[0] != '-') ? text : "(" + text + ")";
}

std::string ExprEmitter::WideOperand(const Expr& e, Code* code) {
  std::string text = EmitText(e, code);
  return IsWide(e.type) ? (text.find(' ') == std::string::npos ? text : "(" + text + ")") : "i128{" + text + "}";
}

void ExprEmitter::Assign(const Expr& e, const std::string& target, Code* code) {
  code->Add(target + " = " + EmitText(e, code) + ";");
}

std::string ExprEmitter::Literal(const Value& value, const Type* type) const {
  switch (type->kind) {
    case TypeKind::kBool: return value.boolean ? "true" : "false";
    case TypeKind::kFloat64: return DoubleLiteral(value.real);
    case TypeKind::kString:
    case TypeKind::kBytes: return "Str(" + StringLiteral(value.text) + ")";
    case TypeKind::kEnum: {
      const EnumDef* def = type->enum_def;
      return types_.EnumName(def) + "::" + types_.Member(def->values[static_cast<size_t>(value.number)].name);
    }
    case TypeKind::kOptional:
      if (value.is_null) return types_.Of(type) + "()";
      return types_.Of(type) + "(" + Literal(value, type->element) + ")";
    default: return IntLiteral(value.number);
  }
}

CppValue ExprEmitter::Emit(const Expr& e, Code* code) {
  switch (e.kind) {
    case ExprKind::kLiteral: return CppValue::Atom(Literal(As<LiteralExpr>(e).value, e.type));
    case ExprKind::kParam:
      return CppValue::Atom("params." + Mangle(typed_.params[static_cast<size_t>(As<ParamExpr>(e).param)].name));
    case ExprKind::kLocal: return place_.locals.at(As<LocalExpr>(e).local);
    case ExprKind::kRow: return CppValue::Atom(place_.row_name);
    case ExprKind::kField: return Field(As<FieldExpr>(e), code);
    case ExprKind::kMeta: return Meta(As<MetaExpr>(e));
    case ExprKind::kWindow:
      return CppValue::Atom(As<WindowExpr>(e).field == WindowField::kStart ? place_.window_start : place_.window_end);
    case ExprKind::kAggregate: return place_.aggregates[static_cast<size_t>(As<AggregateExpr>(e).index)];
    case ExprKind::kUnary: return Unary(As<UnaryExpr>(e), code);
    case ExprKind::kBinary: return Binary(As<BinaryExpr>(e), code);
    case ExprKind::kConvert: return Convert(As<ConvertExpr>(e), code);
    case ExprKind::kCallStd: return CallStd(As<CallStdExpr>(e), code);
    case ExprKind::kCallFn: return CallFn(As<CallFnExpr>(e), code);
    case ExprKind::kIf: return If(As<IfExpr>(e), code);
    case ExprKind::kMatch: return Match(As<MatchExpr>(e), code);
    case ExprKind::kTry: return Try(As<TryExpr>(e), code);
    case ExprKind::kCoalesce: return Coalesce(As<CoalesceExpr>(e), code);
    case ExprKind::kHas: {
      const Expr& operand = *As<HasExpr>(e).operand;
      return CppValue::Atom(Parts(Emit(operand, code), operand.type, code).has);
    }
    case ExprKind::kList: {
      const auto& list = As<ListExpr>(e);
      std::string elements;
      for (const ExprPtr& element : list.elements) elements += (elements.empty() ? "" : ", ") + EmitText(*element, code);
      if (list.elements.empty()) return CppValue::Made(types_.Of(e.type) + "{}");
      return CppValue::Made("MakeList<" + types_.Of(e.type->element) + ">(" + place_.arena + ", {" + elements + "})");
    }
    case ExprKind::kMap: {
      const auto& map = As<MapExpr>(e);
      std::string entries;
      for (const auto& [key, value] : map.entries)
        entries += (entries.empty() ? "{" : ", {") + ("Str(" + StringLiteral(key) + "), " + EmitText(*value, code)) + "}";
      if (map.entries.empty()) return CppValue::Made(types_.Of(e.type) + "{}");
      return CppValue::Made("MakeMap<" + types_.Of(e.type->element) + ">(" + place_.arena + ", {" + entries + "})");
    }
    case ExprKind::kRecord: return Record(As<RecordExpr>(e), code);
    case ExprKind::kIndex: return Index(As<IndexExpr>(e), code);
    case ExprKind::kIn: return In(As<InExpr>(e), code);
    case ExprKind::kInterpolate: return Interpolate(As<InterpolateExpr>(e), code);
  }
  return CppValue::Atom("");
}

CppValue ExprEmitter::Field(const FieldExpr& e, Code* code) {
  if (e.base->kind == ExprKind::kRow) return place_.row_field(e.field);
  const RecordDef* record = Present(e.base->type)->record;
  std::string member = types_.Member(record->fields[static_cast<size_t>(e.field)].name);
  CppValue base = Emit(*e.base, code);
  if (!e.through_optional) {
    base = Once(std::move(base), e.base->type, code);
    return CppValue::Atom(base.text + "." + member);
  }
  base = Parts(std::move(base), e.base->type, code);
  std::string field = base.value + "." + member;
  // An absent record's fields are default values, so an optional field of it is absent already.
  if (record->fields[static_cast<size_t>(e.field)].type->Is(TypeKind::kOptional)) return CppValue::Atom(field);
  return CppValue::Split(field, base.has);
}

CppValue ExprEmitter::Meta(const MetaExpr& e) {
  switch (e.field) {
    case MetaField::kTime: return CppValue::Atom("meta.time_ns");
    case MetaField::kArrival: return CppValue::Atom("meta.arrival_ns");
    case MetaField::kPartition: return CppValue::Atom("int64_t{meta.partition}");
    case MetaField::kOffset: return CppValue::Atom("meta.offset");
    case MetaField::kTopic: return CppValue::Atom(place_.topic);
    case MetaField::kKey: return CppValue::Made(place_.has_key ? "KeyText(meta)" : "Opt<Str>()");
    case MetaField::kHeader: return CppValue::Made("HeaderText(meta, Str(" + StringLiteral(e.header) + "))");
  }
  return CppValue::Atom("");
}

CppValue ExprEmitter::Unary(const UnaryExpr& e, Code* code) {
  if (e.op == UnaryOp::kNot) return CppValue::Made("!" + Operand(*e.operand, code));
  if (e.fallible && (e.type->Is(TypeKind::kInt64) || e.type->Is(TypeKind::kInt32) || e.type->Is(TypeKind::kDuration))) {
    return Checked(e, "CheckedNegate(" + EmitText(*e.operand, code) + ", ", ")", code);
  }
  return CppValue::Made("-" + Operand(*e.operand, code));
}

CppValue ExprEmitter::Binary(const BinaryExpr& e, Code* code) {
  switch (e.op) {
    case BinaryOp::kAnd:
    case BinaryOp::kOr: return Logic(e, code);
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterEqual: return Comparison(e, code);
    default: return Arithmetic(e, code);
  }
}

CppValue ExprEmitter::Arithmetic(const BinaryExpr& e, Code* code) {
  const Type* left = e.left->type;
  if (left->Is(TypeKind::kDecimal)) return DecimalArithmetic(e, code);
  if (left->Is(TypeKind::kFloat64)) {
    std::string a = Operand(*e.left, code);
    CppValue divisor = EmitOnce(*e.right, code);
    std::string b = divisor.text[0] == '-' ? "(" + divisor.text + ")" : divisor.text;
    bool divides = e.op == BinaryOp::kDivide || e.op == BinaryOp::kRemainder;
    if (divides && e.right->kind != ExprKind::kLiteral) {
      code->Add("if (" + b + " == 0) " + place_.fail(FailText(e)));
    }
    if (e.op == BinaryOp::kRemainder) return CppValue::Made("__builtin_fmod(" + a + ", " + b + ")");
    return CppValue::Made(a + " " + OperatorText(e.op) + " " + b);
  }
  // Ints, timestamps, durations: all int64_t, checked unless the divisor is a harmless literal.
  static constexpr const char* kChecked[] = {"CheckedAdd", "CheckedSub", "CheckedMul", "CheckedDiv", "CheckedMod"};
  bool divides = e.op == BinaryOp::kDivide || e.op == BinaryOp::kRemainder;
  if (divides && e.right->kind == ExprKind::kLiteral) {
    __int128 divisor = As<LiteralExpr>(*e.right).value.number;
    if (divisor != 0 && divisor != -1) {
      std::string a = Operand(*e.left, code);
      return CppValue::Made(a + " " + OperatorText(e.op) + " " + Operand(*e.right, code));
    }
  }
  std::string a = EmitText(*e.left, code);
  std::string b = EmitText(*e.right, code);
  return Checked(e, std::string(kChecked[static_cast<int>(e.op)]) + "(" + a + ", " + b + ", ", ")", code);
}

CppValue ExprEmitter::DecimalArithmetic(const BinaryExpr& e, Code* code) {
  const Type *left = e.left->type, *right = e.right->type;
  int sl = left->scale, sr = right->scale;
  bool wide = IsWide(e.type);
  auto operand = [&](const Expr& x, int up) {
    std::string text = wide ? WideOperand(x, code) : Operand(x, code);
    return up == 0 ? text : text + " * " + Power(up);
  };
  switch (e.op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract: {
      int scale = std::max(sl, sr);
      bool add = e.op == BinaryOp::kAdd;
      int precision = std::max(left->precision - sl, right->precision - sr) + scale + 1;
      if (precision <= 38) {
        std::string a = operand(*e.left, scale - sl);
        return CppValue::Made(a + (add ? " + " : " - ") + operand(*e.right, scale - sr));
      }
      // The scaled operands may already be too large.
      std::string sides[2];
      int i = 0;
      for (const Expr* x : {e.left.get(), e.right.get()}) {
        int up = scale - x->type->scale;
        std::string text = EmitText(*x, code);
        if (up > 0) {
          std::string name = Temporary();
          code->Add("i128 " + name + ";");
          code->Add("if (!RescaleUp(" + text + ", " + std::to_string(up) + ", &" + name + ")) " + place_.fail(FailText(e)));
          text = name;
        }
        sides[i++] = text;
      }
      return Checked(e, std::string(add ? "AddDecimal(" : "SubDecimal(") + sides[0] + ", " + sides[1] + ", ", ")", code);
    }
    case BinaryOp::kMultiply: {
      if (left->precision + right->precision <= 38) {
        std::string a = operand(*e.left, 0);
        return CppValue::Made(a + " * " + operand(*e.right, 0));
      }
      std::string a = EmitText(*e.left, code);
      std::string b = EmitText(*e.right, code);
      return Checked(e, "MulDecimal(" + a + ", " + b + ", ", ")", code);
    }
    default: {
      std::string a = EmitText(*e.left, code);
      std::string b = EmitText(*e.right, code);
      std::string args = a + ", " + std::to_string(sl) + ", " + b + ", " + std::to_string(sr) + ", ";
      bool divide = e.op == BinaryOp::kDivide;
      if (divide) args += std::to_string(e.type->scale) + ", ";
      // Both write an i128; a small remainder is narrowed afterwards.
      std::string name = Temporary();
      code->Add("i128 " + name + ";");
      code->Add(std::string("if (!") + (divide ? "DivDecimal(" : "ModDecimal(") + args + "&" + name + ")) " +
                place_.fail(FailText(e)));
      return wide ? CppValue::Atom(name) : CppValue::Atom("static_cast<int64_t>(" + name + ")");
    }
  }
}

CppValue ExprEmitter::Comparison(const BinaryExpr& e, Code* code) {
  const Type *left = e.left->type, *right = e.right->type;
  std::string op = std::string(" ") + OperatorText(e.op) + " ";
  if (left->Is(TypeKind::kOptional)) {
    // `x == 5`: present and equal.
    bool equal = e.op == BinaryOp::kEqual;
    for (bool swap : {false, true}) {
      const Expr& other = swap ? *e.left : *e.right;
      const Expr& self = swap ? *e.right : *e.left;
      if (other.kind != ExprKind::kConvert || As<ConvertExpr>(other).conversion != Conversion::kToOptional) continue;
      if (self.kind == ExprKind::kConvert) continue;
      CppValue x = Parts(Emit(self, code), self.type, code);
      std::string y = Operand(*As<ConvertExpr>(other).operand, code);
      std::string test = x.has + " && " + x.value + " == " + y;
      return CppValue::Made(equal ? test : "!(" + test + ")");
    }
    std::string a = Whole(Emit(*e.left, code), left);
    return CppValue::Made(a + op + Whole(Emit(*e.right, code), right));
  }
  if (!left->Is(TypeKind::kDecimal) || left->scale == right->scale) {
    std::string a = Operand(*e.left, code);
    return CppValue::Made(a + op + Operand(*e.right, code));
  }
  // Decimals of different scales meet at the larger one; a literal is scaled here.
  int scale = std::max(left->scale, right->scale);
  int digits = std::max(left->precision - left->scale, right->precision - right->scale) + scale;
  if (digits > 38) {
    std::string a = EmitText(*e.left, code);
    std::string b = EmitText(*e.right, code);
    return CppValue::Made("CompareDecimal(" + a + ", " + std::to_string(left->scale) + ", " + b + ", " +
                          std::to_string(right->scale) + ")" + op + "0");
  }
  std::string sides[2];
  int i = 0;
  for (const Expr* x : {e.left.get(), e.right.get()}) {
    int up = scale - x->type->scale;
    if (up > 0 && x->kind == ExprKind::kLiteral) {
      __int128 n = As<LiteralExpr>(*x).value.number;
      for (int k = 0; k < up; ++k) n *= 10;
      sides[i++] = IntLiteral(n);
      continue;
    }
    std::string text = up > 0 && digits > 18 ? WideOperand(*x, code) : Operand(*x, code);
    sides[i++] = up == 0 ? text : text + " * " + Power(up);
  }
  return CppValue::Made(sides[0] + op + sides[1]);
}

CppValue ExprEmitter::Logic(const BinaryExpr& e, Code* code) {
  bool is_or = e.op == BinaryOp::kOr;
  Code right_code;
  right_code.At(code->at());
  std::string left = Operand(*e.left, code);
  std::string right = Operand(*e.right, &right_code);
  if (right_code.empty()) return CppValue::Made(left + (is_or ? " || " : " && ") + right);
  // The right side is computed only when it counts.
  std::string name = Temporary();
  code->Add("bool " + name + " = " + left + ";");
  code->Open("if (" + std::string(is_or ? "!" : "") + name + ") {");
  code->Append(right_code);
  code->Add(name + " = " + right + ";");
  code->Close();
  return CppValue::Atom(name);
}

std::string ExprEmitter::ConvertRecord(const std::string& value, const Type* from, const Type* to) {
  if (from == to) return value;
  if (from->Is(TypeKind::kRecord) && to->Is(TypeKind::kRecord)) {
    if (from->record == to->record) return value;
    std::string fields;
    for (size_t i = 0; i < to->record->fields.size(); ++i) {
      if (!types_.Has(to->record, static_cast<int>(i))) continue;
      const typed::Field &source = from->record->fields[i], &target = to->record->fields[i];
      bool there = types_.Has(from->record, static_cast<int>(i));
      fields += (fields.empty() ? "." : ", .") + types_.Member(target.name) + " = " +
                (there ? ConvertRecord(value + "." + types_.Member(source.name), source.type, target.type) : "{}");
    }
    return types_.StructName(to->record) + "{" + fields + "}";
  }
  if (to->Is(TypeKind::kOptional) && from->Is(TypeKind::kOptional)) {
    std::string inner = ConvertRecord(value + ".value", from->element, to->element);
    return inner == value + ".value" ? value : types_.Of(to) + "(" + inner + ", " + value + ".has)";
  }
  return value;
}

CppValue ExprEmitter::Convert(const ConvertExpr& e, Code* code) {
  const Type *from = e.operand->type, *to = e.type;
  switch (e.conversion) {
    case Conversion::kWidenInt: {
      CppValue value = Emit(*e.operand, code);
      return e.operand->kind == ExprKind::kLiteral ? value : CppValue::Atom("int64_t{" + value.text + "}");
    }
    case Conversion::kIntToFloat: return CppValue::Atom("double(" + EmitText(*e.operand, code) + ")");
    case Conversion::kIntToDecimal:
    case Conversion::kWidenDecimal: {
      int up = to->scale - ScaleOf(from);
      CppValue value = Emit(*e.operand, code);
      if (IsWide(to) && !IsWide(from)) {
        value = CppValue::Atom("i128{" + value.text + "}");
      } else if (from->Is(TypeKind::kInt32)) {
        value = CppValue::Atom("int64_t{" + value.text + "}");
      }
      if (up == 0) return value;
      return CppValue::Made((value.atomic ? value.text : "(" + value.text + ")") + " * " + Power(up));
    }
    case Conversion::kToOptional: {
      // The operand converts to the element type first, if it must (a record's fields).
      CppValue value = Emit(*e.operand, code);
      std::string text = Whole(value, from);
      if (to->element->Is(TypeKind::kRecord) && from != to->element) {
        text = ConvertRecord(Once(std::move(value), from, code).text, from, to->element);
      }
      return CppValue::Made(types_.Of(to) + "(" + text + ")");
    }
    case Conversion::kNullToOptional: return CppValue::Made(types_.Of(to) + "()");
    case Conversion::kRecord: {
      if (e.operand->kind == ExprKind::kRecord) {
        // Built at once as what it becomes.
        const auto& record = As<RecordExpr>(*e.operand);
        std::string fields;
        for (size_t i = 0; i < record.values.size(); ++i) {
          std::string value = EmitText(*record.values[i], code);
          if (!types_.Has(to->record, static_cast<int>(i))) continue;
          const Type *source = record.values[i]->type, *target = to->record->fields[i].type;
          if (source != target && source->Is(TypeKind::kRecord)) {
            value = ConvertRecord(Once(CppValue::Made(value), source, code).text, source, target);
          }
          fields += (fields.empty() ? "." : ", .") + types_.Member(to->record->fields[i].name) + " = " + value;
        }
        return CppValue::Made(types_.StructName(to->record) + "{" + fields + "}");
      }
      if (e.operand->kind == ExprKind::kRow && place_.row_name.empty()) {
        std::string fields;
        for (size_t i = 0; i < to->record->fields.size(); ++i) {
          if (!types_.Has(to->record, static_cast<int>(i))) continue;
          const Type* source = place_.row->fields[i].type;
          std::string value = Whole(place_.row_field(static_cast<int>(i)), source);
          fields += (fields.empty() ? "." : ", .") + types_.Member(to->record->fields[i].name) + " = " +
                    ConvertRecord(value, source, to->record->fields[i].type);
        }
        return CppValue::Made(types_.StructName(to->record) + "{" + fields + "}");
      }
      CppValue value = EmitOnce(*e.operand, code);
      return CppValue::Made(ConvertRecord(value.text, from, to));
    }
  }
  return CppValue::Atom("");
}

std::string ExprEmitter::Exact(const Type* type, const CppValue& value) const {
  std::string text = Whole(value, type);
  bool number = type->Is(TypeKind::kInt64) || type->Is(TypeKind::kDecimal) || type->Is(TypeKind::kTimestamp) ||
                type->Is(TypeKind::kDuration);
  bool literal = !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
  return number && (literal || !value.atomic) ? types_.Of(type) + "(" + text + ")" : text;
}

CppValue ExprEmitter::CallStd(const CallStdExpr& e, Code* code) {
  std::vector<std::string> args;
  std::vector<const Type*> arg_types;
  for (const ExprPtr& arg : e.args) {
    args.push_back(Exact(arg->type, Emit(*arg, code)));
    arg_types.push_back(arg->type);
  }
  StdCall call = StdCallOf(e.function, arg_types, e.type, types_);
  std::string text = call.name + "(";
  if (call.takes_arena) text += place_.arena;
  for (size_t i = 0; i < args.size(); ++i) text += (text.back() == '(' ? "" : ", ") + args[i];
  for (const std::string& extra : call.extra) text += (text.back() == '(' ? "" : ", ") + extra;
  if (!call.fails) return CppValue::Made(call.cast.empty() ? text + ")" : "static_cast<" + call.cast + ">(" + text + "))");
  return Checked(e, text + (text.back() == '(' ? "" : ", "), ")", code);
}

CppValue ExprEmitter::CallFn(const CallFnExpr& e, Code* code) {
  std::string text = fn_names_[static_cast<size_t>(e.fn)] + "(" + place_.arena;
  for (const ExprPtr& arg : e.args) text += ", " + EmitText(*arg, code);
  if (!typed_.fns[static_cast<size_t>(e.fn)].fallible) return CppValue::Made(text + ")");
  return Checked(e, text + ", ", ")", code);
}

CppValue ExprEmitter::If(const IfExpr& e, Code* code) {
  std::string condition = Operand(*e.condition, code);
  Code then_code, else_code;
  then_code.At(code->at());
  else_code.At(code->at());
  std::string then_value = Operand(*e.then_value, &then_code);
  std::string else_value = Operand(*e.else_value, &else_code);
  if (then_code.empty() && else_code.empty()) {
    return CppValue::Made(condition + " ? " + then_value + " : " + else_value);
  }
  std::string name = Temporary();
  code->Add(types_.Of(e.type) + " " + name + ";");
  code->Open("if (" + condition + ") {");
  code->Append(then_code);
  code->Add(name + " = " + then_value + ";");
  code->Turn("} else {");
  code->Append(else_code);
  code->Add(name + " = " + else_value + ";");
  code->Close();
  return CppValue::Atom(name);
}

std::string ExprEmitter::PatternTest(const Pattern& p, const CppValue& subject, const Type* type) const {
  bool optional = type->Is(TypeKind::kOptional);
  const Type* present = Present(type);
  std::string value = optional ? subject.value : subject.text;
  std::string has = optional ? subject.has + " && " : "";
  switch (p.kind) {
    case Pattern::kAny: return "true";
    case Pattern::kNull: return "!" + subject.has;
    case Pattern::kPresent: return optional ? subject.has : "true";
    case Pattern::kConstant:
      if (present->Is(TypeKind::kBool)) return has + (p.low.boolean ? "" : "!") + value;
      return has + value + " == " + Literal(p.low, present);
    case Pattern::kRange:
      return has + Literal(p.low, present) + " <= " + value + " && " + value + " <= " + Literal(p.high, present);
    case Pattern::kOutcome: {
      static constexpr const char* kNames[] = {"kFound", "kMissing", "kTimeout", "kRejected", "kError"};
      if (p.outcome == 5) return value + ".outcome >= Outcome::kTimeout";
      return value + ".outcome == Outcome::" + kNames[p.outcome];
    }
  }
  return "true";
}

CppValue ExprEmitter::Match(const MatchExpr& e, Code* code) {
  const Type* type = e.subject->type;
  CppValue subject = Emit(*e.subject, code);
  subject = type->Is(TypeKind::kOptional) ? Parts(std::move(subject), type, code) : Once(std::move(subject), type, code);
  struct Arm {
    std::string test;  // empty: always
    Code guard_code, code;
    std::string guard, value;
  };
  std::vector<Arm> arms;
  bool simple = true, guards_need_code = false;
  for (const MatchArm& written : e.arms) {
    Arm arm;
    arm.guard_code.At(code->at());
    arm.code.At(code->at());
    bool always = false;
    for (const Pattern& p : written.patterns) {
      std::string test = PatternTest(p, subject, type);
      always = always || test == "true";
      if (written.patterns.size() > 1 && test.find(" && ") != std::string::npos) test = "(" + test + ")";
      arm.test += (arm.test.empty() ? "" : " || ") + test;
      if (p.bind_local < 0) continue;
      if (p.kind == Pattern::kOutcome && p.outcome != 0) {
        const RecordDef* failure = e.local_types[static_cast<size_t>(p.bind_local - e.first_local)]->record;
        std::string fields;
        for (const typed::Field& field : failure->fields) {
          fields += (fields.empty() ? "." : ", .") + types_.Member(field.name) + " = " +
                    (field.name == "reason" ? subject.text + ".reason" : "OutcomeName(" + subject.text + ".outcome)");
        }
        place_.locals[p.bind_local] = CppValue::Made(types_.StructName(failure) + "{" + fields + "}");
      } else if (p.kind == Pattern::kOutcome) {
        place_.locals[p.bind_local] = CppValue::Atom(subject.text + ".value");
      } else {
        place_.locals[p.bind_local] = CppValue::Atom(type->Is(TypeKind::kOptional) ? subject.value : subject.text);
      }
    }
    if (always) arm.test.clear();
    if (written.guard) {
      arm.guard = Operand(*written.guard, &arm.guard_code);
      guards_need_code = guards_need_code || !arm.guard_code.empty();
      if (arm.test.find(" || ") != std::string::npos) arm.test = "(" + arm.test + ")";
    }
    arm.value = Operand(*written.value, &arm.code);
    simple = simple && arm.code.empty() && !guards_need_code;
    arms.push_back(std::move(arm));
    if (always && !written.guard) break;
  }
  // The checker made sure that one of them holds: the last needs no test.
  if (arms.back().guard.empty()) arms.back().test.clear();
  auto full_test = [](const Arm& arm) {
    if (arm.guard.empty()) return arm.test;
    return arm.test.empty() ? arm.guard : arm.test + " && " + arm.guard;
  };
  if (simple && arms.size() <= 3) {
    std::string text;
    for (size_t i = 0; i < arms.size(); ++i) {
      std::string test = full_test(arms[i]);
      if (i + 1 == arms.size() || test.empty()) {
        text += arms[i].value;
        break;
      }
      text += (test.find(" || ") != std::string::npos ? "(" + test + ")" : test) + " ? " + arms[i].value + " : ";
    }
    return CppValue::Made(text);
  }
  std::string name = Temporary();
  code->Add(types_.Of(e.type) + " " + name + ";");
  if (!guards_need_code) {
    bool open = false;
    for (size_t i = 0; i < arms.size(); ++i) {
      std::string test = full_test(arms[i]);
      bool last = i + 1 == arms.size() || test.empty();
      if (!open) {
        if (last) {
          code->Open("{");
        } else {
          code->Open("if (" + test + ") {");
        }
        open = true;
      } else {
        code->Turn(last ? "} else {" : "} else if (" + test + ") {");
      }
      code->Append(arms[i].code);
      code->Add(name + " = " + arms[i].value + ";");
      if (last) break;
    }
    code->Close();
    return CppValue::Atom(name);
  }
  // A guard that computes something first: arms one after another, leaving at the one that holds.
  code->Open("do {");
  for (size_t i = 0; i < arms.size(); ++i) {
    bool last = i + 1 == arms.size() && arms[i].guard.empty();
    if (!last) code->Open(arms[i].test.empty() ? "{" : "if (" + arms[i].test + ") {");
    code->Append(arms[i].guard_code);
    if (!arms[i].guard.empty()) code->Open("if (" + arms[i].guard + ") {");
    code->Append(arms[i].code);
    code->Add(name + " = " + arms[i].value + ";");
    if (!last) code->Add("break;");
    if (!arms[i].guard.empty()) code->Close();
    if (!last) code->Close();
  }
  code->Close("} while (false);");
  return CppValue::Atom(name);
}

CppValue ExprEmitter::Try(const TryExpr& e, Code* code) {
  Code operand_code;
  operand_code.At(code->at());
  auto outer_fail = std::exchange(place_.fail, [](const std::string&) { return std::string(1, kFailMark); });
  std::string operand = EmitText(*e.operand, &operand_code);
  place_.fail = std::move(outer_fail);
  auto marked = [](const std::string& text) { return !text.empty() && text.back() == kFailMark; };
  auto& lines = operand_code.lines();
  bool fails = std::any_of(lines.begin(), lines.end(), [&](const Code::Line& line) { return marked(line.text); });
  if (!fails) {
    code->Append(operand_code);
    return CppValue::Made(operand);
  }
  Code fallback_code;
  fallback_code.At(code->at());
  std::string fallback = EmitText(*e.fallback, &fallback_code);
  // One check that fills the result: the fallback takes its place.
  if (lines.size() == 2 && marked(lines[1].text) && lines[0].text == types_.Of(e.type) + " " + operand + ";") {
    std::string test = lines[1].text;
    test.pop_back();
    code->Add(lines[0].text);
    if (fallback_code.empty()) {
      code->Add(test + operand + " = " + fallback + ";");
    } else {
      code->Open(test + "{");
      code->Append(fallback_code);
      code->Add(operand + " = " + fallback + ";");
      code->Close();
    }
    return CppValue::Atom(operand);
  }
  for (Code::Line& line : lines) {
    if (!marked(line.text)) continue;
    line.text.pop_back();
    line.text += "return false;";
  }
  std::string name = Temporary(), worked = Temporary();
  code->Add(types_.Of(e.type) + " " + name + ";");
  code->Open("const bool " + worked + " = [&] {");
  code->Append(operand_code);
  code->Add(name + " = " + operand + ";");
  code->Add("return true;");
  code->Close("}();");
  code->Open("if (!" + worked + ") {");
  code->Append(fallback_code);
  code->Add(name + " = " + fallback + ";");
  code->Close();
  return CppValue::Atom(name);
}

CppValue ExprEmitter::Coalesce(const CoalesceExpr& e, Code* code) {
  CppValue operand = Parts(Emit(*e.operand, code), e.operand->type, code);
  Code fallback_code;
  fallback_code.At(code->at());
  CppValue fallback = Emit(*e.fallback, &fallback_code);
  bool optional = e.type->Is(TypeKind::kOptional);
  std::string found = optional ? Whole(operand, e.type) : operand.value;
  std::string otherwise = Whole(fallback, e.fallback->type);
  if (!fallback.atomic) otherwise = "(" + otherwise + ")";
  if (fallback_code.empty()) return CppValue::Made(operand.has + " ? " + found + " : " + otherwise);
  std::string name = Temporary();
  code->Add(types_.Of(e.type) + " " + name + ";");
  code->Open("if (" + operand.has + ") {");
  code->Add(name + " = " + found + ";");
  code->Turn("} else {");
  code->Append(fallback_code);
  code->Add(name + " = " + otherwise + ";");
  code->Close();
  return CppValue::Atom(name);
}

CppValue ExprEmitter::Record(const RecordExpr& e, Code* code) {
  std::string fields;
  for (size_t i = 0; i < e.values.size(); ++i) {
    std::string value = EmitText(*e.values[i], code);
    if (!types_.Has(e.type->record, static_cast<int>(i))) continue;
    fields += (fields.empty() ? "." : ", .") + types_.Member(e.type->record->fields[i].name) + " = " + value;
  }
  return CppValue::Made(types_.StructName(e.type->record) + "{" + fields + "}");
}

CppValue ExprEmitter::Index(const IndexExpr& e, Code* code) {
  std::string base = EmitText(*e.base, code);
  return CppValue::Made("At(" + base + ", " + EmitText(*e.index, code) + ")");
}

CppValue ExprEmitter::In(const InExpr& e, Code* code) {
  CppValue operand = EmitOnce(*e.operand, code);
  std::string text = operand.text, test;
  if (e.list == nullptr) {
    std::string low = Operand(*e.low, code);
    std::string high = Operand(*e.high, code);
    test = low + " <= " + text + " && " + text + " <= " + high;
  } else if (e.list->kind == ExprKind::kList) {
    for (const ExprPtr& element : As<ListExpr>(*e.list).elements) {
      test += (test.empty() ? "" : " || ") + text + " == " + Operand(*element, code);
    }
    if (test.empty()) test = "false";
  } else {
    test = "Contains(" + EmitText(*e.list, code) + ", " + text + ")";
  }
  return CppValue::Made(e.negated ? "!(" + test + ")" : test);
}

CppValue ExprEmitter::Interpolate(const InterpolateExpr& e, Code* code) {
  std::string parts;
  for (const ExprPtr& part : e.parts) parts += (parts.empty() ? "" : ", ") + EmitText(*part, code);
  return CppValue::Made("Concat(" + place_.arena + ", {" + parts + "})");
}

}  // namespace weirc::emit
