// What one process sees of a simulated cluster. Several of these on one MemoryCluster are several processes, or one
// process after another: an object is one life. Tables, lookups and sinks beside transactions are those of a MemoryWorld.
//
// A source or a Transactions that is destroyed without Close is what a kill leaves: an open transaction stays open until
// its time-out or a fence, requests on their way still arrive, and the member keeps its partitions until its session
// ends or a process with the same static identity takes its place.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/testing/cluster_source.h"
#include "runtime/testing/cluster_transactions.h"
#include "runtime/testing/memory_cluster.h"
#include "runtime/testing/memory_world.h"

namespace weir {

struct ClusterProcess {
  // As that of the state directory: transactional ids begin with it, and instance ids of static members are made of it.
  // A restart on its directory has it again.
  std::string identity = "process";
  bool static_members = false;
  bool leaves = false;              // static members leave the group when they close, as with --leave
  std::string group;                // empty: the pipeline's name
  int64_t transaction_timeout_ns = 10'000'000'000;
  uint32_t batch_max = 100;
  bool latest = false;              // sources that are not resumed: where partitions without an offset begin
  ClusterRefusal refuse;
};

// Whether sinks get their outputs with the commit; else at once, and they may get them again.
inline bool OutputsInTransactions(const Program& program) { return program.transactional && !program.outputs_at_once; }

// What readers of a sink's topic of one partition see: of outputs that leave at once what the world has of it, else what
// transactions committed.
std::vector<MemoryRecord> WrittenTo(const std::string& topic, const Program& program, MemoryWorld& world,
                                    const MemoryCluster& cluster);

class ClusterConnectors : public Connectors {
 public:
  ClusterConnectors(MemoryCluster& cluster, MemoryWorld& world, const ClusterProcess& process)
      : cluster_(cluster), world_(world), process_(process) {}

  // The address is the topic.
  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out) override;
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) override;
  bool StoreBacked(const Program& program, const SinkSpec& sink) override { return false; }
  // The world's, where outputs leave at once: its outputs, by address. Other pipelines have no sinks beside their
  // transactions.
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) override;
  Status MakeLookup(const ConnectionSpec& connection, const ConnectorContext& context,
                    std::unique_ptr<LookupConnector>* out) override;
  Status MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) override;
  Status MakeTopicAccess(int connection, const ConnectorContext& context, int64_t wait_ns_max,
                         std::unique_ptr<TopicAccess>* out) override;

 private:
  std::string Group(const ConnectorContext& context) const;
  std::string WorkerName(const ConnectorContext& context) const;
  std::shared_ptr<ClusterMember> Member(const ConnectorContext& context);

  MemoryCluster& cluster_;
  MemoryWorld& world_;
  ClusterProcess process_;
  std::map<int, std::shared_ptr<ClusterMember>> members_;  // by worker
};

}  // namespace weir
