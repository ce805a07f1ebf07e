#include "runtime/connector/kafka/topics.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "runtime/connector/kafka/request.h"

namespace weir::kafka {
namespace {

int MillisOf(int64_t ns) { return static_cast<int>(std::clamp<int64_t>(ns / 1'000'000, 1, 3'600'000)); }

struct FreeMetadata {
  void operator()(const struct rd_kafka_metadata* answer) const { rd_kafka_metadata_destroy(answer); }
};
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, FreeMetadata>;

// Of one topic, or with a null `topic` of all. A plain metadata request, which every broker answers, librdkafka's mock cluster
// too (it never answers DescribeTopics). The client is a consumer, so asking does not create the topic.
Status AskMetadata(Client& client, rd_kafka_topic_t* topic, const std::string& what, int64_t wait_ns_max, Metadata* out) {
  // In short rounds: a broker that refuses us is told at once, not when the whole wait is over. An answer that comes after its
  // round counts for nothing, and that of a large cluster may take long.
  int64_t round = 500'000'000;
  for (const int64_t end = MonoNs() + wait_ns_max; !*out; round *= 2) {
    int64_t left = end - MonoNs();
    if (left <= 0 || client.refused_us()) return client.Unreachable();
    const struct rd_kafka_metadata* answer = nullptr;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client.get(), topic == nullptr, topic, &answer,
                                                 MillisOf(std::min(left, round)));
    out->reset(answer);
    if (code && !IsPassing(code)) return client.ToStatus(code, what);
  }
  return Status();
}

}  // namespace

Status PartitionCount(Client& client, const std::string& topic, int64_t wait_ns_max, int32_t* count) {
  *count = 0;
  std::string what = "looking for topic `" + topic + "`";
  Topic handle(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
  if (!handle) return Status::Invalid("`" + topic + "` is no name of a topic");
  Metadata answer;
  if (Status status = AskMetadata(client, handle.get(), what, wait_ns_max, &answer); !status.ok()) return status;
  if (answer->topic_cnt != 1) return Status::Unavailable(what + ": the broker did not say");
  const rd_kafka_metadata_topic_t& found = answer->topics[0];
  if (rd_kafka_resp_err_t code = found.err) {
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      const std::string& brokers = client.settings().brokers;
      return Status::NotFound("there is no topic `" + topic + "` at " + brokers + " (connection `" +
                              client.settings().connection + "`); create it, say with\n  kafka-topics.sh " +
                              "--bootstrap-server " + brokers.substr(0, brokers.find(',')) + " --create --topic " +
                              topic + " --partitions 4");
    }
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
      return Status::Denied("no right to see topic `" + topic + "` (connection `" + client.settings().connection +
                            "`): it needs DESCRIBE, and READ or WRITE");
    }
    return client.ToStatus(code, what);
  }
  if (found.partition_cnt == 0) return Status::Unavailable(what + ": its partitions have no leader yet");
  *count = found.partition_cnt;
  return Status();
}

Status TopicNames(Client& client, int64_t wait_ns_max, std::vector<std::string>* names) {
  Metadata answer;
  if (Status status = AskMetadata(client, nullptr, "looking which topics there are", wait_ns_max, &answer); !status.ok()) return status;
  names->clear();
  for (int i = 0; i < answer->topic_cnt; ++i) names->push_back(answer->topics[i].topic);
  return Status();
}

std::string ClusterId(Client& client, int64_t wait_ns_max) {
  char* text = rd_kafka_clusterid(client.get(), MillisOf(wait_ns_max));
  std::string id = text ? text : "";
  if (text) rd_kafka_mem_free(client.get(), text);
  return id;
}

bool IsMock(Client& client, int64_t wait_ns_max) { return ClusterId(client, wait_ns_max).starts_with("mockCluster"); }

Status ReadTopicSettings(Client& client, const std::string& topic, int64_t wait_ns_max, TopicSettings* settings,
                         bool* known) {
  *known = false;
  settings->clear();
  if (IsMock(client, wait_ns_max)) return Status();
  struct Resource {
    rd_kafka_ConfigResource_t* resource;
    ~Resource() { rd_kafka_ConfigResource_destroy(resource); }
  } resource{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())};
  const int64_t end = MonoNs() + std::min(wait_ns_max, kMissingNsMax);
  std::unique_ptr<Request> request;
  const rd_kafka_ConfigResource_t** resources = nullptr;
  while (true) {
    request = std::make_unique<Request>(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, std::max<int64_t>(end - MonoNs(), 1'000'000));
    rd_kafka_DescribeConfigs(client.get(), &resource.resource, 1, request->options(), request->queue());
    Status status = request->Wait("reading the settings of topic `" + topic + "`");
    // Not being told is no reason not to start: the broker refuses what does not fit.
    if (!status.ok()) return status.code() == StatusCode::kUnavailable ? status : Status();
    size_t n = 0;
    resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(request->event()), &n);
    if (n != 1) return Status();
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[0]);
    if (!code) break;
    if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || MonoNs() > end) return Status();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  for (size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);  // null: it is secret
    if (value) (*settings)[rd_kafka_ConfigEntry_name(entries[i])] = value;
  }
  *known = true;
  return Status();
}

TopicLimits LimitsOf(const TopicSettings& settings) {
  TopicLimits limits;
  auto number = [&](const char* name, int64_t* out) {
    if (auto found = settings.find(name); found != settings.end()) *out = atoll(found->second.c_str());
  };
  number("max.message.bytes", &limits.batch_bytes_max);
  if (auto found = settings.find("cleanup.policy"); found != settings.end()) {
    limits.compacted = found->second.find("compact") != std::string::npos;
    limits.deleted = found->second.find("delete") != std::string::npos;
  }
  number("delete.retention.ms", &limits.removals_kept_ms);
  auto type = settings.find("message.timestamp.type");
  if (type != settings.end() && type->second == "LogAppendTime") return limits;
  // Before Kafka 3.6 one setting stood for both directions.
  number("message.timestamp.difference.max.ms", &limits.before_ms_max);
  limits.after_ms_max = limits.before_ms_max;
  number("message.timestamp.before.max.ms", &limits.before_ms_max);
  number("message.timestamp.after.max.ms", &limits.after_ms_max);
  return limits;
}

Status ReadTopicLimits(Client& client, const std::string& topic, int64_t wait_ns_max, TopicLimits* limits,
                       bool* known) {
  TopicSettings settings;
  Status status = ReadTopicSettings(client, topic, wait_ns_max, &settings, known);
  if (status.ok() && *known) *limits = LimitsOf(settings);
  return status;
}

Status TopicId(Client& client, const std::string& topic, int64_t wait_ns_max, std::string* id) {
  id->clear();
  if (IsMock(client, wait_ns_max)) return Status();
  const char* names[] = {topic.c_str()};
  std::unique_ptr<rd_kafka_TopicCollection_t, Free<rd_kafka_TopicCollection_destroy>> topics(
      rd_kafka_TopicCollection_of_topic_names(names, 1));
  const int64_t end = MonoNs() + wait_ns_max;
  // Not every broker knows a topic yet that was made just now.
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(50))) {
    Request request(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, wait_ns_max);
    rd_kafka_DescribeTopics(client.get(), topics.get(), request.options(), request.queue());
    Status status = request.Wait("reading the id of topic `" + topic + "`");
    if (!status.ok()) return status.code() == StatusCode::kUnavailable ? status : Status();
    size_t n = 0;
    const rd_kafka_TopicDescription_t** found =
        rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(request.event()), &n);
    if (n != 1) return Status();
    rd_kafka_resp_err_t code = rd_kafka_error_code(rd_kafka_TopicDescription_error(found[0]));
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && MonoNs() < end) continue;
    const rd_kafka_Uuid_t* uuid = code ? nullptr : rd_kafka_TopicDescription_topic_id(found[0]);
    if (!uuid) return Status();
    // Zero where the cluster gives topics no ids: it may begin to.
    if (rd_kafka_Uuid_most_significant_bits(uuid) == 0 && rd_kafka_Uuid_least_significant_bits(uuid) == 0) return Status();
    if (const char* text = rd_kafka_Uuid_base64str(uuid)) *id = text;
    return Status();
  }
}

Status CheckTopicId(const std::string& topic, int32_t partition, int64_t offset, const std::string& was,
                    const std::string& is, bool own) {
  if (offset <= 0 || was.empty() || is.empty() || was == is) return Status();
  return Status::Corrupt("topic `" + topic + "` was deleted and made anew: partition " + std::to_string(partition) +
                         " of the old one was read up to offset " + std::to_string(offset) + " (the topic's id was " + was +
                         " and is " + is + "). To begin with the new topic and no state, stop every copy and run this " +
                         "binary with `reset`" +
                         (own ? "" : "; to keep the state, with `reset --to earliest --keep-state`"));
}

namespace {

// `spec`: an edge, or a timestamp in milliseconds.
void AskOffsets(Client& client, Request& request, const std::string& topic, int32_t first, int32_t count, int64_t spec,
                rd_kafka_IsolationLevel_t isolation) {
  PartitionList list = NewPartitionList(count);
  for (int32_t p = first; p < first + count; ++p) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset = spec;
  }
  Error error(rd_kafka_AdminOptions_set_isolation_level(request.options(), isolation));
  rd_kafka_ListOffsets(client.get(), list.get(), request.options(), request.queue());
}

}  // namespace

void AskEdges(Client& client, Request& request, const std::string& topic, int32_t first, int32_t count, Edge edge,
              rd_kafka_IsolationLevel_t isolation) {
  int64_t spec = edge == Edge::kBegin ? RD_KAFKA_OFFSET_SPEC_EARLIEST : RD_KAFKA_OFFSET_SPEC_LATEST;
  AskOffsets(client, request, topic, first, count, spec, isolation);
}

void AskTimes(Client& client, Request& request, const std::string& topic, int32_t first, int32_t count, int64_t time_ns) {
  // Rounded up: a record of the millisecond before is older. What lies before 1970 is before every record.
  int64_t ms = std::max<int64_t>(time_ns / 1'000'000 + (time_ns % 1'000'000 > 0 ? 1 : 0), 0);
  AskOffsets(client, request, topic, first, count, ms, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED);
}

Status TimesOf(Client& client, Request& request, const std::string& what, int32_t first, int32_t count,
               std::vector<int64_t>* offsets) {
  if (Status status = request.Result(what); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_ListOffsetsResultInfo_t** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(request.event()), &n);
  if (n != static_cast<size_t>(count)) return Status::Unavailable(what + ": the broker did not say");
  offsets->assign(static_cast<size_t>(count), -1);
  for (size_t i = 0; i < n; ++i) {
    const rd_kafka_topic_partition_t* partition = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (partition->err) return client.ToStatus(partition->err, what);
    int32_t at = partition->partition - first;
    if (at >= 0 && at < count) (*offsets)[static_cast<size_t>(at)] = partition->offset;
  }
  return Status();
}

Status EdgesOf(Client& client, Request& request, const std::string& what, int32_t first, int32_t count,
               std::vector<int64_t>* offsets) {
  if (Status status = TimesOf(client, request, what, first, count, offsets); !status.ok()) return status;
  for (int64_t offset : *offsets) {
    if (offset < 0) return Status::Unavailable(what + ": the broker did not say");
  }
  return Status();
}

Status TopicTimes(Client& client, const std::string& topic, int32_t partitions, int64_t time_ns, int64_t wait_ns_max,
                  std::vector<int64_t>* offsets) {
  std::string what = "asking where a time is in topic `" + topic + "`";
  Request request(client, RD_KAFKA_ADMIN_OP_LISTOFFSETS, wait_ns_max);
  AskTimes(client, request, topic, 0, partitions, time_ns);
  if (Status status = request.Wait(what); !status.ok()) return status;
  if (Status status = TimesOf(client, request, what, 0, partitions, offsets); !status.ok()) return status;
  bool all = std::none_of(offsets->begin(), offsets->end(), [](int64_t offset) { return offset < 0; });
  if (all) return Status();
  std::vector<int64_t> ends;
  if (Status status = TopicEnds(client, topic, partitions, wait_ns_max, &ends); !status.ok()) return status;
  for (size_t p = 0; p < offsets->size(); ++p) {
    if ((*offsets)[p] < 0) (*offsets)[p] = ends[p];
  }
  return Status();
}

Status TopicEnds(Client& client, const std::string& topic, int32_t partitions, int64_t wait_ns_max,
                 std::vector<int64_t>* ends) {
  std::string what = "asking for the end of topic `" + topic + "`";
  Request request(client, RD_KAFKA_ADMIN_OP_LISTOFFSETS, wait_ns_max);
  AskEdges(client, request, topic, 0, partitions, Edge::kEnd, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED);
  if (Status status = request.Wait(what); !status.ok()) return status;
  return EdgesOf(client, request, what, 0, partitions, ends);
}

void AskGroupOffsets(Client& client, Request& request, const std::string& topic, int32_t count) {
  PartitionList list = NewPartitionList(count);
  for (int32_t p = 0; p < count; ++p) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p);
  Error unsupported(rd_kafka_AdminOptions_set_require_stable_offsets(request.options(), 1));
  rd_kafka_ListConsumerGroupOffsets_t* question =
      rd_kafka_ListConsumerGroupOffsets_new(client.settings().group.c_str(), list.get());
  rd_kafka_ListConsumerGroupOffsets(client.get(), &question, 1, request.options(), request.queue());
  rd_kafka_ListConsumerGroupOffsets_destroy(question);
}

Status GroupOffsetsOf(Client& client, Request& request, const std::string& what, int32_t count, bool* unstable,
                      std::vector<GroupOffset>* offsets) {
  *unstable = false;
  Status status = request.Result(what);
  if (!request.event()) return status;
  rd_kafka_resp_err_t code = rd_kafka_event_error(request.event());
  size_t n = 0;
  const rd_kafka_group_result_t** groups = nullptr;
  if (!code) {
    groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(request.event()), &n);
    if (n != 1) return Status::Unavailable(what + ": the broker did not say");
    if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0])) code = rd_kafka_error_code(error);
  }
  offsets->assign(static_cast<size_t>(count), GroupOffset());
  const rd_kafka_topic_partition_list_t* list = code ? nullptr : rd_kafka_group_result_partitions(groups[0]);
  for (int i = 0; list && i < list->cnt && !code; ++i) {
    const rd_kafka_topic_partition_t& p = list->elems[i];
    code = p.err;
    if (p.partition < 0 || p.partition >= count || p.offset < 0) continue;
    GroupOffset& offset = (*offsets)[static_cast<size_t>(p.partition)];
    offset.offset = p.offset;
    if (p.metadata) offset.metadata.assign(static_cast<const char*>(p.metadata), p.metadata_size);
    offset.start = offset.metadata == kStartText;
    offset.leader_epoch = rd_kafka_topic_partition_get_leader_epoch(&p);
  }
  *unstable = code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT;
  if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return Status();  // it has committed nothing
  if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
    return Status::Denied("no right to group `" + client.settings().group + "` (connection `" +
                          client.settings().connection + "`): it needs READ on the group");
  }
  return !code || !status.ok() ? status : client.ToStatus(code, what);
}

Status GroupMembers(Client& client, const std::string& group, int64_t wait_ns_max, std::vector<GroupMember>* members) {
  const char* name = group.c_str();
  Request request(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, wait_ns_max);
  rd_kafka_DescribeConsumerGroups(client.get(), &name, 1, request.options(), request.queue());
  std::string what = "asking who is in group `" + group + "`";
  if (Status status = request.Wait(what); !status.ok()) return status;
  size_t n = 0;
  const rd_kafka_ConsumerGroupDescription_t** groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(request.event()), &n);
  if (n != 1) return Status::Unavailable(what + ": the broker did not say");
  members->clear();
  if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0])) {
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return Status();  // nobody was ever in it
    return client.ToStatus(rd_kafka_error_code(error), what);
  }
  for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); ++i) {
    const rd_kafka_MemberDescription_t* member = rd_kafka_ConsumerGroupDescription_member(groups[0], i);
    const char* instance = rd_kafka_MemberDescription_group_instance_id(member);
    members->push_back({rd_kafka_MemberDescription_consumer_id(member), instance ? instance : "",
                        rd_kafka_MemberDescription_client_id(member), rd_kafka_MemberDescription_host(member)});
  }
  return Status();
}

}  // namespace weir::kafka
