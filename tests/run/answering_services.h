// What the services of a run program say to requests that are made, and who made them.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "runtime/testing/memory_world.h"
#include "tests/run/run_case.h"

namespace run {

// When answers come, which must make no difference.
enum class Answers { kAsWritten, kShaken, kReversed };

class AnsweringServices {
 public:
  // Both outlive it.
  AnsweringServices(const RunCase& run, const Expected& expected, Answers answers, uint64_t seed)
      : run_(run), expected_(expected), answers_(answers), random_(seed * 977 + 1) {}

  weir::ScriptedAnswer Answer(int lookup, const weir::LookupRequest& request);

  // Empty, or that something was asked that nobody expects.
  const std::string& problem() const { return problem_; }
  // That were made, as RequestKey has them, and their arguments.
  const std::map<std::string, std::string>& requests() const { return requests_; }

 private:
  const RunCase& run_;
  const Expected& expected_;
  Answers answers_;
  std::mt19937_64 random_;
  uint64_t asked_ = 0;
  std::string problem_;
  std::map<std::string, std::string> requests_;
};

}  // namespace run
