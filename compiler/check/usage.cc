// compiler/check/usage.cc — What is declared and leads nowhere: unused names, dead letters nobody
// keeps, topics that feed themselves, promises that cannot be kept.
#include <algorithm>
#include <map>

#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

void ReportUnused(Context& context, const Symbol& symbol, const char* why) {
  if (symbol.file != context.files.front() || symbol.decl->broken) return;
  if (symbol.name.starts_with("_")) return;
  context.Report(Code::kUnused, symbol.span, why, {std::string(NameOf(symbol.kind)), symbol.name});
}

// The literal address of an endpoint; empty when it is a param or not known.
std::string AddressOf(const typed::EndpointDef& endpoint) {
  if (!endpoint.address || endpoint.address->kind != typed::ExprKind::kLiteral) return "";
  return typed::As<typed::LiteralExpr>(*endpoint.address).value.text;
}

void CheckDeadletters(Context& context) {
  for (const auto& symbol : context.symbols) {
    if (symbol->kind != SymbolKind::kDeadletter || symbol->decl->broken) continue;
    auto index = static_cast<size_t>(symbol->index);
    if (!context.deadletter_written[index]) {
      if (!context.diagnostics.HasErrors()) ReportUnused(context, *symbol, "nothing is sent to it");
    } else if (!context.deadletter_read[index]) {
      context.Report(Code::kDeadletterLost, symbol->span, "", {symbol->name})
          .Help("add `sink " + symbol->name + "_out from " + symbol->name + " = …`");
    }
  }
}

void CheckTargets(Context& context) {
  // What is read, by connection and address.
  std::map<std::pair<int, std::string>, Span> read;
  for (const typed::SourceDef& source : context.out.sources) {
    std::string address = AddressOf(source.endpoint);
    if (!address.empty())
      read.try_emplace({source.endpoint.connection, address}, source.endpoint.span);
  }
  std::map<std::string, Span> files;
  for (const typed::SinkDef& sink : context.out.sinks) {
    std::string address = AddressOf(sink.endpoint);
    if (address.empty()) continue;
    if (auto it = read.find({sink.endpoint.connection, address}); it != read.end()) {
      context.Report(Code::kTopicCycle, sink.endpoint.span, "", {address})
          .Secondary(it->second, "and read here");
    }
    if (sink.endpoint.connection >= 0) continue;
    auto [it, added] = files.try_emplace(address, sink.endpoint.span);
    if (!added)
      context.Report(Code::kSinkTwice, sink.endpoint.span, "", {address})
          .Secondary(it->second, "the other writes here");
  }
}

// Asking for exactly once where it cannot be had.
void CheckDelivery(Context& context) {
  if (context.out.delivery != typed::Delivery::kExactlyOnce) return;
  auto is_kafka = [&](const typed::EndpointDef& e) {
    return e.connection >= 0 && context.out.connections[static_cast<size_t>(e.connection)].kind ==
                                    typed::ConnectionKind::kKafka;
  };
  const typed::EndpointDef* to_kafka = nullptr;
  const typed::EndpointDef* against = nullptr;
  std::string why;
  auto object = [&](const typed::EndpointDef& endpoint, const char* reason) {
    if (against != nullptr) return;
    against = &endpoint;
    why = reason;
  };
  for (const typed::SinkDef& sink : context.out.sinks) {
    if (is_kafka(sink.endpoint) && to_kafka == nullptr) to_kafka = &sink.endpoint;
  }
  for (const typed::SourceDef& source : context.out.sources) {
    if (source.endpoint.operation == "stdin") {
      object(source.endpoint, "what was read here cannot be read again");
    } else if (to_kafka != nullptr && !is_kafka(source.endpoint)) {
      object(source.endpoint, "this is not in the transaction of what goes to Kafka");
    } else if (to_kafka != nullptr && source.endpoint.connection != to_kafka->connection) {
      object(source.endpoint, "this is another Kafka connection, and no transaction spans two");
    }
  }
  for (const typed::SinkDef& sink : context.out.sinks) {
    if (sink.endpoint.operation == "stdout") {
      object(sink.endpoint, "what was printed cannot be taken back");
    } else if (to_kafka != nullptr && !is_kafka(sink.endpoint)) {
      object(sink.endpoint, "this is not in the transaction of what goes to Kafka");
    } else if (to_kafka != nullptr && sink.endpoint.connection != to_kafka->connection) {
      object(sink.endpoint, "this is another Kafka connection, and no transaction spans two");
    }
  }
  if (against == nullptr) return;
  for (const ast::DeclPtr& decl : context.files.front()->decls) {
    const auto* header = As<ast::PipelineDecl>(decl);
    const ast::Entry* deliver = header == nullptr ? nullptr : header->block.Find("deliver");
    if (deliver == nullptr) continue;
    context.Report(Code::kExactlyOnce, deliver->value->span, "")
        .Secondary(against->span, why)
        .Help("write `deliver: at_least_once`, or put this sink or source into a pipeline of its own")
        .Note("Kafka to one Kafka is exactly once, and so is what comes from Kafka or files and goes to files");
    return;
  }
}

}  // namespace

void CheckUsage(Context& context) {
  CheckDeadletters(context);
  CheckTargets(context);
  CheckDelivery(context);
  // An error may hide where something is used.
  if (context.diagnostics.HasErrors()) return;
  bool has_streams = false;
  for (const auto& symbol : context.symbols) {
    auto index = static_cast<size_t>(std::max(symbol->index, 0));
    switch (symbol->kind) {
      case SymbolKind::kParam:
      case SymbolKind::kSecret:
      case SymbolKind::kConnection:
        if (!symbol->used) ReportUnused(context, *symbol, "nothing uses it");
        break;
      case SymbolKind::kFn:
        if (!context.fn_used[index]) ReportUnused(context, *symbol, "nothing calls it");
        break;
      case SymbolKind::kSource:
        has_streams = true;
        if (!context.source_read[index])
          ReportUnused(context, *symbol, "no stream and no sink reads it");
        break;
      case SymbolKind::kTable:
        if (!context.table_read[index]) ReportUnused(context, *symbol, "no stream joins it");
        break;
      case SymbolKind::kLookup:
        if (!context.lookup_used[index]) ReportUnused(context, *symbol, "no stream asks it");
        break;
      case SymbolKind::kStream:
        has_streams = true;
        if (symbol->index >= 0 && !context.stream_read[index]) {
          ReportUnused(context, *symbol, "no stream, sink or test reads it, so it does not run");
        }
        break;
      default: break;
    }
  }
  if (has_streams && context.out.sinks.empty() && context.files.front()->decls.size() > 0) {
    bool later = std::any_of(context.symbols.begin(), context.symbols.end(),
                             [](const auto& s) { return s->kind == SymbolKind::kLater; });
    if (!later) {
      context.Report(Code::kNoSink, Span(), "").Help("add `sink out from … = stdout`");
    }
  }
}

}  // namespace weirc::check
