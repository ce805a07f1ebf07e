// What one worker reads over one connection: its group member and its fetcher, shared by its sources.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/fetcher.h"
#include "runtime/connector/kafka/member.h"
#include "runtime/engine/loop.h"

namespace weir::kafka {

class KafkaSource;

// All calls on the worker's thread, except Add (building thread).
class Reader final : public Member::Listener {
 public:
  Reader(Connection* connection, const Settings& settings, int worker, Loop* loop);
  ~Reader() override;

  bool Reads(const std::string& topic) const;
  // `resumed`: partitions are told to the source at once, the engine finds out where they go on.
  void Add(KafkaSource* source, bool group_member, bool resumed);
  void Remove(KafkaSource* source);
  const Settings& settings() const { return settings_; }
  void Wake();
  Loop* loop() const { return loop_; }

  // A source is open. Once all of the group's are, the worker joins it: members must subscribe to everything at once.
  Status Opened(KafkaSource* source);
  // Group membership and the fetcher's housekeeping. Cheap when there is nothing to do.
  Status Serve();
  // The fetcher, made when first needed: only then the number of partitions that share its memory is known.
  Status fetcher(Fetcher** out);
  // Group members only.
  void Commit(const std::string& topic, const std::vector<std::pair<int32_t, int64_t>>& offsets);
  // The worker's membership as it is now; invalid when it has none.
  GroupToken Group() const { return member_ ? member_->Group() : GroupToken(); }
  // The last source closed: leaves the group.
  void Close();

  void OnAssigned(const std::vector<TopicOffset>& partitions) override;
  void OnRevoked(const std::vector<TopicOffset>& partitions, bool lost) override;
  void OnCommitted(const std::vector<TopicOffset>& offsets) override;

 private:
  void TellAssigned(bool resumed, const std::vector<TopicOffset>& committed);
  Status StateLeft(const TopicOffset& committed) const;

  struct Entry {
    KafkaSource* source;
    bool group_member;
    bool resumed;
    bool open = false;
  };

  Connection* connection_;
  Settings settings_;
  int worker_;
  Loop* loop_;
  std::vector<Entry> entries_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<Fetcher> fetcher_;
  std::vector<TopicOffset> assigned_;
  Status failed_;
  int64_t served_ns_ = 0;
};

}  // namespace weir::kafka
