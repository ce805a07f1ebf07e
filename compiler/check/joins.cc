// compiler/check/joins.cc — `| join table as alias on key { on missing … }`.
#include <algorithm>

#include "compiler/check/number_text.h"
#include "compiler/check/stream_checker.h"

namespace weirc::check {

namespace {

std::vector<std::string> TableKey(const typed::TableDef& table) {
  std::vector<std::string> names;
  for (const ExprPtr& part : table.key) {
    const auto& field = typed::As<typed::FieldExpr>(*part);
    names.push_back(table.record->fields[static_cast<size_t>(field.field)].name);
  }
  return names;
}

void FlattenAnd(const ast::Expr& e, std::vector<const ast::Expr*>* parts) {
  const auto* binary = As<ast::BinaryExpr>(&e);
  if (binary != nullptr && binary->op == ast::BinaryOp::kAnd) {
    FlattenAnd(*binary->left, parts);
    FlattenAnd(*binary->right, parts);
    return;
  }
  parts->push_back(&e);
}

// The field of `alias.field`; null for anything else.
const ast::Name* FieldOfAlias(const ast::Expr& e, const std::string& alias) {
  const auto* field = As<ast::FieldExpr>(&e);
  const auto* owner = field == nullptr ? nullptr : As<ast::NameExpr>(field->object.get());
  return owner != nullptr && owner->name.text == alias ? &field->name : nullptr;
}

}  // namespace

std::vector<ExprPtr> StreamChecker::JoinKey(const ast::JoinStep& step, const typed::TableDef& table,
                                            const std::string& alias,
                                            std::set<std::string>* equal) {
  std::vector<std::string> key = TableKey(table);
  // Which expression gives each part of the table's key.
  std::vector<const ast::Expr*> given(key.size(), nullptr);
  std::string paste;
  for (size_t i = 0; i < key.size(); ++i)
    paste += (i == 0 ? "" : " and ") + std::string("… == ") + alias + "." + key[i];
  auto not_key = [&](Span span, const std::string& name) {
    auto parts = KeyParts(*step.on);
    bool names = parts.size() == key.size() &&
                 std::all_of(parts.begin(), parts.end(),
                             [](const ast::Expr* e) { return e->kind == ast::ExprKind::kName; });
    if (names) {
      paste.clear();
      for (size_t i = 0; i < key.size(); ++i) {
        paste += (i == 0 ? "" : " and ") + Cast<ast::NameExpr>(*parts[i]).name.text +
                 " == " + alias + "." + key[i];
      }
    }
    std::string list = key.size() == 1 ? "`" + key[0] + "`" : "(" + OneOfNames(key, "and") + ")";
    context_.Report(Code::kJoinKey, span, "", {table.name, name})
        .Secondary(table.key.front()->span, "its key is " + list)
        .Help("write `on " + paste + "`");
  };
  auto put = [&](const ast::Name& name, const ast::Expr& value) {
    auto it = std::find(key.begin(), key.end(), name.text);
    if (it == key.end()) {
      not_key(name.span, name.text);
      return false;
    }
    const ast::Expr*& slot = given[static_cast<size_t>(it - key.begin())];
    if (slot != nullptr) {
      context_.Report(Code::kArgumentTwice, value.span, "", {name.text})
          .Secondary(slot->span, "given here already");
      return false;
    }
    slot = &value;
    // `symbol`, or `trades.symbol`: the record's own field of that name.
    const auto* own = As<ast::NameExpr>(&value);
    const auto* field = As<ast::FieldExpr>(&value);
    const auto* owner = field == nullptr ? nullptr : As<ast::NameExpr>(field->object.get());
    bool qualified = owner != nullptr && field->name.text == name.text &&
                     std::find(row_.qualifiers.begin(), row_.qualifiers.end(), owner->name.text) !=
                         row_.qualifiers.end();
    if (qualified || (own != nullptr && own->name.text == name.text)) equal->insert(name.text);
    return true;
  };
  bool names_only = true;
  for (const ast::Expr* part : KeyParts(*step.on))
    names_only = names_only && part->kind == ast::ExprKind::kName;
  if (names_only) {
    for (const ast::Expr* part : KeyParts(*step.on)) {
      const auto& name = Cast<ast::NameExpr>(*part).name;
      // `on account` while the table's key is `id`: the field is meant, but which of the table's?
      if (!put(name, *part)) return {};
    }
  } else {
    std::vector<const ast::Expr*> conditions;
    for (const ast::Expr* part : KeyParts(*step.on)) FlattenAnd(*part, &conditions);
    for (const ast::Expr* condition : conditions) {
      const auto* equals = As<ast::BinaryExpr>(condition);
      const ast::Name* right = nullptr;
      const ast::Expr* own = nullptr;
      if (equals != nullptr && equals->op == ast::BinaryOp::kEqual) {
        if ((right = FieldOfAlias(*equals->right, alias)) != nullptr) {
          own = equals->left.get();
        } else if ((right = FieldOfAlias(*equals->left, alias)) != nullptr) {
          own = equals->right.get();
        }
      }
      if (right == nullptr) {
        if (condition->kind != ast::ExprKind::kError) {
          context_.Report(Code::kJoinCondition, condition->span, "")
              .Help("write `on " + paste + "`; other conditions stand in a `where` behind it");
        }
        return {};
      }
      if (!put(*right, *own)) return {};
    }
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < key.size(); ++i) {
    if (given[i] == nullptr) missing.push_back(key[i]);
  }
  if (!missing.empty()) {
    context_
        .Report(Code::kJoinKeyIncomplete, step.on->span, "",
                {table.name, OneOfNames(missing, "and")})
        .Secondary(table.key.front()->span, "declared here")
        .Help("write `on " + paste + "`");
    return {};
  }
  std::vector<ExprPtr> values;
  for (size_t i = 0; i < key.size(); ++i) {
    Scope scope = RowScope();
    const typed::Field& field =
        table.record->fields[static_cast<size_t>(table.record->IndexOf(key[i]))];
    ExprPtr value = ExprChecker(context_, scope)
                        .Check(*given[i], field.type,
                               {.role = "`" + field.name + "` of `" + table.name + "`",
                                .declared = field.span});
    if (HasError(value->type)) return {};
    Handle(*value, "`join`");
    values.push_back(std::move(value));
  }
  return values;
}

void StreamChecker::Join(const ast::JoinStep& step) {
  const ast::Name& target = step.target.stream;
  const ast::Name& alias = step.alias ? step.alias : target;
  Symbol* symbol = target ? context_.FindValue(target.text) : nullptr;
  if (symbol != nullptr && symbol->kind == SymbolKind::kNamespace && step.target.branch) {
    auto it = symbol->members.find(step.target.branch.text);
    symbol = it == symbol->members.end() ? nullptr : it->second;
    if (symbol != nullptr) symbol->used = true;
  }
  auto unknown = [&]() {
    if (alias && !IsTaken(alias, "the joined side"))
      row_.record = Extend(alias, context_.error, alias.span);
    if (!alias) MarkUnknown();
  };
  bool streams = symbol != nullptr &&
                 (symbol->kind == SymbolKind::kStream || symbol->kind == SymbolKind::kSource);
  if (step.join_kind != ast::JoinKind::kPlain || streams) {
    if (streams && symbol->kind == SymbolKind::kSource)
      context_.source_read[static_cast<size_t>(symbol->index)] = true;
    std::string construct = step.join_kind == ast::JoinKind::kAsof    ? "`asof join`"
                            : step.join_kind == ast::JoinKind::kOuter ? "`outer join`"
                                                                      : "a join of two streams";
    context_.ReportLater(Code::kLaterStep, step.keyword, construct,
                         "this version joins a stream with a `table`");
    return unknown();
  }
  if (symbol == nullptr || symbol->kind != SymbolKind::kTable) {
    if (target && !(symbol != nullptr && symbol->kind == SymbolKind::kLater)) {
      std::string label =
          symbol == nullptr
              ? Context::Suggest(target.text, context_.ValueNames({SymbolKind::kTable}))
              : "this is a " + std::string(NameOf(symbol->kind));
      Reported reported = context_.Report(Code::kUnknownTable, target.span, label, {target.text});
      if (symbol != nullptr) reported.Secondary(symbol->span, "declared here");
      if (symbol != nullptr && symbol->kind == SymbolKind::kLookup)
        reported.Help("ask it: `| lookup " + target.text + "(…) as …`");
    }
    return unknown();
  }
  context_.table_read[static_cast<size_t>(symbol->index)] = true;
  const typed::TableDef& table = context_.out.tables[static_cast<size_t>(symbol->index)];
  if (step.within) {
    context_.Report(Code::kMisplacedWithin, step.within->span, "")
        .Help("leave out `within " + context_.Written(step.within->span) + "`")
        .Note("a table gives the row it has when the record comes");
  }
  CheckBlock(
      context_, step.block,
      {.what = "a join with a table", .events = {"missing"}, .later_entries = {"keep", "pick"}});
  if (table.record == nullptr) return unknown();
  auto out = std::make_unique<typed::TableJoinStep>();
  out->span = step.span;
  out->table = symbol->index;
  out->alias = alias.text;
  std::set<std::string> equal;
  const bool taken = IsTaken(alias, "the joined side");
  if (!aliases_.insert(alias.text).second && !taken) {
    context_.Report(Code::kAliasTwice, alias.span, "", {alias.text});
  }
  if (!table.key.empty() && step.on) out->key = JoinKey(step, table, alias.text, &equal);

  Scope scope = RowScope();
  const Type* record = context_.types.Record(table.record);
  ReadRoutes(context_, step.block, {{"missing", &out->on_missing}},
             {.allowed = true, .type = record, .scope = &scope, .instead = ""});
  bool given = std::any_of(step.block.ons.begin(), step.block.ons.end(), [](const auto& on) {
    return std::any_of(on.events.begin(), on.events.end(),
                       [](const auto& e) { return e.text == "missing"; });
  });
  if (!given && !Fallback(out->on_missing)) {
    context_.Report(Code::kJoinMissingUnhandled, step.target.span, "", {table.name})
        .Help(SendHelp("missing", true))
        .Note("or `on missing use null`, which makes it `" + table.record->name +
              "?`, or `on missing drop`");
  }
  if (taken) return;
  const Type* type = record;
  if (out->on_missing.kind == Route::kUse && IsOptional(out->on_missing.use->type))
    type = context_.types.Optional(record);
  if (out->on_missing.kind == Route::kUse) {
    // The value has the alias's type.
    ExprChecker checker(context_, scope);
    out->on_missing.use = checker.Convert(std::move(out->on_missing.use), type);
  }
  const RecordDef* row = Extend(alias, type, alias.span);
  Add(std::move(out), alias.text, "join", row);
  row_.record = row;
  std::string leaf = def_.name + "." + alias.text;
  row_.origins[alias.text] = {leaf, {leaf}};
  row_.joined.push_back({alias.text, table.record, std::move(equal)});
}

}  // namespace weirc::check
