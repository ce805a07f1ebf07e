// The log of one partition: records, and the markers that end transactions, each at an offset of its own.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/testing/memory_record.h"

namespace weir {

struct LogEntry {
  enum Kind : uint8_t { kRecord, kCommit, kAbort };
  int64_t offset = 0;
  Kind kind = kRecord;
  int64_t producer = -1;  // -1: not of a producer with an id
  int32_t epoch = -1;
  bool transactional = false;
  MemoryRecord record;
};

// Everything appended is replicated at once: its end is the high watermark. Readers that are behind are their own affair.
class ClusterLog {
 public:
  int64_t start() const { return start_; }
  int64_t end() const { return end_; }
  // The first offset of the earliest open transaction, else the end: readers of committed records stand before it.
  int64_t stable_end() const;
  bool Open(int64_t producer) const;
  const std::vector<LogEntry>& entries() const { return entries_; }

  int64_t Append(MemoryRecord record) { return Append(std::move(record), -1, -1); }
  // Of a transaction, which begins with its first record here.
  int64_t Append(MemoryRecord record, int64_t producer, int32_t epoch);
  void AppendMarker(int64_t producer, int32_t epoch, bool commit);

  // What the partition knows of a producer: how requests that come twice or too late are told.
  int32_t EpochOf(int64_t producer) const;
  int64_t NextSequence(int64_t producer, int32_t epoch) const;
  void SetNextSequence(int64_t producer, int32_t epoch, int64_t sequence);

  // The first committed record in [*at, limit), with `*at` moved behind it; else null, and `*at` at the limit: markers
  // and aborted records are passed. `limit` is cut to the stable end.
  const LogEntry* NextCommitted(int64_t* at, int64_t limit) const;

  // Removes aborted records and all but the last record of each key below `below`, which is cut to the stable end; the
  // log's last entry stays. What is left keeps its offset. `drop_tombstones`: as if delete.retention.ms had passed, so
  // tombstones go too, and markers whose records are gone. Returns how many entries went.
  size_t Compact(int64_t below, bool drop_tombstones);
  // Deletes what lies before `offset`: the log begins there.
  void DeleteBefore(int64_t offset);

 private:
  struct Producer {
    int32_t epoch = -1;
    int64_t next_sequence = 0;
    int64_t open_from = -1;                            // of its open transaction; -1: none
    std::vector<std::pair<int64_t, int64_t>> aborted;  // first offset, offset of the marker
  };
  bool Aborted(const LogEntry& entry) const;
  size_t IndexOf(int64_t offset) const;

  std::vector<LogEntry> entries_;  // by offset; compaction makes gaps
  std::map<int64_t, Producer> producers_;
  int64_t start_ = 0;
  int64_t end_ = 0;
};

}  // namespace weir
