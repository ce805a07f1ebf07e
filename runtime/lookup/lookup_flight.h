// One request and the rows that wait for it: usually one, several where equal requests are coalesced.
#pragma once

#include <cstdint>

#include "runtime/lookup/connector.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/lookup/timer_heap.h"

namespace weir {

// Its life: kQueued (waits for room within in_flight) → kFired (an attempt is under way) ⇄ kBackoff (waits to be asked
// again) → ended: its rows are done and the flight is free. `generation` goes up with each life, so that an answer to an
// earlier user of the same place is told apart.
struct LookupFlight {
  enum State : uint8_t { kFree, kQueued, kFired, kBackoff };

  uint32_t index = 0;
  uint32_t generation = 0;
  State state = kFree;
  bool indexed = false;              // equal requests may join it
  uint16_t attempts = 0;             // begun, those of a former life included
  uint32_t rows = 0;
  PendingRow* first_row = nullptr;
  PendingRow* last_row = nullptr;
  LookupFlight* queue_next = nullptr;
  uint64_t args_hash = 0;
  Str args;                          // view into `bytes`
  LookupRequest request;             // likewise
  char* bytes = nullptr;
  uint32_t bytes_size = 0;
  int64_t first_fired_mono_ns = 0;   // 0: not yet
  int64_t deadline_mono_ns = INT64_MAX;  // of all attempts, from the first one of this life on
  int64_t at_mono_ns = 0;            // kFired: the attempt has timed out; kBackoff: the next attempt begins
  uint64_t at_sequence = 0;
  uint32_t at_place = kNoPlace;
};

using FlightTimers =
    TimerHeap<LookupFlight, &LookupFlight::at_mono_ns, &LookupFlight::at_sequence, &LookupFlight::at_place>;

// A RequestId: [the flight's generation: 32][lookup: 10][the flight's index: 22].
inline constexpr int kFlightIndexBits = 22;
inline constexpr int kLookupBits = 10;
inline RequestId MakeRequestId(uint32_t generation, int lookup, uint32_t index) {
  return static_cast<uint64_t>(generation) << 32 | static_cast<uint64_t>(lookup) << kFlightIndexBits | index;
}
inline uint32_t GenerationOf(RequestId request_id) { return static_cast<uint32_t>(request_id >> 32); }
inline int LookupOf(RequestId request_id) {
  return static_cast<int>(request_id >> kFlightIndexBits & ((1u << kLookupBits) - 1));
}
inline uint32_t FlightIndexOf(RequestId request_id) {
  return static_cast<uint32_t>(request_id & ((1u << kFlightIndexBits) - 1));
}

}  // namespace weir
