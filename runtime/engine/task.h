// What generated code sees while it works on records: one partition of one stage, on one worker's thread.
// Everything here is per record and therefore inline, unlocked and without allocation in steady state.
#pragma once

#include <cstdint>

#include "runtime/core/arena.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/row.h"
#include "runtime/engine/batch.h"
#include "runtime/engine/counters.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/ticket.h"
#include "runtime/lookup/connector.h"

namespace weir {

class Worker;
class Engine;
class LookupInstance;
class LookupPort;
class WindowInstance;
class TableStore;
struct StageGraph;

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
const char* DeadReasonName(DeadReason reason);  // "bad_input", "missing_row", …
// The reason for a lookup that found nothing.
inline DeadReason DeadReasonOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMissing: return DeadReason::kLookupMissing;
    case Outcome::kTimeout: return DeadReason::kLookupTimeout;
    case Outcome::kRejected: return DeadReason::kLookupRejected;
    default: return DeadReason::kLookupError;
  }
}

// One sink as a task writes to it. The worker owns it and changes the buffer between batches.
struct OutputSlot {
  OutputBuffer* buffer = nullptr;
  StepCounters* counters = nullptr;
  uint32_t step = 0;
  bool kept_until_commit = false;  // no ticket counts its records: they are part of the commit
  bool headers = false;   // the target carries headers: the record's go along
  size_t hand_over_bytes = 0;  // more than this in the buffer: it goes to the sink in the middle of a batch
};

// A task's way into one exchange.
struct ExchangeSlot {
  Buffer row;             // the record being written
  RowWriter writer{&row};
  int64_t watermark = INT64_MIN;  // what is in force behind the steps in front of the exchange
  int64_t told = INT64_MIN;       // what the readers were told last
  bool idle_told = false;
};

class Task {
 public:
  int stage() const { return stage_; }
  int32_t partition() const { return partition_; }
  Worker& worker() { return *worker_; }
  // Lives until the records now being worked on are done; for decoded strings and results of functions.
  Arena& arena() { return *arena_; }
  // For readers of JSON; what they decode goes to the arena.
  JsonContext& json() { return *json_; }
  // True once the task must take no further record from its input: checked by generated loops before each record.
  bool blocked() const { return blocked_ != 0; }

  // ---- Input (generated `process` functions) ----
  // Fills meta from a message; call once per record before decoding. Each is followed by EndRecord or BadInput.
  void BeginRecord(int source, const Message& message, Meta* meta) {
    meta->time_ns = kNoTime;
    meta->watermark_ns = watermark_;
    meta->arrival_ns = arrival_ns_;
    meta->key = message.key;
    meta->has_key = message.has_key;
    meta->headers = message.headers;
    meta->raw = message.value;
    meta->has_raw = message.has_value;
    meta->source = static_cast<uint16_t>(source);
    meta->partition = partition_;
    meta->offset = message.offset;
    meta->ordinal = 0;
    meta->ticket = ticket_;
    record_watermark_ = watermark_;
    touched_ = 0;
    ++begun_;
  }
  // The record's event time is known (or kNoTime when the source declares none): to be called before the record's
  // steps run. False: the time is out of any sane range and the record is bad input.
  [[nodiscard]] bool SetTime(Meta* meta, int64_t time_ns) {
    meta->time_ns = time_ns;
    return (time_ns >= time_min_ && time_ns <= time_max_) || time_ns == kNoTime;
  }
  // The record's steps ran: now its time may move the watermark, and windows may close.
  void EndRecord(const Meta& meta) {
    ++classes_[__builtin_ctz(touched_ | kFilteredBit)];
    if (meta.time_ns > max_time_) MoveTime(meta.time_ns);
  }
  // The record cannot be decoded: applies the source's `on bad`. `deadletter` -1 drops (counted), -2 stops.
  void BadInput(int source, const Meta& meta, const JsonContext& in, int deadletter);
  void BadInput(int source, const Meta& meta, Str detail, int deadletter);

  // ---- Failure routes ----
  // Sends the record to a dead letter stream (index into Program::deadletters) with its bytes and provenance.
  void SendDead(int deadletter, uint32_t step, DeadReason reason, Str detail, const Meta& meta);
  // `drop`: counted per step and reason.
  void Drop(uint32_t step, DeadReason reason);
  // `stop`: ends the pipeline with its own exit code, naming step and record. Nothing of the epoch is committed.
  void Stop(uint32_t step, DeadReason reason, Str detail, const Meta& meta);

  // ---- Tables ----
  // The row's struct (of the generated type), or null. The pointer lives until this task's turn ends.
  const void* FindRow(int table, Str key) const;

  // ---- Outputs ----
  // Begin, write key (if there is one) and then value into the buffers, End. No nesting.
  OutputBuffer& BeginOutput(int sink) {
    OutputBuffer& out = *outputs_[sink].buffer;
    out.records.emplace_back();
    return out;
  }
  // Where the key's bytes go; call before the value, if there is a key.
  Buffer& OutputKey(OutputBuffer& out) {
    OutputRecord& record = out.records.back();
    record.has_key = true;
    record.key_begin = static_cast<uint32_t>(out.bytes.size());
    return out.bytes;
  }
  // Where the value's bytes go.
  Buffer& OutputValue(OutputBuffer& out) {
    OutputRecord& record = out.records.back();
    record.value_begin = static_cast<uint32_t>(out.bytes.size());
    if (record.has_key) record.key_size = record.value_begin - record.key_begin;
    return out.bytes;
  }
  void EndOutput(int sink, const Meta& meta) {
    OutputSlot& slot = outputs_[sink];
    OutputBuffer& out = *slot.buffer;
    OutputRecord& record = out.records.back();
    record.value_size = static_cast<uint32_t>(out.bytes.size()) - record.value_begin;
    record.time_ns = meta.time_ns;
    record.step = slot.step;
    if (!slot.kept_until_commit) record.ticket = epoch_ticket_ != nullptr ? epoch_ticket_ : meta.ticket;
    touched_ |= kEmittedBit;
    if (__builtin_expect(meta.headers.size != 0 && slot.headers, 0)) CopyHeaders(out, meta);
    if (__builtin_expect(out.bytes.size() > slot.hand_over_bytes, 0)) HandOver(sink);
  }

  // The wall clock as of this turn.
  int64_t arrival_ns() const { return arrival_ns_; }

  // ---- Lookups: generated code uses LookupCall of runtime/lookup/lookup_call.h ----
  LookupInstance& lookup(int lookup_step) { return *lookups_[lookup_step]; }

  // ---- Windows ----
  WindowInstance& window(int window) {
    touched_ |= kStateBit;
    return *windows_[window];
  }

  // ---- Exchanges ----
  // Returns the row to fill; EndExchange routes it by the hash of the key bytes.
  RowWriter& BeginExchange(int exchange) {
    ExchangeSlot& slot = *exchanges_[exchange];
    slot.row.Clear();
    return slot.writer;
  }
  void EndExchange(int exchange, Str key, const Meta& meta);

  // ---- Tests ----
  // True when a test looks at this stream; then the generated code writes the record's JSON between Begin and End.
  bool tapped(int tap) const { return taps_ != nullptr && taps_[tap]; }
  JsonWriter& BeginTap(int tap);
  void EndTap(int tap, const Meta& meta);

  // ---- For runtime/lookup -------------------------------------------------------------------------------------------
  // A count of reasons to take no further record: a lookup that is full, a `sync` row that waits.
  void Block() { ++blocked_; }
  void Unblock() { --blocked_; }
  // A record was left waiting in a lookup; it will be resumed between BeginResume and EndResume.
  void MarkPending() {
    touched_ |= kPendingBit;
    ++rows_added_;
  }
  // Around a generated `resume` that is called from the host's turn. Not around one that LookupInstance calls from
  // within Submit (an answer from the cache): there the record's own Begin and End count.
  void BeginResume(const Meta& meta) {
    record_watermark_ = meta.watermark_ns;
    touched_ = 0;
  }
  void EndResume() {
    ++resume_classes_[__builtin_ctz(touched_ | kFilteredBit)];
    ++rows_resumed_;
  }
  // What a lookup step lets through; moves on to the steps behind it. Never goes back.
  void LookupAdvanced(int lookup_step, int64_t watermark);
  // The watermark of the record now being worked on: what decides whether it is late.
  const int64_t* record_watermark() const { return &record_watermark_; }

  // ---- For runtime/window and the engine ----------------------------------------------------------------------------
  enum Class : uint8_t { kEmitted, kDead, kPending, kDropped, kState, kFiltered, kClasses };

 private:
  friend class Worker;
  friend class Input;
  friend class Output;
  friend class Exchanges;
  friend class Engine;
  friend struct TaskState;
  friend class TestTask;  // tests of runtime/lookup make a task without an engine

  static constexpr uint32_t kEmittedBit = 1u << kEmitted, kDeadBit = 1u << kDead, kPendingBit = 1u << kPending,
                            kDroppedBit = 1u << kDropped, kStateBit = 1u << kState, kFilteredBit = 1u << kFiltered;

  void MoveTime(int64_t time_ns) {
    max_time_ = time_ns;
    int64_t watermark = time_ns - lateness_;
    if (watermark <= watermark_) return;
    watermark_ = watermark;
    if (watermark >= next_wake_) Advance();
  }
  // Out of line, in task.cc.
  void Advance();
  void AdvanceChildren(const int* first, const int* last, int64_t watermark);
  void CopyHeaders(OutputBuffer& out, const Meta& meta);
  void HandOver(int sink);

  int stage_ = 0;
  int32_t partition_ = 0;
  uint32_t blocked_ = 0;
  uint32_t touched_ = 0;              // what became of the record being worked on: a bit per Class
  Arena* arena_ = nullptr;
  JsonContext* json_ = nullptr;
  Worker* worker_ = nullptr;
  OutputSlot* outputs_ = nullptr;     // by sink
  LookupInstance** lookups_ = nullptr;   // by lookup step; null for those of other stages
  WindowInstance** windows_ = nullptr;   // by window
  ExchangeSlot** exchanges_ = nullptr;   // by exchange
  TableStore* const* tables_ = nullptr;  // by table
  const bool* taps_ = nullptr;
  Ticket* ticket_ = nullptr;          // of the batch being worked on; null in pipelines that commit by epochs
  Ticket* epoch_ticket_ = nullptr;    // null in pipelines whose offsets follow batches

  // Event time. The watermark is that of the stage's input, as of now.
  int64_t watermark_ = INT64_MIN;
  int64_t record_watermark_ = INT64_MIN;
  int64_t max_time_ = INT64_MIN;
  int64_t lateness_ = 0;
  int64_t next_wake_ = INT64_MAX;     // from which watermark on somebody behind the input wants to know
  int64_t arrival_ns_ = 0;
  int64_t time_min_ = 0, time_max_ = 0;

  uint64_t begun_ = 0;                // BeginRecord calls
  uint64_t classes_[kClasses] = {};
  uint64_t resume_classes_[kClasses] = {};
  uint64_t rows_added_ = 0;           // left waiting in lookups
  uint64_t rows_resumed_ = 0;

  const StageGraph* graph_ = nullptr;
  LookupPort** ports_ = nullptr;      // by lookup step
};

}  // namespace weir
