// Questions about topics and groups, asked of the broker by an admin client. All block up to `wait_ns_max`; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/connector/kafka/client.h"

namespace weir::kafka {

class Request;

// A topic that was just made is not known at every broker at once: one that is missing is asked for again for so long.
inline constexpr int64_t kMissingNsMax = 10'000'000'000;

// How many partitions a topic has. NotFound: the message holds the command that creates it.
Status PartitionCount(Client& client, const std::string& topic, int64_t wait_ns_max, int32_t* count);

// The names of all topics that this client may see.
Status TopicNames(Client& client, int64_t wait_ns_max, std::vector<std::string>* names);

// A topic's settings by their names in Kafka, those that it has from its broker included. Where the broker does not tell (no
// right to describe the topic's configuration, an embedded broker), `*known` is false and there are none.
using TopicSettings = std::map<std::string, std::string>;
Status ReadTopicSettings(Client& client, const std::string& topic, int64_t wait_ns_max, TopicSettings* settings,
                         bool* known);

// What a topic accepts.
struct TopicLimits {
  int64_t batch_bytes_max = 1'048'588;     // max.message.bytes: of a batch, as it is sent
  int64_t before_ms_max = INT64_MAX;       // timestamps may be this much older than the broker's clock
  int64_t after_ms_max = INT64_MAX;        // or this much ahead of it
  bool compacted = false;                  // every record needs a key
  bool deleted = true;                     // old records go
  int64_t removals_kept_ms = 86'400'000;   // delete.retention.ms: a compacted topic remembers removed keys so long
};

// What a topic's settings mean; what they do not say stays as it is by default.
TopicLimits LimitsOf(const TopicSettings& settings);

// Reads a topic's limits. Where the broker does not tell, they stay as they are by default and `*known` is false.
Status ReadTopicLimits(Client& client, const std::string& topic, int64_t wait_ns_max, TopicLimits* limits, bool* known);

// The topic's id, which another topic of its name does not have; empty where the broker does not tell.
Status TopicId(Client& client, const std::string& topic, int64_t wait_ns_max, std::string* id);

// kCorrupt, with how to go on: partition `partition` was read up to `offset` when the topic's id was `was`, and now it is
// `is`, so that it is another topic of the same name. An id that is empty is not known. `own`: of the pipeline's own rows,
// which cannot be read once more while what they came from stays where it is.
Status CheckTopicId(const std::string& topic, int32_t partition, int64_t offset, const std::string& was,
                    const std::string& is, bool own);

// The id of the cluster; empty: no broker answered in time, or it tells none.
std::string ClusterId(Client& client, int64_t wait_ns_max);

// librdkafka's mock cluster (weir run --embedded): it never answers questions about a topic's configuration, and accepts
// what it can hold.
bool IsMock(Client& client, int64_t wait_ns_max);

// Where partitions [first, first + count) of a topic begin or end: asks, and reads the answer once the request is over.
enum class Edge { kBegin, kEnd };
void AskEdges(Client& client, Request& request, const std::string& topic, int32_t first, int32_t count, Edge edge,
              rd_kafka_IsolationLevel_t isolation);
Status EdgesOf(Client& client, Request& request, const std::string& what, int32_t first, int32_t count,
               std::vector<int64_t>* offsets);

// The first record of each partition that is not older than `time_ns`, by the broker's timestamps; -1: there is none.
void AskTimes(Client& client, Request& request, const std::string& topic, int32_t first, int32_t count, int64_t time_ns);
Status TimesOf(Client& client, Request& request, const std::string& what, int32_t first, int32_t count,
               std::vector<int64_t>* offsets);
// The same for all of a topic, with the end where there is none.
Status TopicTimes(Client& client, const std::string& topic, int32_t partitions, int64_t time_ns, int64_t wait_ns_max,
                  std::vector<int64_t>* offsets);

// The end of each of `partitions` partitions as read_committed readers see it: nothing beyond it can be read yet.
Status TopicEnds(Client& client, const std::string& topic, int32_t partitions, int64_t wait_ns_max,
                 std::vector<int64_t>* ends);

// The metadata of an offset that `reset --to` committed: nothing was read below it in this life of the pipeline, whose
// state is empty.
inline constexpr char kStartText[] = "weir start";

// What the client's group has committed of a partition.
struct GroupOffset {
  int64_t offset = -1;   // -1: nothing
  bool start = false;    // only where the partition is to begin: `reset --to`
  std::string metadata;  // to be kept when the offset is moved
  int32_t leader_epoch = -1;  // of what was read below it; -1: not known
};
// Of partitions [0, count) of a topic: asks, and reads the answer once the request is over. `*unstable`: a transaction still
// holds some of it, and nothing of the answer counts.
void AskGroupOffsets(Client& client, Request& request, const std::string& topic, int32_t count);
Status GroupOffsetsOf(Client& client, Request& request, const std::string& what, int32_t count, bool* unstable,
                      std::vector<GroupOffset>* offsets);

// The other members of a group, as the broker knows them.
struct GroupMember {
  std::string member_id;
  std::string instance_id;  // of a static member
  std::string client_id;
  std::string host;
};
Status GroupMembers(Client& client, const std::string& group, int64_t wait_ns_max, std::vector<GroupMember>* members);

}  // namespace weir::kafka
