#include "runtime/connector/kafka/sole_copy.h"

#include <time.h>

#include <algorithm>
#include <random>

#include "runtime/connector/kafka/topics.h"

namespace weir::kafka {
namespace {

constexpr int64_t kAskNsMax = 3'000'000'000;
constexpr int64_t kDecideAgainNs = 500'000'000;
// A younger copy that does not go away in this time holds the lock: it had joined first, while it was alone.
constexpr int64_t kPartialNsMax = 10'000'000'000;
constexpr int64_t kLeaveNsMax = 5'000'000'000;
constexpr char kMark[] = "-sole-";

int64_t WallMs() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000ll + t.tv_nsec / 1'000'000;
}

// "weir-trades-sole-0001767225600000-9f3a…": text that sorts by time of start. Empty: not a client id of ours.
std::string StartOf(const std::string& client_id) {
  size_t at = client_id.rfind(kMark);
  return at == std::string::npos ? "" : client_id.substr(at + sizeof kMark - 1);
}

}  // namespace

SoleCopy::~SoleCopy() {
  if (member_) member_->Close(kLeaveNsMax);
}

void SoleCopy::Add(const std::string& topic) {
  std::lock_guard<std::mutex> lock(mutex_);
  ++topics_[topic];
}

void SoleCopy::WakeWhenDecided(Loop* loop) {
  std::lock_guard<std::mutex> lock(wake_mutex_);
  if (loop) loops_.push_back(loop);
}

void SoleCopy::Wake() {
  std::lock_guard<std::mutex> lock(wake_mutex_);
  for (Loop* loop : loops_) loop->Wake();
}

SoleCopy::SoleCopy(Connection* connection) : connection_(connection) {
  std::random_device device;
  char start[64];
  snprintf(start, sizeof start, "%016ld-%08x%08x", WallMs(), device(), device());
  client_id_ = connection_->ClientId(std::string(kMark + 1) + start);
}

Status SoleCopy::Join() {
  const Connection::Options& options = connection_->options();
  Settings settings = connection_->settings();
  // After a crash the next start waits for the old session to end, unless it is a static member.
  settings.properties.insert(settings.properties.begin(), {"session.timeout.ms", "10000"});
  std::string instance = options.instance_id.empty() ? "" : options.instance_id + "-sole";
  Status status = Member::Make(settings, client_id_, instance, !options.leave, options.log, [this] { Wake(); }, this,
                               &member_);
  if (!status.ok()) return status;
  std::vector<std::string> topics;
  for (const auto& topic : topics_) topics.push_back(topic.first);
  return member_->Join(topics);
}

Status SoleCopy::Serve(bool* held) {
  *held = held_.load(std::memory_order_acquire);
  if (failed_.load(std::memory_order_acquire)) {
    std::lock_guard<std::mutex> lock(mutex_);
    return failure_;
  }
  std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return Status();  // another worker is at it
  if (!member_) {
    if (Status status = Join(); !status.ok()) failure_ = status;
  }
  if (failure_.ok()) {
    if (Status status = member_->Serve(); !status.ok()) failure_ = status;
  }
  if (failure_.ok() && partial_ && MonoNs() >= decide_at_ns_) Decide();
  if (!failure_.ok()) {
    failed_.store(true, std::memory_order_release);
    Wake();
    return failure_;
  }
  *held = held_.load(std::memory_order_relaxed);
  return Status();
}

void SoleCopy::OnAssigned(const std::vector<TopicOffset>& partitions) {
  std::map<std::string, int32_t> mine;
  for (const TopicOffset& p : partitions) ++mine[p.topic];
  bool all = true;
  for (const auto& [topic, sources] : topics_) {
    int32_t known = connection_->KnownPartitions(topic);
    if (mine[topic] > known) {
      failure_ = Status::Corrupt("topic `" + topic + "` has " + std::to_string(mine[topic]) + " partitions now and had " +
                                 std::to_string(known) + " when this pipeline started: its state is kept by " +
                                 "partition, and equal keys are now elsewhere");
      return;
    }
    all = all && mine[topic] == known;
  }
  if (all) {
    partial_ = false;
    lost_ = false;
    if (!held_.exchange(true)) Wake();
    return;
  }
  if (held_ && !lost_) return;  // somebody else has joined, and will be refused
  partial_ = true;
  partial_since_ns_ = MonoNs();
  decide_at_ns_ = 0;
}

void SoleCopy::OnRevoked(const std::vector<TopicOffset>&, bool lost) {
  partial_ = false;
  if (lost && held_) lost_ = true;
}

// Others are in the group. The oldest copy goes on.
void SoleCopy::Decide() {
  decide_at_ns_ = MonoNs() + kDecideAgainNs;
  std::vector<GroupMember> members;
  const std::string& group = connection_->settings().group;
  std::string me = member_->member_id();
  std::string my_start = StartOf(client_id_);
  bool waited = MonoNs() - partial_since_ns_ > kPartialNsMax;
  Status status = GroupMembers(member_->client(), group, kAskNsMax, &members);
  if (!status.ok() && !waited) return;  // asked again soon
  const GroupMember* other = nullptr;
  for (const GroupMember& member : members) {
    if (member.member_id == me) continue;
    std::string start = StartOf(member.client_id);
    bool older = start.empty() || start < my_start;  // never equal: it ends in random digits
    if (older || lost_ || waited) other = &member;
  }
  if (!other && !waited) return;
  std::string who = other ? "`" + other->client_id + "` on " + other->host : "another member";
  failure_ = Status::Exists(
      "group `" + group + "`: " +
      (lost_ ? who + " took over while this process could not reach Kafka"
             : StartOf(other ? other->client_id : "").empty()
                   ? who + " is in it and is no copy of this pipeline: give the connection another `group:`"
                   : "another copy of this pipeline runs, " + who +
                         ". A pipeline with state runs once: stop the other copy, or give this one another `group:`"));
  member_->Close(kLeaveNsMax);
}

void SoleCopy::Commit(const std::string& topic, const std::vector<std::pair<int32_t, int64_t>>& offsets) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!member_ || !failure_.ok()) return;
  std::vector<TopicOffset> list;
  for (const auto& [partition, offset] : offsets) list.push_back({topic, partition, offset});
  member_->Commit(list);
}

void SoleCopy::Leave(const std::string& topic, Loop* loop) {
  {
    std::lock_guard<std::mutex> lock(wake_mutex_);
    if (auto found = std::find(loops_.begin(), loops_.end(), loop); found != loops_.end()) loops_.erase(found);
  }
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = topics_.find(topic);
  if (found != topics_.end() && --found->second <= 0) topics_.erase(found);
  if (!topics_.empty() || !member_) return;
  member_->Close(kLeaveNsMax);
}

}  // namespace weir::kafka
