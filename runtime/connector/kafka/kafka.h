// Kafka for a pipeline: makes its sources, tables, sinks and transactions. The
// operator's commands use operator_client.h beside it; nobody else needs a header of this folder.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/core/status.h"
#include "runtime/engine/connectors.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/source.h"
#include "runtime/program/program.h"

namespace weir::kafka {

class Connection;

// Errors of what it makes, by code, for whoever turns them into exit codes: kExists another copy runs, or took over;
// kCorrupt offsets are gone, partitions were added below keyed state, or stored bytes are damaged (going on is not
// safe); all others: the connector could not start or failed for good. A broker that is away is no error while running.
class KafkaConnector {
 public:
  struct Options {
    // Properties of librdkafka from flags, environment, configuration file; with or without `kafka.` in front.
    Properties settings;
    std::string group;        // the operator's; empty: the connection's `group`, else the pipeline's name
    // Of the locked state directory; makes restarts keep their place in the group. Empty: there is none.
    std::string instance_id;
    bool leave = false;       // no place is kept: partitions are given back at the end
    bool create_topics = true;  // the pipeline's own; false: missing ones are an error that holds the commands
  };
  explicit KafkaConnector(Options options);
  ~KafkaConnector();

  // The building thread. The connection's `kind` is "kafka", the operation "topic".
  //   properties of a source: start (see StartPolicy), partitioner (other: keys are not checked)
  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out);
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out);
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out);
  // After the sources of the same worker. kInvalid: sources and sinks are not all topics of one connection.
  Status MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out);
  Status MakeTopicAccess(int connection, const ConnectorContext& context, int64_t wait_ns_max, std::unique_ptr<TopicAccess>* out);

 private:
  Status ConnectionOf(int index, const ConnectorContext& context, std::shared_ptr<Connection>* out);
  // kInvalid: an earlier source reads the same topic of the same cluster in the same group over another connection.
  Status CheckReadOnce(const SourceSpec& source, const ConnectorContext& context, Connection& connection);

  Options options_;
  std::map<int, std::shared_ptr<Connection>> connections_;
};

}  // namespace weir::kafka
