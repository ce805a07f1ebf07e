// compiler/check/tests.cc — `test "…" { … }`: the records and answers of a test become data.
#include <algorithm>
#include <map>

#include "compiler/check/constant_json.h"
#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

Scope TestScope() {
  Scope scope;
  scope.place = Place::kConstant;
  scope.what = "a value in a test";
  return scope;
}

// A constant of a type, as JSON; empty after a report.
std::string ValueJson(Context& context, const ast::Expr& e, const Type* type,
                      const Target& target) {
  Scope scope = TestScope();
  ExprPtr value = ExprChecker(context, scope).Check(e, type, target);
  if (HasError(value->type)) return "";
  if (!IsConstant(*value)) {
    context.Report(Code::kNotConstant, e.span, "it is computed", {"a value in a test"})
        .Help("write its value");
    return "";
  }
  return ConstantJson(*value);
}

// Only the fields that are written.
std::string PartialJson(Context& context, const ast::Expr& e, const Type* type,
                        const std::string& owner) {
  const auto* literal = As<ast::RecordLit>(&e);
  const Type* present = Present(type);
  if (literal == nullptr || !present->Is(TypeKind::kRecord))
    return ValueJson(context, e, type, {.role = owner});
  const RecordDef& record = *present->record;
  std::string out;
  bool wrong = false;
  for (const ast::Pair& pair : literal->pairs) {
    int index = record.IndexOf(pair.name.text);
    if (index < 0) {
      wrong = true;
      if (context.IsPoisoned(&record) || !pair.name) continue;
      std::vector<std::string> names;
      for (const auto& field : record.fields) names.push_back(field.name);
      context.Report(Code::kUnknownField, pair.name.span, Context::Suggest(pair.name.text, names),
                     {pair.name.text, context.DisplayName(&record)});
      continue;
    }
    const typed::Field& field = record.fields[static_cast<size_t>(index)];
    if (HasError(field.type) || field.type->Is(TypeKind::kOutcome)) {
      wrong = true;
      continue;
    }
    std::string value = PartialJson(context, *pair.value, field.type, "`" + field.name + "`");
    wrong = wrong || value.empty();
    out += (out.empty() ? "" : ",") + JsonString(field.json_name) + ":" + value;
  }
  return wrong ? "" : "{" + out + "}";
}

// One record or a list of them, as a JSON array.
template <class Each>
std::string RowsJson(Context& context, const ast::Expr& e, const Each& each) {
  std::vector<const ast::Expr*> rows;
  if (const auto* list = As<ast::ListLit>(&e)) {
    for (const ast::ExprPtr& item : list->items) rows.push_back(item.get());
  } else {
    rows.push_back(&e);
  }
  std::string out;
  for (const ast::Expr* row : rows) {
    if (row->kind == ast::ExprKind::kError) continue;
    if (row->kind != ast::ExprKind::kRecord) {
      context.Report(Code::kNotRows, row->span, "")
          .Help("write `{ field: value, … }`, or `[ {…}, {…} ]`");
      continue;
    }
    std::string json = each(*row);
    if (json.empty()) continue;
    out += (out.empty() ? "" : ",") + json;
  }
  return "[" + out + "]";
}

void Feed(Context& context, const ast::FeedItem& item, typed::TestItem& out) {
  if (!item.target || !item.rows) return;
  Symbol* symbol = context.FindValue(item.target.text);
  const RecordDef* record = nullptr;
  typed::Format format = typed::Format::kJson;
  if (symbol != nullptr && symbol->kind == SymbolKind::kSource) {
    out.kind = typed::TestItem::kFeedSource;
    out.target = symbol->index;
    record = context.out.sources[static_cast<size_t>(symbol->index)].record;
    format = context.out.sources[static_cast<size_t>(symbol->index)].endpoint.format;
  } else if (symbol != nullptr && symbol->kind == SymbolKind::kTable) {
    out.kind = typed::TestItem::kFeedTable;
    out.target = symbol->index;
    record = context.out.tables[static_cast<size_t>(symbol->index)].record;
    format = context.out.tables[static_cast<size_t>(symbol->index)].endpoint.format;
  } else {
    std::string label =
        symbol == nullptr
            ? Context::Suggest(item.target.text,
                               context.ValueNames({SymbolKind::kSource, SymbolKind::kTable}))
            : "this is a " + std::string(NameOf(symbol->kind));
    context.Report(Code::kUnknownFeed, item.target.span, label, {item.target.text});
    return;
  }
  if (record == nullptr) return;
  const Type* type = context.types.Record(record);
  out.json = RowsJson(context, *item.rows, [&](const ast::Expr& row) {
    std::string json = ValueJson(context, row, type, {});
    if (format == typed::Format::kRaw && record->fields.size() == 1) {
      // Of a raw record the text alone.
      std::string prefix = "{" + JsonString(record->fields[0].json_name) + ":";
      if (json.starts_with(prefix))
        json = json.substr(prefix.size(), json.size() - prefix.size() - 1);
    }
    return json;
  });
}

// One answer as {"outcome":…}; empty after a report.
std::string AnswerJson(Context& context, const ast::Expr& e, const RecordDef* result) {
  const std::vector<std::string> names = {"missing", "timeout", "rejected", "error"};
  auto outcome = [&](const ast::Name& name, const std::string& reason) -> std::string {
    if (std::find(names.begin(), names.end(), name.text) == names.end()) {
      Reported reported = context.Report(Code::kUnknownAnswer, name.span,
                                         Context::Suggest(name.text, names), {name.text});
      if (name.text == "failed") {
        reported.Help("say how it fails: `timeout`, `rejected` or `error`");
      } else if (name.text == "found") {
        reported.Help("give the record: `answers { … }`");
      } else {
        reported.Note(
            "an answer is a record, `missing`, `timeout`, `rejected(\"why\")` or `error(\"why\")`");
      }
      return "";
    }
    std::string json = "{\"outcome\":" + JsonString(name.text);
    if (!reason.empty()) json += ",\"reason\":" + reason;
    return json + "}";
  };
  if (const auto* name = As<ast::NameExpr>(&e)) return outcome(name->name, "");
  if (const auto* call = As<ast::CallExpr>(&e)) {
    if (const auto* name = As<ast::NameExpr>(call->callee.get())) {
      if (call->args.size() != 1) {
        context
            .Report(Code::kArgumentCount, call->parens, "",
                    {name->name.text, std::to_string(call->args.size())})
            .Help("write `" + name->name.text + "(\"why\")`");
        return "";
      }
      std::string reason =
          ValueJson(context, *call->args[0].value, context.string, {.role = "the reason"});
      return reason.empty() ? "" : outcome(name->name, reason);
    }
  }
  if (e.kind == ast::ExprKind::kRecord) {
    if (result == nullptr) return "";
    std::string value = ValueJson(context, e, context.types.Record(result), {});
    return value.empty() ? "" : "{\"outcome\":\"found\",\"value\":" + value + "}";
  }
  if (e.kind != ast::ExprKind::kError) {
    context.Report(Code::kUnknownAnswer, e.span, "", {context.Written(e.span)})
        .Note(
            "an answer is a record, `missing`, `timeout`, `rejected(\"why\")` or `error(\"why\")`");
  }
  return "";
}

bool ReadDuration(Context& context, const ast::Expr& e, const char* what, bool may_be_zero,
                  int64_t* out) {
  Scope scope = TestScope();
  ExprPtr value = ExprChecker(context, scope).Check(e, context.duration, {.role = what});
  if (HasError(value->type)) return false;
  auto number = ConstantNumber(value.get());
  if (!number) {
    context.Report(Code::kNotConstant, e.span, "it is computed", {"a value in a test"});
    return false;
  }
  if (*number < 0 || (*number == 0 && !may_be_zero)) {
    context.Report(Code::kNotPositive, e.span, "",
                   {what, may_be_zero ? "not be negative" : "be longer than zero"});
    return false;
  }
  *out = static_cast<int64_t>(*number);
  return true;
}

void Stub(Context& context, const ast::StubItem& item, typed::TestItem& out) {
  out.kind = typed::TestItem::kStub;
  if (!item.lookup || !item.answer) return;
  Symbol* symbol = context.FindValue(item.lookup.text);
  if (symbol == nullptr || symbol->kind != SymbolKind::kLookup) {
    if (symbol != nullptr && symbol->kind == SymbolKind::kLater) return;
    std::string label =
        symbol == nullptr
            ? Context::Suggest(item.lookup.text, context.ValueNames({SymbolKind::kLookup}))
            : "this is a " + std::string(NameOf(symbol->kind));
    context.Report(Code::kUnknownStub, item.lookup.span, label, {item.lookup.text});
    return;
  }
  const auto& declared = Cast<ast::LookupDecl>(*symbol->decl);
  const typed::LookupDef& lookup = context.out.lookups[static_cast<size_t>(symbol->index)];
  out.target = symbol->index;
  std::vector<Parameter> parameters;
  for (const ast::Param& p : declared.params) parameters.push_back({p.name.text, p.span});
  if (!declared.broken) {
    auto bound =
        BindArguments(context, item.args, item.parens, parameters, symbol->name, symbol->span);
    std::string args;
    for (size_t i = 0; i < bound.size(); ++i) {
      if (bound[i] == nullptr) continue;
      bool any = bound[i]->value->kind == ast::ExprKind::kUnderscore;
      std::string value = any ? "null"
                              : ValueJson(context, *bound[i]->value, lookup.params[i].second,
                                          {.role = "`" + lookup.params[i].first + "`",
                                           .declared = parameters[i].span});
      args += (args.empty() ? "" : ",") + value;
    }
    out.args_json = "[" + args + "]";
  }
  std::vector<const ast::Expr*> answers;
  if (const auto* list = As<ast::ListLit>(item.answer.get())) {
    for (const ast::ExprPtr& answer : list->items) answers.push_back(answer.get());
    if (answers.empty())
      context.Report(Code::kUnknownAnswer, item.answer->span, "at least one", {"[]"});
  } else {
    answers.push_back(item.answer.get());
  }
  std::string json;
  for (const ast::Expr* answer : answers) {
    std::string one = AnswerJson(context, *answer, lookup.result);
    if (!one.empty()) json += (json.empty() ? "" : ",") + one;
  }
  out.json = "[" + json + "]";
  if (item.after) ReadDuration(context, *item.after, "`after`", true, &out.duration_ns);
}

void Expect(Context& context, const ast::ExpectItem& item, typed::TestItem& out) {
  out.kind = item.exactly ? typed::TestItem::kExactly : typed::TestItem::kContains;
  if (!item.rows) return;
  out.span = item.rows->span;
  const StreamFacts* facts = nullptr;
  // Looking at a dead letter stream does not take its records anywhere.
  std::vector<bool> read = context.deadletter_read;
  bool found = ResolveInput(context, item.target, "an expectation", &out.stream, &facts);
  context.deadletter_read = std::move(read);
  if (!found) return;
  const RecordDef* record = facts == nullptr ? context.dead_letter : facts->row.record;
  if (record == nullptr) return;
  const Type* type = context.types.Record(record);
  bool whole = item.exactly && facts != nullptr;
  out.json = RowsJson(context, *item.rows, [&](const ast::Expr& row) {
    return whole ? ValueJson(context, row, type, {}) : PartialJson(context, row, type, "this");
  });
}

}  // namespace

void CheckTests(Context& context) {
  std::map<std::string, Span> titles;
  for (const ast::DeclPtr& decl : context.files.front()->decls) {
    const auto* test = As<ast::TestDecl>(decl);
    if (test == nullptr) continue;
    typed::TestDef def;
    def.span = test->title ? test->title->span : test->keyword;
    def.name = test->title ? std::string(test->title->PlainText()) : "";
    if (test->title) {
      auto [it, added] = titles.try_emplace(def.name, def.span);
      if (!added)
        context.Report(Code::kDuplicateTest, def.span, "", {def.name})
            .Secondary(it->second, "the first is here");
    }
    for (const ast::TestItemPtr& item : test->items) {
      typed::TestItem out{};
      out.span = item->span;
      switch (item->kind) {
        case ast::TestItemKind::kFeed: Feed(context, Cast<ast::FeedItem>(*item), out); break;
        case ast::TestItemKind::kStub: Stub(context, Cast<ast::StubItem>(*item), out); break;
        case ast::TestItemKind::kExpect: Expect(context, Cast<ast::ExpectItem>(*item), out); break;
        case ast::TestItemKind::kWait:
          out.kind = typed::TestItem::kWait;
          if (Cast<ast::WaitItem>(*item).duration) {
            ReadDuration(context, *Cast<ast::WaitItem>(*item).duration, "`wait`", false,
                         &out.duration_ns);
          }
          break;
      }
      def.items.push_back(std::move(out));
    }
    bool expects = std::any_of(test->items.begin(), test->items.end(),
                               [](const auto& i) { return i->kind == ast::TestItemKind::kExpect; });
    if (!expects && !test->broken && test->title) {
      context.Report(Code::kTestWithoutExpectation, def.span, "", {})
          .Help("add `expect … contains { … }`");
    }
    context.out.tests.push_back(std::move(def));
  }
}

}  // namespace weirc::check
