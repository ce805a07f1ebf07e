// compiler/parse/builder_decls.cc — Declarations, types, blocks and test items of the Ast.
#include <algorithm>

#include "compiler/parse/builder.h"

namespace weirc {

using namespace ast;

// ------------------------------------------------------------------------------------ names, spans

Span Builder::SpanOf(Node* tree) const {
  if (tree == nullptr || tree->getStart() == nullptr) return Span();
  const Token& first = TokenOf(tree->getStart());
  if (tree->getStop() == nullptr ||
      tree->getStop()->getTokenIndex() < tree->getStart()->getTokenIndex()) {
    return SpanOf(first).AtBegin();
  }
  return Join(SpanOf(first), SpanOf(TokenOf(tree->getStop())));
}

Name Builder::NameOf(const Token& t) {
  Name name;
  name.span = SpanOf(t);
  std::string_view text = file_.Text(name.span);
  if (t.type == P::QNAME) {
    name.quoted = true;
    text = text.substr(1, text.size() - 2);
  }
  if (text.size() > kNameBytesMax) {
    diagnostics_.Report(Code::kTooLong, name.span, "",
                        {"name", std::to_string(kNameBytesMax) + " bytes"});
    broken_ = true;
    return name;
  }
  name.text = std::string(text);
  return name;
}

Name Builder::NameOf(P::NameContext* tree) {
  if (!IsWhole(tree) || tree->getStart() == nullptr) return Name();
  return NameOf(TokenOf(tree->getStart()));
}

Name Builder::NameOf(P::WordContext* tree) {
  if (!IsWhole(tree) || tree->getStart() == nullptr) return Name();
  return NameOf(TokenOf(tree->getStart()));
}

// The `///` lines that end on the line above `offset`, without a blank line between; none for what
// does not start its line.
std::string Builder::DocBefore(uint32_t offset) const {
  uint32_t line_begin = file_.LineBegin(file_.LineOf(offset));
  if (file_.Text({file_.id(), line_begin, offset}).find_first_not_of(" \t\xEF\xBB\xBF") !=
      std::string_view::npos)
    return "";
  auto next = std::lower_bound(comments_.begin(), comments_.end(), offset,
                               [](const Comment& c, uint32_t at) { return c.span.begin < at; });
  std::vector<std::string> lines;
  uint32_t line = file_.LineOf(offset);
  while (next != comments_.begin()) {
    --next;
    if (!next->is_doc || !next->own_line || file_.LineOf(next->span.begin) + 1 != line) break;
    --line;
    std::string_view text = next->text.substr(3);
    if (text.starts_with(" ")) text.remove_prefix(1);
    lines.emplace_back(text);
  }
  std::string doc;
  for (size_t i = lines.size(); i-- > 0;) doc += lines[i] + (i > 0 ? "\n" : "");
  return doc;
}

// ------------------------------------------------------------------------------------- small parts

std::unique_ptr<IntLit> Builder::BuildIntLit(antlr4::tree::TerminalNode* node) {
  if (node == nullptr) return nullptr;
  ExprPtr value = BuildLiteral(TokenOf(node));
  if (!Is<IntLit>(value)) return nullptr;
  return std::unique_ptr<IntLit>(static_cast<IntLit*>(value.release()));
}

TypeRef Builder::BuildType(P::TypeRefContext* tree) {
  TypeRef type;
  type.span = SpanOf(tree);
  Depth depth(this, type.span);
  if (!IsWhole(tree) || depth.TooDeep()) {
    broken_ = true;
    return type;
  }
  type.name = NameOf(tree->name());
  for (antlr4::tree::TerminalNode* number : tree->INT()) {
    if (auto literal = BuildIntLit(number)) type.parameters.push_back(std::move(literal));
  }
  for (P::TypeRefContext* argument : tree->typeRef()) type.arguments.push_back(BuildType(argument));
  type.nullable = tree->QM() != nullptr;
  return type;
}

std::vector<Param> Builder::BuildParams(P::ParamsContext* tree) {
  std::vector<Param> params;
  if (!IsWhole(tree)) return params;
  for (P::ParamContext* t : tree->param()) {
    if (!IsWhole(t)) continue;
    Param param;
    param.name = NameOf(t->name());
    param.type = BuildType(t->typeRef());
    param.span = SpanOf(t);
    params.push_back(std::move(param));
  }
  return params;
}

StreamRef Builder::BuildStreamRef(P::StreamRefContext* tree) {
  StreamRef ref;
  ref.span = SpanOf(tree);
  if (!IsWhole(tree)) return ref;
  std::vector<P::NameContext*> names = tree->name();
  ref.stream = NameOf(names[0]);
  if (names.size() > 1) ref.branch = NameOf(names[1]);
  return ref;
}

EnumMember Builder::BuildEnumMember(P::EnumMemberContext* tree) {
  EnumMember member;
  member.name = NameOf(tree->name());
  if (tree->string() != nullptr)
    member.from = BuildPlainString(tree->string(), "the text of an enum value");
  member.span = SpanOf(tree);
  member.doc = DocBefore(member.span.begin);
  return member;
}

RecordField Builder::BuildField(P::FieldContext* tree) {
  RecordField field;
  field.name = NameOf(tree->name());
  field.type = BuildType(tree->typeRef());
  if (tree->string() != nullptr)
    field.from = BuildPlainString(tree->string(), "the name of a field outside");
  std::vector<P::ExprContext*> exprs = tree->expr();
  if (tree->KIN() != nullptr) field.unit = BuildExpr(exprs[0]);
  if (tree->ASSIGN() != nullptr) field.default_value = BuildExpr(exprs.back());
  field.span = SpanOf(tree);
  field.doc = DocBefore(field.span.begin);
  return field;
}

TestItemPtr Builder::BuildTestItem(P::TestItemContext* tree) {
  TestItemPtr result;
  if (auto* t = dynamic_cast<P::FeedItemContext*>(tree)) {
    auto item = std::make_unique<FeedItem>();
    item->target = NameOf(t->name());
    const Token& less = TokenOf(t->LT());
    const Token& minus = TokenOf(t->MINUS());
    if (less.end != minus.begin) {
      diagnostics_.Report(Code::kExpected, Join(SpanOf(less), SpanOf(minus)), "", {"`<-`", "`< -`"})
          .Help("write `<-` without a space");
      broken_ = true;
    }
    item->rows = BuildExpr(t->expr());
    result = std::move(item);
  } else if (auto* t = dynamic_cast<P::StubItemContext*>(tree)) {
    auto item = std::make_unique<StubItem>();
    item->lookup = NameOf(t->name());
    item->args = BuildArgs(t->args());
    item->parens = SpanOf(t->args());
    std::vector<P::ExprContext*> exprs = t->expr();
    item->answer = BuildExpr(exprs[0]);
    if (t->AFTER() != nullptr) item->after = BuildExpr(exprs[1]);
    result = std::move(item);
  } else if (auto* t = dynamic_cast<P::WaitItemContext*>(tree)) {
    auto item = std::make_unique<WaitItem>();
    item->duration = BuildExpr(t->expr());
    result = std::move(item);
  } else if (auto* t = dynamic_cast<P::ExpectItemContext*>(tree)) {
    auto item = std::make_unique<ExpectItem>();
    item->target = BuildStreamRef(t->streamRef());
    item->exactly = t->EXACTLY() != nullptr;
    item->rows = BuildExpr(t->expr());
    result = std::move(item);
  }
  if (result) result->span = SpanOf(tree);
  return result;
}

// ------------------------------------------------------------------------------------------ blocks

Action Builder::BuildAction(P::ActionContext* tree) {
  Action action;
  action.span = SpanOf(tree);
  if (tree->USE() != nullptr) {
    action.kind = ActionKind::kUse;
    action.value = BuildExpr(tree->expr());
  } else if (tree->SEND() != nullptr) {
    action.kind = ActionKind::kSend;
    action.target = NameOf(tree->name());
  } else {
    action.kind = tree->DROP() != nullptr ? ActionKind::kDrop : ActionKind::kStop;
  }
  return action;
}

Block Builder::BuildBlock(P::BlockContext* tree) {
  Block block;
  if (tree == nullptr) return block;
  block.present = true;
  block.span = SpanOf(tree);
  Depth depth(this, block.span);
  if (!IsWhole(tree) || depth.TooDeep()) {
    broken_ = true;
    return block;
  }
  bool after_comma = false;
  FirstUses entries(this), flags(this);
  for (antlr4::tree::ParseTree* child : tree->children) {
    if (auto* sep = dynamic_cast<P::SepContext*>(child)) {
      after_comma = sep->COMMA() != nullptr;
    } else if (auto* item = dynamic_cast<P::ItemContext*>(child)) {
      if (IsWhole(item)) BuildItem(item, after_comma, &block, &entries, &flags);
      else broken_ = true;
    }
  }
  return block;
}

void Builder::BuildItem(P::ItemContext* tree, bool after_comma, Block* block, FirstUses* entries,
                        FirstUses* flags) {
  auto twice = [this](Span second, Span first, std::string what) {
    diagnostics_.Report(Code::kDuplicateEntry, second, "the second time", {std::move(what)})
        .Secondary(first, "the first time");
  };
  Span span = SpanOf(tree);
  if (auto* t = dynamic_cast<P::OnItemContext*>(tree)) {
    OnClause on;
    for (P::EventContext* event : t->event()) on.events.push_back(NameOf(event->name()));
    on.action = BuildAction(t->action());
    on.span = span;
    block->ons.push_back(std::move(on));
  } else if (auto* t = dynamic_cast<P::OrderItemContext*>(tree)) {
    if (block->order) return twice(span, block->order->span, "order");
    OrderClause order;
    order.span = span;
    order.kind = t->INPUT() != nullptr  ? OrderKind::kInput
                 : t->NONE() != nullptr ? OrderKind::kNone
                                        : OrderKind::kKey;
    if (order.kind == OrderKind::kKey) order.key = BuildExpr(t->expr());
    block->order = std::move(order);
  } else if (auto* t = dynamic_cast<P::EmitItemContext*>(tree)) {
    if (block->emit) return twice(span, block->emit->span, "emit");
    EmitClause emit;
    emit.span = span;
    emit.kind = t->FINAL() != nullptr ? EmitKind::kFinal
                : t->ON() != nullptr  ? EmitKind::kOnChange
                                      : EmitKind::kEvery;
    if (emit.kind == EmitKind::kEvery) emit.every = BuildExpr(t->expr());
    block->emit = std::move(emit);
  } else if (auto* t = dynamic_cast<P::AnswerItemContext*>(tree)) {
    Answer answer;
    answer.name = NameOf(t->name());
    answer.params = BuildParams(t->params());
    answer.result = BuildType(t->typeRef());
    for (P::ExprContext* expr : t->expr()) answer.chain.push_back(BuildExpr(expr));
    answer.block = BuildBlock(t->block());
    answer.span = span;
    answer.doc = DocBefore(span.begin);
    block->answers.push_back(std::move(answer));
  } else if (auto* t = dynamic_cast<P::EntryItemContext*>(tree)) {
    Entry entry;
    entry.name = NameOf(t->name());
    entry.value = BuildExpr(t->expr());
    for (P::PhraseContext* p : t->phrase()) {
      Phrase phrase;
      phrase.word = NameOf(p->word());
      phrase.value = BuildExpr(p->expr());
      phrase.span = SpanOf(p);
      entry.phrases.push_back(std::move(phrase));
    }
    entry.span = span;
    if (entries->Take(entry.name)) block->entries.push_back(std::move(entry));
  } else if (auto* t = dynamic_cast<P::FlagItemContext*>(tree)) {
    Name flag = NameOf(t->name());
    // order key a, b: the comma has ended the clause, and `b` looks like a flag.
    bool known = flag.text == "sync" || flag.text == "async" || flag.text == "pin";
    if (after_comma && !known) {
      const OrderClause* order = block->order ? &*block->order : nullptr;
      const Entry* key = block->Find("key");
      Span before, value;
      if (order != nullptr && order->key) before = order->span, value = order->key->span;
      if (key != nullptr && key->phrases.empty() && key->span.end > before.end)
        before = key->span, value = key->value->span;
      std::string_view between = before.IsValid() && before.end < span.begin
                                     ? file_.Text({file_.id(), before.end, span.begin})
                                     : std::string_view("x");
      if (between.find_first_not_of(" \t,)") == std::string_view::npos) {
        std::string first(file_.Text(value));
        std::string head(file_.Text({file_.id(), before.begin, value.begin}));
        diagnostics_
            .Report(Code::kCommaWithoutParentheses, span,
                    "the comma before it ends the " +
                        std::string(order != nullptr && before == order->span ? "clause" : "entry"),
                    {"keys"})
            .Help("write `" + head + "(" + first + ", " + flag.text + ")`");
        broken_ = true;
        return;
      }
    }
    if (flags->Take(flag)) block->flags.push_back(std::move(flag));
  }
}

// ------------------------------------------------------------------------------------ declarations

namespace {

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

template <typename T>
std::unique_ptr<T> NewDecl() {
  return std::make_unique<T>();
}

}  // namespace

DeclPtr Builder::BuildDecl(const Chunk& chunk, P::DeclContext* tree, bool broken) {
  chunk_ = &chunk;
  depth_ = 0;
  depth_reported_ = false;
  broken_ = broken;
  DeclPtr decl;
  if (tree != nullptr && tree->exception == nullptr) decl = BuildDeclOf(tree);
  if (!decl) {
    broken_ = true;
    decl = BuildBareDecl(chunk);
  }
  decl->broken = broken_;
  const Token& first = chunk.tokens.front();
  decl->keyword = SpanOf(first);
  const Token& last = chunk.tokens[chunk.tokens.size() - 2];
  decl->span = Join(SpanOf(first), SpanOf(last));
  decl->doc = DocBefore(first.begin);
  return decl;
}

// What can be known of a declaration that could not be read: its kind and its name.
DeclPtr Builder::BuildBareDecl(const Chunk& chunk) {
  DeclPtr decl;
  size_t name_index = 1;
  const std::vector<Token>& tokens = chunk.tokens;
  switch (tokens[0].type) {
    case P::PIPELINE: decl = NewDecl<PipelineDecl>(); break;
    case P::IMPORT: decl = NewDecl<ImportDecl>(); break;
    case P::PARAM: decl = NewDecl<ParamDecl>(); break;
    case P::SECRET: decl = NewDecl<SecretDecl>(); break;
    case P::CONNECTION: decl = NewDecl<ConnectionDecl>(); break;
    case P::ENUM: decl = NewDecl<EnumDecl>(); break;
    case P::RECORD: decl = NewDecl<RecordDecl>(); break;
    case P::DEADLETTER: decl = NewDecl<DeadletterDecl>(); break;
    case P::SOURCE: decl = NewDecl<SourceDecl>(); break;
    case P::TABLE: decl = NewDecl<TableDecl>(); break;
    case P::LOOKUP:
    case P::CALL: decl = NewDecl<LookupDecl>(); break;
    case P::EXTERN:
      name_index = 2;
      if (tokens.size() > 1 && tokens[1].type == P::FN) decl = NewDecl<ExternFnDecl>();
      else decl = NewDecl<ExternLookupDecl>();
      break;
    case P::FN: decl = NewDecl<FnDecl>(); break;
    case P::AGGREGATE: decl = NewDecl<AggregateFnDecl>(); break;
    case P::SERVICE: decl = NewDecl<ServiceDecl>(); break;
    case P::STREAM: decl = NewDecl<StreamDecl>(); break;
    case P::SINK: decl = NewDecl<SinkDecl>(); break;
    default: decl = NewDecl<TestDecl>(); break;
  }
  bool has_name = decl->kind != DeclKind::kTest && decl->kind != DeclKind::kImport;
  if (has_name && name_index < tokens.size() && IsName(tokens[name_index].type))
    decl->name = NameOf(tokens[name_index]);
  return decl;
}

DeclPtr Builder::BuildDeclOf(P::DeclContext* tree) {
  if (auto* t = dynamic_cast<P::PipelineDeclContext*>(tree)) {
    auto decl = NewDecl<PipelineDecl>();
    decl->name = NameOf(t->name());
    decl->version = BuildIntLit(t->INT());
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::ImportDeclContext*>(tree)) {
    auto decl = NewDecl<ImportDecl>();
    decl->path = BuildPlainString(t->string(), "the path of an import");
    if (t->name() != nullptr) decl->name = NameOf(t->name());
    return decl;
  }
  if (auto* t = dynamic_cast<P::ParamDeclContext*>(tree)) {
    auto decl = NewDecl<ParamDecl>();
    decl->name = NameOf(t->name());
    decl->type = BuildType(t->typeRef());
    if (t->ASSIGN() != nullptr) decl->default_value = BuildExpr(t->expr());
    return decl;
  }
  if (auto* t = dynamic_cast<P::SecretDeclContext*>(tree)) {
    auto decl = NewDecl<SecretDecl>();
    decl->name = NameOf(t->name());
    decl->type = BuildType(t->typeRef());
    return decl;
  }
  if (auto* t = dynamic_cast<P::ConnectionDeclContext*>(tree)) {
    auto decl = NewDecl<ConnectionDecl>();
    std::vector<P::NameContext*> names = t->name();
    decl->name = NameOf(names[0]);
    decl->connector = NameOf(names[1]);
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::EnumDeclContext*>(tree)) {
    auto decl = NewDecl<EnumDecl>();
    decl->name = NameOf(t->name());
    for (P::EnumMemberContext* member : t->enumBody()->enumMember()) {
      if (IsWhole(member)) decl->members.push_back(BuildEnumMember(member));
    }
    if (decl->members.empty() && !broken_) {
      diagnostics_.Report(Code::kExpected, SpanOf(t->enumBody()->RBRACE()), "", {"a name", "`}`"})
          .Help("an enum has at least one value");
      broken_ = true;
    }
    return decl;
  }
  if (auto* t = dynamic_cast<P::RecordDeclContext*>(tree)) {
    auto decl = NewDecl<RecordDecl>();
    decl->name = NameOf(t->name());
    for (P::FieldContext* field : t->recordBody()->field()) {
      if (IsWhole(field)) decl->fields.push_back(BuildField(field));
    }
    if (decl->fields.empty() && !broken_) {
      diagnostics_
          .Report(Code::kExpected, SpanOf(t->recordBody()->RBRACE()), "", {"a field", "`}`"})
          .Help("a record has at least one field: `id: string`");
      broken_ = true;
    }
    return decl;
  }
  if (auto* t = dynamic_cast<P::DeadletterDeclContext*>(tree)) {
    auto decl = NewDecl<DeadletterDecl>();
    decl->name = NameOf(t->name());
    return decl;
  }
  if (auto* t = dynamic_cast<P::SourceDeclContext*>(tree)) {
    auto decl = NewDecl<SourceDecl>();
    decl->name = NameOf(t->name());
    decl->type = BuildType(t->typeRef());
    decl->origin = BuildExpr(t->expr());
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::TableDeclContext*>(tree)) {
    auto decl = NewDecl<TableDecl>();
    decl->name = NameOf(t->name());
    if (t->typeRef() != nullptr) decl->type = BuildType(t->typeRef());
    decl->origin = BuildExpr(t->expr());
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::LookupDeclContext*>(tree)) {
    auto decl = NewDecl<LookupDecl>();
    decl->is_call = t->CALL() != nullptr;
    decl->name = NameOf(t->name());
    decl->params = BuildParams(t->params());
    decl->result = BuildType(t->typeRef());
    for (P::ExprContext* expr : t->expr()) decl->chain.push_back(BuildExpr(expr));
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::ExternLookupDeclContext*>(tree)) {
    auto decl = NewDecl<ExternLookupDecl>();
    decl->is_call = t->CALL() != nullptr;
    decl->name = NameOf(t->name());
    decl->params = BuildParams(t->params());
    decl->result = BuildType(t->typeRef());
    decl->from = BuildPlainString(t->string(), "the path of a header");
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::ExternFnDeclContext*>(tree)) {
    auto decl = NewDecl<ExternFnDecl>();
    decl->name = NameOf(t->name());
    decl->params = BuildParams(t->params());
    decl->result = BuildType(t->typeRef());
    decl->from = BuildPlainString(t->string(), "the path of a header");
    return decl;
  }
  if (auto* t = dynamic_cast<P::FnDeclContext*>(tree)) {
    auto decl = NewDecl<FnDecl>();
    decl->name = NameOf(t->name());
    decl->params = BuildParams(t->params());
    decl->result = BuildType(t->typeRef());
    if (t->fnBody() == nullptr) {
      decl->body = BuildExpr(t->expr());
    } else {
      for (P::LocalContext* l : t->fnBody()->local()) {
        Local local;
        local.name = NameOf(l->name());
        local.value = BuildExpr(l->expr());
        local.span = SpanOf(l);
        decl->locals.push_back(std::move(local));
      }
      decl->body = BuildExpr(t->fnBody()->expr());
    }
    return decl;
  }
  if (auto* t = dynamic_cast<P::AggregateFnDeclContext*>(tree)) {
    auto decl = NewDecl<AggregateFnDecl>();
    std::vector<P::NameContext*> names = t->name();
    std::vector<P::TypeRefContext*> types = t->typeRef();
    decl->name = NameOf(names[0]);
    decl->params = BuildParams(t->params());
    decl->result = BuildType(types[0]);
    decl->state = NameOf(names[1]);
    decl->state_type = BuildType(types[1]);
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::ServiceDeclContext*>(tree)) {
    auto decl = NewDecl<ServiceDecl>();
    decl->name = NameOf(t->name());
    decl->version = BuildIntLit(t->INT());
    decl->endpoint = BuildExpr(t->expr());
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::StreamDeclContext*>(tree)) {
    auto decl = NewDecl<StreamDecl>();
    decl->name = NameOf(t->name());
    decl->block = BuildBlock(t->block());
    decl->origin = BuildStreamRef(t->streamRef());
    // stream s = SELECT a FROM b: the word is no stream that could be missing.
    if (broken_ && t->step().empty() && EqualsIgnoringCase(decl->origin.stream.text, "select")) {
      decl->origin.stream.text.clear();
    }
    for (P::StepContext* step : t->step()) decl->steps.push_back(BuildStep(step));
    return decl;
  }
  if (auto* t = dynamic_cast<P::SinkDeclContext*>(tree)) {
    auto decl = NewDecl<SinkDecl>();
    decl->name = NameOf(t->name());
    decl->origin = BuildStreamRef(t->streamRef());
    decl->target = BuildExpr(t->expr());
    decl->block = BuildBlock(t->block());
    return decl;
  }
  if (auto* t = dynamic_cast<P::TestDeclContext*>(tree)) {
    auto decl = NewDecl<TestDecl>();
    decl->title = BuildPlainString(t->string(), "the title of a test");
    for (P::TestItemContext* item : t->testBody()->testItem()) {
      if (!IsWhole(item)) continue;
      if (TestItemPtr built = BuildTestItem(item)) decl->items.push_back(std::move(built));
    }
    return decl;
  }
  return nullptr;
}

}  // namespace weirc
