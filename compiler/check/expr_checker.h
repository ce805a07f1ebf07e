// compiler/check/expr_checker.h — Expressions: from Ast to Typed. Types flow from the inside out;
// an expected type flows in only to give literals, enum values and records their type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/context.h"

namespace weirc::check {

// Where an expression stands decides what it may name.
enum class Place : uint8_t {
  kConstant,    // literals only: defaults, tests
  kStart,       // known when the pipeline starts: literals and params
  kConnection,  // as kStart, and secrets
  kRecord,      // a record, params, metadata
  kFunction,    // the arguments, params
};

struct Local {
  std::string name;
  const Type* type = nullptr;
  int index = -1;
  Span span;
};

// `aggregate { … }`: what count(), sum(x) … become, and the record their arguments see.
struct AggregateScope {
  const Row* input = nullptr;
  std::vector<typed::Aggregate>* aggregates = nullptr;
  bool inside = false;  // in an argument
};

struct Scope {
  Place place = Place::kRecord;
  std::string what;          // "a default", "the key of a table": for messages
  const Row* row = nullptr;  // kRecord
  bool has_meta = false;
  bool has_window = false;
  AggregateScope* aggregate = nullptr;
  std::vector<Local> locals;
  int next_local = 0;  // of names bound by match arms
};

// What an expression is converted for: shapes the message when it does not fit.
struct Target {
  std::string role;  // "`price`", "the condition of `where`": what wants the value; may be empty
  Span declared;     // where its type is declared, if that helps
  std::string declared_label;  // "declared as `int64` here"
};

class ExprChecker {
 public:
  ExprChecker(Context& context, Scope& scope) : context_(context), scope_(scope) {}

  // The expression with a type; Error when it has been reported. Never null. `expected` may be null
  // and binds nothing.
  ExprPtr Infer(const ast::Expr& e, const Type* expected = nullptr);
  // …and converted to `to`.
  ExprPtr Check(const ast::Expr& e, const Type* to, const Target& target = {});
  // (A reference, so that other arguments may still look at the expression.)
  // Makes `e` a value of type `to` by an implicit conversion, or reports that there is none.
  ExprPtr Convert(ExprPtr&& e, const Type* to, const Target& target = {});
  // A value as text, for interpolation and paths.
  ExprPtr ToText(ExprPtr e);

 private:
  friend class CallChecker;

  ExprPtr InferAny(const ast::Expr& e, const Type* expected);  // outcomes too
  ExprPtr Error(Span span);

  // names.cc
  ExprPtr InferName(const ast::NameExpr& e, const Type* expected);
  ExprPtr InferField(const ast::FieldExpr& e, const Type* expected);
  ExprPtr FieldOf(ExprPtr base, const ast::FieldExpr& e);
  ExprPtr RowField(int field, Span span);
  ExprPtr InferMeta(const ast::FieldExpr& e);
  ExprPtr InferWindow(const ast::FieldExpr& e);
  ExprPtr EnumValue(const typed::EnumDef* def, int value, Span span);
  ExprPtr InferEnumValue(const ast::Name& name, const Type* expected, bool* found);
  ExprPtr InferSymbol(const ast::Name& name, Symbol& symbol);
  ExprPtr UnknownName(const ast::Name& name);
  bool IsPseudo(const ast::Expr& e, std::string_view name) const;
  bool ReportAmbiguous(const ast::Name& name);
  const Local* FindLocal(std::string_view name) const;
  int FindField(std::string_view name) const;
  std::vector<std::string> VisibleNames() const;

  // literals.cc
  ExprPtr InferInt(const ast::IntLit& e, bool negative, Span span, const Type* expected);
  ExprPtr InferDecimal(const ast::DecimalLit& e, bool negative, Span span, const Type* expected);
  ExprPtr InferString(const ast::StringLit& e, const Type* expected);
  ExprPtr InferList(const ast::ListLit& e, const Type* expected);
  ExprPtr InferRecord(const ast::RecordLit& e, const Type* expected);
  ExprPtr RecordOf(const ast::RecordLit& e, const Type* expected);
  ExprPtr MapOf(const ast::RecordLit& e, const Type* value);
  ExprPtr FieldDefault(const typed::Field& field, Span span);

  // operators.cc
  ExprPtr InferUnary(const ast::UnaryExpr& e, const Type* expected);
  ExprPtr InferBinary(const ast::BinaryExpr& e, const Type* expected);
  ExprPtr InferArithmetic(const ast::BinaryExpr& e, const Type* expected);
  ExprPtr Arithmetic(const ast::BinaryExpr& e, ExprPtr left, ExprPtr right);
  ExprPtr TimeArithmetic(const ast::BinaryExpr& e, ExprPtr& left, ExprPtr& right);
  ExprPtr InferComparison(const ast::BinaryExpr& e);
  ExprPtr InferIn(const ast::BinaryExpr& e);
  ExprPtr InferLogic(const ast::BinaryExpr& e);
  ExprPtr InferCoalesce(const ast::BinaryExpr& e, const Type* expected);
  ExprPtr InferIf(const ast::IfExpr& e, const Type* expected);
  ExprPtr InferTry(const ast::TryExpr& e, const Type* expected);
  ExprPtr InferIndex(const ast::IndexExpr& e);
  void InferPair(const ast::Expr& left, const ast::Expr& right, ExprPtr* l, ExprPtr* r);
  bool NeedsContext(const ast::Expr& e) const;
  bool RefuseOptional(const typed::Expr& e, std::string_view use);
  bool RefuseOptionals(std::initializer_list<const typed::Expr*> values, std::string_view use);
  // Brings values to one type; reports at the first that does not fit. Null types stay Error.
  const Type* Unify(std::vector<ExprPtr*> values, const Type* expected, std::string_view what);

  // match.cc
  ExprPtr InferMatch(const ast::MatchExpr& e, const Type* expected);
  bool CheckPattern(const ast::Pattern& p, const Type* subject, typed::MatchExpr* match, bool alone,
                    typed::Pattern* out);
  bool PatternValue(const ast::Expr& e, const Type* type, typed::Value* out);
  void CheckCoverage(const ast::MatchExpr& e, const typed::MatchExpr& match,
                     const std::vector<bool>& understood);

  // calls.cc
  ExprPtr InferCall(const ast::CallExpr& e, const Type* expected);
  ExprPtr CallFn(const ast::CallExpr& e, const Symbol& symbol);
  ExprPtr CallStd(const ast::CallExpr& e, const std::string& name);
  ExprPtr CallAggregate(const ast::CallExpr& e, typed::AggregateKind kind);
  ExprPtr UnknownFunction(const ast::CallExpr& e, const ast::Name& name);

  Context& context_;
  Scope& scope_;
};

// Copies the failure flags of a part to the whole.
void Absorb(typed::Expr& whole, const typed::Expr& part);

// Argument lists, shared by functions, lookups and stubs: binds written arguments to parameters by
// position and name, and reports what is missing, too much, unknown or given twice. Null where an
// argument is absent.
struct Parameter {
  std::string name;
  Span span;
};
std::vector<const ast::Arg*> BindArguments(Context& context, const std::vector<ast::Arg>& args,
                                           Span parens, const std::vector<Parameter>& parameters,
                                           const std::string& callee, Span declared);

// The number behind a constant, through conversions; nothing when it depends on params.
std::optional<__int128> ConstantNumber(const typed::Expr* e);

// Made of literals only: nothing is computed.
bool IsConstant(const typed::Expr& e);

// A copy of a constant expression.
ExprPtr CloneConstant(const typed::Expr& e);

// Smallest part that can fail other than by overflow; null when there is none.
const typed::Expr* FirstFailure(const typed::Expr& e);

// Reports an expression that can fail where nothing takes the failure.
void ReportUnhandled(Context& context, const typed::Expr& e, std::string_view where,
                     bool stream_could);

}  // namespace weirc::check
