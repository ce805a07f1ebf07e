// What generated code sees while it works on records: one partition of one stage, on one worker's thread.
// Everything here is per record and therefore inline, unlocked and without allocation in steady state.
#pragma once

#include <cstdint>

#include "runtime/core/arena.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/row.h"
#include "runtime/engine/batch.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/ticket.h"
#include "runtime/lookup/connector.h"

namespace weir {

class Worker;
class LookupInstance;
class WindowInstance;
class TableStore;

// A record's metadata: it survives every step. `with time` changes time_ns.
struct Meta {
  int64_t time_ns = kNoTime;       // event time
  int64_t arrival_ns = 0;          // wall clock when it was read
  Str key;                         // the record's key as it came
  bool has_key = false;
  Headers headers;
  Str raw;                         // original value bytes, where a later step may need them; else empty
  bool has_raw = false;
  uint16_t source = 0;             // index into Program::sources
  int32_t partition = 0;
  int64_t offset = 0;
  uint32_t ordinal = 0;            // several records out of one: 0, 1, …
  Ticket* ticket = nullptr;        // what this record's outputs are counted in
};

// How a lookup ended, handed to a generated `resume`.
struct LookupResult {
  Outcome outcome = Outcome::kError;
  Str value;        // found: the encoded row of the result type
  Str reason;       // else: why, for dead letters
  uint32_t attempts = 0;
};

// Why a record became a dead letter: codes are part of the dead letter's format and documented in docs/operations.md.
enum class DeadReason : uint8_t {
  kBadInput,       // could not be decoded
  kMissingRow,     // join without match
  kLookupMissing,
  kLookupTimeout,
  kLookupRejected,
  kLookupError,
  kLate,
  kExpression,     // overflow, division by zero, a cast that failed
  kRefusedBySink,
};

class Task {
 public:
  int stage() const { return stage_; }
  int32_t partition() const { return partition_; }
  // Lives until the records now being worked on are done; for decoded strings and results of functions.
  Arena& arena() { return *arena_; }
  // True once the task must take no further record from its input: checked by generated loops after each record.
  bool blocked() const { return blocked_ != 0; }

  // ---- Input (generated `process` functions) ----
  // Fills meta from a message; call once per record before decoding. Counts it as read.
  void BeginRecord(int source, const Message& message, Meta* meta);
  // The record's event time is known (or kNoTime when the source declares none): to be called before the record's
  // steps run. False: the time is out of any sane range and the record is bad input.
  bool SetTime(Meta* meta, int64_t time_ns);
  // The record's steps ran: now its time may move the watermark, and windows may close.
  void EndRecord(const Meta& meta);
  // The record cannot be decoded: applies the source's `on bad`. `deadletter` -1 drops (counted), -2 stops.
  void BadInput(int source, const Meta& meta, const JsonError& error, int deadletter);

  // ---- Failure routes ----
  // Sends the record to a dead letter stream (index into Program::deadletters) with its bytes and provenance.
  void SendDead(int deadletter, uint32_t step, DeadReason reason, Str detail, const Meta& meta);
  // `drop`: counted per step and reason.
  void Drop(uint32_t step, DeadReason reason);
  // `stop`: ends the pipeline with its own exit code, naming step and record.
  void Stop(uint32_t step, DeadReason reason, Str detail, const Meta& meta);

  // ---- Tables ----
  // The row's struct (of the generated type), or null. The pointer lives until this task's turn ends.
  const void* FindRow(int table, Str key) const;

  // ---- Outputs ----
  // Begin, write key and value into the buffers, End. No nesting.
  OutputBuffer& BeginOutput(int sink);
  Buffer& OutputKey(OutputBuffer& out);    // call before the value, if there is a key
  Buffer& OutputValue(OutputBuffer& out);
  void EndOutput(int sink, const Meta& meta);

  // ---- Lookups: see LookupCall in runtime/engine/generated.h ----
  LookupInstance& lookup(int lookup_step) { return *lookups_[lookup_step]; }

  // ---- Windows ----
  WindowInstance& window(int window) { return *windows_[window]; }

  // ---- Exchanges ----
  // Returns the row to fill; EndExchange routes it by the hash of the key bytes.
  RowWriter& BeginExchange(int exchange);
  void EndExchange(int exchange, Str key, const Meta& meta);

  // ---- Tests ----
  // True when a test looks at this stream; then the generated code writes the record's JSON into Tap.
  bool tapped(int tap) const;
  JsonWriter& BeginTap(int tap);
  void EndTap(int tap, const Meta& meta);

 private:
  friend class Worker;
  friend class Engine;
  int stage_ = 0;
  int32_t partition_ = 0;
  uint32_t blocked_ = 0;
  Arena* arena_ = nullptr;
  Worker* worker_ = nullptr;
  LookupInstance** lookups_ = nullptr;
  WindowInstance** windows_ = nullptr;
};

}  // namespace weir
