// Stops or kills this process, a real one, at a step of the commit protocol, and counts how often each step was passed.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "runtime/engine/faults.h"

namespace weir_test {

class StepFaults final : public weir::Faults {
 public:
  // `path`.fault is what is to happen, as soon as somebody moves it there: "kill STEP" or "stop STEP" (SIGSTOP). The first
  // thread that comes to that step removes the file and then does it to the process. `path`.steps counts the steps, so
  // that they can be read whatever happens to the process: kStepsMax records of a name, filled up with zeros, and a count.
  // `wrong`: see Faults::Mutated; empty: everything is done right. Throws std::runtime_error when it cannot count.
  StepFaults(const std::string& path, std::string wrong);
  ~StepFaults() override;

  bool StopAt(const char* point) override;
  bool Mutated(const char* step) override { return wrong_ == step; }

  static constexpr int kStepsMax = 32;
  struct Step {
    char name[56];
    std::atomic<uint64_t> passed;
  };

 private:
  void Count(const char* point);

  const std::string fault_;
  const std::string wrong_;
  std::mutex mutex_;
  Step* steps_ = nullptr;  // kStepsMax, in the file; names under mutex_
};

}  // namespace weir_test
