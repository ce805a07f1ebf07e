#include "runtime/connector/kafka/internal_topics.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "runtime/connector/kafka/request.h"
#include "runtime/connector/kafka/topics.h"

namespace weir::kafka {
namespace {

constexpr int64_t kLookAgainNs = 50'000'000;

// Small segments, closed often, since only closed ones are compacted, and a restore reads what is not compacted. Removed
// keys are remembered for longer than a machine is away. Room for a pending row around a source record of the usual
// 1 MB; hosted clusters allow no more than this.
using Config = std::vector<std::pair<const char*, const char*>>;
const Config kChangelogConfig = {
    {"cleanup.policy", "compact"},
    {"segment.bytes", "67108864"},
    {"segment.ms", "600000"},
    {"delete.retention.ms", "259200000"},
    {"min.cleanable.dirty.ratio", "0.3"},
    {"message.timestamp.type", "CreateTime"},
    {"max.message.bytes", "8388608"},
};

// Nothing goes by its age: what every reader has behind it is deleted by offset.
const Config kRekeyConfig = {
    {"cleanup.policy", "delete"},
    {"retention.ms", "-1"},
    {"retention.bytes", "-1"},
    {"segment.bytes", "67108864"},
    {"message.timestamp.type", "CreateTime"},
    {"max.message.bytes", "8388608"},
};

const Config& ConfigOf(const InternalTopic& topic) { return topic.rekey ? kRekeyConfig : kChangelogConfig; }

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Free<rd_kafka_NewTopic_destroy>>;

std::string Named(const Client& client, const InternalTopic& topic) {
  return "topic `" + topic.topic + "` (connection `" + client.settings().connection +
         "`), which " + (topic.rekey ? "carries the rows of" : "holds the state of") + " `" + topic.stage + "`,";
}

// The command that an operator would type, for clusters where this process may not create topics.
std::string Command(const Client& client, const InternalTopic& topic) {
  const std::string& brokers = client.settings().brokers;
  std::string command = "kafka-topics.sh --bootstrap-server " + brokers.substr(0, brokers.find(',')) +
                        " --create --topic " + topic.topic + " --partitions " +
                        std::to_string(topic.partitions);
  for (const auto& [name, value] : ConfigOf(topic)) command += std::string(" --config ") + name + "=" + value;
  return command;
}

Status Create(Client& client, int64_t wait_ns_max, const std::vector<InternalTopic*>& missing) {
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> bare;
  char error[256] = "";
  for (const InternalTopic* topic : missing) {
    // -1: as many replicas as the cluster makes by default.
    topics.emplace_back(
        rd_kafka_NewTopic_new(topic->topic.c_str(), topic->partitions, -1, error, sizeof error));
    if (!topics.back()) return Status::Invalid(Named(client, *topic) + " cannot be created: " + error);
    for (const auto& [name, value] : ConfigOf(*topic)) rd_kafka_NewTopic_set_config(topics.back().get(), name, value);
    bare.push_back(topics.back().get());
  }
  Request request(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, wait_ns_max);
  rd_kafka_CreateTopics(client.get(), bare.data(), bare.size(), request.options(), request.queue());
  if (Status status = request.Wait("creating the pipeline's own topics"); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(request.event()), &n);
  for (size_t i = 0; i < n; ++i) {
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    // Another process of this pipeline may have been quicker.
    if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    for (const InternalTopic* topic : missing) {
      if (topic->topic != rd_kafka_topic_result_name(results[i])) continue;
      if (IsPassing(code)) return client.ToStatus(code, "creating topic `" + topic->topic + "`");
      const char* text = rd_kafka_topic_result_error_string(results[i]);
      std::string why = text ? text : rd_kafka_err2str(code);
      bool denied = code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                    code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
      std::string message = Named(client, *topic) + " is missing and cannot be created: " + why +
                            ". Give this client CREATE, or create it with\n  " + Command(client, *topic);
      return denied ? Status::Denied(message) : Status::Invalid(message);
    }
  }
  return Status();
}

// Gives a topic the partitions that it lacks.
Status Grow(Client& client, int64_t wait_ns_max, const InternalTopic& topic) {
  char error[256] = "";
  using NewPartitions = std::unique_ptr<rd_kafka_NewPartitions_t, Free<rd_kafka_NewPartitions_destroy>>;
  NewPartitions wanted(rd_kafka_NewPartitions_new(topic.topic.c_str(), static_cast<size_t>(topic.partitions), error, sizeof error));
  if (!wanted) return Status::Invalid(Named(client, topic) + " cannot be given more partitions: " + error);
  rd_kafka_NewPartitions_t* bare = wanted.get();
  Request request(client, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, wait_ns_max);
  rd_kafka_CreatePartitions(client.get(), &bare, 1, request.options(), request.queue());
  if (Status status = request.Wait("adding partitions to topic `" + topic.topic + "`"); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(request.event()), &n);
  rd_kafka_resp_err_t code = n == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_NO_ERROR;
  // INVALID_PARTITIONS: another process of this pipeline was quicker.
  if (!code || code == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS) return Status();
  return client.ToStatus(code, "adding partitions to topic `" + topic.topic + "`, which needs ALTER on it");
}

Status Check(Client& client, int64_t wait_ns_max, int32_t partitions, InternalTopic* topic) {
  if (topic->rekey) {
    topic->partitions = partitions;  // where keys lie was decided when it was made
  } else if (partitions != topic->partitions && !(topic->grows && partitions > topic->partitions)) {
    return Status::Invalid(Named(client, *topic) + " has " + std::to_string(partitions) + " partitions and needs " +
                           std::to_string(topic->partitions) + ", one for each of its input: the state was kept " +
                           "by another partitioning and cannot be used. Give the input its old number of partitions " +
                           "back, or stop every copy and run this binary with `reset`: the pipeline then starts without state");
  }
  if (!topic->rekey) {
    if (Status status = TopicId(client, topic->topic, wait_ns_max, &topic->id); !status.ok()) return status;
  }
  TopicLimits limits;
  bool known = false;
  if (Status status = ReadTopicLimits(client, topic->topic, wait_ns_max, &limits, &known); !status.ok()) {
    return status;
  }
  if (!known) return Status();
  topic->batch_bytes_max = limits.batch_bytes_max;
  topic->removals_kept_ms = limits.removals_kept_ms;
  if (topic->rekey) {
    if (!limits.compacted) return Status();
    return Status::Invalid(Named(client, *topic) + " must not be compacted, or rows are lost: set cleanup.policy=delete");
  }
  if (limits.compacted && !limits.deleted) return Status();
  return Status::Invalid(Named(client, *topic) + " must have cleanup.policy=compact and nothing else, or the " +
                         "broker deletes state that is needed. Set it: kafka-configs.sh --bootstrap-server " +
                         client.settings().brokers.substr(0, client.settings().brokers.find(',')) +
                         " --alter --entity-type topics --entity-name " + topic->topic +
                         " --add-config cleanup.policy=compact");
}

}  // namespace

Status OpenInternalTopics(Client& client, int64_t wait_ns_max, std::vector<InternalTopic>* topics) {
  int64_t end = MonoNs() + wait_ns_max;
  auto left = [&] { return std::max<int64_t>(end - MonoNs(), 1'000'000); };
  for (size_t i = 0; i < topics->size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if ((*topics)[i].topic != (*topics)[j].topic) continue;
      return Status::Invalid("the states or rows of `" + (*topics)[i].stage + "` and `" + (*topics)[j].stage +
                             "` would both be in topic `" + (*topics)[i].topic + "`: rename one of them");
    }
  }
  std::vector<InternalTopic*> missing;
  std::vector<std::pair<InternalTopic*, int32_t>> found;
  for (InternalTopic& topic : *topics) {
    int32_t partitions = 0;
    Status status = PartitionCount(client, topic.topic, left(), &partitions);
    if (status.code() == StatusCode::kNotFound) {
      missing.push_back(&topic);
    } else if (!status.ok()) {
      return status;
    } else {
      found.push_back({&topic, partitions});
    }
  }
  if (!missing.empty()) {
    if (Status status = Create(client, left(), missing); !status.ok()) return status;
  }
  for (auto& [topic, partitions] : found) {
    if (!topic->grows || partitions >= topic->partitions) continue;
    if (Status status = Grow(client, left(), *topic); !status.ok()) return status;
    for (const int32_t wanted = topic->partitions; partitions < wanted;) {
      if (MonoNs() > end) return Status::Unavailable("topic `" + topic->topic + "` does not show its new partitions");
      std::this_thread::sleep_for(std::chrono::nanoseconds(kLookAgainNs));
      if (Status status = PartitionCount(client, topic->topic, left(), &partitions); !status.ok()) return status;
    }
  }
  // A new topic is there when its partitions have leaders.
  for (InternalTopic* topic : missing) {
    int32_t partitions = 0;
    while (true) {
      Status status = PartitionCount(client, topic->topic, left(), &partitions);
      if (status.ok()) break;
      bool later = status.code() == StatusCode::kNotFound || status.code() == StatusCode::kUnavailable;
      if (!later || MonoNs() > end) return status;
      std::this_thread::sleep_for(std::chrono::nanoseconds(kLookAgainNs));
    }
    found.push_back({topic, partitions});
  }
  for (const auto& [topic, partitions] : found) {
    if (Status status = Check(client, left(), partitions, topic); !status.ok()) return status;
  }
  return Status();
}

}  // namespace weir::kafka
