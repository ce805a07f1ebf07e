#include "runtime/connector/kafka/connection.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

#include "runtime/connector/kafka/former_members.h"
#include "runtime/connector/kafka/reader.h"
#include "runtime/connector/kafka/sole_copy.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/connector/kafka/writer.h"

namespace weir::kafka {
namespace {

constexpr int64_t kLookAgainNs = 50'000'000;
constexpr int64_t kFormerNsMax = 3'000'000'000;
constexpr int64_t kMockNsMax = 5'000'000'000;

}  // namespace

Connection::Connection(Settings settings, Options options) : settings_(std::move(settings)), options_(std::move(options)) {}
Connection::~Connection() = default;

Status Connection::Admin(Client** client) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!admin_) {
    Client::Options options;
    options.client_id = ClientId("admin");
    options.learns_versions = true;
    options.log = options_.log;
    if (Status status = Client::Make(settings_, Role::kAdmin, options, &admin_); !status.ok()) return status;
  }
  *client = admin_.get();
  return Status();
}

Status Connection::Partitions(const std::string& topic, int64_t wait_ns_max, int32_t* count) {
  if ((*count = KnownPartitions(topic)) > 0) return Status();
  return FreshPartitions(topic, wait_ns_max, count);
}

Status Connection::FreshPartitions(const std::string& topic, int64_t wait_ns_max, int32_t* count) {
  Client* admin = nullptr;
  if (Status status = Admin(&admin); !status.ok()) return status;
  int64_t end = MonoNs() + wait_ns_max;
  Status status;
  do {
    status = PartitionCount(*admin, topic, std::max<int64_t>(end - MonoNs(), 1'000'000), count);
    // We have seen it: the broker that answered is behind others.
    if (status.code() != StatusCode::kNotFound || KnownPartitions(topic) == 0) break;
    std::this_thread::sleep_for(std::chrono::nanoseconds(kLookAgainNs));
  } while (MonoNs() < end);
  if (status.ok()) Remember(topic, *count);
  return status;
}

void Connection::Remember(const std::string& topic, int32_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  partitions_[topic] = count;
}

std::string Connection::TopicBeside(const std::vector<std::string>& topics) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [topic, count] : partitions_) {
    if (std::find(topics.begin(), topics.end(), topic) == topics.end()) return topic;
  }
  return "";
}

int32_t Connection::KnownPartitions(const std::string& topic) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = partitions_.find(topic);
  return found == partitions_.end() ? 0 : found->second;
}

Status Connection::FreshTopicId(const std::string& topic, int64_t wait_ns_max, std::string* id) {
  Client* admin = nullptr;
  if (Status status = Admin(&admin); !status.ok()) return status;
  if (Status status = TopicId(*admin, topic, wait_ns_max, id); !status.ok() || id->empty()) return status;
  std::lock_guard<std::mutex> lock(mutex_);
  std::string& known = topic_ids_[topic];
  if (known.empty()) known = *id;
  if (known == *id) return Status();
  return Status::Corrupt("topic `" + topic + "` was deleted and made anew while this pipeline ran: its id was " + known +
                         " and is " + *id + ". The next start says how to go on");
}

std::string Connection::KnownTopicId(const std::string& topic) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = topic_ids_.find(topic);
  return found == topic_ids_.end() ? std::string() : found->second;
}

void Connection::RememberLeaderEpoch(const std::string& topic, int32_t partition, int32_t leader_epoch) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto [known, added] = leader_epochs_.emplace(std::make_pair(topic, partition), leader_epoch);
  known->second = std::max(known->second, leader_epoch);
}

int32_t Connection::KnownLeaderEpoch(const std::string& topic, int32_t partition) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = leader_epochs_.find({topic, partition});
  return found == leader_epochs_.end() ? -1 : found->second;
}

const std::string& Connection::Identity() {
  if (!options_.instance_id.empty()) return options_.instance_id;
  std::lock_guard<std::mutex> lock(mutex_);
  if (identity_.empty()) {
    std::random_device device;
    char text[40];
    snprintf(text, sizeof text, "%08x%08x%08x%08x", device(), device(), device(), device());
    identity_ = text;
  }
  return identity_;
}

void Connection::LeaveFormerPlaces(const Settings& settings, const std::vector<std::string>& topics) {
  Client* admin = nullptr;
  if (options_.instance_id.empty() || former_.count(settings.group) != 0 || !Admin(&admin).ok()) return;
  if (IsMock(*admin, kMockNsMax)) return;  // it keeps no places
  FormerMembers::Options former;
  former.client_id = ClientId("former");
  former.instance_id = options_.instance_id;
  former.workers = options_.workers;
  former.topics = topics;
  former.log = options_.log;
  auto& made = former_[settings.group] = std::make_unique<FormerMembers>(settings, std::move(former), admin);
  made->Wait(kFormerNsMax);
}

void Connection::WarnOnce(const std::string& message) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!warned_.insert(message).second) return;
  }
  if (options_.log != nullptr) options_.log->Write(LogLevel::kWarning, settings_.line, message);
}

Status Connection::ReaderFor(int worker, Loop* loop, bool table, const std::string& topic,
                             const std::string& name, std::shared_ptr<Reader>* out) {
  bool first = true;
  for (WorkerReader& entry : readers_) {
    std::shared_ptr<Reader> reader = entry.reader.lock();
    if (!reader || entry.worker != worker || entry.loop != loop || entry.table != table) continue;
    if (!reader->Reads(topic)) {
      *out = std::move(reader);
      return Status();
    }
    first = false;
  }
  Settings settings = settings_;
  if (!first) settings.group += "." + name;
  *out = std::make_shared<Reader>(this, settings, worker, loop);
  readers_.push_back({worker, loop, table, *out});
  return Status();
}

std::vector<std::shared_ptr<Reader>> Connection::ReadersOf(int worker, Loop* loop) {
  std::vector<std::shared_ptr<Reader>> out;
  for (WorkerReader& entry : readers_) {
    std::shared_ptr<Reader> reader = entry.reader.lock();
    if (reader && entry.worker == worker && entry.loop == loop && !entry.table) out.push_back(std::move(reader));
  }
  return out;
}

Status Connection::WriterFor(int worker, Loop* loop, std::shared_ptr<Writer>* out) {
  for (WorkerWriter& entry : writers_) {
    std::shared_ptr<Writer> writer = entry.writer.lock();
    if (!writer || entry.worker != worker || entry.loop != loop) continue;
    *out = std::move(writer);
    return Status();
  }
  *out = std::make_shared<Writer>(this, worker, loop);
  writers_.push_back({worker, loop, *out});
  return Status();
}

std::shared_ptr<SoleCopy> Connection::Sole() {
  std::shared_ptr<SoleCopy> sole = sole_.lock();
  if (!sole) {
    sole = std::make_shared<SoleCopy>(this);
    sole_ = sole;
  }
  return sole;
}

}  // namespace weir::kafka
