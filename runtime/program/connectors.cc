// Kinds to connectors, and nothing else.
#include "runtime/program/connectors.h"

#include <algorithm>

#include "runtime/connector/http/http_client.h"

namespace weir {
namespace {

kafka::KafkaConnector::Options KafkaOptions(ProductionConnectors::Options given) {
  kafka::KafkaConnector::Options options;
  options.settings = std::move(given.kafka);
  options.group = std::move(given.group);
  options.instance_id = std::move(given.instance_id);
  options.leave = given.leave;
  options.create_topics = given.create_topics;
  return options;
}

Status UnknownKind(const std::string& kind, const std::string& what) {
  return Status::Invalid("a connection of kind `" + kind + "` makes no " + what + " in this version");
}

// As many connections as requests may be under way on this worker.
int ConnectionsFor(const Program& program, const ConnectionSpec& connection, int workers) {
  int64_t in_flight = 0;
  for (const LookupSpec& lookup : program.lookups) {
    if (&program.connections[static_cast<size_t>(lookup.connection)] == &connection) {
      in_flight += (lookup.in_flight + workers - 1) / workers;
    }
  }
  return static_cast<int>(std::clamp<int64_t>(in_flight, 1, http::kConnectionsMax));
}

}  // namespace

const std::string& KindOf(const Program& program, int connection) {
  static const std::string kFile = "file";
  return connection < 0 ? kFile : program.connections[static_cast<size_t>(connection)].kind;
}

ProductionConnectors::ProductionConnectors(Options options) : kafka_(KafkaOptions(std::move(options))) {}

Status ProductionConnectors::MakeSource(const SourceSpec& source, const ConnectorContext& context,
                                        std::unique_ptr<Source>* out) {
  const std::string& kind = KindOf(*context.program, source.connection);
  if (kind == "kafka") return kafka_.MakeSource(source, context, out);
  if (kind == "file") return file_.MakeSource(source, context, out);
  return UnknownKind(kind, "source");
}

Status ProductionConnectors::MakeTable(const TableSpec& table, const ConnectorContext& context,
                                       std::unique_ptr<Source>* out) {
  const std::string& kind = KindOf(*context.program, table.connection);
  if (kind == "kafka") return kafka_.MakeTable(table, context, out);
  if (kind == "file") return file_.MakeTable(table, context, out);
  return UnknownKind(kind, "table");
}

bool ProductionConnectors::StoreBacked(const Program& program, const SinkSpec& sink) {
  return KindOf(program, sink.connection) == "file" && file::FileConnector::StoreBacked(sink);
}

Status ProductionConnectors::MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) {
  const std::string& kind = KindOf(*context.program, sink.connection);
  if (kind == "kafka") return kafka_.MakeSink(sink, context, out);
  if (kind == "file") return file_.MakeSink(sink, context, out);
  return UnknownKind(kind, "sink");
}

Status ProductionConnectors::MakeLookup(const ConnectionSpec& connection, const ConnectorContext& context,
                                        std::unique_ptr<LookupConnector>* out) {
  if (connection.kind != "http") return UnknownKind(connection.kind, "lookup");
  http::HttpClient::Options options;
  Status status = http::ReadSettings(connection, &options.settings);
  if (!status.ok()) return status;
  options.connections_max = ConnectionsFor(*context.program, connection, context.workers);
  options.workers = context.workers;
  options.clock = context.clock;
  options.loop = context.loop;
  options.log = context.log;
  *out = std::make_unique<http::HttpClient>(std::move(options));
  return Status();
}

Status ProductionConnectors::MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) {
  return kafka_.MakeTransactions(context, out);
}

Status ProductionConnectors::MakeTopicAccess(int connection, const ConnectorContext& context, int64_t wait_ns_max,
                                             std::unique_ptr<TopicAccess>* out) {
  return KindOf(*context.program, connection) == "kafka" ? kafka_.MakeTopicAccess(connection, context, wait_ns_max, out) : Status();
}

}  // namespace weir
