// The lock of a pipeline that keeps its state on one machine and therefore may run only once at a time.
//
// It is a membership in the pipeline's consumer group. A group hands every partition of the subscribed topics to exactly
// one member, so a member that was given all of them was alone at that moment: it holds the lock. A second copy joins
// the same group, gets a part, asks the broker who else is there, and refuses to run when another member is older (the
// time of its start is in its client id) or is no copy of ours at all; two copies that start together agree in this way
// on the older one. An older copy that joined later, when the younger one held the lock already, sees that the younger
// one stays, and refuses after 10 s. The holder keeps the lock over the rebalances that a refused copy causes. When its session ended
// (the process was paused, or cut off for longer than session.timeout.ms) and another member holds partitions afterwards,
// it stops. The lock is not a fence: between the end of a session and the moment the old holder notices, both may run;
// at-least-once delivery covers what they write twice. Group offsets are committed through this membership, because the
// broker takes none from outside a group that has members.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/member.h"

namespace weir::kafka {

// Any thread, unless stated.
class SoleCopy final : public Member::Listener {
 public:
  explicit SoleCopy(Connection* connection);
  ~SoleCopy() override;

  // A source of this topic exists. Building thread.
  void Add(const std::string& topic);
  // A worker to wake when something was decided; until Leave.
  void WakeWhenDecided(Loop* loop);
  // Joins at the first call. `held`: the caller may read. An error: another copy runs (kExists), the topic got more
  // partitions (kCorrupt), no right to the group. Cheap once held.
  Status Serve(bool* held);
  void Commit(const std::string& topic, const std::vector<std::pair<int32_t, int64_t>>& offsets);
  // A source of this topic was closed, on this worker; the last one leaves the group.
  void Leave(const std::string& topic, Loop* loop);

  void OnAssigned(const std::vector<TopicOffset>& partitions) override;
  void OnRevoked(const std::vector<TopicOffset>& partitions, bool lost) override;
  void OnCommitted(const std::vector<TopicOffset>&) override {}

 private:
  Status Join();
  void Decide();
  void Wake();

  Connection* connection_;
  std::mutex mutex_;  // all below; held while the member is served
  std::map<std::string, int> topics_;  // and how many sources read each
  std::string client_id_;
  std::unique_ptr<Member> member_;
  std::atomic<bool> held_{false};
  bool partial_ = false;     // the last assignment left something to others
  bool lost_ = false;        // the session ended while we held the lock
  int64_t partial_since_ns_ = 0;
  int64_t decide_at_ns_ = 0;
  std::atomic<bool> failed_{false};
  Status failure_;
  std::mutex wake_mutex_;
  std::vector<Loop*> loops_;
};

}  // namespace weir::kafka
