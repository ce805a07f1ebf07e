// compiler/check/lookup_step.cc — `| lookup name(args) as alias { order …, on OUTCOME … }`: every
// outcome has a route.
#include <algorithm>

#include "compiler/check/number_text.h"
#include "compiler/check/stream_checker.h"

namespace weirc::check {

void StreamChecker::ReadOrder(const ast::LookupStep& step, const typed::LookupDef& lookup,
                              typed::LookupStep& out) {
  if (!step.block.order) return;
  const ast::OrderClause& order = *step.block.order;
  switch (order.kind) {
    case ast::OrderKind::kInput: return;
    case ast::OrderKind::kNone: out.order = typed::OrderMode::kNone; break;
    case ast::OrderKind::kKey: {
      out.order = typed::OrderMode::kKey;
      if (!order.key) return;
      Scope scope = RowScope();
      out.order_key = ReadKey(context_, *order.key, scope, "the key of an order");
      if (out.order_key.empty()) return;
      break;
    }
  }
  if (lookup.sync) return;  // one at a time: nothing gets out of order
  Disorder disorder;
  disorder.step = def_.name + "." + out.alias;
  disorder.span = order.span;
  disorder.by_key = order.kind == ast::OrderKind::kKey;
  if (disorder.by_key) {
    for (const ExprPtr& part : out.order_key)
      disorder.key.push_back(OriginOf(context_, row_, *part));
    disorder.key_text = context_.Written(order.key->span);
  }
  disorder.path = {def_.name};
  row_.disorders.push_back(std::move(disorder));
}

void StreamChecker::CheckOutcomes(const ast::LookupStep& step, const typed::LookupDef& lookup,
                                  typed::LookupStep& out) {
  struct Outcome {
    const char* event;
    Route* route;
  };
  const Outcome outcomes[] = {{"missing", &out.on_missing},
                              {"timeout", &out.on_timeout},
                              {"rejected", &out.on_rejected},
                              {"error", &out.on_error_outcome}};
  auto given = [&](std::string_view event) {
    for (const ast::OnClause& on : step.block.ons) {
      for (const ast::Name& e : on.events) {
        if (e.text == event || (e.text == "failed" && event != "missing")) return true;
      }
    }
    return false;
  };
  std::vector<std::string> open;
  for (const Outcome& outcome : outcomes) {
    if (given(outcome.event) || Fallback(*outcome.route)) continue;
    open.emplace_back(outcome.event);
  }
  if (open.empty()) return;
  bool missing = open.front() == "missing";
  bool failed = open.size() >= 3 && (open.size() == 4 || !missing);
  std::vector<std::string> words;
  if (missing) words.emplace_back("missing");
  if (failed) {
    words.emplace_back("failed");
  } else {
    for (const std::string& event : open) {
      if (event != "missing") words.push_back(event);
    }
  }
  Reported reported = context_.Report(Code::kOutcomeUnhandled, step.lookup.span, "",
                                      {lookup.name, OneOfNames(words, "or")});
  for (const std::string& word : words) {
    reported.Help(SendHelp(word, false));
    if (word == "missing" && lookup.result != nullptr) {
      reported.Note("or `on missing use null`, which makes it `" + lookup.result->name + "?`");
    }
  }
  if (failed) reported.Note("`failed` is `timeout`, `rejected` and `error` together");
}

void StreamChecker::Lookup(const ast::LookupStep& step) {
  const ast::Name& alias = step.alias ? step.alias : step.lookup;
  auto unknown = [&]() {
    if (!alias) return MarkUnknown();
    if (!IsTaken(alias, "the answer")) row_.record = Extend(alias, context_.error, alias.span);
  };
  if (step.is_call) {
    context_.ReportLater(Code::kLaterStep, step.keyword, "`call`");
    return unknown();
  }
  Symbol* symbol = step.lookup ? context_.FindValue(step.lookup.text) : nullptr;
  if (symbol == nullptr || symbol->kind != SymbolKind::kLookup) {
    if (step.lookup && !(symbol != nullptr && symbol->kind == SymbolKind::kLater)) {
      std::string label =
          symbol == nullptr
              ? Context::Suggest(step.lookup.text, context_.ValueNames({SymbolKind::kLookup}))
              : "this is a " + std::string(NameOf(symbol->kind));
      Reported reported =
          context_.Report(Code::kUnknownLookup, step.lookup.span, label, {step.lookup.text});
      if (symbol != nullptr) reported.Secondary(symbol->span, "declared here");
      if (symbol != nullptr && symbol->kind == SymbolKind::kTable)
        reported.Help("a table is joined: `| join " + step.lookup.text + " as … on …`");
      if (symbol == nullptr && label.empty()) {
        reported.Help("declare it: `lookup " + step.lookup.text +
                      "(id: string) -> T = api.get(\"/path/{id}\")`");
      }
    }
    return unknown();
  }
  const auto& declared = Cast<ast::LookupDecl>(*symbol->decl);
  const typed::LookupDef& lookup = context_.out.lookups[static_cast<size_t>(symbol->index)];
  context_.lookup_used[static_cast<size_t>(symbol->index)] = true;
  auto out = std::make_unique<typed::LookupStep>();
  out->span = step.span;
  out->lookup = symbol->index;
  out->alias = alias.text;
  out->as_outcome = step.as_outcome;

  // Arguments.
  std::vector<Parameter> parameters;
  for (const ast::Param& p : declared.params) parameters.push_back({p.name.text, p.span});
  if (!declared.broken) {
    auto bound =
        BindArguments(context_, step.args, step.parens, parameters, symbol->name, symbol->span);
    for (size_t i = 0; i < bound.size(); ++i) {
      if (bound[i] == nullptr) continue;
      Scope scope = RowScope();
      ExprChecker checker(context_, scope);
      const Type* wanted = lookup.params[i].second;
      ExprPtr value = checker.Infer(*bound[i]->value, wanted);
      if (!HasError(value->type) && !HasError(wanted) && FitOf(value->type, wanted) == Fit::kNone) {
        Reported reported =
            context_.Report(Code::kLookupKeyType, value->span,
                            "this is `" + context_.DisplayName(value->type) + "`",
                            {context_.DisplayName(value->type), symbol->name, ToString(wanted)});
        reported.Secondary(declared.params[i].span, "the key is declared here");
        if (wanted->Is(TypeKind::kString) && HasText(value->type)) {
          reported.Help("write `to_string(" + context_.Written(value->span) + ")`");
        }
        continue;
      }
      value = checker.Convert(std::move(value), wanted,
                              {.role = "`" + lookup.params[i].first + "` of `" + symbol->name + "`",
                               .declared = declared.params[i].span});
      Handle(*value, "`lookup`");
      out->args.push_back(std::move(value));
    }
  } else {
    for (const ast::Arg& arg : step.args) {
      Scope scope = RowScope();
      ExprChecker(context_, scope).Infer(*arg.value);
    }
  }

  BlockRules rules = {.what = "a lookup step",
                      .events = {"missing", "timeout", "rejected", "error", "failed"},
                      .later_flags = {"pin"},
                      .order = true};
  // Policies belong to the lookup, not to the step.
  ast::Name const* policy = nullptr;
  for (const ast::Entry& entry : step.block.entries) {
    for (std::string_view name :
         {"in_flight", "timeout", "deadline", "retry", "backoff", "cache", "coalesce"}) {
      if (entry.name.text == name) policy = &entry.name;
    }
    if (policy != nullptr && policy->text == entry.name.text) {
      context_.Report(Code::kPolicyInStep, entry.name.span, "", {entry.name.text})
          .Secondary(symbol->span, "write it here, behind `lookup " + symbol->name + "(…)`");
      rules.entries.push_back({entry.name.text});
    }
  }
  CheckBlock(context_, step.block, rules);
  ReadOrder(step, lookup, *out);

  const bool taken = IsTaken(alias, "the answer");
  if (!aliases_.insert(alias.text).second && !taken) {
    context_.Report(Code::kAliasTwice, alias.span, "", {alias.text});
  }
  Scope scope = RowScope();
  const Type* record = lookup.result == nullptr ? nullptr : context_.types.Record(lookup.result);
  if (step.as_outcome) {
    for (const ast::OnClause& on : step.block.ons) {
      context_.Report(Code::kOutcomeClause, on.span, "", {alias.text})
          .Secondary(alias.span, "every outcome goes on from here");
    }
  } else {
    ReadRoutes(context_, step.block,
               {{"missing", &out->on_missing},
                {"timeout", &out->on_timeout},
                {"rejected", &out->on_rejected},
                {"error", &out->on_error_outcome}},
               {.allowed = true, .type = record, .scope = &scope, .instead = ""});
    CheckOutcomes(step, lookup, *out);
  }
  if (taken) return;
  if (record == nullptr) return unknown();
  const Type* type = record;
  Route* routes[] = {&out->on_missing, &out->on_timeout, &out->on_rejected, &out->on_error_outcome};
  if (step.as_outcome) {
    type = context_.types.Outcome(record);
  } else {
    for (const Route* route : routes) {
      if (route->kind == Route::kUse && IsOptional(route->use->type))
        type = context_.types.Optional(record);
    }
    ExprChecker checker(context_, scope);
    for (Route* route : routes) {
      if (route->kind == Route::kUse) route->use = checker.Convert(std::move(route->use), type);
    }
  }
  const RecordDef* row = Extend(alias, type, alias.span);
  bool complete = out->args.size() == lookup.params.size();
  Add(std::move(out), alias.text, "lookup", complete ? row : nullptr);
  row_.record = row;
  std::string leaf = def_.name + "." + alias.text;
  row_.origins[alias.text] = {leaf, {leaf}};
}

}  // namespace weirc::check
