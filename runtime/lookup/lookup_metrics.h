// What one worker counts about one declared lookup.
#pragma once

#include "runtime/lookup/connector.h"
#include "runtime/serve/metrics.h"

namespace weir {

inline constexpr int kOutcomes = 5;  // of enum Outcome

// Written on the worker's thread, read by anybody.
struct LookupMetrics {
  Counter requests[kOutcomes];   // ended requests by outcome; answers from the cache are not requests
  Counter attempts;              // sent, retries included
  Counter retries;               // second and later attempts
  Counter cache_hits;
  Counter cache_misses;
  Counter coalesced;             // rows that joined an equal request in flight
  Counter late_answers;          // to an attempt nobody waits for any more: late, or given twice
  Counter foreign_answers;       // to a request of another life of the worker, or to none at all
  Counter restored;              // rows taken over from the state
  Gauge in_flight;               // rows asked and not answered
  Gauge waiting;                 // rows answered that wait for their turn
  Gauge cache_entries;
  DurationHistogram duration;    // of requests, from the first attempt to the outcome
};

}  // namespace weir
