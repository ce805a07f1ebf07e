// How an engine reads a simulated cluster: a worker's membership of the consumer group, shared by its sources, and the
// sources themselves, which see committed records only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/engine/connectors.h"
#include "runtime/testing/memory_cluster.h"

namespace weir {

class ClusterSource;

// One worker's place in the group. Rebalances are eager: everything is given back, then assigned anew.
class ClusterMember {
 public:
  // `instance`: not empty for a static member.
  ClusterMember(MemoryCluster& cluster, const std::string& group, const std::string& instance, bool leaves)
      : cluster_(cluster), group_(group), instance_(instance), leaves_(leaves) {}

  void Add(ClusterSource* source);
  // `closed` false: the process was killed, and the group hears nothing of it.
  void Remove(ClusterSource* source, bool closed);
  // Called by each poll of any of its sources: shows that the worker lives, and tells all sources what the group says.
  Status Serve();
  // Offsets that are in no transaction. One request at a time; what the group refused is asked for again.
  void Commit(const std::map<TopicPartition, int64_t>& offsets);
  // As the client knows it, which may be old.
  GroupToken Token() const;
  const std::string& group() const { return group_; }
  const std::string& id() const { return id_; }

 private:
  enum class Change : uint8_t { kAssigned, kRevoked, kLost };
  void Tell(Change change, const std::vector<TopicPartition>& partitions);
  void TakeCommitAnswer();
  void SendCommit();
  // Its partitions are others' from now on.
  void ForgetCommits();
  std::set<std::string> Topics() const;

  MemoryCluster& cluster_;
  std::string group_, instance_;
  bool leaves_;
  std::vector<ClusterSource*> sources_;
  std::string id_;
  int32_t generation_ = -1;
  std::set<std::string> topics_;
  std::vector<TopicPartition> owned_;
  bool serving_ = false;
  std::map<TopicPartition, int64_t> to_commit_, on_the_way_;
  std::shared_ptr<ClusterCall> committing_;
  int64_t commit_at_ = 0;  // not before this time: the last one was refused
};

class ClusterSource : public Source {
 public:
  // `start`: where partitions without a position begin.
  ClusterSource(MemoryCluster& cluster, const std::string& topic, std::shared_ptr<ClusterMember> member,
                const ConnectorContext& context, bool latest);
  ~ClusterSource() override;

  Status Partitions(int64_t wait_ns_max, int32_t* count) override;
  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override;
  Status Poll(std::unique_ptr<Batch>* batch) override;
  void Hold(int32_t partition, bool held) override;
  PartitionStatus Tell(int32_t partition) override;
  Status Resume(int32_t partition, int64_t offset) override;
  void Commit(const std::vector<std::pair<int32_t, Position>>& positions) override;
  Status Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) override;
  void Close() override;

  uint32_t batch_max = 100;

 private:
  friend class ClusterMember;
  struct Reader {
    int64_t position = -1;   // -1: not resumed yet
    bool held = false;
    bool empty = false;      // the last fetch brought nothing
    int64_t seen_end = 0;    // the high watermark as last heard
    int64_t old_until = 0;   // until then `seen_end` stays
  };

  void Assigned(const std::vector<int32_t>& partitions);
  void Revoked(const std::vector<int32_t>& partitions, bool lost);
  Status Fetch(int32_t number, Reader& reader, std::unique_ptr<Batch>* batch);

  MemoryCluster& cluster_;
  std::string topic_;
  std::shared_ptr<ClusterMember> member_;
  ConnectorContext context_;
  bool latest_;
  SourceEvents* events_ = nullptr;
  bool in_group_ = false;
  bool closed_ = false;
  std::map<int32_t, Reader> readers_;
  size_t next_ = 0;
};

}  // namespace weir
