// compiler/parse/walk.h — Visits every expression, type and pattern of a tree, outer before inner,
// in source order.
#pragma once

#include "compiler/parse/ast.h"

namespace weirc::ast {

class Walker {
 public:
  virtual ~Walker() = default;

  void Walk(const File& file);
  void Walk(const Decl& decl);
  void Walk(const Step& step);
  void Walk(const TestItem& item);
  void Walk(const Block& block);
  void Walk(const Expr& expr);
  void Walk(const Pattern& pattern);
  void Walk(const TypeRef& type);

 protected:
  // Called before what is inside.
  virtual void OnDecl(const Decl&) {}
  virtual void OnStep(const Step&) {}
  virtual void OnTestItem(const TestItem&) {}
  virtual void OnAnswer(const Answer&) {}
  virtual void OnExpr(const Expr&) {}
  virtual void OnPattern(const Pattern&) {}
  virtual void OnType(const TypeRef&) {}

 private:
  void WalkArgs(const std::vector<Arg>& args);
  void WalkParams(const std::vector<Param>& params);
  void WalkChain(const std::vector<ExprPtr>& chain);
  void WalkMaybe(const Expr* expr) {
    if (expr != nullptr) Walk(*expr);
  }
};

}  // namespace weirc::ast
