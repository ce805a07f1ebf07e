// compiler/check/calls.cc — Calls: the pipeline's own functions, the standard library, and
// aggregates.
#include <algorithm>
#include <map>

#include "compiler/check/expr_checker.h"
#include "compiler/check/number_text.h"
#include "compiler/check/stdlib_index.h"

namespace weirc::check {

namespace {

const std::map<std::string_view, typed::AggregateKind>& Aggregates() {
  static const std::map<std::string_view, typed::AggregateKind> kinds = {
      {"count", typed::AggregateKind::kCount}, {"sum", typed::AggregateKind::kSum},
      {"min", typed::AggregateKind::kMin},     {"max", typed::AggregateKind::kMax},
      {"first", typed::AggregateKind::kFirst}, {"last", typed::AggregateKind::kLast},
      {"avg", typed::AggregateKind::kAvg},     {"vwap", typed::AggregateKind::kVwap}};
  return kinds;
}

// What people write who come from SQL, Java or Kafka Streams, and what Weir says instead.
const char* HintFor(std::string_view name) {
  static const std::map<std::string_view, const char*> hints = {
      {"coalesce", "a value for what is absent is written `a ?? b`"},
      {"nvl", "a value for what is absent is written `a ?? b`"},
      {"ifnull", "a value for what is absent is written `a ?? b`"},
      {"isnull", "whether a value is absent is written `a == null`"},
      {"is_null", "whether a value is absent is written `a == null`"},
      {"nullif", "write `if a == b then null else a`"},
      {"iif", "write `if a then b else c`"},
      {"cast",
       "a conversion is a function named by its type: `int32(x)`, `decimal(x, 18, 2)`, "
       "`to_string(x)`"},
      {"convert",
       "a conversion is a function named by its type: `int32(x)`, `decimal(x, 18, 2)`, "
       "`to_string(x)`"},
      {"to_int", "write `int64(x)`"},
      {"to_decimal", "write `decimal(x, 18, 2)`"},
      {"concat", "text is put together in text: `\"{a}{b}\"`"},
      {"now",
       "a step sees the record's time, not the clock's, so that it can be repeated: `meta.time`; "
       "when it was read is `meta.arrival`"},
      {"current_timestamp",
       "a step sees the record's time, not the clock's, so that it can be repeated: `meta.time`"},
      {"getdate",
       "a step sees the record's time, not the clock's, so that it can be repeated: `meta.time`"},
      {"sysdate",
       "a step sees the record's time, not the clock's, so that it can be repeated: `meta.time`"},
      {"uuid",
       "a step gives the same result when it is repeated: make an id of `meta.topic`, "
       "`meta.partition` and `meta.offset`"},
      {"random", "a step gives the same result when it is repeated: there are no random numbers"},
      {"rand", "a step gives the same result when it is repeated: there are no random numbers"},
      {"row_number", "records have no numbers of their own; their place is `meta.offset`"},
      {"latest_by_offset", "write `last(x)` in an `aggregate`"},
      {"earliest_by_offset", "write `first(x)` in an `aggregate`"},
      {"len", "write `length(x)`"},
      {"size", "write `length(x)`"},
      {"char_length", "write `length(x)`"},
      {"substr", "write `substring(text, from, count)`"},
      {"average", "write `avg(x)` in an `aggregate`"},
      {"mean", "write `avg(x)` in an `aggregate`"},
      {"print", "a pipeline shows records through a sink: `sink seen from … = stdout`"},
  };
  auto it = hints.find(name);
  return it == hints.end() ? nullptr : it->second;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::vector<const ast::Arg*> BindArguments(Context& context, const std::vector<ast::Arg>& args,
                                           Span parens, const std::vector<Parameter>& parameters,
                                           const std::string& callee, Span declared) {
  std::vector<const ast::Arg*> bound(parameters.size(), nullptr);
  bool named_seen = false, wrong = false;
  size_t position = 0;
  size_t extra = 0;
  Span first_extra;
  for (const ast::Arg& arg : args) {
    if (!arg.name) {
      if (named_seen) {
        context.Report(Code::kPositionalAfterNamed, arg.span, "name it too", {callee});
        wrong = true;
        continue;
      }
      if (position < parameters.size()) {
        bound[position++] = &arg;
      } else {
        ++extra;
        first_extra = first_extra.IsValid() ? Join(first_extra, arg.span) : arg.span;
      }
      continue;
    }
    named_seen = true;
    auto it = std::find_if(parameters.begin(), parameters.end(),
                           [&](const Parameter& p) { return p.name == arg.name.text; });
    if (it == parameters.end()) {
      std::vector<std::string> names;
      for (const Parameter& p : parameters) names.push_back(p.name);
      Reported reported =
          context.Report(Code::kUnknownArgument, arg.name.span,
                         Context::Suggest(arg.name.text, names), {callee, arg.name.text});
      if (declared.IsValid()) reported.Secondary(declared, "`" + callee + "` is declared here");
      wrong = true;
      continue;
    }
    auto& slot = bound[static_cast<size_t>(it - parameters.begin())];
    if (slot != nullptr) {
      context.Report(Code::kArgumentTwice, arg.span, "", {arg.name.text})
          .Secondary(slot->span, "given here already");
      wrong = true;
      continue;
    }
    slot = &arg;
  }
  if (extra > 0) {
    Reported reported = context.Report(
        Code::kExtraArgument, first_extra,
        extra == 1 ? "one too many" : std::to_string(extra) + " too many",
        {callee, parameters.size() == 1 ? "1 argument"
                 : parameters.empty()   ? "no arguments"
                                        : std::to_string(parameters.size()) + " arguments"});
    if (declared.IsValid()) reported.Secondary(declared, "`" + callee + "` is declared here");
    wrong = true;
  }
  if (!wrong) {
    std::vector<std::string> missing;
    Span place;
    for (size_t i = 0; i < bound.size(); ++i) {
      if (bound[i] != nullptr) continue;
      missing.push_back(parameters[i].name);
      if (!place.IsValid()) place = parameters[i].span;
    }
    if (!missing.empty()) {
      Reported reported =
          context.Report(Code::kMissingArgument, parens, "", {callee, OneOfNames(missing, "and")});
      if (place.IsValid()) reported.Secondary(place, "it is declared here");
      std::string paste;
      for (size_t i = 0; i < bound.size(); ++i) {
        paste += (i == 0 ? "" : ", ") + (bound[i] == nullptr ? parameters[i].name + ": …"
                                                             : context.Written(bound[i]->span));
      }
      reported.Help("write `" + callee + "(" + paste + ")`");
    }
  }
  return bound;
}

ExprPtr ExprChecker::UnknownFunction(const ast::CallExpr& e, const ast::Name& name) {
  std::vector<std::string> names = stdlib::Names();
  for (std::string& fn : context_.ValueNames({SymbolKind::kFn})) names.push_back(std::move(fn));
  if (scope_.aggregate != nullptr) {
    for (const auto& [kind, _] : Aggregates()) names.emplace_back(kind);
  }
  const std::string lower = LowerCase(name.text);
  if (Aggregates().contains(name.text)) {
    context_.Report(Code::kAggregateMisplaced, name.span, "", {name.text})
        .Help("collect records first: `| window tumbling 1s by … { on late … } | aggregate { n: " +
              context_.Written(e.span) + " }`");
    return Error(e.span);
  }
  const char* hint = HintFor(lower);
  std::string label = hint == nullptr ? Context::Suggest(name.text, names) : "";
  Reported reported = context_.Report(Code::kUnknownFunction, name.span, label, {name.text});
  if (hint != nullptr) {
    reported.Help(hint);
  } else if (Symbol* symbol = context_.FindValue(name.text);
             symbol != nullptr && symbol->kind == SymbolKind::kLookup) {
    reported.Help("a lookup leaves the process, so it is a step of its own: `| lookup " +
                  name.text + "(…) as …`");
  } else if (label.empty()) {
    reported.Note("docs/stdlib.md lists the functions there are");
  }
  return Error(e.span);
}

ExprPtr ExprChecker::InferCall(const ast::CallExpr& e, const Type*) {
  if (const auto* method = As<ast::FieldExpr>(e.callee.get())) {
    const auto* owner = As<ast::NameExpr>(method->object.get());
    Symbol* symbol = owner == nullptr ? nullptr : context_.FindValue(owner->name.text);
    if (symbol != nullptr && FindField(owner->name.text) < 0 &&
        symbol->kind == SymbolKind::kNamespace) {
      auto member = symbol->members.find(method->name.text);
      if (member != symbol->members.end() && member->second->kind == SymbolKind::kFn)
        return CallFn(e, *member->second);
    }
    if (symbol != nullptr && symbol->kind == SymbolKind::kConnection &&
        FindField(owner->name.text) < 0) {
      context_
          .Report(Code::kNotAValue, e.span, "",
                  {context_.Written(e.callee->span), "connection's operation"})
          .Help("declare a lookup with it, and ask it in a step: `| lookup name(…) as …`");
      return Error(e.span);
    }
    context_.Report(Code::kMethodCall, method->name.span, "", {method->name.text})
        .Help("write `" + method->name.text + "(" + context_.Written(method->object->span) +
              (e.args.empty() ? ")`" : ", …)`"));
    return Error(e.span);
  }
  const auto* callee = As<ast::NameExpr>(e.callee.get());
  if (callee == nullptr) {
    if (e.callee->kind != ast::ExprKind::kError) {
      context_.Report(Code::kMethodCall, e.callee->span, "only a name can be called", {"…"});
    }
    return Error(e.span);
  }
  const std::string& name = callee->name.text;
  Symbol* symbol = context_.FindValue(name);
  if (symbol != nullptr && symbol->kind == SymbolKind::kLater) {
    for (const ast::Arg& arg : e.args) Infer(*arg.value);
    return Error(e.span);
  }
  if (symbol != nullptr && symbol->kind == SymbolKind::kFn) return CallFn(e, *symbol);
  auto aggregate = Aggregates().find(name);
  // Some aggregates share their name with a function of two values, or of a list: max(a, b),
  // first(list).
  const bool of_two = e.args.size() != 1 && stdlib::Exists(name);
  if (scope_.aggregate != nullptr && aggregate != Aggregates().end() &&
      !(stdlib::Exists(name) && (scope_.aggregate->inside || of_two))) {
    return CallAggregate(e, aggregate->second);
  }
  if (stdlib::Exists(name)) return CallStd(e, name);
  return UnknownFunction(e, callee->name);
}

ExprPtr ExprChecker::CallFn(const ast::CallExpr& e, const Symbol& symbol) {
  const auto& decl = static_cast<const ast::FnDecl&>(*symbol.decl);
  std::vector<Parameter> parameters;
  for (const ast::Param& p : decl.params) parameters.push_back({p.name.text, p.span});
  if (decl.broken || symbol.index < 0) {
    for (const ast::Arg& arg : e.args) Infer(*arg.value);
    return Error(e.span);
  }
  context_.fn_used[static_cast<size_t>(symbol.index)] = true;
  const typed::FnDef& fn = context_.out.fns[static_cast<size_t>(symbol.index)];
  auto bound = BindArguments(context_, e.args, e.parens, parameters, symbol.name, symbol.span);
  auto call = std::make_unique<typed::CallFnExpr>();
  call->fn = symbol.index;
  call->span = e.span;
  call->type = fn.result_type;
  for (size_t i = 0; i < bound.size(); ++i) {
    if (bound[i] == nullptr) {
      call->type = context_.error;
      continue;
    }
    ExprPtr arg = Check(*bound[i]->value, fn.locals[i].second,
                        {.role = "`" + fn.locals[i].first + "` of `" + symbol.name + "`",
                         .declared = parameters[i].span});
    if (HasError(arg->type)) call->type = context_.error;
    Absorb(*call, *arg);
    call->args.push_back(std::move(arg));
  }
  if (fn.fallible) {
    call->overflow_only =
        call->fallible ? call->overflow_only && fn.overflow_only : fn.overflow_only;
    call->fallible = true;
  }
  return call;
}

ExprPtr ExprChecker::CallStd(const ast::CallExpr& e, const std::string& name) {
  // Arguments by name, where a function of that many arguments has the names.
  std::vector<const ast::Arg*> ordered;
  bool named = std::any_of(e.args.begin(), e.args.end(),
                           [](const ast::Arg& a) { return static_cast<bool>(a.name); });
  if (named) {
    std::vector<Parameter> parameters;
    for (const std::string& p : stdlib::ParameterNames(name, e.args.size()))
      parameters.push_back({p, {}});
    if (parameters.empty()) {
      for (size_t count = 0; count < 8 && parameters.empty(); ++count) {
        for (const std::string& p : stdlib::ParameterNames(name, count))
          parameters.push_back({p, {}});
      }
    }
    ordered = BindArguments(context_, e.args, e.parens, parameters, name, {});
    if (std::find(ordered.begin(), ordered.end(), nullptr) != ordered.end()) return Error(e.span);
  } else {
    for (const ast::Arg& arg : e.args) ordered.push_back(&arg);
  }
  std::vector<ExprPtr> values;
  std::vector<stdlib::Argument> arguments;
  bool wrong = false;
  for (const ast::Arg* arg : ordered) {
    ExprPtr value = Infer(*arg->value);
    if (HasError(value->type)) wrong = true;
    stdlib::Argument argument;
    argument.type = value->type;
    if (value->kind == typed::ExprKind::kLiteral) {
      argument.is_int_literal = IsInt(value->type);
      argument.is_decimal_literal = IsDecimal(value->type);
      argument.literal = typed::As<typed::LiteralExpr>(*value).value.number;
    }
    arguments.push_back(argument);
    values.push_back(std::move(value));
  }
  if (wrong) return Error(e.span);
  stdlib::Match match = stdlib::Resolve(context_.types, name, arguments);
  if (match.function < 0 && arguments.size() == 1 && Aggregates().contains(name)) {
    if (scope_.aggregate != nullptr) return CallAggregate(e, Aggregates().at(name));
    return UnknownFunction(e, Cast<ast::NameExpr>(*e.callee).name);
  }
  if (match.function < 0) {
    std::vector<std::string> signatures = stdlib::Signatures(name);
    // An optional argument is the usual reason.
    std::vector<stdlib::Argument> present = arguments;
    for (stdlib::Argument& argument : present) argument.type = Present(argument.type);
    if (stdlib::Resolve(context_.types, name, present).function >= 0) {
      for (size_t i = 0; i < arguments.size(); ++i) {
        if (!IsOptional(arguments[i].type)) continue;
        RefuseOptional(*values[i], "`" + name + "` needs a value");
        return Error(e.span);
      }
    }
    std::string types;
    for (const auto& argument : arguments)
      types += (types.empty() ? "" : ", ") + context_.DisplayName(argument.type);
    bool count_fits = !stdlib::ParameterNames(name, arguments.size()).empty() ||
                      std::any_of(signatures.begin(), signatures.end(), [&](const std::string& s) {
                        return arguments.empty() && s.find("()") != std::string::npos;
                      });
    Reported reported =
        context_.Report(count_fits ? Code::kNoOverload : Code::kArgumentCount,
                        count_fits && arguments.size() == 1 ? values[0]->span : e.parens, "",
                        {name, types.empty() ? "nothing" : types});
    if (name.starts_with("round") && arguments.size() == 2 && arguments[1].is_int_literal &&
        IsDecimal(arguments[0].type) && arguments[1].literal > arguments[0].type->scale) {
      reported.Help("it has only " + std::to_string(arguments[0].type->scale) +
                    " digits after the point");
    }
    for (size_t i = 0; i < signatures.size() && i < 6; ++i)
      reported.Note("there is `" + signatures[i] + "`");
    return Error(e.span);
  }
  auto call = std::make_unique<typed::CallStdExpr>();
  call->function = match.function;
  call->type = match.result;
  call->span = e.span;
  for (size_t i = 0; i < values.size(); ++i) {
    const Type* wanted = match.parameters[i];
    bool literal = values[i]->kind == typed::ExprKind::kLiteral && IsNumber(values[i]->type) &&
                   IsNumber(Present(wanted));
    // A literal is read again as what the function takes.
    ExprPtr value =
        literal ? Check(*ordered[i]->value, wanted) : Convert(std::move(values[i]), wanted);
    if (HasError(value->type)) call->type = context_.error;
    Absorb(*call, *value);
    call->args.push_back(std::move(value));
  }
  if (match.fallible) {
    call->overflow_only =
        call->fallible ? call->overflow_only && match.overflow_only : match.overflow_only;
    call->fallible = true;
  }
  return call;
}

ExprPtr ExprChecker::CallAggregate(const ast::CallExpr& e, typed::AggregateKind kind) {
  using Kind = typed::AggregateKind;
  AggregateScope& aggregate = *scope_.aggregate;
  const std::string name = context_.Written(e.callee->span);
  if (aggregate.inside) {
    context_.Report(Code::kNestedAggregate, e.span, "it already stands in an aggregate", {name});
    return Error(e.span);
  }
  size_t low = kind == Kind::kCount ? 0 : kind == Kind::kVwap ? 2 : 1;
  size_t high = kind == Kind::kVwap ? 2 : 1;
  if (e.args.size() < low || e.args.size() > high) {
    static const std::map<Kind, const char*> shapes = {{Kind::kCount, "count()` or `count(x)"},
                                                       {Kind::kSum, "sum(x)"},
                                                       {Kind::kMin, "min(x)"},
                                                       {Kind::kMax, "max(x)"},
                                                       {Kind::kFirst, "first(x)"},
                                                       {Kind::kLast, "last(x)"},
                                                       {Kind::kAvg, "avg(x)"},
                                                       {Kind::kVwap, "vwap(price, quantity)"}};
    context_.Report(Code::kArgumentCount, e.parens, "", {name, std::to_string(e.args.size())})
        .Help(std::string("write `") + shapes.at(kind) + "`");
    return Error(e.span);
  }
  for (const ast::Arg& arg : e.args) {
    if (arg.name) {
      context_.Report(Code::kUnknownArgument, arg.name.span,
                      "arguments of an aggregate have no names", {name, arg.name.text});
      return Error(e.span);
    }
  }
  // Arguments see each record, not the window.
  Scope inner = scope_;
  inner.row = aggregate.input;
  inner.has_window = false;
  inner.has_meta = true;
  AggregateScope inside = aggregate;
  inside.inside = true;
  inner.aggregate = &inside;
  ExprChecker checker(context_, inner);
  typed::Aggregate result;
  result.kind = kind;
  result.span = e.span;
  bool wrong = false;
  for (const ast::Arg& arg : e.args) {
    result.args.push_back(checker.Infer(*arg.value));
    wrong = wrong || HasError(result.args.back()->type);
  }
  scope_.next_local = std::max(scope_.next_local, inner.next_local);
  if (wrong) return Error(e.span);

  auto refuse = [&](const typed::Expr& arg, const char* takes) {
    context_.Report(Code::kAggregateArgument, arg.span,
                    "this is `" + context_.DisplayName(arg.type) + "`",
                    {name, takes, context_.DisplayName(arg.type)});
    return Error(e.span);
  };
  const Type* arg = result.args.empty() ? nullptr : result.args[0]->type;
  if (arg != nullptr && arg->Is(TypeKind::kNull)) return refuse(*result.args[0], "a value");
  const Type* value = arg == nullptr ? nullptr : Present(arg);
  bool optional = arg != nullptr && IsOptional(arg);
  auto average_of = [&](const Type* t) {
    if (IsFloat(t)) return t;
    const Type* decimal = AsDecimal(context_.types, t);
    return context_.types.Decimal(38, std::max(6, decimal->scale), t->unit);
  };
  switch (kind) {
    case Kind::kCount: result.type = context_.int64; break;
    case Kind::kSum:
      if (!IsNumber(value) && !value->Is(TypeKind::kDuration))
        return refuse(*result.args[0], "numbers");
      if (IsInt(value)) {
        result.args[0] = optional ? Convert(std::move(result.args[0]),
                                            context_.types.Optional(context_.types.WithUnit(
                                                context_.int64, value->unit)))
                                  : Convert(std::move(result.args[0]),
                                            context_.types.WithUnit(context_.int64, value->unit));
        result.type = context_.types.WithUnit(context_.int64, value->unit);
      } else if (IsDecimal(value)) {
        result.type = context_.types.Decimal(38, value->scale, value->unit);
      } else if (IsFloat(value)) {
        result.type = value;
      } else {
        return refuse(*result.args[0], "numbers");
      }
      break;
    case Kind::kMin:
    case Kind::kMax:
      if (!IsOrdered(value)) return refuse(*result.args[0], "values with an order");
      result.type = arg;
      break;
    case Kind::kFirst:
    case Kind::kLast:
      if (!IsComparable(value)) {
        return refuse(*result.args[0], "single values");
      }
      result.type = arg;
      break;
    case Kind::kAvg:
      if (!IsNumber(value)) return refuse(*result.args[0], "numbers");
      result.type = optional ? context_.types.Optional(average_of(value)) : average_of(value);
      break;
    case Kind::kVwap: {
      const Type* quantity = Present(result.args[1]->type);
      if (!IsNumber(value)) return refuse(*result.args[0], "numbers");
      if (!IsNumber(quantity)) return refuse(*result.args[1], "numbers");
      if (IsFloat(value) != IsFloat(quantity)) {
        context_.Report(Code::kFloatMixed, e.span, "", {ToString(value), ToString(quantity)})
            .Secondary(result.args[0]->span, "this is `" + ToString(value) + "`")
            .Secondary(result.args[1]->span, "this is `" + ToString(quantity) + "`");
        return Error(e.span);
      }
      result.type = context_.types.Optional(average_of(value));
      break;
    }
  }
  auto access = std::make_unique<typed::AggregateExpr>();
  access->index = static_cast<int>(aggregate.aggregates->size());
  access->type = result.type;
  access->span = e.span;
  aggregate.aggregates->push_back(std::move(result));
  return access;
}

}  // namespace weirc::check
