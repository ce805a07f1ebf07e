// compiler/check/streams.cc — Streams in the order of their dependencies; `where`, `select`, `let`.
#include "compiler/check/stream_checker.h"

#include <algorithm>
#include <map>

namespace weirc::check {

namespace {

constexpr size_t kStepsMax = 500;
constexpr size_t kRowFieldsMax = 200'000;  // in all row types of a stream together

}  // namespace

Scope StepScope(const Row& row) {
  Scope scope;
  scope.place = Place::kRecord;
  scope.what = "a step";
  scope.row = &row;
  scope.has_meta = true;
  return scope;
}

Scope StreamChecker::RowScope() { return StepScope(row_); }

std::string StreamChecker::SendHelp(const std::string& event, bool braces) const {
  auto names = context_.ValueNames({SymbolKind::kDeadletter});
  std::string clause = "on " + event + " send " + (names.empty() ? "dead" : names.front());
  if (braces) clause = "{ " + clause + " }";
  return names.empty() ? "declare `deadletter dead`, give it a sink, and add `" + clause + "`"
                       : "add `" + clause + "`";
}

void StreamChecker::Handle(const typed::Expr& e, std::string_view where) {
  if (def_.on_unhandled.kind != Route::kNone) return;
  ReportUnhandled(context_, e, where, true);
}

bool StreamChecker::Fallback(Route& route) {
  if (route.kind != Route::kNone) return true;
  if (def_.on_unhandled.kind == Route::kNone) return false;
  route = CopyRoute(def_.on_unhandled);
  return true;
}

void StreamChecker::Add(std::unique_ptr<typed::Step> step, const std::string& alias,
                        std::string_view kind, const RecordDef* output) {
  std::string name = def_.name + "." + (alias.empty() ? std::string(kind) : alias);
  std::string unique = name;
  for (int i = 2; !step_names_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
  step->name = std::move(unique);
  step->input = row_.record;
  step->output = output;
  if (def_.on_unhandled.kind != Route::kNone) {
    step->on_error = CopyRoute(def_.on_unhandled);
  } else if (row_.source >= 0) {
    step->on_error = CopyRoute(context_.out.sources[static_cast<size_t>(row_.source)].on_bad);
  } else {
    step->on_error.kind = Route::kDrop;
  }
  if (output == nullptr) return;  // part of the row is unknown: nothing later looks at it
  def_.steps.push_back(std::move(step));
}

bool StreamChecker::IsTaken(const ast::Name& name, const char* what) {
  if (row_.record == nullptr) return false;
  int index = row_.record->IndexOf(name.text);
  if (index < 0) return false;
  context_.Report(Code::kNameTaken, name.span, "", {context_.DisplayName(row_.record), name.text})
      .Secondary(row_.record->fields[static_cast<size_t>(index)].span, "this is the field")
      .Help(std::string("give ") + what + " another name");
  return true;
}

const RecordDef* StreamChecker::Extend(const ast::Name& name, const Type* type, Span field_span) {
  if (row_.record == nullptr) return nullptr;
  std::vector<typed::Field> fields = row_.record->fields;
  typed::Field field;
  field.name = field.json_name = name.text;
  field.type = type;
  field.span = field_span;
  fields.push_back(std::move(field));
  field_count_ += fields.size();
  if (field_count_ > kRowFieldsMax) {
    context_.Report(Code::kTooManySteps, name.span, "",
                    {def_.name, "its rows have too many fields in all"});
    return nullptr;
  }
  const RecordDef* row = context_.NewRow(def_.name, ++row_count_, std::move(fields), field_span);
  if (context_.IsPoisoned(row_.record)) context_.poisoned.insert(row);
  return row;
}

void StreamChecker::ReadBlock() {
  CheckBlock(context_, decl_.block, {.what = "a stream", .events = {"unhandled"}});
  ReadRoutes(
      context_, decl_.block, {{"unhandled", &def_.on_unhandled}},
      {.instead = "there is no one value for all that can fail: write `send …`, `drop` or `stop`"});
}

void StreamChecker::Where(const ast::WhereStep& step) {
  if (!step.condition) return;
  Scope scope = RowScope();
  auto out = std::make_unique<typed::WhereStep>();
  out->span = step.span;
  out->condition =
      ExprChecker(context_, scope)
          .Check(*step.condition, context_.boolean, {.role = "the condition of `where`"});
  Handle(*out->condition, "`where`");
  Add(std::move(out), "", "where", row_.record);
}

void StreamChecker::Select(const ast::SelectStep& step) {
  Scope scope = RowScope();
  auto out = std::make_unique<typed::SelectStep>();
  out->span = step.span;
  std::vector<typed::Field> fields;
  std::unordered_map<std::string, Origin> origins;
  if (step.fields && step.fields->pairs.empty()) {
    context_.Report(Code::kEmptyStep, step.keyword, "", {"select", "field"});
  }
  if (step.fields) {
    for (const ast::Pair& pair : step.fields->pairs) {
      ExprPtr value = ExprChecker(context_, scope).Infer(*pair.value);
      if (value->type->Is(TypeKind::kNull)) {
        context_.Report(Code::kTypeUnknown, value->span, "absent what?", {"`null`"});
        value->type = context_.error;
      }
      Handle(*value, "`select`");
      typed::Field field;
      field.name = field.json_name = pair.name.text;
      field.type = value->type;
      field.span = pair.name.span;
      fields.push_back(std::move(field));
      origins[pair.name.text] = OriginOf(context_, row_, *value);
      out->values.push_back(std::move(value));
    }
  }
  if (step.time) {
    ExprPtr time = ExprChecker(context_, scope).Infer(*step.time, context_.timestamp);
    bool arrival = time->kind == typed::ExprKind::kMeta &&
                   typed::As<typed::MetaExpr>(*time).field == typed::MetaField::kArrival;
    if (arrival) {
      context_.Report(Code::kArrivalMixed, step.time->span,
                      "this is when it arrived, not when it happened");
    } else if (!HasError(time->type) && !time->type->Is(TypeKind::kTimestamp)) {
      context_.Report(Code::kTimeType, step.time->span, "this is `" + ToString(time->type) + "`");
    } else {
      Handle(*time, "`with time`");
      out->with_time = std::move(time);
    }
  }
  field_count_ += fields.size();
  const RecordDef* row = context_.NewRow(def_.name, ++row_count_, std::move(fields), step.keyword);
  if (!step.fields || step.fields->pairs.empty()) context_.poisoned.insert(row);
  Add(std::move(out), "", "select", row_.record == nullptr ? nullptr : row);
  row_.record = row;
  row_.joined.clear();
  row_.qualifiers = {def_.name};
  row_.origins = std::move(origins);
}

void StreamChecker::Let(const ast::LetStep& step) {
  if (!step.value || !step.name) return MarkUnknown();
  Scope scope = RowScope();
  auto out = std::make_unique<typed::LetStep>();
  out->span = step.span;
  ExprPtr value = ExprChecker(context_, scope).Infer(*step.value);
  if (value->type->Is(TypeKind::kNull)) {
    context_.Report(Code::kTypeUnknown, value->span, "absent what?", {"`null`"});
    value->type = context_.error;
  }
  Handle(*value, "`let`");
  if (IsTaken(step.name, "the new field")) return;
  Origin origin = OriginOf(context_, row_, *value);
  const RecordDef* row = Extend(step.name, value->type, step.name.span);
  out->value = std::move(value);
  Add(std::move(out), "", "let", row);
  row_.record = row;
  row_.origins[step.name.text] = std::move(origin);
}

void StreamChecker::Later(const ast::Step& step) {
  auto later = [&](std::string_view construct, std::string instead = {}) {
    context_.ReportLater(Code::kLaterStep, step.keyword, construct, std::move(instead));
  };
  switch (step.kind) {
    case ast::StepKind::kUnion:
      return later("`union`", "write a stream and a sink for each of its inputs");
    case ast::StepKind::kSplit:
      facts_.has_split = true;
      return later("`split`", "write a stream with `where` for each branch");
    case ast::StepKind::kFlatten: {
      later("`flatten`");
      const auto& flatten = Cast<ast::FlattenStep>(step);
      if (flatten.alias) row_.record = Extend(flatten.alias, context_.error, flatten.alias.span);
      return;
    }
    case ast::StepKind::kWindowJoin: {
      later("`window join`");
      return MarkUnknown();
    }
    case ast::StepKind::kDedup: return later("`dedup`");
    case ast::StepKind::kRekey:
      return later("`rekey`", "windows re-key by themselves: `window … by …`");
    default: return;
  }
}

void StreamChecker::CheckStep(size_t index) {
  const ast::Step& step = *decl_.steps[index];
  switch (step.kind) {
    case ast::StepKind::kWhere: return Where(Cast<ast::WhereStep>(step));
    case ast::StepKind::kSelect: return Select(Cast<ast::SelectStep>(step));
    case ast::StepKind::kLet: return Let(Cast<ast::LetStep>(step));
    case ast::StepKind::kJoin: return Join(Cast<ast::JoinStep>(step));
    case ast::StepKind::kLookup: return Lookup(Cast<ast::LookupStep>(step));
    case ast::StepKind::kWindow: {
      const ast::Step* next =
          index + 1 < decl_.steps.size() ? decl_.steps[index + 1].get() : nullptr;
      return Window(Cast<ast::WindowStep>(step), As<ast::AggregateStep>(next));
    }
    case ast::StepKind::kAggregate: {
      const ast::Step* before = index > 0 ? decl_.steps[index - 1].get() : nullptr;
      if (Is<ast::WindowStep>(before)) return;  // done with its window
      if (before == nullptr || before->kind != ast::StepKind::kError) {
        context_.Report(Code::kAggregateWithoutWindow, step.keyword, "over which records?")
            .Help("collect them first: `| window tumbling 1s by … { on late … }`")
            .Note("an aggregate over all records there ever were would need memory without bound");
      }
      return MarkUnknown();
    }
    case ast::StepKind::kError: return MarkUnknown();
    default: return Later(step);
  }
}

void StreamChecker::Run() {
  ReadBlock();
  if (decl_.steps.size() > kStepsMax) {
    context_.Report(Code::kTooManySteps, decl_.name.span, "",
                    {def_.name, "it has more than " + std::to_string(kStepsMax) + " steps"});
    MarkUnknown();
    return;
  }
  for (size_t i = 0; i < decl_.steps.size(); ++i) CheckStep(i);
  def_.row = row_.record;
  row_.owner = def_.name;
  row_.qualifiers = {def_.name};
}

bool ResolveInput(Context& context, const ast::StreamRef& ref, const char* reader,
                  typed::StreamInput* input, const StreamFacts** facts) {
  *facts = nullptr;
  if (!ref.stream) return false;
  Symbol* symbol = context.FindValue(ref.stream.text);
  bool qualified = false;
  if (symbol != nullptr && symbol->kind == SymbolKind::kNamespace && ref.branch) {
    auto it = symbol->members.find(ref.branch.text);
    if (it == symbol->members.end()) {
      std::vector<std::string> names;
      for (const auto& [name, _] : symbol->members) names.push_back(name);
      std::sort(names.begin(), names.end());
      context.Report(Code::kUnknownImported, ref.branch.span,
                     Context::Suggest(ref.branch.text, names), {ref.stream.text, ref.branch.text});
      return false;
    }
    symbol = it->second;
    symbol->used = true;
    qualified = true;
  }
  if (symbol == nullptr) {
    auto names =
        context.ValueNames({SymbolKind::kSource, SymbolKind::kStream, SymbolKind::kDeadletter});
    context.Report(Code::kUnknownStream, ref.stream.span, Context::Suggest(ref.stream.text, names),
                   {ref.stream.text});
    return false;
  }
  switch (symbol->kind) {
    case SymbolKind::kSource:
      *input = {typed::StreamInput::kSource, symbol->index};
      *facts = &context.source_facts[static_cast<size_t>(symbol->index)];
      context.source_read[static_cast<size_t>(symbol->index)] = true;
      break;
    case SymbolKind::kStream:
      if (symbol->index < 0) return false;  // part of a cycle
      *input = {typed::StreamInput::kStream, symbol->index};
      *facts = &context.stream_facts[static_cast<size_t>(symbol->index)];
      context.stream_read[static_cast<size_t>(symbol->index)] = true;
      break;
    case SymbolKind::kDeadletter:
      *input = {typed::StreamInput::kDeadletter, symbol->index};
      context.deadletter_read[static_cast<size_t>(symbol->index)] = true;
      break;
    case SymbolKind::kLater: return false;
    case SymbolKind::kTable:
      context.table_read[static_cast<size_t>(symbol->index)] = true;
      context.ReportLater(Code::kLaterStep, ref.stream.span, "the changes of a table as a stream",
                          "bring its rows into a stream: `| join " + symbol->name + " as … on …`");
      return false;
    default:
      context
          .Report(Code::kNotAStream, ref.stream.span, "",
                  {ref.stream.text, std::string(NameOf(symbol->kind)), reader})
          .Secondary(symbol->span, "declared here");
      return false;
  }
  if (ref.branch && !qualified) {
    if (*facts != nullptr && (*facts)->has_split) return false;
    context.Report(Code::kNoBranch, ref.branch.span, "", {ref.stream.text, ref.branch.text})
        .Secondary(symbol->span, "it does not end in a `split`");
    return false;
  }
  return true;
}

void CheckStreams(Context& context) {
  std::vector<Symbol*> symbols;
  std::map<std::string, int> number;
  for (const auto& symbol : context.symbols) {
    if (symbol->kind != SymbolKind::kStream) continue;
    number[symbol->name] = static_cast<int>(symbols.size());
    symbols.push_back(symbol.get());
  }
  std::vector<std::vector<int>> edges(symbols.size());
  std::vector<std::vector<Span>> places(symbols.size());
  for (size_t i = 0; i < symbols.size(); ++i) {
    const auto& decl = Cast<ast::StreamDecl>(*symbols[i]->decl);
    auto add = [&](const ast::StreamRef& ref) {
      auto it = number.find(ref.stream.text);
      if (it == number.end() && ref.branch) it = number.find(ref.branch.text);
      if (it == number.end()) return;
      edges[i].push_back(it->second);
      places[i].push_back(ref.span);
    };
    add(decl.origin);
    for (const ast::StepPtr& step : decl.steps) {
      if (const auto* join = As<ast::UnionStep>(step)) {
        for (const ast::StreamRef& ref : join->streams) add(ref);
      }
    }
  }
  std::set<int> cyclic;
  auto order = InDependencyOrder(edges, [&](const std::vector<int>& cycle) {
    auto from = static_cast<size_t>(cycle[cycle.size() - 2]);
    size_t edge = static_cast<size_t>(
        std::find(edges[from].begin(), edges[from].end(), cycle.back()) - edges[from].begin());
    std::string path;
    for (auto it = cycle.rbegin(); it != cycle.rend(); ++it) {
      path += (path.empty() ? "" : " → ") + symbols[static_cast<size_t>(*it)]->name;
    }
    context
        .Report(Code::kStreamCycle, places[from][edge], "",
                {symbols[static_cast<size_t>(cycle.back())]->name})
        .Note(path)
        .Help("start it from a source, or send it round through a topic");
    cyclic.insert(cycle.begin(), cycle.end());
  });

  context.stream_read.resize(symbols.size());
  context.stream_facts.resize(symbols.size());
  context.out.streams.reserve(symbols.size());
  for (int i : order) {
    Symbol& symbol = *symbols[static_cast<size_t>(i)];
    const auto& decl = Cast<ast::StreamDecl>(*symbol.decl);
    int index = static_cast<int>(context.out.streams.size());
    context.out.streams.emplace_back();
    typed::StreamDef& def = context.out.streams.back();
    StreamFacts& facts = context.stream_facts[static_cast<size_t>(index)];
    def.name = symbol.name;
    def.span = symbol.span;
    facts.row.owner = symbol.name;
    const StreamFacts* origin = nullptr;
    bool found =
        !cyclic.contains(i) && ResolveInput(context, decl.origin, "a stream", &def.input, &origin);
    if (found && def.input.kind == typed::StreamInput::kDeadletter) {
      context.ReportLater(Code::kLaterStep, decl.origin.span, "a stream of dead letters",
                          "send them out as they are: `sink " + decl.origin.stream.text +
                              "_out from " + decl.origin.stream.text + " = …`");
    }
    if (origin != nullptr) facts.row = origin->row;
    if (!found) facts.row.record = nullptr;
    if (def.input.kind == typed::StreamInput::kStream && found) {
      for (Disorder& disorder : facts.row.disorders)
        disorder.path.push_back(decl.origin.stream.text);
    }
    symbol.index = index;
    if (decl.broken) {
      facts.row.record = nullptr;
      continue;
    }
    StreamChecker(context, decl, def, facts).Run();
    facts.known = facts.row.record != nullptr;
  }
}

}  // namespace weirc::check
