#include "tests/run/answering_services.h"

#include <algorithm>

namespace run {

using namespace weir;

ScriptedAnswer AnsweringServices::Answer(int lookup, const LookupRequest& request) {
  ScriptedAnswer scripted;
  const std::string& name = run_.program.lookups[static_cast<size_t>(lookup)].name;
  std::string key = RequestKey(name, request.verb.view(), request.target.view(), request.body.view());
  auto arguments = expected_.requests.find(key);
  if (arguments == expected_.requests.end()) {
    problem_ = "it asks what nobody expects: " + key;
    return scripted;
  }
  requests_[key] = arguments->second;
  ServiceLine line = run_.Service(name, arguments->second);
  Attempt attempt = AttemptOf(line, request.attempt);
  scripted.delay_ns = attempt.after_ns;
  // Delays that must make no difference: those below the timeout.
  const Policy& policy = run_.policy(name);
  if (policy.deadline_ns == 0 && attempt.after_ns < policy.timeout_ns) {
    int64_t room = policy.timeout_ns - 1 - attempt.after_ns;
    if (answers_ == Answers::kShaken) {
      scripted.delay_ns += static_cast<int64_t>(random_() % static_cast<uint64_t>(room / 2 + 1));
    }
    if (answers_ == Answers::kReversed) {
      scripted.delay_ns = std::max<int64_t>(0, room - static_cast<int64_t>(++asked_) * 1'000'000);
    }
  }
  if (attempt.kind == Attempt::kNothing) scripted.kind = ScriptedAnswer::kNever;
  LookupAnswer& answer = scripted.answer;
  if (attempt.kind == Attempt::kBusy) {
    answer.outcome = Outcome::kError;
    answer.transient = true;
    answer.reason = kBusyReason;
    return scripted;
  }
  switch (line.says) {
    case Says::kFound: answer.outcome = Outcome::kFound; answer.body = line.text; break;
    case Says::kMissing: answer.outcome = Outcome::kMissing; break;
    case Says::kRejected: answer.outcome = Outcome::kRejected; answer.reason = line.text; break;
    default: answer.outcome = Outcome::kError; answer.reason = line.text; break;
  }
  if (answers_ == Answers::kShaken && random_() % 10 == 0) scripted.times = 2;
  return scripted;
}

}  // namespace run
