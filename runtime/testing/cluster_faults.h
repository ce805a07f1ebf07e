// What a simulated Kafka cluster does wrong, and how often.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace weir {

// Probabilities are per opportunity (a request, a marker, a poll, a moment of weather); 0: never.
struct ClusterFaults {
  // ---- Requests of producers and of recovery ----
  double request_delayed = 0;          // arrives, or is answered, only later
  double answer_lost = 0;              // the client hears nothing, and sends it again
  double request_late = 0;             // of those: the first copy arrives after all, up to `late_ns_max` later
  double request_lost = 0;             // of those: it never arrives (else it was executed at once)
  double outcome_unknown = 0;          // of commits without an answer: the client gives up instead of sending again
  double abort_demanded = 0;           // the client says that this transaction must be aborted
  double producer_throttled = 0;       // behind a batch it may send nothing for up to `throttle_ns_max`: a quota
  double queue_full = 0;               // a write takes only some of its records for now
  double rebalance_at_commit = 0;      // the group rebalances just as offsets are sent, or the commit is
  double news_late = 0;                // a member reads on for a while before it hears what the group has decided
  // ---- Brokers ----
  double marker_lag = 0;               // of each partition's marker
  double end_lag = 0;                  // a poll sees an old high watermark for a while
  double small_fetch = 0;              // a poll brings one to three records
  // ---- Weather: each of these is drawn every `weather_ns` or so ----
  double coordinator_unavailable = 0;  // of transactions, or of groups
  double rebalance = 0;
  double leader_moved = 0;             // a partition cannot be read or written for a while
  double transaction_timed_out = 0;    // an open transaction, earlier than its time-out says
  double log_compacted = 0;            // topics made with `compacted`
  double foreign_transaction = 0;      // opened by a stranger and aborted later; topics made with `foreign`
  double partition_added = 0;          // topics made with `may_grow`

  int64_t weather_ns = 0;              // 0: no weather
  int64_t delay_ns_max = 30'000'000;
  int64_t answer_timeout_ns = 100'000'000;
  int64_t throttle_ns_max = 4'000'000'000;
  int64_t late_ns_max = 2'000'000'000;
  int64_t marker_lag_ns_max = 200'000'000;
  int64_t outage_ns_max = 1'000'000'000;
  int64_t foreign_ns_max = 1'500'000'000;
  int64_t end_lag_ns_max = 100'000'000;
  int64_t news_late_ns_max = 2'000'000'000;

  // Some faults, and how often, as the seed decides; about half of them are off.
  static ClusterFaults Draw(uint64_t seed);
  // Of all of them, in words with dashes between: "request-delayed".
  static std::vector<std::string> Names();
  // Those that are not among `names` never happen.
  void Keep(const std::set<std::string>& names);
  // All that are on, one a line, for printing beside a seed.
  std::string ToString() const;
};

}  // namespace weir
