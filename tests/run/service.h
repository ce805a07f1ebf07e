// What becomes of a request, worked out from what its service says: attempt by attempt, without waiting.
#pragma once

#include <cstdint>
#include <string>

#include "tests/oracle/pipeline.h"
#include "tests/run/run_file.h"

namespace run {

// A lookup's policies.
struct Policy {
  int64_t timeout_ns = 0;
  int64_t deadline_ns = 0;  // 0: none
  int retries = 0;
  int64_t backoff_min_ns = 0, backoff_max_ns = 0;  // without jitter, where a deadline depends on them
};

// One attempt, the first is 1.
struct Attempt {
  enum Kind { kNothing, kBusy, kAnswer } kind = kAnswer;  // no answer; come again; what the line says
  int64_t after_ns = 0;
};
Attempt AttemptOf(const ServiceLine& line, int attempt);

// How the request ends.
oracle::Answer EndOf(const ServiceLine& line, const Policy& policy);

inline constexpr const char* kBusyReason = "busy";

}  // namespace run
