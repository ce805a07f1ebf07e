// compiler/check/endpoints.cc — Where records come from and go to: `main.topic("x")`,
// `ndjson("file")`, `stdin`; and keys.
#include <algorithm>

#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

bool IsLaterOperation(std::string_view name) {
  for (std::string_view later :
       {"csv", "parquet", "directory", "memory", "socket", "websocket", "rpc", "query", "find",
        "table", "collection", "stream", "hgetall", "get", "post", "poll", "listen"}) {
    if (name == later) return true;
  }
  return false;
}

std::string_view WordFor(Direction direction) {
  switch (direction) {
    case Direction::kSource: return "source";
    case Direction::kTable: return "table";
    case Direction::kSink: return "sink";
  }
  return "";
}

bool IsTopicName(std::string_view name) {
  if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
}

// The one argument: plain text, or a param.
bool ReadAddress(Context& context, const ast::CallExpr& call, const std::string& operation,
                 const char* what, typed::EndpointDef* out) {
  auto bound = BindArguments(context, call.args, call.parens,
                             {{operation == "topic" ? "name" : "path", {}}}, operation, {});
  if (bound[0] == nullptr) return false;
  const ast::Expr& e = *bound[0]->value;
  if (const auto* text = As<ast::StringLit>(&e); text != nullptr && !text->IsPlain()) {
    Span place;
    for (const auto& part : text->parts) {
      if (part.expr && !place.IsValid()) place = part.span;
    }
    context.Report(Code::kNotConstant, place, "nothing can be put in here", {what})
        .Help("use a param for the whole of it: `param name: string = …`")
        .Help("a brace that is text is written `{{`");
    return false;
  }
  Scope scope;
  scope.place = Place::kStart;
  scope.what = what;
  out->address = ExprChecker(context, scope).Check(e, context.string, {.role = what});
  if (HasError(out->address->type)) return false;
  bool simple = out->address->kind == typed::ExprKind::kLiteral ||
                out->address->kind == typed::ExprKind::kParam;
  if (!simple) {
    context.Report(Code::kNotConstant, e.span, "it is computed", {what})
        .Help("use a param for the whole of it: `param name: string = …`");
    return false;
  }
  if (out->address->kind == typed::ExprKind::kLiteral) {
    const std::string& text = typed::As<typed::LiteralExpr>(*out->address).value.text;
    if (operation == "topic" ? !IsTopicName(text) : text.empty()) {
      Reported reported = context.Report(Code::kBadAddress, e.span, "", {text, what});
      if (operation == "topic")
        reported.Note(
            "a topic's name is made of letters, digits, `.`, `_` and `-`, at most 249 of them");
      return false;
    }
  }
  return true;
}

bool ReadFormat(Context& context, const ast::Block& block, const std::string& operation,
                typed::EndpointDef* out) {
  out->format = operation == "lines" ? typed::Format::kRaw : typed::Format::kJson;
  const ast::Entry* entry = block.Find("format");
  if (entry == nullptr) return true;
  if (const auto* name = As<ast::NameExpr>(entry->value.get())) {
    for (std::string_view later : {"avro", "protobuf", "csv", "msgpack", "bson", "cbor", "xml"}) {
      if (name->name.text != later) continue;
      context.ReportLater(Code::kLaterConnector, entry->value->span,
                          "`format: " + name->name.text + "`");
      return false;
    }
  }
  int word = EntryReader(context, block, "").Word("format", {"json", "raw"});
  if (word < 0) return false;
  auto format = word == 0 ? typed::Format::kJson : typed::Format::kRaw;
  bool fixed = operation == "lines" || operation == "ndjson";
  if (fixed && format != out->format) {
    context
        .Report(Code::kFormatNotPossible, entry->value->span, "",
                {operation, word == 0 ? "json" : "raw"})
        .Help(operation == "lines" ? "JSON lines are `ndjson(…)`"
                                   : "lines that are not JSON are `lines(…)`");
    return false;
  }
  out->format = format;
  return true;
}

}  // namespace

bool ReadEndpoint(Context& context, const ast::Expr& e, const ast::Block& block,
                  Direction direction, const std::string& what, typed::EndpointDef* out) {
  out->span = e.span;
  const bool reads = direction != Direction::kSink;
  auto wrong = [&]() {
    if (e.kind != ast::ExprKind::kError) {
      context.Report(Code::kNotAnEndpoint, e.span, "", {std::string(WordFor(direction))})
          .Help(reads ? "write `main.topic(\"name\")` with a `connection main = kafka { … }`, "
                        "`ndjson(\"file\")`, `lines(\"file\")` or `stdin`"
                      : "write `main.topic(\"name\")` with a `connection main = kafka { … }`, "
                        "`ndjson(\"file\")`, `lines(\"file\")` or `stdout`");
    }
    return false;
  };
  const auto* call = As<ast::CallExpr>(&e);
  const ast::Expr* callee = call == nullptr ? &e : call->callee.get();
  if (const auto* word = As<ast::NameExpr>(callee)) {
    const std::string& name = word->name.text;
    if (name == "stdin" || name == "stdout") {
      if ((name == "stdin") != reads) {
        context.Report(Code::kWrongDirection, e.span, "", {name, std::string(WordFor(direction))})
            .Help(reads ? "write `stdin`" : "write `stdout`");
        return false;
      }
      if (direction == Direction::kTable) {
        context
            .Report(Code::kWrongDirection, e.span, "a table is loaded before the streams start",
                    {name, "table"})
            .Help("load it from a file, `ndjson(\"file\")`, or a compacted topic");
        return false;
      }
      if (call != nullptr && !call->args.empty()) {
        BindArguments(context, call->args, call->parens, {}, name, {});
        return false;
      }
      out->operation = name;
      return ReadFormat(context, block, name, out);
    }
    if (call == nullptr) {
      if (context.values.contains(name) &&
          context.values.at(name)->kind == SymbolKind::kConnection) {
        context.FindValue(name);
        context
            .Report(Code::kNotAnEndpoint, e.span, "this names a connection, but not what there",
                    {std::string(WordFor(direction))})
            .Help("write `" + name + ".topic(\"name\")`");
        return false;
      }
      return wrong();
    }
    if (name == "ndjson" || name == "lines") {
      out->operation = name;
      bool address = ReadAddress(context, *call, name, "the path of a file", out);
      return ReadFormat(context, block, name, out) && address;
    }
    if (IsLaterOperation(name)) {
      context.ReportLater(Code::kLaterConnector, e.span,
                          "`" + name + "(…)` as a " + std::string(WordFor(direction)));
      return false;
    }
    std::string label = Context::Suggest(name, {"ndjson", "lines", "stdin", "stdout", "topic"});
    Reported reported =
        context.Report(Code::kUnknownOperation, word->span, label, {"the language", name});
    if (name == "topic" || name == "kafka") {
      reported.Help(
          "a topic is reached through a connection: `connection main = kafka { brokers: \"…\" }`, "
          "then `main.topic(\"name\")`");
    } else if (name == "file" || name == "json" || name == "jsonl") {
      reported.Help("JSON lines in a file are `ndjson(\"file\")`, other lines `lines(\"file\")`");
    }
    return false;
  }
  const auto* field = As<ast::FieldExpr>(callee);
  if (call == nullptr || field == nullptr || field->object->kind != ast::ExprKind::kName)
    return wrong();
  const ast::Name& owner = Cast<ast::NameExpr>(*field->object).name;
  Symbol* symbol = context.FindValue(owner.text);
  if (symbol == nullptr || symbol->kind != SymbolKind::kConnection) {
    std::string label = Context::Suggest(owner.text, context.ValueNames({SymbolKind::kConnection}));
    Reported reported = context.Report(Code::kUnknownConnection, owner.span, label, {owner.text});
    if (symbol != nullptr) {
      reported.Secondary(symbol->span, "this is a " + std::string(NameOf(symbol->kind)));
    } else if (label.empty()) {
      reported.Help("declare it: `connection " + owner.text +
                    " = kafka { brokers: \"localhost:9092\" }`");
    }
    return false;
  }
  out->connection = symbol->index;
  const auto kind = context.out.connections[static_cast<size_t>(symbol->index)].kind;
  if (kind == typed::ConnectionKind::kFile || symbol->decl->broken)
    return false;  // reported where it is declared
  const std::string& operation = field->name.text;
  if (kind == typed::ConnectionKind::kHttp) {
    if (operation == "get" || operation == "post" || IsLaterOperation(operation)) {
      context.ReportLater(
          Code::kLaterConnector, e.span, "HTTP as a " + std::string(WordFor(direction)),
          reads ? "ask it for each record instead: `lookup name(id: string) -> T = " + owner.text +
                      ".get(\"/path/{id}\")`"
                : "");
      return false;
    }
    context.Report(Code::kUnknownOperation, field->name.span,
                   Context::Suggest(operation, {"get", "post"}),
                   {"an `http` connection", operation});
    return false;
  }
  if (operation != "topic") {
    if (operation == "rpc") {
      context.ReportLater(Code::kLaterConnector, e.span, "request-response over Kafka");
      return false;
    }
    context
        .Report(Code::kUnknownOperation, field->name.span, Context::Suggest(operation, {"topic"}),
                {"a `kafka` connection", operation})
        .Help("write `" + owner.text + ".topic(\"name\")`");
    return false;
  }
  out->operation = operation;
  bool address = ReadAddress(context, *call, operation, "the name of a topic", out);
  return ReadFormat(context, block, operation, out) && address;
}

std::vector<const ast::Expr*> KeyParts(const ast::Expr& e) {
  std::vector<const ast::Expr*> parts;
  if (const auto* tuple = As<ast::TupleExpr>(&e)) {
    for (const ast::ExprPtr& item : tuple->items) parts.push_back(item.get());
  } else {
    parts.push_back(&e);
  }
  return parts;
}

std::vector<ExprPtr> ReadKey(Context& context, const ast::Expr& e, Scope& scope,
                             const std::string& what) {
  std::vector<ExprPtr> key;
  bool wrong = false;
  for (const ast::Expr* part : KeyParts(e)) {
    ExprChecker checker(context, scope);
    ExprPtr value = checker.Infer(*part);
    if (HasError(value->type)) {
      wrong = true;
      continue;
    }
    if (IsOptional(value->type)) {
      context
          .Report(Code::kOptionalUsed, value->span,
                  "this is `" + ToString(value->type) + "`, and " + what + " is always there",
                  {context.Written(value->span)})
          .Help("say what stands in for an absent value: `" + context.Written(value->span) +
                " ?? \"\"`");
      wrong = true;
      continue;
    }
    if (!IsKeyType(value->type)) {
      context.Report(Code::kBadKeyType, value->span, "", {context.DisplayName(value->type), what})
          .Note("a key is made of text, integers, decimals, enums, times and `bool`");
      wrong = true;
      continue;
    }
    ReportUnhandled(context, *value, what, false);
    key.push_back(std::move(value));
  }
  if (wrong) key.clear();
  return key;
}

}  // namespace weirc::check
