#include "runtime/testing/cluster_connectors.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

namespace {

class ClusterTopics final : public TopicAccess {
 public:
  explicit ClusterTopics(const MemoryCluster& cluster) : cluster_(cluster) {}

  Status Names(std::vector<std::string>* names) override {
    *names = cluster_.TopicNames();
    return Status();
  }
  // While an engine is built no time passes, so what is open is not waited for.
  Status Read(const std::string& topic, const std::map<int32_t, int64_t>& from, const Visitor& visitor) override {
    bool stop = false;
    for (int32_t p = 0; p < cluster_.Partitions(topic) && !stop; ++p) {
      const ClusterLog& log = cluster_.log({topic, p});
      auto first = from.find(p);
      int64_t at = first == from.end() ? log.start() : std::max(log.start(), first->second);
      while (const LogEntry* entry = stop ? nullptr : log.NextCommitted(&at, log.end())) {
        const Str value(std::string_view(entry->record.value));
        visitor(p, Str(std::string_view(entry->record.key)), entry->record.has_value ? &value : nullptr, &stop);
      }
    }
    return Status();
  }
  std::string DeleteCommand(const std::string& topic) const override { return "delete " + topic; }

 private:
  const MemoryCluster& cluster_;
};

}  // namespace

std::vector<MemoryRecord> WrittenTo(const std::string& topic, const Program& program, MemoryWorld& world,
                                    const MemoryCluster& cluster) {
  return OutputsInTransactions(program) ? cluster.ReadCommitted(topic, 0) : world.output(topic).records;
}

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
  if (!OutputsInTransactions(*context.program)) return world_.MakeSink(sink, context, out);
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

Status ClusterConnectors::MakeTopicAccess(int, const ConnectorContext&, int64_t, std::unique_ptr<TopicAccess>* out) {
  *out = std::make_unique<ClusterTopics>(cluster_);
  return Status();
}

}  // namespace weir
