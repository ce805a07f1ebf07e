// A pipeline that commits in Kafka, on a simulated cluster and virtual time: several copies of it, which a seed starts,
// stops, kills at any step of the protocol and pauses beyond their sessions, while the cluster and the services misbehave.
// Then calm returns, everything is worked off, and what is in the topics can be compared with what should be there.
//
// One thread. The same seed and program give the same trace, byte for byte.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/testing/cluster_connectors.h"
#include "runtime/testing/memory_cluster.h"
#include "runtime/testing/memory_world.h"
#include "runtime/testing/simulated_disk.h"

namespace weir {

struct SimulationOptions {
  uint64_t seed = 1;
  int copies_max = 3;
  int workers_max = 3;
  ClusterFaults faults;
  int64_t chaos_ns = 20'000'000'000;    // how long things go wrong
  int64_t settle_ns = 1'800'000'000'000;  // afterwards, at most, until all is worked off
  bool kills = true, pauses = true, stops = true;
  bool disks = true;                    // machines have disks, which fail
  int64_t session_ns = 10'000'000'000;
  // Of the first copy, the second, …: the step it dies at, counted from its start (0: at none), and how many workers it
  // has (the last number is that of all later ones). Empty: chance decides.
  std::vector<uint64_t> stop_steps;
  std::vector<int> workers;
  std::string mutation;                 // a step of the protocol that is done wrongly: see Faults::Mutated
};

struct SimulationReport {
  // Empty: every copy ran and ended as it should. Else the first that did not, or what stands still.
  std::string failure;
  std::string where;                       // how its tasks stand then
  std::map<std::string, uint64_t> steps;   // of the protocol, how often each was passed
  std::map<std::string, uint64_t> stopped;  // at which of them copies died
  std::map<std::string, uint64_t> faults;  // of cluster and copies, how often each happened
  uint64_t rows_at_faults = 0;             // rows that waited for answers in copies that died
  uint64_t rows_restored = 0;
  uint64_t turns = 0;
  int64_t virtual_ns = 0;
};

class Simulation {
 public:
  // All outlive it. The topics that the program reads and writes are in the cluster already.
  Simulation(const Program& program, MemoryWorld& world, MemoryCluster& cluster, const SimulationOptions& options);
  ~Simulation();

  // Things that happen at a time of the run, counted from its beginning: records that arrive. Before Run.
  void At(int64_t ns, std::function<void()> action) { actions_.emplace(ns, std::move(action)); }

  SimulationReport Run();

 private:
  struct Copy;
  class PointFaults;

  void StartCopy(const std::string& identity);
  // The disk of a machine, after what has happened to it since its process ended.
  SimulatedDisk& DiskOf(const std::string& identity);
  void EndCopy(size_t index, const char* how);
  void Disturb();
  bool Turn();
  bool TakeTurn(Copy& copy);
  bool Reap();
  bool AdvanceToNext(int64_t end);
  void RunUntil(int64_t end);
  void Move(int64_t ns);
  void Describe();
  bool WorkedOff();
  bool StopAll();
  int64_t now() { return world_.clock.MonoNs(); }
  uint64_t Draw(uint64_t n) { return random_() % n; }
  void Trace(const std::string& line) { cluster_.Trace(line); }

  const Program& program_;
  MemoryWorld& world_;
  MemoryCluster& cluster_;
  SimulationOptions options_;
  std::mt19937_64 random_;
  std::multimap<int64_t, std::function<void()>> actions_;
  std::vector<std::unique_ptr<Copy>> copies_;
  std::vector<std::pair<int64_t, std::string>> starts_;  // identities that come back, and when
  int64_t begin_ns_ = 0;
  int64_t next_disturbance_ = 0;
  bool calm_ = false;
  int names_ = 0;
  std::map<std::string, std::unique_ptr<SimulatedDisk>> disks_;
  size_t started_ = 0;                   // copies so far
  SimulationReport report_;
};

}  // namespace weir
