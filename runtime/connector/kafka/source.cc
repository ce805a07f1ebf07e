#include "runtime/connector/kafka/source.h"

#include <algorithm>

#include "runtime/connector/kafka/reader.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/core/hash.h"

namespace weir::kafka {
namespace {

// Of each partition the first keys are all checked, then one in so many.
constexpr uint32_t kKeysCheckedAll = 1000;
constexpr uint32_t kKeySample = 1024;
constexpr int64_t kOpenNsMax = 30'000'000'000;

}  // namespace

KafkaSource::KafkaSource(SourceOptions options, std::shared_ptr<Connection> connection, std::shared_ptr<Reader> reader,
                         std::shared_ptr<SoleCopy> sole)
    : options_(std::move(options)),
      connection_(std::move(connection)),
      reader_(std::move(reader)),
      sole_(std::move(sole)) {
  reader_->Add(this, options_.group_member, options_.resumed);
  if (sole_) sole_->Add(options_.topic);
}

KafkaSource::~KafkaSource() { Close(); }

Status KafkaSource::Partitions(int64_t wait_ns_max, int32_t* count) {
  Status status = connection_->Partitions(options_.topic, wait_ns_max, count);
  if (!status.ok()) return status;
  partitions_ = *count;
  // Where a recovery asks for it and for the offsets, that one counts.
  std::string id;
  if (!options_.table && !options_.resumed) status = connection_->FreshTopicId(options_.topic, wait_ns_max, &id);
  return status.ok() ? Warm(wait_ns_max) : status;
}

Status KafkaSource::Warm(int64_t wait_ns_max) {
  if (warm_) return Status();
  warm_ = true;
  Fetcher* fetcher = nullptr;
  if (Status status = reader_->fetcher(&fetcher); !status.ok()) return status;
  fetcher->Warm(options_.topic, wait_ns_max);
  return Status();
}

Status KafkaSource::Open(const std::vector<int32_t>& mine, SourceEvents* events) {
  events_ = events;
  mine_ = mine;
  open_ = true;
  // Only one worker was asked for the number of partitions.
  if (partitions_ == 0) {
    if (Status status = Partitions(kOpenNsMax, &partitions_); !status.ok()) return status;
  }
  if (sole_) sole_->WakeWhenDecided(reader_->loop());
  return reader_->Opened(this);
}

KafkaSource::Slot* KafkaSource::Find(int32_t partition) {
  size_t p = static_cast<size_t>(partition);
  return p < slot_of_.size() && slot_of_[p] >= 0 ? &slots_[static_cast<size_t>(slot_of_[p])] : nullptr;
}

void KafkaSource::IndexSlots() {
  slot_of_.clear();
  for (size_t i = 0; i < slots_.size(); ++i) {
    size_t p = static_cast<size_t>(slots_[i].partition);
    if (slot_of_.size() <= p) slot_of_.resize(p + 1, -1);
    slot_of_[p] = static_cast<int32_t>(i);
  }
}

Status KafkaSource::Assigned(const std::vector<int32_t>& partitions, const std::vector<int64_t>& committed) {
  if (!open_) return Status();
  return options_.resumed ? Prepare(partitions) : Start(partitions, committed);
}

// Where the partitions go on is known only after their state was brought back: see Resume.
Status KafkaSource::Prepare(const std::vector<int32_t>& partitions) {
  for (int32_t partition : partitions) {
    if (partition >= partitions_ && options_.check_keys) {
      return Status::Corrupt("topic `" + options_.topic + "` has more than " +
                             std::to_string(partitions_) + " partitions now, and had those when this pipeline " +
                             "started: its state is kept by partition, and equal keys are now elsewhere");
    }
    Slot slot;
    slot.partition = partition;
    slots_.push_back(std::move(slot));
  }
  IndexSlots();
  std::vector<Position> positions;
  if (events_) events_->Assigned(partitions, &positions);
  return Status();
}

Status KafkaSource::Resume(int32_t partition, int64_t offset) {
  Slot* slot = Find(partition);
  std::string where = "topic `" + options_.topic + "`, partition " + std::to_string(partition);
  if (!options_.resumed || !slot) return Status::Internal(where + " is not one to be resumed");
  if (offset < 0) return Status::Internal(where + " cannot go on at offset " + std::to_string(offset));
  // All that a recovery brings back is started together, with the next poll.
  if (slot->feed) to_stop_.push_back(std::move(slot->feed));
  slot->feed.reset();
  slot->resume_at = offset;
  resumed_ = true;
  return Status();
}

Status KafkaSource::StartResumed() {
  resumed_ = false;
  StopFeeds(std::move(to_stop_));
  to_stop_.clear();
  std::vector<Fetcher::Start> starts;
  for (Slot& slot : slots_) {
    if (slot.resume_at < 0) continue;
    starts.push_back({slot.partition, slot.resume_at, connection_->KnownLeaderEpoch(options_.topic, slot.partition)});
    slot.resume_at = -1;
  }
  return starts.empty() ? Status() : StartFeeds(starts);
}

Status KafkaSource::Recognise(int32_t partition, const Position& position) {
  return CheckTopicId(options_.topic, partition, position.offset, position.identity,
                      connection_->KnownTopicId(options_.topic), options_.own);
}

std::string KafkaSource::Identity(int32_t) { return connection_->KnownTopicId(options_.topic); }

Status KafkaSource::Start(const std::vector<int32_t>& partitions, const std::vector<int64_t>& committed) {
  std::vector<Position> positions;
  if (events_) events_->Assigned(partitions, &positions);
  positions.resize(partitions.size());
  bool read_before = std::any_of(committed.begin(), committed.end(), [](int64_t offset) { return offset >= 0; });
  std::vector<Fetcher::Start> starts;
  std::vector<int64_t> at_time;  // by partition, once it is asked for
  size_t without = 0;  // partitions that have no offset, …
  bool all_later = true;  // … and whether `start` says where they begin
  for (size_t i = 0; i < partitions.size(); ++i) {
    size_t p = static_cast<size_t>(partitions[i]);
    Slot slot;
    slot.partition = partitions[i];
    int64_t offset = positions[i].offset;
    if (Status status = Recognise(partitions[i], positions[i]); !status.ok()) return status;
    if (offset < 0 && p < committed.size()) offset = committed[p];
    if (offset < 0) {
      // A partition that came after the group had read others begins at its beginning: whatever is in it is new.
      bool later = options_.start.kind != StartPolicy::kEarliest && !positions[i].earliest && !read_before;
      if (later && options_.start.kind == StartPolicy::kTime && at_time.empty()) {
        Client* admin = nullptr;
        Status status = connection_->Admin(&admin);
        if (status.ok()) {
          status = TopicTimes(*admin, options_.topic, partitions_, options_.start.time_ns, kOpenNsMax, &at_time);
        }
        if (!status.ok()) return status;
      }
      offset = !later ? kFromEarliest : p < at_time.size() ? at_time[p] : kFromLatest;
      slot.commit_start = later && options_.group_member;
      ++without;
      all_later = all_later && later;
    }
    starts.push_back({partitions[i], offset});
    slots_.push_back(std::move(slot));
  }
  IndexSlots();
  if (without != 0 && options_.group_member) TellBegins(without, partitions.size(), all_later);
  return StartFeeds(starts);
}

void KafkaSource::TellBegins(size_t without, size_t partitions, bool later) {
  Log* log = connection_->options().log;
  if (log == nullptr) return;
  const char* begin = !later                                         ? "their earliest records"
                      : options_.start.kind == StartPolicy::kLatest ? "their ends"
                                                                     : "the first records that are not before the time of `start`";
  log->Write(LogLevel::kInfo, connection_->settings().line,
             BeginsWithoutOffsets(without, partitions, "topic `" + options_.topic + "`", begin));
}

Status KafkaSource::StartFeeds(const std::vector<Fetcher::Start>& starts) {
  Fetcher* fetcher = nullptr;
  if (Status status = reader_->fetcher(&fetcher); !status.ok()) return status;
  std::vector<std::unique_ptr<Feed>> feeds;
  Status status = fetcher->StartFeeds(options_.topic, starts, &feeds);
  for (std::unique_ptr<Feed>& feed : feeds) Find(feed->partition())->feed = std::move(feed);
  return status;
}

void KafkaSource::Revoked(const std::vector<int32_t>& partitions, bool lost) {
  if (!open_) return;
  std::vector<int32_t> known;  // those the engine has heard of
  for (int32_t partition : partitions) {
    if (Find(partition)) known.push_back(partition);
  }
  if (events_ && !known.empty()) {
    if (lost) {
      events_->Lost(known);
    } else {
      events_->Revoked(known);
    }
  }
  Stop(known);
}

void KafkaSource::Stop(const std::vector<int32_t>& partitions) {
  std::vector<std::unique_ptr<Feed>> feeds;
  for (int32_t partition : partitions) {
    Slot* slot = Find(partition);
    if (slot && slot->feed) feeds.push_back(std::move(slot->feed));
  }
  std::erase_if(slots_, [&](const Slot& slot) {
    return std::find(partitions.begin(), partitions.end(), slot.partition) != partitions.end();
  });
  turn_ = 0;
  IndexSlots();
  for (std::unique_ptr<Feed>& feed : to_stop_) feeds.push_back(std::move(feed));
  to_stop_.clear();
  StopFeeds(std::move(feeds));
}

void KafkaSource::StopFeeds(std::vector<std::unique_ptr<Feed>> feeds) {
  Fetcher* fetcher = nullptr;
  if (!feeds.empty() && reader_->fetcher(&fetcher).ok()) fetcher->Stop(std::move(feeds));
}

Status KafkaSource::Poll(std::unique_ptr<Batch>* batch) {
  batch->reset();
  if (Status status = reader_->Serve(); !status.ok()) return status;
  if (sole_) {
    bool held = false;
    if (Status status = sole_->Serve(&held); !status.ok()) return status;
    if (!held) return Status();
  }
  if (!started_ && !options_.group_member) {
    started_ = true;
    if (Status status = Start(mine_, {}); !status.ok()) return status;
  }
  if (resumed_) {
    if (Status status = StartResumed(); !status.ok()) return status;
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[turn_];
    turn_ = turn_ + 1 < slots_.size() ? turn_ + 1 : 0;
    if (slot.commit_start) {
      if (int64_t position = slot.feed->Tell().position; position >= 0) {
        slot.commit_start = false;
        reader_->Commit(options_.topic, {{slot.partition, position}});
      }
    }
    if (slot.held || !slot.feed || !slot.feed->Ready()) continue;
    if (Status status = slot.feed->Take(batch); !status.ok()) return status;
    if (!*batch) continue;
    if (slot.feed->leader_epoch() != slot.leader_epoch) {
      slot.leader_epoch = slot.feed->leader_epoch();
      connection_->RememberLeaderEpoch(options_.topic, slot.partition, slot.leader_epoch);
    }
    return options_.check_keys ? CheckKeys(&slot, **batch) : Status();
  }
  return Status();
}

Status KafkaSource::CheckKeys(Slot* slot, const Batch& batch) const {
  for (uint32_t i = 0; i < batch.size; ++i) {
    if (slot->keys_checked >= kKeysCheckedAll && (slot->keys_checked + i) % kKeySample != 0) continue;
    const Message& message = batch.messages[i];
    int32_t wanted = message.has_key ? KafkaPartition(message.key, partitions_) : -1;
    if (wanted == batch.partition) continue;
    std::string where = "topic `" + options_.topic + "`, partition " + std::to_string(batch.partition) + ", offset " +
                        std::to_string(message.offset) + ": ";
    std::string why =
        message.has_key
            ? "the record's key belongs into partition " + std::to_string(wanted) + " of " +
                  std::to_string(partitions_) + " by murmur2, Kafka's usual partitioner"
            : std::string("the record has no key");
    return Status::Invalid(where + why + ". This pipeline keeps state by `key:` and relies on equal keys being in " +
                           "one partition. Make the producer use it (librdkafka: partitioner=murmur2_random), or " +
                           "leave `key:` out of the source's block: then records are keyed anew where it matters");
  }
  slot->keys_checked += batch.size;
  return Status();
}

void KafkaSource::Hold(int32_t partition, bool held) {
  if (Slot* slot = Find(partition)) slot->held = held;
}

PartitionStatus KafkaSource::Tell(int32_t partition) {
  PartitionStatus status;
  status.connected = false;
  Slot* slot = Find(partition);
  if (!slot || !slot->feed) return status;
  FeedStatus feed = slot->feed->Tell();
  status.at_end = feed.at_end;
  status.connected = feed.connected;
  status.end_offset = feed.end_offset;
  status.position = feed.position;
  status.gone = feed.gone;
  return status;
}

void KafkaSource::Commit(const std::vector<std::pair<int32_t, Position>>& positions) {
  std::vector<std::pair<int32_t, int64_t>> offsets;
  for (const auto& [partition, position] : positions) {
    // Of a partition that belongs to another member by now, that member's offset counts.
    if (position.offset >= 0 && Find(partition)) offsets.push_back({partition, position.offset});
  }
  if (offsets.empty() || options_.table) return;
  if (sole_) {
    sole_->Commit(options_.topic, offsets);
  } else {
    reader_->Commit(options_.topic, offsets);
  }
}

Status KafkaSource::Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) {
  Client* admin = nullptr;
  if (Status status = connection_->Admin(&admin); !status.ok()) return status;
  int32_t count = 0;
  if (Status status = Partitions(wait_ns_max, &count); !status.ok()) return status;
  return TopicEnds(*admin, options_.topic, count, wait_ns_max, ends);
}

void KafkaSource::Close() {
  if (!reader_) return;
  open_ = false;
  events_ = nullptr;
  std::vector<int32_t> all;
  for (const Slot& slot : slots_) all.push_back(slot.partition);
  Stop(all);
  if (sole_) sole_->Leave(options_.topic, reader_->loop());
  reader_->Remove(this);
  reader_.reset();  // the last source's goes with its client
  sole_.reset();
}

}  // namespace weir::kafka
