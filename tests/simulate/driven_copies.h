// Copies of the sample pipeline on a simulated cluster that a test drives itself: it says which of them gets turns, and time
// passes only while it waits for something. What chance decides elsewhere (simulation.h) is written down here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/testing/cluster_connectors.h"
#include "tests/simulate/sample_on_cluster.h"

namespace weir {

struct DrivenCopy : Log {
  void Write(LogLevel, uint32_t line, const std::string& message) override;
  bool Said(const std::string& words) const { return log.find(words) != std::string::npos; }

  bool paused = false;  // it gets no turns
  std::string log;
  std::unique_ptr<ClusterConnectors> connectors;
  std::unique_ptr<Engine> engine;
};

class DrivenCopies {
 public:
  DrivenCopies(const SampleOptions& options, const RigInput& input) : sample(options, input, input.seed) {}
  ~DrivenCopies();

  // Of one worker. `adjust` may change what it runs with.
  DrivenCopy& Start(const std::string& identity, const std::function<void(Environment*)>& adjust = nullptr);
  // The next so many events of each partition.
  void Append(int events);
  // Gives turns and lets time pass, until then. False: so much time has passed, or nothing will ever happen.
  bool Until(const std::function<bool()>& done, int64_t ns_max);
  // No more than what is due now.
  void Turns();
  int64_t Committed(const std::string& topic, int32_t partition) const;
  // All that was appended is read, committed, and through every window and exchange.
  bool WorkedOff();
  // Ends them all, as SIGTERM does. Empty, or what one of them ended with.
  std::string Stop();

  SampleOnCluster sample;
  std::vector<std::unique_ptr<DrivenCopy>> copies;

 private:
  int appended_ = 0;
};

}  // namespace weir
