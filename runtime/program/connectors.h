// Every kind of connector that a produced binary has: one line each to add another.
#pragma once

#include <memory>
#include <string>

#include "runtime/connector/file/file.h"
#include "runtime/connector/kafka/kafka.h"
#include "runtime/engine/connectors.h"

namespace weir {

class ProductionConnectors final : public Connectors {
 public:
  struct Options {
    Properties kafka;           // the operator's properties of librdkafka
    std::string group;          // the operator's consumer group; empty: the pipeline's
    std::string instance_id;    // that of the state directory, or empty
    bool leave = false;         // partitions are given back at the end
    bool create_topics = true;  // the pipeline's own, where they are missing
  };
  explicit ProductionConnectors(Options options);

  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out) override;
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) override;
  bool StoreBacked(const Program& program, const SinkSpec& sink) override;
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) override;
  Status MakeLookup(const ConnectionSpec& connection, const ConnectorContext& context,
                    std::unique_ptr<LookupConnector>* out) override;
  Status MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) override;
  Status MakeTopicAccess(int connection, const ConnectorContext& context, int64_t wait_ns_max,
                         std::unique_ptr<TopicAccess>* out) override;

 private:
  kafka::KafkaConnector kafka_;
  file::FileConnector file_;
};

// "file" for what needs no connection, else the connection's kind.
const std::string& KindOf(const Program& program, int connection);

}  // namespace weir
