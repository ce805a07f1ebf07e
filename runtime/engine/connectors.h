// Where the engine gets its connectors from. A produced binary makes them from runtime/connector
// (runtime/program/connectors.h); `weir test`, `weir simulate` and tests take those of runtime/testing.
#pragma once

#include <memory>

#include "runtime/core/status.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/log.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/source.h"
#include "runtime/engine/topic_access.h"
#include "runtime/engine/transactions.h"
#include "runtime/lookup/connector.h"
#include "runtime/program/program.h"

namespace weir {

// Where a connector will run.
struct ConnectorContext {
  static constexpr int kNoWorker = -1;
  const Program* program = nullptr;
  Clock* clock = nullptr;
  Loop* loop = nullptr;   // of the worker whose thread makes all calls; null for store-backed sinks (commit thread)
  Log* log = nullptr;
  int worker = 0;         // kNoWorker: only changelogs are read
  int workers = 1;
  bool group_member = false;  // sources: partitions come from the consumer group, offsets are the truth
  // Sources of group members: partitions they are given are read only from Source::Resume on, since their state is
  // brought back first.
  bool resumed = false;
};

// Calls from the thread that builds the engine. An unknown connection kind or operation is kInvalid.
class Connectors {
 public:
  virtual ~Connectors() = default;
  virtual Status MakeSource(const SourceSpec& source, const ConnectorContext& context,
                            std::unique_ptr<Source>* out) = 0;
  virtual Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) = 0;
  // Store-backed sinks are made once per process, streaming ones once per worker.
  virtual bool StoreBacked(const Program& program, const SinkSpec& sink) = 0;
  virtual Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) = 0;
  virtual Status MakeLookup(const ConnectionSpec& connection, const ConnectorContext& context,
                            std::unique_ptr<LookupConnector>* out) = 0;
  // One worker's transactions, for pipelines all of whose sources and sinks are of one connection that has them. Made
  // after the worker's sources, whose group membership it speaks for.
  virtual Status MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) {
    return Status::Invalid("nothing here has transactions");
  }
  // The topics of a connection (index into Program::connections); null: it has none. Whatever is asked of them waits
  // `wait_ns_max` at most.
  virtual Status MakeTopicAccess(int connection, const ConnectorContext& context, int64_t wait_ns_max,
                                 std::unique_ptr<TopicAccess>* out) {
    return Status();
  }
};

}  // namespace weir
