// Control layer of reading: one member of a consumer group. It joins, hears what it is assigned, commits offsets and
// leaves; it never fetches, so that whatever fetches (fetcher.h) can be replaced without touching group membership.
//
// Members are static, so that one which comes back after it lost its session takes its own place again: a dynamic one gets a
// new place, and a group whose broker was away can wait a long time for the old ones. A static member is fenced by whoever
// joins last under its name. That may be a request of its own, which was given up with its connection and arrives behind the
// one that was sent in its place. So a member that was out of touch joins once more with a new client; one that was not, and
// a second fencing, mean that another process has its name.
//
// A broker answers a request to join when all members have joined, or when the time for that is over. One that has just
// started may also forget it, while it still reads what it knows of the group (Kafka 4.1), and librdkafka waits for the
// answer as long as a rebalance may take. So a member that hears nothing joins once more, with a new client too: where the
// group does wait for others, that changes nothing.
//
// All calls on one thread, which must call Serve at least every max.poll.interval.ms; callbacks come from inside Serve
// and Close. `wake` is called from librdkafka's threads when there is something to serve.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/client.h"
#include "runtime/engine/transactions.h"

namespace weir::kafka {

// A partition of a topic and an offset; -1: none.
struct TopicOffset {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = -1;
  // Of a committed offset: a version of the pipeline that keeps state in Kafka committed it, and the state that belongs to it.
  bool has_state = false;
};

class Member {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The group's decision, all topics together.
    virtual void OnAssigned(const std::vector<TopicOffset>& partitions) = 0;
    // About to be given away (`lost` false: Commit still counts, and Serve waits for it) or gone already.
    virtual void OnRevoked(const std::vector<TopicOffset>& partitions, bool lost) = 0;
    // The answer to AskCommitted.
    virtual void OnCommitted(const std::vector<TopicOffset>& offsets) = 0;
  };

  // `instance_id`: the place's name in the group; empty: a dynamic member. `keep_place`: after Close the place is kept until
  // the session ends, so that a restart within that time goes on at once.
  static Status Make(const Settings& settings, const std::string& client_id, const std::string& instance_id, bool keep_place,
                     Log* log, std::function<void()> wake, Listener* listener, std::unique_ptr<Member>* out);
  ~Member();

  Status Join(const std::vector<std::string>& topics);
  // Serves rebalances and answers; cheap when there is nothing. An error is one that retrying does not cure.
  Status Serve();
  // Offsets that are finished. One request at a time is on its way; newer ones wait and replace older ones.
  void Commit(const std::vector<TopicOffset>& offsets);
  // Asks for committed offsets of these partitions; the answer comes through the listener. A new question replaces the
  // one before.
  void AskCommitted(const std::vector<TopicOffset>& partitions);
  // Waits until every Commit was answered, `wait_ns_max` at most. True: all were accepted.
  bool WaitForCommits(int64_t wait_ns_max);
  // Leaves the group, unless its place is to be kept, and waits `wait_ns_max` at most; 0: leaves nothing. While the group
  // waits for its members it hears nobody out; then its next generation has no partitions for this place.
  // `aside` is a topic that no member reads; empty: none is known.
  void Close(int64_t wait_ns_max, const std::string& aside = "");

  // What a transaction needs to commit offsets in this member's name; invalid while the member has no assignment that
  // counts. Asks librdkafka's main thread, which takes some microseconds.
  GroupToken Group() const;
  std::string member_id() const;
  // The group has answered this member at least once and has not thrown it out since.
  bool joined() const { return joined_; }
  Client& client() { return *client_; }
  const std::vector<std::string>& topics() const { return topics_; }

 private:
  Member() = default;
  Status Connect();
  // Joins again as if nothing had been: the listener hears that what it held is lost. `left_request`: one of the client that
  // it has now may still be on its way.
  Status Renew(bool left_request);
  // Nobody has answered its request to join for as long as it waits for that.
  bool Unanswered(int64_t now) const;
  Status JoinOnceMore();
  int64_t FirstJoinPatienceNs() const;
  // A request about its membership had no answer, or its assignment was lost.
  void OutOfTouch();
  void Tell(LogLevel level, const std::string& words);
  static void OnRequest(int16_t api_key, void* owner);
  static void OnResponse(int16_t api_key, rd_kafka_resp_err_t error, void* owner);
  static void OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque);
  void Rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list);
  // Asks to leave as a member does. True: the group has heard it.
  bool Leave(int64_t end_ns);
  // By the place's name, for when the group does not hear this member: see place.h.
  void LeaveByName(int64_t end_ns, const std::string& aside);
  void SendCommit();
  void CommitFailed(rd_kafka_resp_err_t code);
  void SendQuestion();
  void ServeAnswers(int wait_ms);
  Status ConsumerError(const rd_kafka_message_t* message);
  Status LookForMissing(int64_t now);

  Settings settings_;
  std::string client_id_;
  std::string instance_id_;
  bool keep_place_ = true;
  enum class Leaving : uint8_t { kAsked, kHeard, kGivenUp };
  std::atomic<Leaving> leaving_{Leaving::kAsked};
  Log* log_ = nullptr;
  std::vector<std::string> topics_;
  std::unique_ptr<Client> client_;
  Queue answers_;  // of commits and questions
  Queue control_;
  std::function<void()> wake_;
  Listener* listener_ = nullptr;
  std::atomic<bool> ready_{true};
  // Until then a request of this process about its membership may arrive that was given up; 0: there is none.
  std::atomic<int64_t> on_its_way_until_ns_{0};
  std::atomic<int64_t> join_sent_ns_{0};  // of a request to join that has no answer yet; 0: there is none
  int64_t join_patience_ns_ = 0;          // how long it waits for that answer; doubled each time until there is one
  int64_t served_ns_ = 0;
  int64_t refused_since_ns_ = 0;  // 0: the brokers take its credentials
  bool joined_ = false;
  bool assigned_ = false;  // from an assignment until its revocation was served
  bool closing_ = false;
  bool renew_ = false;
  std::vector<TopicOffset> partitions_;  // assigned
  Status fatal_;

  using Offsets = std::map<std::pair<std::string, int32_t>, int64_t>;
  Offsets to_commit_;
  Offsets on_the_way_;
  bool committing_ = false;
  int64_t commit_at_ns_ = 0;  // not before this time: the last one failed
  bool commit_failed_ = false;
  std::vector<TopicOffset> asked_;
  bool asking_ = false;      // a request is on its way
  uintptr_t question_ = 0;        // number of the last one that was sent
  int64_t question_sent_ns_ = 0;
  bool ask_again_ = false;   // its answer is for an older question, or it failed
  int64_t ask_at_ns_ = 0;    // not before this time
  std::map<std::string, int64_t> missing_;  // topics that a broker does not know, since when
};

}  // namespace weir::kafka
