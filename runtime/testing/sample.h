// A pipeline as generated code would have it, written by hand: what the engine's tests run.
//
//   source events: Event = topic { time: ts, lateness, idle, on bad send dead }
//   stream joined   = events | join names as n on key { on missing send dead }             (with_table)
//   stream enriched = joined | lookup account(key, id) { on missing use null, on failed send dead }   (with_lookup)
//   stream bars     = enriched | [re-keyed by group] | window tumbling 1s by … { on late send late }
//                   | aggregate { key, start, count, sum, first, last }                    (with_window)
//   sink out from enriched, sink bars from bars, sink dead, sink late
//
// An event is {"id": 7, "key": "k1", "ts": 1767225600000, "qty": 5}; key and group are short strings.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/program/program.h"

namespace weir {

struct SampleOptions {
  bool with_table = false;
  bool with_lookup = true;
  bool with_second_lookup = false;  // behind the first, of the same service
  bool with_window = true;
  bool rekeyed = false;             // the window stands behind an exchange by `group` = the key's first letter
  bool rekeyed_twice = false;       // with rekeyed: and by the whole key after that
  bool lookup_behind_exchange = false;  // with rekeyed: the lookup moves behind the exchange too
  OrderMode order = OrderMode::kInput;
  bool sync = false;
  int32_t in_flight = 8;
  int64_t timeout_ns = 1'000'000'000;
  int32_t retries = 0;
  int64_t lateness_ns = 2'000'000'000;
  int64_t idle_ns = -1;
  bool stateful = true;
  int bad_deadletter = 0;           // -1 drop, -2 stop
  // What waits is read again instead of being kept: for one lookup in input order or sync, without table and window, whose
  // bad records are dropped.
  bool rereads = false;
};

// Steps of the sample, as indices into Program::steps.
enum SampleStep : uint32_t {
  kSampleEvents, kSampleNames, kSampleJoin, kSampleAccount, kSampleSecond, kSampleRekey, kSampleBars, kSampleOut,
  kSampleBarsOut, kSampleDeadOut, kSampleLateOut, kSampleLookup, kSampleRekeyAgain,
};

// The functions of the program look at the options too: one sample at a time.
Program BuildSample(const SampleOptions& options);

}  // namespace weir
