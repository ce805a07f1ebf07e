// compiler/check/match.cc — `match`: patterns, exhaustiveness, arms that are never reached.
#include <algorithm>
#include <set>

#include "compiler/check/expr_checker.h"
#include "compiler/check/number_text.h"

namespace weirc::check {

namespace {

constexpr const char* kOutcomes[] = {"found", "missing", "timeout", "rejected", "error", "failed"};

int OutcomeOf(std::string_view name) {
  for (int i = 0; i < 6; ++i) {
    if (name == kOutcomes[i]) return i;
  }
  return -1;
}

}  // namespace

bool ExprChecker::PatternValue(const ast::Expr& e, const Type* type, typed::Value* out) {
  ExprPtr value = Infer(e, type);
  if (HasError(value->type)) return false;
  Fit fit = FitOf(value->type, type);
  if ((fit != Fit::kSame && fit != Fit::kLossless) || value->kind != typed::ExprKind::kLiteral) {
    Reported reported = context_.Report(
        Code::kBadPattern, e.span, "this is `" + ToString(value->type) + "`", {ToString(type)});
    if (type->Is(TypeKind::kEnum)) reported.Help("name a value of the enum, without quotes");
    return false;
  }
  if (value->type != type && IsDecimal(type)) {
    // An int in a pattern over decimals: at the decimal's scale.
    auto unscaled = ScaleUp(typed::As<typed::LiteralExpr>(*value).value.number, type->scale);
    if (!unscaled) return false;
    static_cast<typed::LiteralExpr&>(*value).value.number = *unscaled;
  }
  *out = typed::As<typed::LiteralExpr>(*value).value;
  return true;
}

bool ExprChecker::CheckPattern(const ast::Pattern& p, const Type* subject, typed::MatchExpr* match,
                               bool alone, typed::Pattern* out) {
  const Type* type = Present(subject);
  auto bad = [&](std::string label) {
    context_.Report(Code::kBadPattern, p.span, std::move(label), {context_.DisplayName(subject)});
    return false;
  };
  switch (p.kind) {
    case ast::PatternKind::kWildcard: out->kind = typed::Pattern::kAny; return true;
    case ast::PatternKind::kError: return false;
    case ast::PatternKind::kNull:
      if (!IsOptional(subject)) return bad("this value is never null");
      out->kind = typed::Pattern::kNull;
      return true;
    case ast::PatternKind::kTuple:
      context_.ReportLater(Code::kLaterExpression, p.span, "a pattern of several values",
                           "match one value, and test the others behind `if`");
      return false;
    case ast::PatternKind::kBool:
      if (!type->Is(TypeKind::kBool)) return bad("this is `bool`");
      out->kind = typed::Pattern::kConstant;
      out->low.boolean = Cast<ast::BoolPattern>(p).value;
      out->low.number = out->low.boolean;
      return true;
    case ast::PatternKind::kLiteral:
      if (type->Is(TypeKind::kOutcome)) return bad("an outcome is `found`, `missing` or `failed`");
      out->kind = typed::Pattern::kConstant;
      return PatternValue(*Cast<ast::LiteralPattern>(p).value, type, &out->low);
    case ast::PatternKind::kRange: {
      const auto& range = Cast<ast::RangePattern>(p);
      if (!IsOrdered(type)) return bad("it has no order");
      out->kind = typed::Pattern::kRange;
      if (!PatternValue(*range.low, type, &out->low) ||
          !PatternValue(*range.high, type, &out->high))
        return false;
      bool empty = IsFloat(type)                 ? out->low.real > out->high.real
                   : type->Is(TypeKind::kString) ? out->low.text > out->high.text
                                                 : out->low.number > out->high.number;
      if (empty) {
        context_.Report(Code::kEmptyRange, p.span, "its low end is above its high end");
        return false;
      }
      return true;
    }
    case ast::PatternKind::kName: break;
  }

  const auto& named = Cast<ast::NamePattern>(p);
  if (type->Is(TypeKind::kOutcome)) {
    int outcome = named.qualifier ? -1 : OutcomeOf(named.name.text);
    if (outcome < 0) {
      context_
          .Report(Code::kUnknownOutcome, named.name.span,
                  Context::Suggest(named.name.text, {kOutcomes, kOutcomes + 6}), {named.name.text})
          .Note(
              "an outcome is `found`, `missing`, `timeout`, `rejected` or `error`; the last three "
              "together are `failed`");
      return false;
    }
    out->kind = typed::Pattern::kOutcome;
    out->outcome = outcome;
    if (!named.binding) return true;
    if (outcome == 1) {
      context_.Report(Code::kBadBinding, named.binding.span, "", {named.binding.text, "missing"})
          .Help("there is no value when it is missing: write `missing`");
      return false;
    }
    if (!alone) {
      context_
          .Report(Code::kBadBinding, named.binding.span, "",
                  {named.binding.text, "one of several alternatives"})
          .Help("give this alternative an arm of its own");
      return false;
    }
    const Type* bound = outcome == 0 ? type->element : context_.types.Record(context_.failure);
    out->bind_local = scope_.next_local++;
    match->local_types.push_back(bound);
    scope_.locals.push_back({named.binding.text, bound, out->bind_local, named.binding.span});
    return true;
  }
  if (named.binding) {
    context_
        .Report(Code::kBadBinding, named.binding.span, "",
                {named.binding.text, "a pattern of `" + context_.DisplayName(subject) + "`"})
        .Help("only `found a` and `failed f` of a lookup's outcome give a name");
    return false;
  }
  if (!type->Is(TypeKind::kEnum)) {
    Reported reported =
        context_.Report(Code::kBadPattern, p.span, "a bare name is a value of an enum",
                        {context_.DisplayName(subject)});
    reported.Help(
        "a pattern never takes a new name; write `_`" +
        (type->Is(TypeKind::kString) ? " or `\"" + named.name.text + "\"`" : std::string()));
    return false;
  }
  const typed::EnumDef* def = type->enum_def;
  std::vector<std::string> names;
  for (const auto& value : def->values) names.push_back(value.name);
  if (named.qualifier) {
    Symbol* symbol = context_.FindType(named.qualifier.text);
    bool same = symbol != nullptr && symbol->kind == SymbolKind::kEnum && symbol->index >= 0 &&
                context_.out.enums[static_cast<size_t>(symbol->index)].get() == def;
    if (!same) return bad("the value is a `" + def->name + "`");
  }
  auto it = std::find(names.begin(), names.end(), named.name.text);
  if (it == names.end()) {
    context_
        .Report(Code::kUnknownEnumValue, named.name.span, Context::Suggest(named.name.text, names),
                {named.name.text, def->name})
        .Secondary(def->span, "`" + def->name + "` is declared here");
    return false;
  }
  out->kind = typed::Pattern::kConstant;
  out->low.number = it - names.begin();
  return true;
}

void ExprChecker::CheckCoverage(const ast::MatchExpr& e, const typed::MatchExpr& match,
                                const std::vector<bool>& understood) {
  const Type* subject = match.subject->type;
  const Type* type = Present(subject);
  // What values there are, by a key; unlimited types are covered by `_` alone.
  std::vector<std::pair<std::string, std::string>> all;  // key, as it is written in an arm
  if (type->Is(TypeKind::kBool)) {
    all = {{"=1", "true"}, {"=0", "false"}};
  } else if (type->Is(TypeKind::kEnum)) {
    for (size_t i = 0; i < type->enum_def->values.size(); ++i) {
      all.emplace_back("=" + std::to_string(i), type->enum_def->values[i].name);
    }
  } else if (type->Is(TypeKind::kOutcome)) {
    for (int i = 0; i < 5; ++i) all.emplace_back("=" + std::to_string(i), kOutcomes[i]);
  }
  const bool limited = !all.empty();
  if (IsOptional(subject)) all.emplace_back("null", "null");

  std::set<std::string> covered;
  bool everything = false, unsure = false;
  auto keys = [&](const typed::Pattern& p) {
    std::vector<std::string> list;
    switch (p.kind) {
      case typed::Pattern::kNull: list.push_back("null"); break;
      case typed::Pattern::kOutcome:
        if (p.outcome == 5) {
          list = {"=2", "=3", "=4"};
        } else {
          list.push_back("=" + std::to_string(p.outcome));
        }
        break;
      case typed::Pattern::kConstant:
        list.push_back(type->Is(TypeKind::kString)    ? "\"" + p.low.text
                       : type->Is(TypeKind::kFloat64) ? "f" + FloatText(p.low.real)
                                                      : "=" + NumberText(p.low.number));
        break;
      default: break;
    }
    return list;
  };
  for (size_t i = 0; i < e.arms.size(); ++i) {
    const ast::MatchArm& written = e.arms[i];
    if (!understood[i]) {
      unsure = true;
      continue;
    }
    const typed::MatchArm& arm = match.arms[i];
    bool all_covered = limited && covered.size() == all.size();
    for (size_t j = 0; j < arm.patterns.size(); ++j) {
      const typed::Pattern& p = arm.patterns[j];
      std::vector<std::string> list = keys(p);
      bool known = !list.empty() &&
                   std::all_of(list.begin(), list.end(),
                               [&](const std::string& key) { return covered.contains(key); });
      if (everything || known || (all_covered && p.kind == typed::Pattern::kAny)) {
        context_.Report(Code::kUnreachableArm, written.patterns[j]->span,
                        "the arms above take all that it could match");
        unsure = true;  // one report is enough
      }
      if (arm.guard) continue;
      if (p.kind == typed::Pattern::kAny) everything = true;
      covered.insert(list.begin(), list.end());
    }
  }
  if (everything || unsure) return;
  std::vector<std::string> missing;
  for (const auto& [key, text] : all) {
    if (!covered.contains(key)) missing.push_back(text);
  }
  if (limited && missing.empty()) return;
  // timeout, rejected and error together have a name.
  if (type->Is(TypeKind::kOutcome)) {
    std::vector<std::string> failed = {"timeout", "rejected", "error"};
    if (std::includes(missing.begin(), missing.end(), failed.begin(), failed.end(),
                      [](auto&, auto&) { return false; }) ||
        std::all_of(failed.begin(), failed.end(), [&](const std::string& f) {
          return std::find(missing.begin(), missing.end(), f) != missing.end();
        })) {
      std::erase_if(missing, [&](const std::string& m) {
        return std::find(failed.begin(), failed.end(), m) != failed.end();
      });
      missing.push_back("failed");
    }
  }
  std::string paste;
  if (limited) {
    for (const std::string& name : missing) paste += (paste.empty() ? "" : ", ") + name + " -> …";
  } else {
    paste = "_ -> …";
  }
  std::string what =
      limited ? OneOfNames(missing, "and")
              : (covered.empty() ? "every `" : "every other `") + context_.DisplayName(type) + "`";
  Span span = e.subject->span;
  context_
      .Report(Code::kNotExhaustive, span, "this is `" + context_.DisplayName(subject) + "`", {what})
      .Help("add `" + paste + "`");
}

ExprPtr ExprChecker::InferMatch(const ast::MatchExpr& e, const Type* expected) {
  if (e.subject->kind == ast::ExprKind::kTuple) {
    context_.ReportLater(Code::kLaterExpression, e.subject->span, "matching several values at once",
                         "match one value, and test the others behind `if`");
    return Error(e.span);
  }
  auto match = std::make_unique<typed::MatchExpr>();
  match->span = e.span;
  match->subject = InferAny(*e.subject, nullptr);
  const Type* subject = match->subject->type;
  bool wrong = HasError(subject);
  if (!wrong && !IsComparable(Present(subject)) && !Present(subject)->Is(TypeKind::kOutcome)) {
    if (!(IsOptional(subject))) {
      context_.Report(Code::kBadOperand, e.subject->span, "",
                      {"match", context_.DisplayName(subject)});
      wrong = true;
    }
  }
  match->first_local = scope_.next_local;
  Absorb(*match, *match->subject);
  std::vector<bool> understood(e.arms.size(), true);
  std::vector<ExprPtr*> values;
  const Type* hint = expected;
  // Every arm counts its own failures; names bound by it are gone behind it.
  match->arms.reserve(e.arms.size());
  for (size_t i = 0; i < e.arms.size(); ++i) {
    const ast::MatchArm& written = e.arms[i];
    typed::MatchArm arm;
    size_t locals = scope_.locals.size();
    for (const ast::PatternPtr& p : written.patterns) {
      arm.patterns.emplace_back();
      if (wrong || !CheckPattern(*p, subject, match.get(), written.patterns.size() == 1,
                                 &arm.patterns.back())) {
        understood[i] = false;
      }
    }
    bool names_known =
        understood[i] ||
        !std::any_of(written.patterns.begin(), written.patterns.end(), [](const auto& p) {
          const auto* named = As<ast::NamePattern>(p.get());
          return named != nullptr && named->binding;
        });
    if (!names_known) {
      for (const ast::PatternPtr& p : written.patterns) {
        const auto* named = As<ast::NamePattern>(p.get());
        if (named != nullptr && named->binding) {
          scope_.locals.push_back({named->binding.text, context_.error, -1, named->binding.span});
        }
      }
    }
    if (written.guard) {
      arm.guard = Check(*written.guard, context_.boolean, {.role = "the guard of an arm"});
      Absorb(*match, *arm.guard);
    }
    arm.value = Infer(*written.value, hint);
    if (hint == nullptr && !HasError(arm.value->type) && !NeedsContext(*written.value))
      hint = arm.value->type;
    scope_.locals.resize(locals);
    match->arms.push_back(std::move(arm));
  }
  for (typed::MatchArm& arm : match->arms) values.push_back(&arm.value);
  match->type = Unify(values, expected, "the arms of `match`");
  for (typed::MatchArm& arm : match->arms) Absorb(*match, *arm.value);
  if (wrong) {
    match->type = context_.error;
    return match;
  }
  CheckCoverage(e, *match, understood);
  return match;
}

}  // namespace weirc::check
