// compiler/check/lookups.cc — `lookup name(params) -> T = connection.get("/path/{param}") {
// policies }`.
#include <algorithm>
#include <set>

#include "compiler/check/number_text.h"
#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

constexpr int64_t kTimeoutDefaultNs = 1'000'000'000;
constexpr int64_t kBackoffMaxDefaultNs = 1'000'000'000;

const BlockRules& LookupRules() {
  static const BlockRules rules = {.what = "a lookup",
                                   .entries = {{"in_flight"},
                                               {"timeout"},
                                               {"deadline"},
                                               {"retry", {}, {"budget"}},
                                               {"backoff", {"jitter"}},
                                               {"cache", {"for", "missing"}, {"stale"}},
                                               {"coalesce"}},
                                   .flags = {"sync", "async"},
                                   .later_entries = {"rate", "batch", "breaker", "hedge", "journal",
                                                     "durable", "headers", "expect"},
                                   .later_flags = {"pin"}};
  return rules;
}

// Names that occur in an expression: which parameters a request uses.
void CollectNames(const ast::Expr* e, std::set<std::string>* names) {
  if (e == nullptr) return;
  auto go = [names](const ast::ExprPtr& child) { CollectNames(child.get(), names); };
  switch (e->kind) {
    case ast::ExprKind::kName: names->insert(Cast<ast::NameExpr>(e).name.text); return;
    case ast::ExprKind::kString:
      for (const auto& part : Cast<ast::StringLit>(e).parts) go(part.expr);
      return;
    case ast::ExprKind::kList:
      for (const auto& item : Cast<ast::ListLit>(e).items) go(item);
      return;
    case ast::ExprKind::kRecord:
      for (const auto& pair : Cast<ast::RecordLit>(e).pairs) go(pair.value);
      return;
    case ast::ExprKind::kUnary: return go(Cast<ast::UnaryExpr>(e).operand);
    case ast::ExprKind::kBinary:
      go(Cast<ast::BinaryExpr>(e).left);
      return go(Cast<ast::BinaryExpr>(e).right);
    case ast::ExprKind::kField: return go(Cast<ast::FieldExpr>(e).object);
    case ast::ExprKind::kCall:
      for (const auto& arg : Cast<ast::CallExpr>(e).args) go(arg.value);
      return;
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

void ReadPath(Context& context, const ast::Expr& e, Scope& scope, typed::LookupDef& def) {
  const auto* text = As<ast::StringLit>(&e);
  if (text == nullptr) {
    if (e.kind != ast::ExprKind::kError) {
      context
          .Report(Code::kNotConstant, e.span,
                  "a path is written out, so that its parts can be told apart", {"a path"})
          .Help("write `\"/accounts/{id}\"`");
    }
    return;
  }
  bool first = true;
  for (const ast::StringPart& part : text->parts) {
    typed::RequestPart piece;
    if (!part.expr) {
      piece.text = part.text;
      if (first && !piece.text.starts_with("/")) {
        context.Report(Code::kBadPath, e.span, "it starts with `/`", {piece.text})
            .Help("write `\"/" + piece.text + "…\"`");
      }
    } else {
      if (first) {
        context
            .Report(Code::kBadPath, part.span,
                    "what is put in is escaped, so it cannot hold a whole path",
                    {context.Written(part.span)})
            .Help("write `\"/" + context.Written(part.span) + "\"`");
      }
      ExprChecker checker(context, scope);
      ExprPtr value = checker.ToText(checker.Infer(*part.expr));
      ReportUnhandled(context, *value, "a path", false);
      if (!HasError(value->type)) piece.value = std::move(value);
    }
    first = false;
    def.path.push_back(std::move(piece));
  }
  if (first) context.Report(Code::kBadPath, e.span, "it is empty", {""}).Help("write `\"/\"`");
}

void ReadRequest(Context& context, const ast::LookupDecl& decl, Scope& scope,
                 typed::LookupDef& def) {
  const ast::Expr& e = *decl.chain.front();
  const auto* call = As<ast::CallExpr>(&e);
  const auto* field = call == nullptr ? nullptr : As<ast::FieldExpr>(call->callee.get());
  const auto* owner = field == nullptr ? nullptr : As<ast::NameExpr>(field->object.get());
  if (owner == nullptr) {
    if (e.kind != ast::ExprKind::kError) {
      context.Report(Code::kNotARequest, e.span, "")
          .Help("write `api.get(\"/path/{id}\")` with a `connection api = http { url: \"…\" }`");
    }
    return;
  }
  Symbol* symbol = context.FindValue(owner->name.text);
  if (symbol == nullptr || symbol->kind != SymbolKind::kConnection) {
    std::string label =
        Context::Suggest(owner->name.text, context.ValueNames({SymbolKind::kConnection}));
    Reported reported =
        context.Report(Code::kUnknownConnection, owner->span, label, {owner->name.text});
    if (symbol != nullptr) {
      reported.Secondary(symbol->span, "this is a " + std::string(NameOf(symbol->kind)));
    } else if (label.empty()) {
      reported.Help("declare it: `connection " + owner->name.text +
                    " = http { url: \"http://…\" }`");
    }
    return;
  }
  def.connection = symbol->index;
  if (symbol->decl->broken) return;  // reported where it is declared
  const auto kind = context.out.connections[static_cast<size_t>(symbol->index)].kind;
  def.operation = field->name.text;
  switch (kind) {  // every kind is named: a new one must not pass as HTTP
    case typed::ConnectionKind::kFile: return;  // reported where it is declared
    case typed::ConnectionKind::kKafka:
      if (def.operation == "topic") {
        context
            .Report(Code::kUnknownOperation, field->name.span, "a topic cannot be asked",
                    {"a lookup over `kafka`", def.operation})
            .Help("a topic with one row a key is a table: `table " + decl.name.text +
                  ": T = " + owner->name.text + ".topic(\"…\") { key: … }`, then `join`");
      } else {
        context.ReportLater(Code::kLaterConnector, field->name.span, "request-response over Kafka");
      }
      return;
    case typed::ConnectionKind::kHttp: break;
  }
  bool post = def.operation == "post";
  if (!post && def.operation != "get") {
    for (std::string_view later : {"put", "delete", "patch", "head", "query", "find"}) {
      if (def.operation != later) continue;
      context.ReportLater(Code::kLaterConnector, field->name.span, "HTTP " + def.operation,
                          "this version has `get` and `post`");
      return;
    }
    context.Report(Code::kUnknownOperation, field->name.span,
                   Context::Suggest(def.operation, {"get", "post"}),
                   {"an `http` connection", def.operation});
    return;
  }
  std::vector<Parameter> parameters = {{"path", {}}};
  if (post) parameters.push_back({"body", {}});
  if (!post && call->args.size() == 2) {
    context.Report(Code::kBodyOfGet, call->args[1].span, "")
        .Help("write `" + owner->name.text + ".post(…)`, or put it into the path: `\"/…?x={x}\"`");
    return;
  }
  auto bound = BindArguments(context, call->args, call->parens, parameters, def.operation, {});
  if (bound[0] != nullptr) ReadPath(context, *bound[0]->value, scope, def);
  if (post && bound[1] != nullptr) {
    ExprChecker checker(context, scope);
    ExprPtr body = checker.Infer(*bound[1]->value);
    if (HasError(body->type)) return;
    ReportUnhandled(context, *body, "a body", false);
    if (!body->type->Is(TypeKind::kRecord) && !body->type->Is(TypeKind::kMap)) {
      context
          .Report(Code::kBadBody, bound[1]->span,
                  "this is `" + context.DisplayName(body->type) + "`")
          .Help("write a record: `{ id, amount }`");
      return;
    }
    def.body = std::move(body);
  }
}

void ReadBackoff(Context& context, const ast::Block& block, EntryReader& entries,
                 typed::LookupDef& def) {
  const ast::Entry* entry = block.Find("backoff");
  if (entry == nullptr) return;
  const auto* range = As<ast::BinaryExpr>(entry->value.get());
  if (range != nullptr && range->op == ast::BinaryOp::kRange) {
    def.backoff_min = entries.DurationValue(*range->left, "backoff", false);
    def.backoff_max = entries.DurationValue(*range->right, "backoff", false);
    auto low = ConstantNumber(def.backoff_min.get()), high = ConstantNumber(def.backoff_max.get());
    if (low && high && *low > *high) {
      context.Report(Code::kEmptyRange, range->span, "its low end is above its high end")
          .Help("write `backoff: " + context.Written(range->right->span) + ".." +
                context.Written(range->left->span) + "`");
    }
  } else {
    context.Report(Code::kBackoffRange, entry->value->span, "")
        .Help("write `backoff: 20ms..500ms`: the first wait, and the longest");
  }
  if (const ast::Phrase* jitter = entries.Phrase("backoff", "jitter")) {
    const auto* word = As<ast::NameExpr>(jitter->value.get());
    if (word != nullptr && (word->name.text == "full" || word->name.text == "none")) {
      def.jitter_full = word->name.text == "full";
    } else {
      context.Report(Code::kUnknownWord, jitter->value->span, "", {"jitter", "`full` or `none`"});
    }
  }
  if (block.Find("retry") == nullptr) {
    context.Report(Code::kBackoffWithoutRetry, entry->name.span, "nothing is tried again")
        .Help("add `retry: 3`");
  }
}

void ReadRetry(Context& context, const ast::Block& block, EntryReader& entries,
               typed::LookupDef& def) {
  const ast::Entry* entry = block.Find("retry");
  if (entry == nullptr) return;
  if (entry->value->kind == ast::ExprKind::kRecord) {
    context.ReportLater(Code::kLaterPolicy, entry->value->span, "`retry` by kind of failure",
                        "write one number: `retry: 3`");
    return;
  }
  def.retries = entries.Count("retry", 0, 100);
}

void ReadCache(Context& context, const ast::Block& block, EntryReader& entries,
               typed::LookupDef& def) {
  const ast::Entry* entry = block.Find("cache");
  if (entry == nullptr) return;
  if (entry->value->kind == ast::ExprKind::kDuration) {
    context.Report(Code::kCacheShape, entry->value->span, "how many entries?", {})
        .Help("write `cache: 100_000 for " + context.Written(entry->value->span) + "`");
    return;
  }
  def.cache_entries = entries.Count("cache", 1, 100'000'000);
  if (const ast::Phrase* phrase = entries.Phrase("cache", "for")) {
    def.cache_ttl = entries.DurationValue(*phrase->value, "for", false);
  } else {
    context.Report(Code::kCacheShape, entry->span, "for how long?", {})
        .Help("write `" + context.Written(entry->span) + " for 60s`");
  }
  if (const ast::Phrase* phrase = entries.Phrase("cache", "missing")) {
    def.cache_missing_ttl = entries.DurationValue(*phrase->value, "missing", false);
  }
}

// A deadline that ends before the attempts it pays for.
void CheckDeadline(Context& context, const ast::Block& block, const typed::LookupDef& def) {
  if (!def.deadline) return;
  auto known = [](const ExprPtr& e, int64_t otherwise) {
    return e ? ConstantNumber(e.get()) : std::optional<__int128>(otherwise);
  };
  auto deadline = known(def.deadline, 0);
  auto timeout = known(def.timeout, kTimeoutDefaultNs);
  auto retries = known(def.retries, 0);
  auto backoff = known(def.backoff_max, kBackoffMaxDefaultNs);
  if (!deadline || !timeout || !retries || !backoff) return;
  __int128 attempts = *retries + 1;
  __int128 needed = attempts * *timeout + (*retries > 0 ? *backoff : 0);
  if (*deadline >= needed) return;
  Reported reported = context.Report(Code::kDeadlineTooShort, block.Find("deadline")->value->span,
                                     "", {DurationText(*deadline), DurationText(needed)});
  std::string sum = NumberText(attempts) + (attempts == 1 ? " attempt of " : " attempts of ") +
                    DurationText(*timeout);
  if (*retries > 0) sum += ", and the longest wait of " + DurationText(*backoff);
  reported.Note(sum);
  if (const ast::Entry* entry = block.Find("timeout"))
    reported.Secondary(entry->span, "each attempt may take this long");
  if (const ast::Entry* entry = block.Find("retry"))
    reported.Secondary(entry->span, "and there may be more");
  reported.Help("write `deadline: " + DurationText(needed) + "` or longer");
}

void CheckLookup(Context& context, const ast::LookupDecl& decl, typed::LookupDef& def) {
  def.span = decl.name.span;
  Scope scope;
  scope.place = Place::kFunction;
  scope.what = "a lookup's request";
  for (const ast::Param& param : decl.params) {
    const Type* type = ResolveType(context, param.type);
    for (const Local& other : scope.locals) {
      if (other.name != param.name.text || !param.name) continue;
      context.Report(Code::kDuplicateMember, param.span, "", {decl.name.text, param.name.text})
          .Secondary(other.span, "first declared here");
    }
    scope.locals.push_back(
        {param.name.text, type, static_cast<int>(def.params.size()), param.span});
    def.params.emplace_back(param.name.text, type);
  }
  scope.next_local = static_cast<int>(def.params.size());
  const Type* result = ResolveType(context, decl.result);
  if (result->Is(TypeKind::kRecord)) {
    def.result = result->record;
  } else if (!HasError(result)) {
    Reported reported = context.Report(Code::kNotARecord, decl.result.span,
                                       "this is `" + ToString(result) + "`", {"a lookup's result"});
    if (IsOptional(result) && result->element->Is(TypeKind::kRecord)) {
      reported.Help("write `" + ToString(result->element) +
                    "`: that nothing is found is the outcome `missing`");
    } else {
      reported.Help("declare a record for what the service answers");
    }
  }
  if (decl.broken || decl.chain.empty()) return;
  if (decl.chain.size() > 1) {
    context.ReportLater(Code::kLaterPolicy, decl.chain[1]->span,
                        "asking a second service when the first does not know",
                        "ask one; a second step can ask the other");
  }
  ReadRequest(context, decl, scope, def);
  CheckBlock(context, decl.block, LookupRules());
  EntryReader entries(context, decl.block, "a lookup");
  const ast::Name* sync = decl.block.FindFlag("sync");
  const ast::Name* async = decl.block.FindFlag("async");
  if (sync != nullptr && async != nullptr) {
    context.Report(Code::kContradictingFlags, async->span, "", {"sync", "async"})
        .Secondary(sync->span, "the other");
  }
  def.sync = sync != nullptr;
  def.in_flight = entries.Count("in_flight", 1, 1'000'000);
  def.timeout = entries.Duration("timeout");
  def.deadline = entries.Duration("deadline");
  ReadRetry(context, decl.block, entries, def);
  ReadBackoff(context, decl.block, entries, def);
  ReadCache(context, decl.block, entries, def);
  if (auto coalesce = entries.Switch("coalesce")) def.coalesce = *coalesce;
  CheckDeadline(context, decl.block, def);

  std::set<std::string> names;
  for (const ast::ExprPtr& e : decl.chain) CollectNames(e.get(), &names);
  for (const ast::Param& param : decl.params) {
    if (!param.name || names.contains(param.name.text)) continue;
    context
        .Report(Code::kUnusedParameter, param.name.span, "it is not part of the request",
                {param.name.text})
        .Help("put it in: `\"…/{" + param.name.text + "}\"`");
  }
}

}  // namespace

void CheckLookups(Context& context) {
  for (const auto& symbol : context.symbols) {
    if (symbol->kind != SymbolKind::kLookup) continue;
    CheckLookup(context, Cast<ast::LookupDecl>(*symbol->decl),
                context.out.lookups[static_cast<size_t>(symbol->index)]);
  }
}

}  // namespace weirc::check
