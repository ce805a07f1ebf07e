#include "runtime/connector/kafka/kafka.h"

#include <algorithm>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/former_members.h"
#include "runtime/connector/kafka/reader.h"
#include "runtime/connector/kafka/settings.h"
#include "runtime/connector/kafka/sink.h"
#include "runtime/connector/kafka/sole_copy.h"
#include "runtime/connector/kafka/source.h"
#include "runtime/connector/kafka/topic_access.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/connector/kafka/transactions.h"
#include "runtime/connector/kafka/writer.h"
#include "runtime/engine/start_policy.h"

namespace weir::kafka {
namespace {

constexpr int64_t kClusterNsMax = 5'000'000'000;

const std::string* Find(const Properties& properties, const char* name) {
  for (const Property& property : properties) {
    if (property.name == name) return &property.value;
  }
  return nullptr;
}

// The Kafka connection that everything belongs to which a pipeline reads and writes in its transactions.
Status TheConnection(const Program& program, int* index) {
  *index = -1;
  auto look = [&](const std::string& what, int connection) {
    bool kafka = connection >= 0 && program.connections[static_cast<size_t>(connection)].kind == "kafka";
    if (kafka && *index < 0) *index = connection;
    if (kafka && connection == *index) return Status();
    return Status::Invalid(what + (kafka ? " is of another Kafka connection than" : " is not in Kafka, as") +
                           " the first source: a transaction covers one cluster");
  };
  for (const SourceSpec& source : program.sources) {
    if (Status status = look("source `" + source.name + "`", source.connection); !status.ok()) return status;
  }
  for (size_t i = 0; i < program.sinks.size() && !program.outputs_at_once; ++i) {
    const SinkSpec& sink = program.sinks[i];
    if (Status status = look("sink `" + sink.name + "`", sink.connection); !status.ok()) return status;
  }
  return *index < 0 ? Status::Invalid("a pipeline without sources has no transactions") : Status();
}

}  // namespace

KafkaConnector::KafkaConnector(Options options) : options_(std::move(options)) {}
KafkaConnector::~KafkaConnector() = default;

Status KafkaConnector::ConnectionOf(int index, const ConnectorContext& context, std::shared_ptr<Connection>* out) {
  std::shared_ptr<Connection>& connection = connections_[index];
  if (!connection) {
    const ConnectionSpec& spec = context.program->connections[static_cast<size_t>(index)];
    Settings settings;
    if (Status status = ReadSettings(spec, options_.settings, options_.group, context.program->name, &settings); !status.ok()) {
      return status;
    }
    Connection::Options options;
    options.pipeline = context.program->name;
    options.instance_id = options_.instance_id;
    // Two connections may lead to one group, in which each member needs a name of its own.
    for (int i = 0; i < index && !options.instance_id.empty(); ++i) {
      if (context.program->connections[static_cast<size_t>(i)].kind != "kafka") continue;
      options.instance_id += "-" + spec.name;
      break;
    }
    options.leave = options_.leave;
    options.create_topics = options_.create_topics;
    options.workers = context.workers;
    options.log = context.log;
    connection = std::make_shared<Connection>(std::move(settings), options);
  }
  *out = connection;
  return Status();
}

// Over one connection a second source of a topic has a group of its own: see Connection::ReaderFor.
Status KafkaConnector::CheckReadOnce(const SourceSpec& source, const ConnectorContext& context, Connection& connection) {
  const Program& program = *context.program;
  auto own = std::find_if(program.sources.begin(), program.sources.end(),
                          [&](const SourceSpec& one) { return one.name == source.name; });
  if (own == program.sources.end()) return Status();  // a look at a sink's topic
  for (auto at = program.sources.begin(); at != own; ++at) {
    const SourceSpec& other = *at;
    if (other.connection == source.connection || other.operation != "topic" || other.address != source.address) continue;
    std::shared_ptr<Connection> beside;
    if (Status status = ConnectionOf(other.connection, context, &beside); !status.ok()) return status;
    if (beside->settings().group != connection.settings().group) continue;
    std::string ids[2];
    Connection* both[] = {beside.get(), &connection};
    for (int i = 0; i < 2; ++i) {
      Client* admin = nullptr;
      if (Status status = both[i]->Admin(&admin); !status.ok()) return status;
      ids[i] = ClusterId(*admin, kClusterNsMax);
    }
    // A broker that does not answer is told of by whoever asks it next.
    if (ids[0].empty() || ids[0] != ids[1]) continue;
    return Status::Invalid("source `" + other.name + "` (line " + std::to_string(program.steps[other.step].line) +
                           ") reads topic `" + other.address + "` of the same cluster in the same group, `" +
                           connection.settings().group + "`, over connection `" + beside->settings().connection +
                           "`, this one over `" + connection.settings().connection + "`: each record would reach one of " +
                           "the two only. Read both over one connection, or give one connection a `group:` of its own, " +
                           "and no setting `group`, which is for both");
  }
  return Status();
}

Status KafkaConnector::MakeSource(const SourceSpec& source, const ConnectorContext& context,
                                  std::unique_ptr<Source>* out) {
  std::shared_ptr<Connection> connection;
  if (Status status = ConnectionOf(source.connection, context, &connection); !status.ok()) return status;
  if (Status status = CheckReadOnce(source, context, *connection); !status.ok()) return status;
  SourceOptions options;
  options.topic = source.address;
  options.group_member = context.group_member;
  options.resumed = context.group_member && context.resumed;
  options.own = source.exchange >= 0;
  if (!StartPolicyOf(source, &options.start)) {
    return Status::Invalid("`start: " + *Find(source.properties, "start") +
                           "` is not earliest, latest or a time");
  }
  const std::string* partitioner = Find(source.properties, "partitioner");
  // Windows that stand in the source's own stage rest on equal keys being in one partition; nothing else does.
  bool rests = !context.group_member;
  for (const WindowSpec& window : context.program->windows) {
    rests = rests || (context.resumed && window.stage == source.stage);
  }
  options.check_keys = source.keyed && rests && !(partitioner && *partitioner == "other");
  std::shared_ptr<Reader> reader;
  Status status = connection->ReaderFor(context.worker, context.loop, false, source.address, source.name, &reader);
  if (!status.ok()) return status;
  *out = std::make_unique<KafkaSource>(std::move(options), connection, std::move(reader),
                                       context.group_member ? nullptr : connection->Sole());
  return Status();
}

Status KafkaConnector::MakeTable(const TableSpec& table, const ConnectorContext& context,
                                 std::unique_ptr<Source>* out) {
  std::shared_ptr<Connection> connection;
  if (Status status = ConnectionOf(table.connection, context, &connection); !status.ok()) return status;
  SourceOptions options;
  options.topic = table.address;
  options.table = true;
  std::shared_ptr<Reader> reader;
  Status status = connection->ReaderFor(context.worker, context.loop, true, table.address, table.name, &reader);
  if (!status.ok()) return status;
  *out = std::make_unique<KafkaSource>(std::move(options), connection, std::move(reader), nullptr);
  return Status();
}

Status KafkaConnector::MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) {
  std::shared_ptr<Connection> connection;
  if (Status status = ConnectionOf(sink.connection, context, &connection); !status.ok()) return status;
  std::shared_ptr<Writer> writer;
  if (Status status = connection->WriterFor(context.worker, context.loop, &writer); !status.ok()) return status;
  *out = std::make_unique<KafkaSink>(sink.name, sink.address, connection, std::move(writer), context.clock);
  return Status();
}

Status KafkaConnector::MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) {
  int index = -1;
  if (Status status = TheConnection(*context.program, &index); !status.ok()) return status;
  std::shared_ptr<Connection> connection;
  if (Status status = ConnectionOf(index, context, &connection); !status.ok()) return status;
  if (context.worker == ConnectorContext::kNoWorker) {
    *out = std::make_unique<KafkaTransactions>(context.program, context.worker, context.clock, std::move(connection),
                                               std::weak_ptr<Reader>());
    return Status();
  }
  std::vector<std::shared_ptr<Reader>> readers = connection->ReadersOf(context.worker, context.loop);
  if (readers.empty()) return Status::Internal("transactions are made after the worker's sources");
  if (readers.size() > 1) {
    // A second reader of a topic is another group, and a transaction commits the offsets of one.
    return Status::Invalid("two sources read the same topic, which a pipeline with transactions cannot do: make them one " +
                           std::string("source, and two streams of it"));
  }
  *out = std::make_unique<KafkaTransactions>(context.program, context.worker, context.clock, std::move(connection),
                                             readers.front());
  return Status();
}

Status KafkaConnector::MakeTopicAccess(int connection, const ConnectorContext& context, int64_t wait_ns_max,
                                       std::unique_ptr<TopicAccess>* out) {
  std::shared_ptr<Connection> made;
  if (Status status = ConnectionOf(connection, context, &made); !status.ok()) return status;
  *out = std::make_unique<KafkaTopicAccess>(std::move(made), wait_ns_max);
  return Status();
}

}  // namespace weir::kafka
