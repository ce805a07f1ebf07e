// Data layer of reading: fetches partitions from given offsets. Knows nothing of groups and commits. The one in use is
// made of librdkafka; a wire client of our own takes its place behind the same interface.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/engine/batch.h"

namespace weir::kafka {

// Where to start instead of at an offset.
inline constexpr int64_t kFromEarliest = -2;
inline constexpr int64_t kFromLatest = -1;

struct FeedStatus {
  int64_t position = -1;     // the next offset to be handed out; passes what readers do not see (markers, aborted)
  int64_t end_offset = -1;   // the partition's high watermark as last heard
  bool at_end = false;       // position is the high watermark, an empty fetch confirmed it, nothing waits here
  bool connected = false;    // fetches are being answered
  bool gone = false;         // the broker has nothing at position any more: Take fails
};

// One partition being fetched, until it is handed to Fetcher::Stop.
class Feed {
 public:
  virtual ~Feed() = default;
  virtual int32_t partition() const = 0;
  // False: Take would find nothing. Cheap.
  virtual bool Ready() const = 0;
  // The next records in offset order, null when there is nothing. An error is one that fetching again does not cure.
  virtual Status Take(std::unique_ptr<Batch>* batch) = 0;
  virtual FeedStatus Tell() = 0;
  // Of the last record handed out: which leader of the partition had written it; -1: not known. A leader that has less than
  // that has lost it.
  virtual int32_t leader_epoch() const { return -1; }
};

// All calls on one thread. What is fetched ahead is bounded: nothing is fetched for a feed that is not taken from.
class Fetcher {
 public:
  struct Start {
    int32_t partition;
    int64_t offset;  // or kFromEarliest, kFromLatest
    // Of what was read below the offset, as leader_epoch() said: if the partition has lost it, Take fails (kCorrupt).
    int32_t leader_epoch = -1;
  };
  virtual ~Fetcher() = default;
  // Gets ready to read a topic: connects and learns its leaders, waiting `wait_ns_max` at most. Not needed, but a start
  // without it is late: a client that does not know a leader yet asks again only after half a second.
  virtual void Warm(const std::string& topic, int64_t wait_ns_max) = 0;
  virtual Status StartFeeds(const std::string& topic, const std::vector<Start>& starts,
                            std::vector<std::unique_ptr<Feed>>* feeds) = 0;
  virtual void Stop(std::vector<std::unique_ptr<Feed>> feeds) = 0;
  // To be called now and then.
  virtual void Serve() = 0;
};

}  // namespace weir::kafka
