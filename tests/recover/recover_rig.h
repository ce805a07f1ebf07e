// Runs the sample pipeline in a world in memory: straight through, or stopped somewhere and resumed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/testing/memory_world.h"
#include "runtime/testing/sample.h"
#include "runtime/testing/scheduler.h"
#include "tests/recover/sample_model.h"

namespace weir {

struct RigInput {
  uint64_t seed = 1;
  int partitions = 3;
  int records = 60;        // per partition
  int keys = 5;            // per partition, or together when `shared_keys`
  bool shared_keys = false;
  int bad_percent = 3;
  int late_percent = 5;
  int64_t step_ms = 120;   // how far event time goes per record, on average
};
std::vector<std::vector<SampleEvent>> MakeEvents(const RigInput& input);

// Where and how a run is stopped.
struct RigRun {
  uint64_t seed = 1;                 // of the interleaving, delays and batch sizes
  std::vector<int> workers = {1};    // of the first life, the second, …; the last one repeats
  uint64_t stop_at = 0;              // fault point of the first life
  uint64_t kill_turn = 0;            // or the turn after which it is destroyed
  bool kill_again = false;           // the second life is killed too, in its first turns
  int64_t delay_ns_max = 50'000'000;  // of answers
  bool reversed = false;             // answers come in exactly reversed order
  uint32_t batch_max = 10;
};

struct RigResult {
  bool ended = false;                // it came to its end, in the last life
  ExitCode code = ExitCode::kOk;
  std::string message;
  uint64_t points = 0;               // fault points passed in the first life
  uint64_t turns = 0;                // taken in the first life
  std::map<std::string, uint64_t> passed;
  uint64_t pending_at_stop = 0;      // rows that waited when the first life ended
  uint64_t stored_rows = 0;          // rows that were in the store then
  uint64_t requests = 0;
  int lives = 0;
};

class RecoverRig {
 public:
  RecoverRig(const SampleOptions& options, const RigInput& input, uint64_t world_seed = 1);

  RigResult Run(const RigRun& run);
  // Empty, or what is wrong with the outputs.
  std::string Check();

  MemoryWorld world;
  SampleOptions options;
  Program program;
  std::vector<std::vector<SampleEvent>> events;
  std::vector<std::string> names;
  bool exactly_once = true;

  // How long services take at most; the answers' order is chance. For tests that drive engines themselves.
  void SetDelay(int64_t ns_max) { delay_ns_max_ = ns_max; }
  // Requests that are not answered in time are answered afterwards, with something else.
  void AnswerLate() { late_ = true; }
  // For tests that drive an engine themselves.
  Environment MakeEnvironment(int workers);
  std::vector<std::string> Values(const std::string& output);
  // "<reason> <partition> <offset>" of dead letters.
  std::vector<std::string> DeadPlaces(const std::string& output);

 private:
  struct NullLog : Log {
    void Write(LogLevel, uint32_t, const std::string&) override {}
  } log_;
  std::unique_ptr<MemoryStore> store_;
  int64_t delay_ns_max_ = 0;
  bool reversed_ = false;
  bool late_ = false;
  uint64_t asked_ = 0;
};

// The value of a field of a flat JSON object, as text.
std::string FieldOf(const std::string& json, const std::string& field);

}  // namespace weir
