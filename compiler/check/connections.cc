// compiler/check/connections.cc — Connections: what is outside, and the properties that reach it.
#include <algorithm>
#include <map>

#include "compiler/check/number_text.h"
#include "compiler/check/passes.h"

namespace weirc::typed {

std::string_view NameOf(ConnectionKind kind) {
  switch (kind) {
    case ConnectionKind::kFile: return "file";
    case ConnectionKind::kKafka: return "kafka";
    case ConnectionKind::kHttp: return "http";
  }
  return "";
}

}  // namespace weirc::typed

namespace weirc::check {

void ReadProperty(Context& context, const std::string& name, const ast::Expr& e, Scope& scope,
                  std::vector<typed::PropertyDef>* out) {
  if (const auto* record = As<ast::RecordLit>(&e)) {
    for (const ast::Pair& pair : record->pairs) {
      ReadProperty(context, name + "." + pair.name.text, *pair.value, scope, out);
    }
    return;
  }
  ExprChecker checker(context, scope);
  ExprPtr value = checker.Infer(e);
  if (HasError(value->type)) return;
  const Type* type = value->type;
  bool fits = type->Is(TypeKind::kBool) || IsNumber(type) || type->Is(TypeKind::kString) ||
              type->Is(TypeKind::kDuration) ||
              (type->Is(TypeKind::kList) && type->element->Is(TypeKind::kString));
  if (!fits) {
    context.Report(Code::kPropertyType, e.span, "this is `" + context.DisplayName(type) + "`",
                   {name});
    return;
  }
  ReportUnhandled(context, *value, "a property", false);
  out->push_back({name, std::move(value), e.span});
}

namespace {

struct ConnectorRule {
  typed::ConnectionKind kind;
  BlockRules rules;
  std::vector<std::pair<std::string_view, const char*>> required;  // and an example
};

const ConnectorRule* RuleFor(std::string_view connector) {
  static const ConnectorRule kafka = {typed::ConnectionKind::kKafka,
                                      {.what = "a `kafka` connection",
                                       .entries = {{"brokers"},
                                                   {"group"},
                                                   {"tls"},
                                                   {"ca"},
                                                   {"user"},
                                                   {"password"},
                                                   {"mechanism"},
                                                   {"kafka"}},
                                       .later_entries = {"schema_registry"}},
                                      {{"brokers", "brokers: \"localhost:9092\""}}};
  static const ConnectorRule http = {typed::ConnectionKind::kHttp,
                                     {.what = "an `http` connection",
                                      .entries = {{"url"},
                                                  {"connections"},
                                                  {"headers"},
                                                  {"token"},
                                                  {"user"},
                                                  {"password"},
                                                  {"authorization"},
                                                  {"ca"},
                                                  {"connect_timeout"},
                                                  {"answer_max"}},
                                      .later_entries = {"rate", "breaker", "http2"}},
                                     {{"url", "url: \"http://localhost:8080\""}}};
  if (connector == "kafka") return &kafka;
  if (connector == "http") return &http;
  return nullptr;
}

// The type each property must have; others may be text, numbers, switches.
const Type* TypeOfProperty(Context& context, std::string_view name) {
  if (name == "tls") return context.boolean;
  if (name == "connections" || name == "answer_max") return context.int64;
  if (name == "connect_timeout") return context.duration;
  if (name == "brokers" || name == "kafka" || name == "headers") return nullptr;
  return context.string;
}

bool IsLaterConnector(std::string_view name) {
  for (std::string_view later : {"postgres", "mongodb", "redis", "service", "grpc", "s3", "nats",
                                 "amqp", "mqtt", "websocket"}) {
    if (name == later) return true;
  }
  return false;
}

const char* OtherConnectorOf(std::string_view name) {
  static const std::map<std::string_view, const char*> names = {
      {"https", "http"},  {"rest", "http"},     {"redpanda", "kafka"}, {"postgresql", "postgres"},
      {"pg", "postgres"}, {"mongo", "mongodb"}, {"confluent", "kafka"}};
  auto it = names.find(name);
  return it == names.end() ? nullptr : it->second;
}

void CheckConnection(Context& context, const ast::ConnectionDecl& decl, typed::ConnectionDef& def) {
  def.span = decl.name.span;
  def.kind = typed::ConnectionKind::kFile;
  if (!decl.connector) return;
  const std::string& connector = decl.connector.text;
  const ConnectorRule* rule = RuleFor(connector);
  if (rule == nullptr) {
    if (IsLaterConnector(connector)) {
      context.ReportLater(Code::kLaterConnector, decl.connector.span,
                          "a `" + connector + "` connection");
      return;
    }
    const char* other = OtherConnectorOf(connector);
    std::string label =
        other != nullptr
            ? "here it is called `" + std::string(other) + "`"
            : Context::Suggest(connector, {"kafka", "http", "postgres", "mongodb", "redis"});
    Reported reported =
        context.Report(Code::kUnknownConnector, decl.connector.span, label, {connector});
    if (connector == "file" || connector == "csv" || connector == "ndjson" ||
        connector == "stdin") {
      reported.Help("files need no connection: `source … = ndjson(\"file\")`");
    } else {
      reported.Note(
          "this version has `kafka` and `http`; files, `stdin` and `stdout` need no connection");
    }
    return;
  }
  def.kind = rule->kind;
  if (decl.broken) return;
  CheckBlock(context, decl.block, rule->rules);
  Scope scope;
  scope.place = Place::kConnection;
  scope.what = "a connection";
  for (const ast::Entry& entry : decl.block.entries) {
    const std::string& name = entry.name.text;
    bool known = std::any_of(rule->rules.entries.begin(), rule->rules.entries.end(),
                             [&](const EntryRule& r) { return r.name == name; });
    if (!known) continue;
    bool map = entry.value->kind == ast::ExprKind::kRecord;
    if (map != (name == "kafka" || name == "headers")) {
      if (entry.value->kind == ast::ExprKind::kError) continue;
      context.Report(Code::kPropertyType, entry.value->span, "", {name})
          .Help(map ? "write one value" : "write `" + name + ": { \"name\": \"value\" }`");
      continue;
    }
    size_t before = def.properties.size();
    if (const Type* type = TypeOfProperty(context, name)) {
      ExprPtr value =
          ExprChecker(context, scope).Check(*entry.value, type, {.role = "`" + name + "`"});
      if (HasError(value->type)) continue;
      ReportUnhandled(context, *value, "a property", false);
      def.properties.push_back({name, std::move(value), entry.value->span});
    } else {
      ReadProperty(context, name, *entry.value, scope, &def.properties);
    }
    if (def.properties.size() == before) continue;
    const typed::Expr& value = *def.properties.back().value;
    bool literal = value.kind == typed::ExprKind::kLiteral && value.type->Is(TypeKind::kString);
    const std::string text = literal ? typed::As<typed::LiteralExpr>(value).value.text : "";
    if (literal && name == "url" && !text.starts_with("http://") && !text.starts_with("https://")) {
      context.Report(Code::kBadUrl, entry.value->span, "", {text})
          .Help("write `\"http://" + text + "\"`");
    }
    auto number = value.type->Is(TypeKind::kString) ? std::nullopt : ConstantNumber(&value);
    if (number && name == "connections" && (*number < 1 || *number > 10'000)) {
      context.Report(Code::kOutOfBounds, entry.value->span, "", {name, "1", "10000"});
    } else if (number && name == "answer_max" && (*number < 1 || *number > 1'000'000'000)) {
      context.Report(Code::kOutOfBounds, entry.value->span, "", {name, "1", "1000000000"});
    } else if (number && name == "connect_timeout" && *number <= 0) {
      context.Report(Code::kNotPositive, entry.value->span, "",
                     {"`" + name + "`", "be longer than zero"});
    }
    if (literal && (name == "password" || name == "token" || name == "authorization")) {
      context
          .Report(Code::kSecretInSource, entry.value->span,
                  "everyone who reads this file reads it too", {name})
          .Help("declare `secret " + decl.name.text + "_" + name + ": string`, and write `" + name +
                ": " + decl.name.text + "_" + name + "`");
    }
  }
  for (const auto& [name, example] : rule->required) {
    if (decl.block.Find(name) != nullptr) continue;
    // An entry that is only called wrongly has been reported.
    bool meant = std::any_of(
        decl.block.entries.begin(), decl.block.entries.end(), [&name](const ast::Entry& entry) {
          const char* other = OtherNameOf(entry.name.text);
          return (other != nullptr && name == other) ||
                 !Context::Suggest(entry.name.text, {std::string(name)}).empty();
        });
    if (meant) continue;
    context.Report(Code::kMissingEntry, decl.name.span, "", {rule->rules.what, std::string(name)})
        .Help("add `" + std::string(example) + "`");
  }
}

}  // namespace

void CheckConnections(Context& context) {
  for (const auto* decl : DeclsOf<ast::ConnectionDecl>(context)) {
    CheckConnection(context, *decl,
                    context.out.connections[static_cast<size_t>(SymbolOf(context, *decl)->index)]);
  }
}

}  // namespace weirc::check
