// Typed expressions as C++: an expression where one will do, statements in front of it where something may fail or must
// be computed once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/check/typed.h"
#include "compiler/emit/cpp_writer.h"
#include "compiler/emit/types.h"

namespace weirc::emit {

// A C++ expression for a value.
struct CppValue {
  std::string text;      // unless `split`
  bool atomic = false;   // a name, a member or a literal: may be written twice
  bool split = false;    // an optional given as two expressions, both atomic or literals
  std::string has, value;

  static CppValue Atom(std::string text) { return CppValue{std::move(text), true, false, "", ""}; }
  static CppValue Made(std::string text) { return CppValue{std::move(text), false, false, "", ""}; }
  static CppValue Split(std::string value, std::string has) {
    return CppValue{"", true, true, std::move(has), std::move(value)};
  }
};

// What names mean where an expression stands.
struct ExprPlace {
  const typed::RecordDef* row = nullptr;                 // of kRow
  std::function<CppValue(int field)> row_field;          // the row's fields
  std::string row_name;                                  // the row as one struct of its record type; may be empty
  std::map<int, CppValue> locals;
  std::vector<CppValue> aggregates;
  std::string window_start, window_end;
  std::string arena = "task.arena()";
  std::string topic;                                     // of meta.topic
  bool has_key = true;                                   // meta.key may be there
  // The statement that leaves when something failed, given a C++ expression (Str) that says what.
  std::function<std::string(const std::string& detail)> fail;
};

class ExprEmitter {
 public:
  // `temporaries` numbers names of the function being written: t1_, t2_, …
  ExprEmitter(const plan::Plan& plan, const Types& types, const std::vector<std::string>& fn_names, ExprPlace* place,
              int* temporaries)
      : typed_(*plan.typed), types_(types), fn_names_(fn_names), place_(*place), temporaries_(*temporaries) {}

  // Writes what must happen first into `code` and returns the value.
  CppValue Emit(const typed::Expr& e, Code* code);
  // As text of the type's C++ type.
  std::string EmitText(const typed::Expr& e, Code* code) { return Whole(Emit(e, code), e.type); }
  // As above, and such that it may be written twice.
  CppValue EmitOnce(const typed::Expr& e, Code* code) { return Once(Emit(e, code), e.type, code); }
  // As text that may be written twice.
  std::string EmitOnceText(const typed::Expr& e, Code* code);
  // `target` = the value; the target's declaration is up to the caller.
  void Assign(const typed::Expr& e, const std::string& target, Code* code);

  // A split optional put together.
  std::string Whole(const CppValue& value, const typed::Type* type) const;
  CppValue Once(CppValue value, const typed::Type* type, Code* code);
  // Has and value of an optional; written once each before.
  CppValue Parts(CppValue value, const typed::Type* type, Code* code);
  std::string Temporary() { return "t" + std::to_string(++temporaries_) + "_"; }
  // A constant.
  std::string Literal(const typed::Value& value, const typed::Type* type) const;
  // A record of one type as one of another with the same fields.
  std::string ConvertRecord(const std::string& value, const typed::Type* from, const typed::Type* to);

 private:
  using Expr = typed::Expr;
  CppValue Field(const typed::FieldExpr& e, Code* code);
  CppValue Meta(const typed::MetaExpr& e);
  CppValue Unary(const typed::UnaryExpr& e, Code* code);
  CppValue Binary(const typed::BinaryExpr& e, Code* code);
  CppValue Arithmetic(const typed::BinaryExpr& e, Code* code);
  CppValue DecimalArithmetic(const typed::BinaryExpr& e, Code* code);
  CppValue Comparison(const typed::BinaryExpr& e, Code* code);
  CppValue Logic(const typed::BinaryExpr& e, Code* code);
  CppValue Convert(const typed::ConvertExpr& e, Code* code);
  CppValue CallStd(const typed::CallStdExpr& e, Code* code);
  CppValue CallFn(const typed::CallFnExpr& e, Code* code);
  CppValue If(const typed::IfExpr& e, Code* code);
  CppValue Match(const typed::MatchExpr& e, Code* code);
  CppValue Try(const typed::TryExpr& e, Code* code);
  CppValue Coalesce(const typed::CoalesceExpr& e, Code* code);
  CppValue Record(const typed::RecordExpr& e, Code* code);
  CppValue Index(const typed::IndexExpr& e, Code* code);
  CppValue In(const typed::InExpr& e, Code* code);
  CppValue Interpolate(const typed::InterpolateExpr& e, Code* code);
  std::string PatternTest(const typed::Pattern& p, const CppValue& subject, const typed::Type* type) const;

  // An operand of an operator: in parentheses unless atomic.
  std::string Operand(const Expr& e, Code* code);
  // With its exact C++ type, where overloads choose by it: a literal alone is an int.
  std::string Exact(const typed::Type* type, const CppValue& value) const;
  // As an i128.
  std::string WideOperand(const Expr& e, Code* code);
  // Declares a temporary, fills it by `call` (which returns bool) and leaves when that is false.
  CppValue Checked(const Expr& e, const std::string& call_before, const std::string& call_after, Code* code);
  std::string FailText(const Expr& e) const;

  const typed::TypedPipeline& typed_;
  const Types& types_;
  const std::vector<std::string>& fn_names_;
  ExprPlace& place_;
  int& temporaries_;
};

}  // namespace weirc::emit
