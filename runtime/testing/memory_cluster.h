// A Kafka cluster in memory, as far as transactions go: logs with open and aborted transactions, the coordinators of
// transactions and of groups, and a network that delays, loses and repeats requests. One thread, a virtual clock, and a
// seed that decides everything that chance decides: the same calls give the same trace.
//
// It speaks the transaction protocol of brokers from 3.7 on with clients without KIP-890: a partition asks the
// coordinator whether a transaction's first write belongs to one, but a request that arrives late acts on whatever
// transaction of its producer's epoch is open by then.
//
// What an engine sees of it is in cluster_connectors.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/testing/cluster_faults.h"
#include "runtime/testing/cluster_log.h"
#include "runtime/testing/virtual_time.h"

namespace weir {

using TopicPartition = std::pair<std::string, int32_t>;
std::string NameOf(const TopicPartition& partition);  // `topic/partition`

// How a broker answers.
enum class ClusterError : uint8_t {
  kNone,
  kUnavailable,        // NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER
  kConcurrent,         // CONCURRENT_TRANSACTIONS: the one before is not ended everywhere
  kUnstable,           // UNSTABLE_OFFSET_COMMIT: a transaction holds offsets that were asked for
  kFenced,             // INVALID_PRODUCER_EPOCH, PRODUCER_FENCED
  kInvalidState,       // INVALID_TXN_STATE
  kOutOfOrder,         // OUT_OF_ORDER_SEQUENCE_NUMBER
  kIllegalGeneration,  // ILLEGAL_GENERATION
  kUnknownMember,      // UNKNOWN_MEMBER_ID
  kFencedInstance,     // FENCED_INSTANCE_ID
  kUnknownTopic,       // UNKNOWN_TOPIC_OR_PARTITION
};
const char* ClusterErrorName(ClusterError error);

struct TopicOptions {
  bool compacted = false;  // the weather may compact it
  bool foreign = false;    // the weather may open a stranger's transaction on it, which aborts
  bool may_grow = false;   // the weather may add a partition
};

struct ClusterOptions {
  int64_t session_ns = 10'000'000'000;
  int64_t rebalance_ns = 30'000'000'000;   // how long members have to join again

  int64_t heartbeat_ns() const { return session_ns / 4; }
};

struct ProducerIdentity {
  std::string transactional_id;
  int64_t id = -1;
  int32_t epoch = -1;
};

// A request on its way. The client looks at it; that it forgets it, or dies, does not take it off the wire.
struct ClusterCall {
  bool answered = false;   // or given up
  bool timed_out = false;  // no answer: a time-out, a disconnect
  ClusterError error = ClusterError::kNone;
};

// What a member hears when it shows that it lives.
struct MemberNews {
  enum Kind : uint8_t {
    kNothing,
    kRebalance,  // give everything back and join again
    kAssigned,
    kUnknown,    // thrown out: what it had is others'
    kFenced,     // another process has its instance id
  } kind = kNothing;
  int32_t generation = -1;
  std::vector<TopicPartition> assigned;
};

class MemoryCluster {
 public:
  MemoryCluster(VirtualClock& clock, uint64_t seed, const ClusterOptions& options = {});

  // ---- The run's side ----
  ClusterFaults faults;  // may be changed at any time; `weather_ns` counts from the next DeliverEvents on
  int64_t produce_ns_per_byte = 0;  // a quota: for how long a producer is held back behind what it has written
  // From now on nothing goes wrong by itself any more; what is under way still arrives.
  void Calm() { faults = ClusterFaults(); }
  // How often each fault occurred, and what refusals followed.
  std::map<std::string, uint64_t> occurred;

  void AddTopic(const std::string& name, int32_t partitions, const TopicOptions& options = {});
  // -1: no such topic.
  int32_t Partitions(const std::string& topic) const;
  std::vector<std::string> TopicNames() const {
    std::vector<std::string> names;
    for (const auto& [name, topic] : topics_) names.push_back(name);
    return names;
  }
  // Groups that read the topic rebalance.
  void AddPartition(const std::string& topic);
  // By a producer without transactions.
  int64_t Append(const std::string& topic, int32_t partition, MemoryRecord record);
  // By a stranger: the records are there now, and the end comes after `open_ns`.
  void ForeignTransaction(const TopicPartition& partition, std::vector<MemoryRecord> records, int64_t open_ns, bool commit);
  size_t Compact(const TopicPartition& partition, bool drop_tombstones);
  void DeleteBefore(const TopicPartition& partition, int64_t offset);
  void ForceRebalance(const std::string& group);
  void SetTransactionsDown(int64_t ns);
  void SetGroupsDown(int64_t ns);
  void MoveLeader(const TopicPartition& partition, int64_t ns);
  // The coordinator gives up the open transaction of this id, if there is one.
  void TimeOutTransaction(const std::string& transactional_id);

  // When something happens by itself: a request or an answer arrives, a marker is written, a time-out. INT64_MAX: never.
  int64_t NextEventMonoNs();
  // Does what is due. True: there was something, so whoever waited should look again.
  bool DeliverEvents();
  // Whoever waits should look again then.
  void WakeAt(int64_t mono_ns);

  std::vector<MemoryRecord> ReadCommitted(const std::string& topic, int32_t partition) const;
  const ClusterLog& log(const TopicPartition& partition) const { return logs_.at(partition); }
  // Transactions that have begun and are not ended everywhere, strangers' included.
  uint64_t OpenTransactions() const;
  // -1: none.
  int64_t CommittedOffset(const std::string& group, const TopicPartition& partition) const;
  void SetCommittedOffset(const std::string& group, const TopicPartition& partition, int64_t offset);
  // Members of a group and what each has, for tests.
  std::map<std::string, std::vector<TopicPartition>> Assignment(const std::string& group) const;

  // One line per event. `keep_trace` false: only its hash is kept.
  bool keep_trace = true;
  const std::string& trace() const { return trace_; }
  uint64_t trace_hash() const { return trace_hash_; }
  void Trace(const std::string& line);

  // ---- The network ----
  // Brings a request to `execute` now, later, twice or never. `what` names it in the trace. `losable`: its answer may be
  // lost, which is what the client must live with; others only take their time.
  std::shared_ptr<ClusterCall> Send(const std::string& what, bool losable, std::function<ClusterError()> execute);
  // Chance, counted under `name` when it happens.
  bool Happens(double probability, const char* name);
  // From 1 to `max`.
  int64_t UpTo(int64_t max) { return max <= 1 ? 1 : 1 + static_cast<int64_t>(random_() % static_cast<uint64_t>(max)); }
  int64_t now() { return clock_.MonoNs(); }

  // ---- Requests, as brokers execute them on arrival ----
  // `current`: a producer that wants a higher epoch for itself, refused when another has taken its id; null: a new one.
  ClusterError InitProducerId(const std::string& transactional_id, int64_t timeout_ns, const ProducerIdentity* current,
                              ProducerIdentity* out);
  ClusterError AddPartitionToTransaction(const ProducerIdentity& producer, const TopicPartition& partition);
  // `end`, when given: where the log ends behind them; untouched when they were there already.
  ClusterError Produce(const ProducerIdentity& producer, const TopicPartition& partition, int64_t first_sequence,
                       const std::vector<MemoryRecord>& records, int64_t* end = nullptr);
  ClusterError AddOffsetsToTransaction(const ProducerIdentity& producer, const std::string& group);
  // As brokers do, a member without a name and generation is not checked.
  ClusterError CommitTransactionOffsets(const ProducerIdentity& producer, const std::string& group,
                                        const std::string& member, int32_t generation,
                                        const std::map<TopicPartition, int64_t>& offsets);
  ClusterError EndTransaction(const ProducerIdentity& producer, bool commit);

  // Offsets without a transaction.
  ClusterError CommitOffsets(const std::string& group, const std::string& member, int32_t generation,
                             const std::map<TopicPartition, int64_t>& offsets);
  // Of all partitions of a topic; -1: none.
  ClusterError FetchOffsets(const std::string& group, const std::string& topic, std::vector<int64_t>* offsets);
  // ListOffsets.
  ClusterError StartOf(const TopicPartition& partition, int64_t* start);
  // The end, or the last stable offset.
  ClusterError EndOf(const TopicPartition& partition, bool stable, int64_t* end);

  // Joins, or joins again with the member id of before. Returns the member's id.
  std::string Join(const std::string& group, const std::string& member, const std::string& instance,
                   const std::set<std::string>& topics);
  // `known`: the generation whose assignment the member has; -1: none.
  MemberNews Heartbeat(const std::string& group, const std::string& member, int32_t known);
  void Leave(const std::string& group, const std::string& member);
  // A member that gives its partitions back shows that it lives without heartbeats from its worker.
  void SetBusy(const std::string& group, const std::string& member, bool busy);

  bool Connected(const TopicPartition& partition);

 private:
  struct Topic {
    int32_t partitions = 0;
    TopicOptions options;
  };
  struct Transaction {
    enum State : uint8_t { kEmpty, kOngoing, kPrepareCommit, kPrepareAbort, kCompleteCommit, kCompleteAbort };
    int64_t producer = -1;
    int32_t epoch = 0;
    int64_t timeout_ns = 0;
    State state = kEmpty;
    int64_t began = 0;
    std::set<TopicPartition> partitions;
    std::set<std::string> groups;
    size_t markers_left = 0;
  };
  struct GroupMemberState {
    std::string instance;
    std::set<std::string> topics;
    bool joined = false;       // since the rebalance began
    bool busy = false;
    int64_t last_heard = 0;
    int64_t next_wake = 0;     // when its worker should be given a turn to poll
    std::vector<TopicPartition> assigned;
  };
  struct Group {
    int32_t generation = 0;
    bool rebalancing = false;
    int64_t rebalance_end = 0;
    std::map<std::string, GroupMemberState> members;
    std::set<std::string> fenced;  // ids of members whose instance another process took over
    std::map<std::string, int64_t> late_news;  // by member: when it hears what the group has decided
    std::map<TopicPartition, int64_t> committed;
    std::map<int64_t, std::map<TopicPartition, int64_t>> pending;  // by producer
  };

  void At(int64_t mono_ns, std::function<void()> action);
  ClusterError CheckProducer(const ProducerIdentity& producer, Transaction** transaction);
  ClusterError AddToTransaction(const ProducerIdentity& producer, Transaction** transaction);
  void End(Transaction& transaction, const std::string& id, bool commit);
  void WriteMarker(const std::string& id, int64_t producer, int32_t epoch, const TopicPartition& partition, bool commit);
  void WriteOffsetsMarker(const std::string& id, int64_t producer, const std::string& group, bool commit);
  void MarkerWritten(const std::string& id);
  void TimeOut(const std::string& id, Transaction& transaction);
  MemberNews NewsFor(Group& group, const std::string& member, int32_t known);
  ClusterError CheckMember(Group& group, const std::string& member, int32_t generation);
  void BeginRebalance(const std::string& name, Group& group, const std::string& why);
  void MaybeCompleteRebalance(const std::string& name, Group& group);
  void Assign(Group& group);
  void RemoveMember(const std::string& name, Group& group, const std::string& member, const std::string& why);
  void Weather();
  bool Chance(double probability);
  void Count(const char* name) { ++occurred[name]; }

  VirtualClock& clock_;
  ClusterOptions options_;
  std::mt19937_64 random_;
  std::map<std::string, Topic> topics_;
  std::map<TopicPartition, ClusterLog> logs_;
  std::map<TopicPartition, int64_t> moved_until_;
  std::map<std::string, Transaction> transactions_;  // by transactional id
  std::map<std::string, Group> groups_;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> events_;  // by time, then order of their making
  uint64_t event_count_ = 0;
  int64_t next_weather_ = 0;
  int64_t transactions_down_until_ = 0;
  int64_t groups_down_until_ = 0;
  int64_t next_producer_ = 1000;
  uint64_t next_member_ = 0;
  uint64_t call_count_ = 0;
  std::string trace_;
  uint64_t trace_hash_ = 14695981039346656037u;
};

}  // namespace weir
