#include "tests/run/service.h"

#include <algorithm>

namespace run {

namespace {

std::string DurationText(int64_t ns) {
  static const weirc::typed::Type type = [] {
    weirc::typed::Type t;
    t.kind = weirc::typed::TypeKind::kDuration;
    return t;
  }();
  return oracle::Text(oracle::Value::Number(ns), &type);
}

}  // namespace

Attempt AttemptOf(const ServiceLine& line, int attempt) {
  Attempt out;
  out.after_ns = line.after_ns;
  if (line.says == Says::kTimeout || attempt <= line.lost) {
    out.kind = Attempt::kNothing;
  } else if (attempt <= line.lost + line.busy) {
    out.kind = Attempt::kBusy;
  }
  return out;
}

oracle::Answer EndOf(const ServiceLine& line, const Policy& policy) {
  oracle::Answer end;
  int64_t now = 0;
  const int64_t deadline = policy.deadline_ns > 0 ? policy.deadline_ns : INT64_MAX;
  for (int attempt = 1;; ++attempt) {
    Attempt one = AttemptOf(line, attempt);
    int64_t gives_up = std::min(now + policy.timeout_ns, deadline);
    bool again = true;
    if (one.kind == Attempt::kNothing || now + one.after_ns > gives_up) {
      now = gives_up;
      again = gives_up < deadline;
      end.outcome = 2;
      end.reason = again ? "no answer within " + DurationText(policy.timeout_ns)
                         : "no answer within the deadline of " + DurationText(policy.deadline_ns);
    } else if (one.kind == Attempt::kBusy) {
      now += one.after_ns;
      end.outcome = 4;
      end.reason = kBusyReason;
    } else {
      switch (line.says) {
        case Says::kFound: end.outcome = 0; end.json = line.text; return end;
        case Says::kMissing: end.outcome = 1; end.reason.clear(); return end;
        case Says::kRejected: end.outcome = 3; break;
        default: end.outcome = 4; break;
      }
      end.reason = line.text;
      again = false;
    }
    if (again && attempt <= policy.retries) {
      int64_t wait = std::min(policy.backoff_min_ns << std::min(attempt - 1, 20), policy.backoff_max_ns);
      if (now + wait < deadline) {
        now += wait;
        continue;
      }
      end.reason += "; the deadline of " + DurationText(policy.deadline_ns) + " leaves no time for another attempt";
    }
    if (attempt > 1) end.reason += " (attempt " + std::to_string(attempt) + ")";
    return end;
  }
}

}  // namespace run
