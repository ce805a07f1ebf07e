// Runs a program's compiled form on virtual time, against memory: straight through, or stopped somewhere and resumed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/engine/exit_code.h"
#include "runtime/testing/memory_world.h"
#include "tests/run/answering_services.h"
#include "tests/run/run_case.h"

namespace run {

// How the run goes: everything that must make no difference.
struct RunPlan {
  uint64_t seed = 1;                // of interleaving, batch sizes and delays
  std::vector<int> workers = {1};   // of the first life, the second, …; the last one repeats
  uint64_t stop_at = 0;             // fault point of the first life; 0: none
  uint64_t kill_turn = 0;           // or the turn after which it is destroyed
  uint32_t batch_max = 8;
  int64_t tick_ns_max = 0;          // time that passes between turns, so that several epochs commit
  Answers answers = Answers::kAsWritten;
};

struct RunResult {
  // Empty, or why the run is of no use: it does not start, hangs, asks for something nobody expects.
  std::string problem;
  weir::ExitCode code = weir::ExitCode::kOk;
  std::string message;
  uint64_t points = 0, turns = 0;   // of the first life
  uint64_t pending_at_stop = 0;     // rows that waited when the first life was stopped
  int lives = 0;
  bool transactional = false;       // Kafka is the truth: each record of each sink is there exactly once
  bool exactly_once = false;        // by the engine's own word: the local store is the truth
  std::vector<std::vector<weir::MemoryRecord>> outputs;  // by sink of the pipeline
  std::map<std::string, uint64_t> dropped, late;         // by step; of a run with one life
  std::map<std::string, std::string> requests;           // that were made, as RequestKey has them, and their arguments
};

RunResult RunEngine(const RunCase& run, const RunInput& input, const Expected& expected, const RunPlan& plan);

// What a source or sink reads or writes; of stdin and stdout their names stand for them.
std::string AddressOf(const std::string& address, const std::string& name);
weir::MemoryRecord RecordOf(const RunRecord& record);

// Whether a sink's outputs are part of the commit, so that each record is there exactly once.
bool StoreBacked(const weirc::typed::SinkDef& sink);

}  // namespace run
