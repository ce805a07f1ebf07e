// What the engine asks of a connector that writes records, and the buffer in which a worker collects them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/status.h"
#include "runtime/engine/batch.h"
#include "runtime/engine/ticket.h"

namespace weir {

// One record on its way out; offsets are into the buffer's bytes.
struct OutputRecord {
  uint32_t key_begin = 0, key_size = 0;
  uint32_t value_begin = 0, value_size = 0;
  uint32_t headers_begin = 0, headers_size = 0;  // into OutputBuffer::headers
  bool has_key = false;
  bool has_value = true;
  int64_t time_ns = kNoTime;  // the record's event time
  // Raised for the record before Write; the sink lowers it when the target acknowledged. Null: nobody counts.
  Ticket* ticket = nullptr;
  uint32_t step = 0;          // index into Program::steps: what an error message names
};

// A header of an output; offsets are into the buffer's bytes.
struct OutputHeader {
  uint32_t name_begin = 0, name_size = 0;
  uint32_t value_begin = 0, value_size = 0;
  bool has_value = true;
};

// Outputs of one worker for one sink since the last hand-over: one arena of bytes and an index into it. Cleared, never
// freed, so that steady state allocates nothing.
struct OutputBuffer {
  Buffer bytes;
  std::vector<OutputRecord> records;
  std::vector<OutputHeader> headers;
  void Clear() {
    bytes.Clear();
    records.clear();
    headers.clear();
  }
};

// What a sink knows to be safely written as of a commit; saved in that commit.
struct SinkPosition {
  int64_t length = -1;  // files: committed bytes. -1: the target keeps no position
};

// A writer to one declared sink. Pipelines that are exactly once from Kafka to Kafka have none: what they write is part of
// the transaction (see transactions.h). Elsewhere there are two kinds, told apart by `store_backed()`:
//  - Streaming sinks (Kafka at least once, stdout): one per worker, all calls on its thread. Write sends at once; each
//    record's ticket falls when the target acknowledged it. The engine commits an epoch when its tickets are at zero.
//  - Store-backed sinks (files): one per process. Workers keep their outputs until the epoch's barrier; then the commit
//    thread calls Write for each worker's buffer and Prepare once, which makes the bytes durable and says up to where;
//    the store's commit records that length, and Open cuts off whatever is beyond it. Exactly once.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status Open(const SinkPosition& committed) = 0;
  // Takes the records; their bytes are copied or written before it returns. Clears nothing. A record that can never be
  // written through its own fault (too large, refused timestamp) is given back through `refused` (indices, in their
  // order, and reasons)
  // and becomes a dead letter; any other failure is the Status, which ends the process.
  struct Refused {
    uint32_t record;
    std::string reason;
  };
  virtual Status Write(const OutputBuffer& outputs, std::vector<Refused>* refused) = 0;
  // Records the target refused through their own fault after Write had taken them, with their bytes. Each becomes a dead
  // letter; its ticket is still up and is lowered by whoever takes it from here.
  struct RefusedLater {
    std::string key, value;
    bool has_key = false, has_value = true;
    Ticket* ticket = nullptr;
    std::string reason;
  };
  virtual void TakeRefused(std::vector<RefusedLater>* refused) {}
  // More than it wants to hold: the worker takes no further input until this is false.
  virtual bool Full() = 0;
  // Serves acknowledgements; cheap when there are none.
  virtual Status Poll() = 0;
  // Sends what is held back for batching, without waiting.
  virtual void Flush() = 0;
  virtual bool store_backed() const = 0;
  // Store-backed sinks: makes everything written so far durable (fsync; an error ends the process, it is never retried)
  // and says up to where.
  virtual Status Prepare(SinkPosition* position) { return Status(); }
  virtual void Close() = 0;
};

}  // namespace weir
