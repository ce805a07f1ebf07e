#include "runtime/testing/cluster_log.h"

#include <algorithm>
#include <set>

namespace weir {

int64_t ClusterLog::stable_end() const {
  int64_t stable = end_;
  for (const auto& [id, producer] : producers_) {
    if (producer.open_from >= 0) stable = std::min(stable, producer.open_from);
  }
  return stable;
}

bool ClusterLog::Open(int64_t producer) const {
  auto at = producers_.find(producer);
  return at != producers_.end() && at->second.open_from >= 0;
}

int64_t ClusterLog::Append(MemoryRecord record, int64_t producer, int32_t epoch) {
  LogEntry entry;
  entry.offset = end_++;
  entry.producer = producer;
  entry.epoch = epoch;
  entry.transactional = producer >= 0;
  entry.record = std::move(record);
  if (producer >= 0) {
    Producer& state = producers_[producer];
    state.epoch = std::max(state.epoch, epoch);
    if (state.open_from < 0) state.open_from = entry.offset;
  }
  entries_.push_back(std::move(entry));
  return end_ - 1;
}

void ClusterLog::AppendMarker(int64_t producer, int32_t epoch, bool commit) {
  LogEntry entry;
  entry.offset = end_++;
  entry.kind = commit ? LogEntry::kCommit : LogEntry::kAbort;
  entry.producer = producer;
  entry.epoch = epoch;
  entry.transactional = true;
  Producer& state = producers_[producer];
  if (!commit && state.open_from >= 0) state.aborted.emplace_back(state.open_from, entry.offset);
  state.open_from = -1;
  if (epoch > state.epoch) {
    state.epoch = epoch;
    state.next_sequence = 0;
  }
  entries_.push_back(std::move(entry));
}

int32_t ClusterLog::EpochOf(int64_t producer) const {
  auto at = producers_.find(producer);
  return at == producers_.end() ? -1 : at->second.epoch;
}

int64_t ClusterLog::NextSequence(int64_t producer, int32_t epoch) const {
  auto at = producers_.find(producer);
  return at == producers_.end() || at->second.epoch < epoch ? 0 : at->second.next_sequence;
}

void ClusterLog::SetNextSequence(int64_t producer, int32_t epoch, int64_t sequence) {
  Producer& state = producers_[producer];
  state.epoch = epoch;
  state.next_sequence = sequence;
}

bool ClusterLog::Aborted(const LogEntry& entry) const {
  if (!entry.transactional) return false;
  for (auto& [first, last] : producers_.at(entry.producer).aborted) {
    if (entry.offset >= first && entry.offset < last) return true;
  }
  return false;
}

size_t ClusterLog::IndexOf(int64_t offset) const {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), offset,
                             [](const LogEntry& entry, int64_t wanted) { return entry.offset < wanted; });
  return static_cast<size_t>(at - entries_.begin());
}

const LogEntry* ClusterLog::NextCommitted(int64_t* at, int64_t limit) const {
  limit = std::min(limit, stable_end());
  *at = std::max(*at, start_);
  for (size_t i = IndexOf(*at); i < entries_.size() && entries_[i].offset < limit; ++i) {
    const LogEntry& entry = entries_[i];
    if (entry.kind != LogEntry::kRecord || Aborted(entry)) continue;
    *at = entry.offset + 1;
    return &entry;
  }
  *at = std::max(*at, limit);
  return nullptr;
}

size_t ClusterLog::Compact(int64_t below, bool drop_tombstones) {
  below = std::min({below, stable_end(), end_ - 1});
  std::map<std::string, int64_t> last;
  for (const LogEntry& entry : entries_) {
    if (entry.offset >= below) break;
    if (entry.kind == LogEntry::kRecord && entry.record.has_key && !Aborted(entry)) last[entry.record.key] = entry.offset;
  }
  auto stays = [&](const LogEntry& entry) {
    if (Aborted(entry)) return false;
    if (!entry.record.has_key) return true;
    return last.at(entry.record.key) == entry.offset && (entry.record.has_value || !drop_tombstones);
  };
  std::vector<LogEntry> kept;
  std::set<int64_t> with_records;  // producers with records since their last marker
  for (LogEntry& entry : entries_) {
    if (entry.offset < below) {
      if (entry.kind == LogEntry::kRecord) {
        if (!stays(entry)) continue;
        with_records.insert(entry.producer);
      } else if (with_records.erase(entry.producer) == 0 && drop_tombstones) {
        continue;
      }
    }
    kept.push_back(std::move(entry));
  }
  size_t gone = entries_.size() - kept.size();
  entries_ = std::move(kept);
  return gone;
}

void ClusterLog::DeleteBefore(int64_t offset) {
  start_ = std::max(start_, std::min(offset, end_));
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<int64_t>(IndexOf(start_)));
}

}  // namespace weir
