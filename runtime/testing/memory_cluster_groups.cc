// Consumer groups of the cluster: who reads which partition, and how far they are.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/testing/memory_cluster.h"

namespace weir {

ClusterError MemoryCluster::CheckMember(Group& group, const std::string& member, int32_t generation) {
  if (group.fenced.count(member) != 0) return ClusterError::kFencedInstance;
  if (group.members.count(member) == 0) return ClusterError::kUnknownMember;
  return generation == group.generation ? ClusterError::kNone : ClusterError::kIllegalGeneration;
}

ClusterError MemoryCluster::CommitOffsets(const std::string& name, const std::string& member, int32_t generation,
                                          const std::map<TopicPartition, int64_t>& offsets) {
  if (groups_down_until_ > now()) return ClusterError::kUnavailable;
  Group& group = groups_[name];
  if (ClusterError error = CheckMember(group, member, generation); error != ClusterError::kNone) return error;
  for (auto& [partition, offset] : offsets) group.committed[partition] = offset;
  return ClusterError::kNone;
}

ClusterError MemoryCluster::FetchOffsets(const std::string& name, const std::string& topic, std::vector<int64_t>* offsets) {
  if (groups_down_until_ > now()) return ClusterError::kUnavailable;
  int32_t partitions = Partitions(topic);
  if (partitions < 0) return ClusterError::kUnknownTopic;
  Group& group = groups_[name];
  for (auto& [producer, pending] : group.pending) {
    for (auto& [partition, offset] : pending) {
      if (partition.first == topic) return ClusterError::kUnstable;
    }
  }
  offsets->assign(static_cast<size_t>(partitions), -1);
  for (int32_t p = 0; p < partitions; ++p) {
    auto at = group.committed.find({topic, p});
    if (at != group.committed.end()) (*offsets)[static_cast<size_t>(p)] = at->second;
  }
  return ClusterError::kNone;
}

int64_t MemoryCluster::CommittedOffset(const std::string& name, const TopicPartition& partition) const {
  auto group = groups_.find(name);
  if (group == groups_.end()) return -1;
  auto at = group->second.committed.find(partition);
  return at == group->second.committed.end() ? -1 : at->second;
}

void MemoryCluster::SetCommittedOffset(const std::string& group, const TopicPartition& partition, int64_t offset) {
  if (offset < 0) {
    groups_[group].committed.erase(partition);
  } else {
    groups_[group].committed[partition] = offset;
  }
}

std::map<std::string, std::vector<TopicPartition>> MemoryCluster::Assignment(const std::string& name) const {
  std::map<std::string, std::vector<TopicPartition>> result;
  auto group = groups_.find(name);
  if (group == groups_.end()) return result;
  for (const auto& [id, member] : group->second.members) result[id] = member.assigned;
  return result;
}

std::string MemoryCluster::Join(const std::string& name, const std::string& known, const std::string& instance,
                                const std::set<std::string>& topics) {
  Group& group = groups_[name];
  auto at = group.members.find(known);
  std::string id = known;
  if (at != group.members.end()) {
    bool other_topics = at->second.topics != topics;
    at->second.topics = topics;
    at->second.last_heard = std::max(at->second.last_heard, now());
    if (other_topics && !group.rebalancing) BeginRebalance(name, group, fmt::format("{} subscribes anew", id));
    at->second.joined = true;
  } else {
    id = fmt::format("{}-{:06}", instance.empty() ? "member" : instance, next_member_++);
    auto before = group.members.end();
    if (!instance.empty()) {
      before = std::find_if(group.members.begin(), group.members.end(),
                            [&](const auto& one) { return one.second.instance == instance; });
    }
    GroupMemberState member;
    member.instance = instance;
    member.topics = topics;
    member.joined = true;
    member.last_heard = std::max(now(), groups_down_until_);
    member.next_wake = now() + options_.heartbeat_ns();
    bool keeps_place = before != group.members.end() && before->second.topics == topics;
    if (before != group.members.end()) {
      Trace(fmt::format("group {}: {} takes the place of {}", name, id, before->first));
      member.assigned = before->second.assigned;
      group.fenced.insert(before->first);
      group.members.erase(before);
    }
    group.members[id] = std::move(member);
    if (!keeps_place && !group.rebalancing) {
      BeginRebalance(name, group, fmt::format("{} joined", id));
      group.members[id].joined = true;
    }
  }
  MaybeCompleteRebalance(name, group);
  WakeAt(now());
  return id;
}

MemberNews MemoryCluster::Heartbeat(const std::string& name, const std::string& id, int32_t known) {
  if (groups_down_until_ > now()) return {};
  Group& group = groups_[name];
  const MemberNews news = NewsFor(group, id, known);
  if (news.kind == MemberNews::kNothing) return news;
  // Clients send heartbeats beside their polls, and are answered when they have read on already.
  auto late = group.late_news.find(id);
  if (late == group.late_news.end()) {
    if (!Happens(faults.news_late, "news late")) return news;
    late = group.late_news.emplace(id, now() + UpTo(faults.news_late_ns_max)).first;
    WakeAt(late->second);
  }
  if (late->second > now()) return {};
  group.late_news.erase(late);
  return news;
}

MemberNews MemoryCluster::NewsFor(Group& group, const std::string& id, int32_t known) {
  MemberNews news;
  if (group.fenced.count(id) != 0) {
    news.kind = MemberNews::kFenced;
    return news;
  }
  auto at = group.members.find(id);
  if (at == group.members.end()) {
    news.kind = MemberNews::kUnknown;
    return news;
  }
  GroupMemberState& member = at->second;
  member.last_heard = std::max(member.last_heard, now());
  member.next_wake = now() + options_.heartbeat_ns();
  if (group.rebalancing) {
    if (!member.joined) news.kind = MemberNews::kRebalance;
  } else if (known != group.generation) {
    news.kind = MemberNews::kAssigned;
    news.generation = group.generation;
    news.assigned = member.assigned;
  }
  return news;
}

void MemoryCluster::Leave(const std::string& name, const std::string& member) {
  Group& group = groups_[name];
  if (group.members.count(member) != 0) RemoveMember(name, group, member, "left");
  MaybeCompleteRebalance(name, group);
}

void MemoryCluster::SetBusy(const std::string& name, const std::string& id, bool busy) {
  Group& group = groups_[name];
  auto at = group.members.find(id);
  if (at == group.members.end()) return;
  at->second.busy = busy;
  at->second.last_heard = std::max(at->second.last_heard, now());
}

void MemoryCluster::RemoveMember(const std::string& name, Group& group, const std::string& member, const std::string& why) {
  Trace(fmt::format("group {}: {} {}", name, member, why));
  group.members.erase(member);
  if (!group.rebalancing) BeginRebalance(name, group, why);
}

void MemoryCluster::ForceRebalance(const std::string& name) {
  Group& group = groups_[name];
  if (!group.members.empty() && !group.rebalancing) BeginRebalance(name, group, "forced");
}

void MemoryCluster::BeginRebalance(const std::string& name, Group& group, const std::string& why) {
  Trace(fmt::format("group {} rebalances: {}", name, why));
  if (!group.rebalancing) group.rebalance_end = now() + options_.rebalance_ns;
  group.rebalancing = true;
  for (auto& [id, member] : group.members) member.joined = false;
  WakeAt(now());
}

void MemoryCluster::MaybeCompleteRebalance(const std::string& name, Group& group) {
  if (!group.rebalancing) return;
  for (const auto& [id, member] : group.members) {
    if (!member.joined) return;
  }
  group.rebalancing = false;
  ++group.generation;
  Assign(group);
  std::string text;
  for (const auto& [id, member] : group.members) {
    text += " " + id + ":";
    for (const TopicPartition& partition : member.assigned) text += " " + NameOf(partition);
  }
  Trace(fmt::format("group {} generation {}:{}", name, group.generation, text));
  WakeAt(now());
}

// The range assignor: of each topic, neighbouring partitions go to neighbouring members, so that partitions of the same
// number of topics with equal counts go together.
void MemoryCluster::Assign(Group& group) {
  for (auto& [id, member] : group.members) member.assigned.clear();
  for (const auto& [name, topic] : topics_) {
    std::vector<std::pair<std::string, GroupMemberState*>> readers;
    for (auto& [id, member] : group.members) {
      if (member.topics.count(name) != 0) readers.emplace_back(member.instance.empty() ? id : member.instance, &member);
    }
    if (readers.empty()) continue;
    std::sort(readers.begin(), readers.end());
    int32_t count = static_cast<int32_t>(readers.size());
    int32_t next = 0;
    for (int32_t r = 0; r < count; ++r) {
      int32_t share = topic.partitions / count + (r < topic.partitions % count ? 1 : 0);
      for (int32_t i = 0; i < share; ++i) readers[static_cast<size_t>(r)].second->assigned.emplace_back(name, next++);
    }
  }
}

}  // namespace weir
