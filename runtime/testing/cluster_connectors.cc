#include "runtime/testing/cluster_connectors.h"

#include <fmt/format.h>

namespace weir {

std::string ClusterConnectors::Group(const ConnectorContext& context) const {
  return process_.group.empty() ? context.program->name : process_.group;
}

std::string ClusterConnectors::WorkerName(const ConnectorContext& context) const {
  return fmt::format("{}-{}", process_.identity, context.worker);
}

std::shared_ptr<ClusterMember> ClusterConnectors::Member(const ConnectorContext& context) {
  if (context.worker == ConnectorContext::kNoWorker) return nullptr;
  std::shared_ptr<ClusterMember>& member = members_[context.worker];
  if (member == nullptr) {
    member = std::make_shared<ClusterMember>(cluster_, Group(context),
                                             process_.static_members ? WorkerName(context) : std::string(),
                                             process_.leaves);
  }
  return member;
}

Status ClusterConnectors::MakeSource(const SourceSpec& source, const ConnectorContext& context,
                                     std::unique_ptr<Source>* out) {
  if (cluster_.Partitions(source.address) < 0) return Status::NotFound(fmt::format("no topic {}", source.address));
  auto made = std::make_unique<ClusterSource>(cluster_, source.address, Member(context), context, process_.latest);
  made->batch_max = process_.batch_max;
  *out = std::move(made);
  return Status();
}

Status ClusterConnectors::MakeTable(const TableSpec& table, const ConnectorContext& context,
                                    std::unique_ptr<Source>* out) {
  return world_.MakeTable(table, context, out);
}

Status ClusterConnectors::MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) {
  if (context.program->outputs_at_once) return world_.MakeSink(sink, context, out);
  return Status::Invalid(fmt::format("sink {} is written in transactions", sink.name));
}

Status ClusterConnectors::MakeLookup(const ConnectionSpec& connection, const ConnectorContext& context,
                                     std::unique_ptr<LookupConnector>* out) {
  return world_.MakeLookup(connection, context, out);
}

Status ClusterConnectors::MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) {
  *out = std::make_unique<ClusterTransactions>(cluster_, context, Group(context), WorkerName(context),
                                               process_.transaction_timeout_ns, Member(context), process_.refuse);
  return Status();
}

}  // namespace weir
