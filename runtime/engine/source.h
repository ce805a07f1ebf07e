// What the engine asks of a connector that reads records.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/engine/batch.h"

namespace weir {

// Where reading of one partition goes on. Saved in each commit that moves it.
struct Position {
  int64_t offset = -1;   // the next record's offset; -1: the configured start
  bool finished = false; // a finite source was read to its end
  bool earliest = false; // with offset -1: a partition that appeared after the first start, so from its very beginning
  std::string identity;  // what the source needs to recognise its data again (files: device, inode, prefix hash), else empty
};

// What a partition's reader knows beside its records.
struct PartitionStatus {
  bool at_end = false;      // stands at the high watermark, confirmed by an empty fetch; nothing is waiting inside the source
  bool finished = false;    // finite source: no record will ever follow
  bool connected = true;    // time disconnected does not count as idle
  int64_t end_offset = -1;  // the partition's end as last heard, -1 unknown (lag = end_offset - position)
  // Where reading stands: passes what readers never see (transaction markers, aborted records), so a table has arrived
  // when this reaches the end asked for; also what a configured start of `latest` came to. -1: not known yet.
  int64_t position = -1;
  // The record at `position` is not there any more: polls fail (kCorrupt) until the partition is resumed elsewhere.
  bool gone = false;
};

// Changes of what this reader reads, told from inside Poll, on the worker's thread.
class SourceEvents {
 public:
  virtual ~SourceEvents() = default;
  // Partitions that are now read; the engine answers with the position of each. Called once after Open for sources
  // with fixed partitions, and at each rebalance for members of a consumer group.
  virtual void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) = 0;
  // Partitions that are about to be given away: the engine finishes or drops their work before it returns and calls
  // Commit for what is finished.
  virtual void Revoked(const std::vector<int32_t>& partitions) = 0;
  // Partitions that already belong to somebody else: their work is dropped, nothing is committed.
  virtual void Lost(const std::vector<int32_t>& partitions) = 0;
};

// One worker's reader of one declared source (or table). Order of calls: Partitions, Open, then Poll, Hold, Tell, Identity,
// Commit and Ends in any order, and Resume for each partition that was assigned, then Close. All on the worker's thread; none
// blocks longer than it says.
class Source {
 public:
  virtual ~Source() = default;
  // How many partitions the source has; contacts the broker or looks at the files, waiting `wait_ns_max` at most.
  virtual Status Partitions(int64_t wait_ns_max, int32_t* count) = 0;
  // Starts reading. `mine` lists the partitions this worker reads when the engine assigns them (pipelines with state,
  // tables, files); it is empty for members of a consumer group, which hear of theirs through `events`.
  virtual Status Open(const std::vector<int32_t>& mine, SourceEvents* events) = 0;
  // Next batch, or null when nothing is there now. Takes from partitions in turn, skipping those on Hold. Serves
  // rebalances.
  virtual Status Poll(std::unique_ptr<Batch>* batch) = 0;
  // Stops (or goes on with) handing out batches of a partition; records that were fetched stay where they are.
  virtual void Hold(int32_t partition, bool held) = 0;
  virtual PartitionStatus Tell(int32_t partition) = 0;
  // Sources made with ConnectorContext::resumed: whether what is there now is what `position` was read of; kCorrupt says
  // what to do.
  virtual Status Recognise(int32_t partition, const Position& position) { return Status(); }
  // And: reads an assigned partition from this offset on, from the next poll on.
  // Again: anew from there.
  virtual Status Resume(int32_t partition, int64_t offset) {
    return Status::Invalid("this source cannot be resumed");
  }
  // What goes into Position::identity for what was handed out so far; asked at each commit that moves the partition.
  virtual std::string Identity(int32_t partition) { return std::string(); }
  // These positions are safe: group offsets may follow. Never blocks; errors are logged and show in metrics.
  virtual void Commit(const std::vector<std::pair<int32_t, Position>>& positions) = 0;
  // The end of each partition at the time of the call (tables: where a start must have arrived before streams that
  // join it begin), waiting `wait_ns_max` at most.
  virtual Status Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) = 0;
  virtual void Close() = 0;
};

}  // namespace weir
