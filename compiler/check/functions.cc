// compiler/check/functions.cc — `fn`: arguments, locals, result; no recursion.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

// Functions that an expression calls. The tree is never deep, so recursion is safe.
void CollectCalls(const ast::Expr* e, std::map<std::string, Span>* calls) {
  if (e == nullptr) return;
  auto go = [calls](const ast::ExprPtr& child) { CollectCalls(child.get(), calls); };
  switch (e->kind) {
    case ast::ExprKind::kString:
      for (const auto& part : Cast<ast::StringLit>(e).parts) go(part.expr);
      return;
    case ast::ExprKind::kList:
      for (const auto& item : Cast<ast::ListLit>(e).items) go(item);
      return;
    case ast::ExprKind::kTuple:
      for (const auto& item : Cast<ast::TupleExpr>(e).items) go(item);
      return;
    case ast::ExprKind::kRecord:
      for (const auto& pair : Cast<ast::RecordLit>(e).pairs) go(pair.value);
      return;
    case ast::ExprKind::kUnary: return go(Cast<ast::UnaryExpr>(e).operand);
    case ast::ExprKind::kBinary:
      go(Cast<ast::BinaryExpr>(e).left);
      return go(Cast<ast::BinaryExpr>(e).right);
    case ast::ExprKind::kField: return go(Cast<ast::FieldExpr>(e).object);
    case ast::ExprKind::kCall: {
      const auto& call = Cast<ast::CallExpr>(e);
      if (const auto* name = As<ast::NameExpr>(call.callee))
        calls->try_emplace(name->name.text, name->span);
      if (const auto* field = As<ast::FieldExpr>(call.callee))
        calls->try_emplace(field->name.text, field->name.span);
      go(call.callee);
      for (const auto& arg : call.args) go(arg.value);
      return;
    }
    case ast::ExprKind::kIndex:
      go(Cast<ast::IndexExpr>(e).object);
      return go(Cast<ast::IndexExpr>(e).index);
    case ast::ExprKind::kIf:
      go(Cast<ast::IfExpr>(e).condition);
      go(Cast<ast::IfExpr>(e).then_value);
      return go(Cast<ast::IfExpr>(e).else_value);
    case ast::ExprKind::kTry:
      go(Cast<ast::TryExpr>(e).value);
      return go(Cast<ast::TryExpr>(e).fallback);
    case ast::ExprKind::kMatch:
      go(Cast<ast::MatchExpr>(e).subject);
      for (const auto& arm : Cast<ast::MatchExpr>(e).arms) {
        go(arm.guard);
        go(arm.value);
      }
      return;
    default: return;
  }
}

void CheckFn(Context& context, const ast::FnDecl& decl, typed::FnDef& def) {
  Scope scope;
  scope.place = Place::kFunction;
  scope.what = "a function";
  for (size_t i = 0; i < def.locals.size(); ++i) {
    scope.locals.push_back(
        {def.locals[i].first, def.locals[i].second, static_cast<int>(i), decl.params[i].span});
  }
  scope.next_local = static_cast<int>(decl.params.size() + decl.locals.size());
  std::vector<bool> read;
  auto absorb = [&](const typed::Expr& e) {
    if (!e.fallible) return;
    def.overflow_only = def.fallible ? def.overflow_only && e.overflow_only : e.overflow_only;
    def.fallible = true;
  };
  for (const ast::Local& local : decl.locals) {
    ExprPtr value = ExprChecker(context, scope).Infer(*local.value);
    if (value->type->Is(TypeKind::kNull)) {
      context.Report(Code::kTypeUnknown, value->span, "absent what?", {"`null`"});
      value->type = context.error;
    }
    absorb(*value);
    int index = static_cast<int>(def.locals.size());
    for (const Local& other : scope.locals) {
      if (other.name != local.name.text || !local.name) continue;
      context.Report(Code::kDuplicateMember, local.name.span, "", {def.name, local.name.text})
          .Secondary(other.span, "first declared here");
    }
    def.locals.emplace_back(local.name.text, value->type);
    scope.locals.push_back({local.name.text, value->type, index, local.name.span});
    def.lets.emplace_back(index, std::move(value));
  }
  if (!decl.body) return;
  def.result =
      ExprChecker(context, scope)
          .Check(*decl.body, def.result_type,
                 {.role = "the result of `" + def.name + "`", .declared = decl.result.span});
  absorb(*def.result);
}

}  // namespace

void CheckFunctions(Context& context) {
  std::vector<Symbol*> symbols;
  std::map<std::string, int> number;
  for (const auto& symbol : context.symbols) {
    if (symbol->kind != SymbolKind::kFn) continue;
    number[symbol->name] = static_cast<int>(symbols.size());
    symbols.push_back(symbol.get());
  }
  // What they take and give, before any body is looked at.
  for (Symbol* symbol : symbols) {
    const auto& decl = Cast<ast::FnDecl>(*symbol->decl);
    typed::FnDef& def = context.out.fns[static_cast<size_t>(symbol->index)];
    def.span = symbol->span;
    def.param_count = static_cast<int>(decl.params.size());
    def.result_type = ResolveType(context, decl.result);
    std::map<std::string, Span> names;
    for (const ast::Param& param : decl.params) {
      def.locals.emplace_back(param.name.text, ResolveType(context, param.type));
      auto [it, added] = names.try_emplace(param.name.text, param.span);
      if (!added && param.name) {
        context.Report(Code::kDuplicateMember, param.span, "", {symbol->name, param.name.text})
            .Secondary(it->second, "first declared here");
      }
    }
  }
  std::vector<std::vector<int>> edges(symbols.size());
  std::vector<std::map<std::string, Span>> calls(symbols.size());
  for (size_t i = 0; i < symbols.size(); ++i) {
    const auto& decl = Cast<ast::FnDecl>(*symbols[i]->decl);
    for (const ast::Local& local : decl.locals) CollectCalls(local.value.get(), &calls[i]);
    CollectCalls(decl.body.get(), &calls[i]);
    for (const auto& [name, _] : calls[i]) {
      if (auto it = number.find(name); it != number.end()) edges[i].push_back(it->second);
    }
  }
  std::set<int> recursive;
  auto order = InDependencyOrder(edges, [&](const std::vector<int>& cycle) {
    auto from = static_cast<size_t>(cycle[cycle.size() - 2]);
    auto to = static_cast<size_t>(cycle.back());
    std::string path;
    for (int i : cycle) path += (path.empty() ? "" : " → ") + symbols[static_cast<size_t>(i)]->name;
    context
        .Report(Code::kRecursiveFunction, calls[from].at(symbols[to]->name), "",
                {symbols[to]->name})
        .Secondary(symbols[to]->span, "declared here")
        .Note(path);
    recursive.insert(cycle.begin(), cycle.end());
  });
  for (int i : order) {
    const auto& decl = Cast<ast::FnDecl>(*symbols[static_cast<size_t>(i)]->decl);
    if (decl.broken) continue;
    CheckFn(context, decl,
            context.out.fns[static_cast<size_t>(symbols[static_cast<size_t>(i)]->index)]);
  }
}

}  // namespace weirc::check
