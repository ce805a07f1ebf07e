// A record that asked and waits: everything the steps behind the lookup need, in bytes of its own, and its stored form.
#pragma once

#include <cstdint>

#include "runtime/core/arena.h"
#include "runtime/core/row.h"
#include "runtime/core/status.h"
#include "runtime/engine/meta.h"
#include "runtime/lookup/byte_pool.h"
#include "runtime/lookup/lookup_value.h"

namespace weir {

class LookupInstance;
struct LookupFlight;

// Its life: kHeld (sync: another row of the partition is asking) → kAsked → kDone → resumed and gone. Only the worker's
// thread changes it.
struct PendingRow {
  enum State : uint8_t { kHeld, kAsked, kDone };
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  LookupInstance* instance = nullptr;
  PendingRow* previous = nullptr;      // asking order of the task's lookup step
  PendingRow* next = nullptr;
  PendingRow* key_next = nullptr;      // the next one with the same order key
  PendingRow* ready_next = nullptr;    // done and free to go
  PendingRow* flight_next = nullptr;   // the next one that waits for the same request
  LookupFlight* flight = nullptr;      // while kAsked
  LookupValue* value = nullptr;        // while kDone: the answer's row, or the reason; null: empty
  uint64_t seq = 0;                    // of its task's lookup step, in asking order
  uint64_t args_hash = 0;
  uint64_t key_hash = 0;
  int64_t watermark_ns = 0;            // of the step's input when it arrived
  Meta meta;                           // views into `bytes`
  Str args;                            // likewise
  Str order_key;
  Str row;
  char* bytes = nullptr;
  uint32_t bytes_size = 0;
  uint32_t slot = kNoSlot;             // its place in the state; none before its first commit
  uint16_t attempts = 0;               // kDone: how many there were; before: those of a former life
  Outcome outcome = Outcome::kError;
  State state = kAsked;
  bool key_first = true;               // no earlier row has its order key
};

// Copies what a row needs out of a batch's bytes into one piece of `pool`. `meta.raw` is taken only if `keeps_raw`.
void FillRow(BytePool& pool, const Meta& meta, bool keeps_raw, Str args, Str order_key, Str row, PendingRow* out);
void FreeRowBytes(BytePool& pool, PendingRow* row);

// ---- The stored form -------------------------------------------------------------------------------------------------
//
//   version      1 byte: 2
//   schema       8 bytes: LookupStepSpec::row_schema
//   number       U64   in asking order
//   watermark    I64   of the step's input when it arrived
//   attempts     U64   begun when it was stored
//   args, order key, row    Str each
//   meta         as WriteMeta writes it
//
// The row's slot is the entry's key in the state. Answers are not stored: they are asked for again.
void SaveRow(const PendingRow& row, uint16_t attempts, uint64_t row_schema, RowWriter& out);
// Fails when the bytes are not a row of this schema. `scratch` holds headers until it returns.
Status LoadRow(BytePool& pool, Arena& scratch, Str bytes, uint64_t row_schema, PendingRow* out);

}  // namespace weir
