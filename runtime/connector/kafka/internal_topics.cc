#include "runtime/connector/kafka/internal_topics.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "runtime/connector/kafka/request.h"
#include "runtime/connector/kafka/topics.h"

namespace weir::kafka {
namespace {

constexpr int64_t kLookAgainNs = 50'000'000;

// How a setting of a topic that exists is held against what is wanted.
enum class Matter : uint8_t {
  kMust,       // state or rows are lost otherwise
  kShould,     // another value costs something
  kAtLeast,    // a smaller value costs something
  kAtMost,     // a larger value costs something
};
struct WantedSetting {
  const char* name;
  const char* value;
  Matter matter;
  const char* why;       // of another value: what comes of it
  int64_t least = 0;     // of kAtLeast: less than this is as bad as kMust, …
  const char* why_least = "";  // … since this comes of it
};

// Small segments, closed often, since only closed ones are compacted, and a restore reads what is not compacted. Removed
// keys are remembered for longer than a machine is away. Room for a pending row around a source record of the usual
// 1 MB; hosted clusters allow no more than this.
const std::vector<WantedSetting> kChangelogSettings = {
    {"cleanup.policy", "compact", Matter::kMust, "the broker deletes state that is needed"},
    {"segment.bytes", "67108864", Matter::kShould,
     "larger segments are compacted later, so that a recovery reads more; smaller ones are more files"},
    {"segment.ms", "600000", Matter::kShould,
     "older segments are compacted later, so that a recovery reads more; younger ones are more files"},
    {"delete.retention.ms", "259200000", Matter::kAtLeast, "a machine that was away for half as long reads all state anew",
     600'000, "a recovery that takes longer than this brings removed rows back, and their outputs come twice"},
    {"min.cleanable.dirty.ratio", "0.3", Matter::kAtMost, "the broker compacts seldom, so that a recovery reads more"},
    {"message.timestamp.type", "CreateTime", Matter::kShould, "records carry the broker's time instead of the pipeline's"},
    {"max.message.bytes", "8388608", Matter::kAtLeast, "a larger change of the state ends the pipeline"},
};

// Nothing goes by its age: what every reader has behind it is deleted by offset.
const std::vector<WantedSetting> kRekeySettings = {
    {"cleanup.policy", "delete", Matter::kMust, "the broker drops rows that were not read, or keeps those that were"},
    {"retention.ms", "-1", Matter::kMust,
     "the broker deletes rows that were not read when the pipeline is away for so long"},
    {"retention.bytes", "-1", Matter::kMust, "the broker deletes rows that were not read when so many wait"},
    {"segment.bytes", "67108864", Matter::kShould, "larger segments take disk for longer; smaller ones are more files"},
    {"message.timestamp.type", "CreateTime", Matter::kShould,
     "records carry the broker's time instead of the pipeline's"},
    {"max.message.bytes", "8388608", Matter::kAtLeast, "a larger row ends the pipeline"},
};

const std::vector<WantedSetting>& SettingsOf(const InternalTopic& topic) {
  return topic.rekey ? kRekeySettings : kChangelogSettings;
}

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Free<rd_kafka_NewTopic_destroy>>;

std::string Named(const Settings& connection, const InternalTopic& topic) {
  return "topic `" + topic.topic + "` (connection `" + connection.connection + "`), " + PurposeOf(topic) + ",";
}

// A command of Kafka's that an operator would type.
std::string Tool(const Settings& connection, const char* tool) {
  return std::string(tool) + " --bootstrap-server " + connection.brokers.substr(0, connection.brokers.find(','));
}

std::string CreateCommand(const Settings& connection, const InternalTopic& topic) {
  std::string command = Tool(connection, "kafka-topics.sh") + " --create --topic " + topic.topic + " --partitions " +
                        std::to_string(topic.partitions);
  for (const WantedSetting& wanted : SettingsOf(topic)) {
    command += std::string(" --config ") + wanted.name + "=" + wanted.value;
  }
  return command;
}

std::string GrowCommand(const Settings& connection, const InternalTopic& topic) {
  return Tool(connection, "kafka-topics.sh") + " --alter --topic " + topic.topic + " --partitions " +
         std::to_string(topic.partitions);
}

Status Create(Client& client, int64_t wait_ns_max, const std::vector<InternalTopic*>& missing) {
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> bare;
  char error[256] = "";
  for (const InternalTopic* topic : missing) {
    // -1: as many replicas as the cluster makes by default.
    topics.emplace_back(
        rd_kafka_NewTopic_new(topic->topic.c_str(), topic->partitions, -1, error, sizeof error));
    if (!topics.back()) return Status::Invalid(Named(client.settings(), *topic) + " cannot be created: " + error);
    for (const WantedSetting& wanted : SettingsOf(*topic)) {
      rd_kafka_NewTopic_set_config(topics.back().get(), wanted.name, wanted.value);
    }
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
      std::string message = Named(client.settings(), *topic) + " is missing and cannot be created: " + why +
                            ". Give this client CREATE, or create it with\n  " + CreateCommand(client.settings(), *topic);
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
  if (!wanted) return Status::Invalid(Named(client.settings(), topic) + " cannot be given more partitions: " + error);
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

Status CheckPartitions(Client& client, int32_t partitions, InternalTopic* topic) {
  if (topic->rekey) {
    topic->partitions = partitions;  // where keys lie was decided when it was made
    return Status();
  }
  if (partitions == topic->partitions || (topic->grows && partitions > topic->partitions)) return Status();
  return Status::Invalid(
      Named(client.settings(), *topic) + " has " + std::to_string(partitions) + " partitions and needs " +
      std::to_string(topic->partitions) + ", one for each of its input: the state was kept " +
      "by another partitioning and cannot be used. Give the input its old number of partitions " +
      "back, or stop every copy and run this binary with `reset`: the pipeline then starts without state");
}

// `*warning`: of settings that only cost something.
Status CheckSettings(Client& client, int64_t wait_ns_max, InternalTopic* topic, std::string* warning) {
  TopicSettings settings;
  bool known = false;
  Status status = ReadTopicSettings(client, topic->topic, wait_ns_max, &settings, &known);
  if (!status.ok() || !known) return status;
  TopicLimits limits = LimitsOf(settings);
  topic->batch_bytes_max = limits.batch_bytes_max;
  topic->removals_kept_ms = limits.removals_kept_ms;
  SettingsVerdict verdict = JudgeSettings(client.settings(), *topic, settings);
  *warning = std::move(verdict.warning);
  return verdict.refusal.empty() ? Status() : Status::Invalid(verdict.refusal);
}

Status Check(Client& client, int64_t wait_ns_max, int32_t partitions, const InternalTopicRules& rules,
             InternalTopic* topic) {
  Status status = CheckPartitions(client, partitions, topic);
  if (status.ok() && !topic->rekey) status = TopicId(client, topic->topic, wait_ns_max, &topic->id);
  std::string warning;
  if (status.ok()) status = CheckSettings(client, wait_ns_max, topic, &warning);
  if (!warning.empty() && rules.warn) rules.warn(warning);
  return status;
}

}  // namespace

std::string PurposeOf(const InternalTopic& topic) {
  return std::string("which ") + (topic.rekey ? "carries the rows of" : "holds the state of") + " `" + topic.stage + "`";
}

std::string DeleteCommand(const Settings& connection, const std::string& topic) {
  return Tool(connection, "kafka-topics.sh") + " --delete --topic " + topic;
}

SettingsVerdict JudgeSettings(const Settings& connection, const InternalTopic& topic, const TopicSettings& settings) {
  std::string bad, bad_set, costly, costly_set;
  for (const WantedSetting& wanted : SettingsOf(topic)) {
    auto found = settings.find(wanted.name);
    if (found == settings.end() || found->second == wanted.value) continue;
    const std::string& has = found->second;
    double difference = atof(has.c_str()) - atof(wanted.value);
    if (wanted.matter == Matter::kAtLeast && difference >= 0) continue;
    if (wanted.matter == Matter::kAtMost && difference <= 0) continue;
    bool below_least = wanted.matter == Matter::kAtLeast && atoll(has.c_str()) < wanted.least;
    bool must = wanted.matter == Matter::kMust || below_least;
    std::string& text = must ? bad : costly;
    std::string& set = must ? bad_set : costly_set;
    text += (text.empty() ? " has " : "; and ") + std::string(wanted.name) + "=" + has + " instead of " + wanted.value +
            ": " + (below_least ? wanted.why_least : wanted.why);
    set += (set.empty() ? "" : ",") + std::string(wanted.name) + "=" + wanted.value;
  }
  auto sentence = [&](const std::string& text, const std::string& set) {
    if (text.empty()) return text;
    return Named(connection, topic) + text + ". Set it:\n  " + Tool(connection, "kafka-configs.sh") +
           " --alter --entity-type topics --entity-name " + topic.topic + " --add-config " + set;
  };
  return {sentence(bad, bad_set), sentence(costly, costly_set)};
}

Status MissingTopics(const Settings& connection, const std::vector<std::string>& commands) {
  std::string all;
  for (const std::string& command : commands) all += "\n  " + command;
  return Status::NotFound("topics that this pipeline has for itself are missing or have too few partitions (connection `" +
                          connection.connection + "`), and with --no-create it makes none. Make them, say with" + all);
}

Status LookAtInternalTopic(Client& client, int64_t wait_ns_max, InternalTopic* topic, TopicLook* look) {
  *look = TopicLook();
  Status status = PartitionCount(client, topic->topic, wait_ns_max, &look->partitions);
  if (status.code() == StatusCode::kNotFound) {
    look->command = CreateCommand(client.settings(), *topic);
    return Status();
  }
  if (!status.ok()) return status;
  if (topic->grows && look->partitions < topic->partitions) {
    look->command = GrowCommand(client.settings(), *topic);
  } else if (status = CheckPartitions(client, look->partitions, topic); !status.ok()) {
    return status;
  }
  return CheckSettings(client, wait_ns_max, topic, &look->warning);
}

Status OpenInternalTopics(Client& client, int64_t wait_ns_max, const InternalTopicRules& rules,
                          std::vector<InternalTopic>* topics) {
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
  if (!rules.create) {
    for (const InternalTopic* topic : missing) rules.commands->push_back(CreateCommand(client.settings(), *topic));
    for (const auto& [topic, partitions] : found) {
      if (!topic->grows || partitions >= topic->partitions) continue;
      rules.commands->push_back(GrowCommand(client.settings(), *topic));
      missing.push_back(topic);
    }
    std::erase_if(
        found, [&](const auto& one) { return std::find(missing.begin(), missing.end(), one.first) != missing.end(); });
    missing.clear();
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
    if (Status status = Check(client, left(), partitions, rules, topic); !status.ok()) return status;
  }
  return Status();
}

}  // namespace weir::kafka
