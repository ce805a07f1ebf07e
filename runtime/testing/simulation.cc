#include "runtime/testing/simulation.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/lookup/engine_lookups.h"

namespace weir {

namespace {

constexpr int64_t kMs = 1'000'000, kSecond = 1'000 * kMs;
// A turn that changes nothing for so long without time passing would go on for ever.
constexpr uint64_t kTurnsMax = 3'000'000;

class Silence : public Log {
 public:
  void Write(LogLevel, uint32_t, const std::string&) override {}
};

Silence silence;

}  // namespace

// Counts the steps that a copy passes, and ends it at one of them.
class Simulation::PointFaults : public Faults {
 public:
  PointFaults(SimulationReport* report, const std::string* mutation) : report_(report), mutation_(mutation) {}
  bool StopAt(const char* point) override {
    ++report_->steps[point];
    ++count_;
    if (count_ == pause_at && pause) pause();
    if (count_ != stop_at) return false;
    ++report_->stopped[point];
    return true;
  }
  bool Mutated(const char* step) override { return *mutation_ == step; }
  uint64_t stop_at = 0;
  uint64_t pause_at = 0;
  std::function<void()> pause;

 private:
  SimulationReport* report_;
  const std::string* mutation_;
  uint64_t count_ = 0;
};

struct Simulation::Copy {
  std::string identity;
  int64_t paused_until = 0;
  bool stopping = false;
  bool kept_small = false;   // its commits, at some time
  bool woken = false;        // it was paused and has had no turn since
  std::unique_ptr<PointFaults> faults;
  std::unique_ptr<ClusterConnectors> connectors;
  std::unique_ptr<Engine> engine;
};

Simulation::Simulation(const Program& program, MemoryWorld& world, MemoryCluster& cluster,
                       const SimulationOptions& options)
    : program_(program), world_(world), cluster_(cluster), options_(options), random_(options.seed * 7919 + 17) {}

Simulation::~Simulation() {
  // Copies that are still there are killed.
  for (auto& copy : copies_) copy->engine.reset();
}

// ---- Copies ---------------------------------------------------------------------------------------------------------

void Simulation::StartCopy(const std::string& identity) {
  auto copy = std::make_unique<Copy>();
  copy->identity = identity;
  copy->faults = std::make_unique<PointFaults>(&report_, &options_.mutation);
  // In the middle of a commit or a recovery it stands still, for longer than its session often enough.
  const uint64_t step = 1 + Draw(Draw(2) == 0 ? 30 : 400);
  if (!calm_ && options_.pauses && Draw(2) == 0) {
    copy->faults->pause_at = step;
  } else if (!calm_ && options_.kills && Draw(3) != 0) {
    copy->faults->stop_at = step;
  }
  if (started_ < options_.stop_steps.size()) copy->faults->stop_at = options_.stop_steps[started_];
  copy->faults->pause = [this, paused = copy.get()] {
    if (calm_) return;
    paused->woken = true;
    paused->paused_until = now() + static_cast<int64_t>(Draw(static_cast<uint64_t>(3 * options_.session_ns)));
    Trace("copy " + paused->identity + " paused in the middle");
    ++report_.faults["copy paused at a step"];
  };
  ClusterProcess process;
  process.identity = identity;
  process.static_members = Draw(2) == 0;
  process.batch_max = 1 + static_cast<uint32_t>(Draw(40));
  // Sessions of 6 s leave a transaction so little.
  if (options_.seed % 3 == 0) process.transaction_timeout_ns = 2'000'000'000;
  copy->connectors = std::make_unique<ClusterConnectors>(cluster_, world_, process);
  Environment environment;
  environment.clock = &world_.clock;
  environment.connectors = copy->connectors.get();
  environment.faults = copy->faults.get();
  environment.log = &silence;
  environment.make_loop = [this](int) { return std::make_unique<VirtualLoop>([this](int64_t ns) { Move(ns); }); };
  environment.make_lookup_host = EngineLookups(1 + Draw(1000), nullptr);
  environment.workers = 1 + static_cast<int>(Draw(static_cast<uint64_t>(options_.workers_max)));
  if (!options_.workers.empty()) environment.workers = options_.workers[std::min(started_, options_.workers.size() - 1)];
  environment.commit_ns = (Draw(2) == 0 ? 20 : 100) * kMs;
  environment.grace_ns = 2 * kSecond;
  environment.revoke_wait_ns = 2 * kSecond;
  environment.trim_ns = Draw(2) == 0 ? 30 * kSecond : 100 * kMs;
  if (options_.disks && Draw(8) != 0) {
    environment.task_files = [&disk = DiskOf(identity)](const std::string& task) { return disk.Files(task); };
    environment.store_write_ns = static_cast<int64_t>(50 + Draw(3000)) * kMs;
    environment.standby = Draw(8) == 0;
  }
  copy->engine = std::make_unique<Engine>(program_, environment);
  Trace(fmt::format("copy {} starts with {} workers", identity, environment.workers));
  ++report_.faults["copy started"];
  ++started_;
  Status status = copy->engine->Start();
  if (!status.ok()) {
    if (report_.failure.empty()) report_.failure = "a copy does not start: " + status.message();
    return;
  }
  copies_.push_back(std::move(copy));
}

SimulatedDisk& Simulation::DiskOf(const std::string& identity) {
  std::unique_ptr<SimulatedDisk>& disk = disks_[identity];
  if (disk == nullptr) {
    disk = std::make_unique<SimulatedDisk>([this](uint64_t n) { return Draw(n); },
                                        [this](const char* what) { ++report_.faults[what]; });
  }
  disk->faults = DiskFaults();
  if (calm_) return *disk;
  switch (Draw(8)) {
    case 0: disk->LosePower(); break;
    case 1: disk->Damage(); break;
    case 2: disk->RestoreSaved(); break;
    default: break;
  }
  if (Draw(3) == 0) disk->Save();
  if (Draw(3) == 0) {
    disk->faults = {1 + Draw(300), 1 + Draw(100), 1 + Draw(100), Draw(2) * (1 + Draw(300)), 1 + Draw(20)};
  }
  return *disk;
}

void Simulation::EndCopy(size_t index, const char* how) {
  Copy& copy = *copies_[index];
  Trace(fmt::format("copy {} {}", copy.identity, how));
  ++report_.faults[std::string("copy ") + how];
  if (options_.disks) report_.faults["change followed by a standby"] += copy.engine->Metrics().standby_followed;
  for (int i = 0; i < copy.engine->workers(); ++i) {
    report_.rows_at_faults += copy.engine->worker(i).pending_rows();
  }
  // It comes back on its state directory or another machine takes its place, sometimes only after its session is over.
  std::string identity = Draw(3) == 0 ? fmt::format("copy{}", ++names_) : copy.identity;
  int64_t after = static_cast<int64_t>(Draw(3) == 0 ? 3 * static_cast<uint64_t>(options_.session_ns) / 2 : 300 * kMs);
  starts_.emplace_back(now() + static_cast<int64_t>(Draw(static_cast<uint64_t>(after) + 1)), identity);
  copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(index));
}

// Copies whose engine has ended. True: there was one.
bool Simulation::Reap() {
  for (size_t i = 0; i < copies_.size(); ++i) {
    Copy& copy = *copies_[i];
    if (!copy.engine->ended()) continue;
    if (copy.engine->killed()) {
      EndCopy(i, "killed");
    } else if ((copy.engine->exit_code() == ExitCode::kRefused && cluster_.occurred.count("partition added") != 0) ||
               (copy.engine->exit_code() == ExitCode::kConnector && copy.stopping)) {
      // Partitions were added, or its last commit had no answer in time: it is started again.
      EndCopy(i, copy.stopping ? "stopped without its last commit" : "refused");
    } else if (copy.engine->exit_code() == ExitCode::kOk) {
      for (int w = 0; w < copy.engine->workers(); ++w) copy.engine->worker(w).Close();
      copy.engine->Close();
      EndCopy(i, "stopped");
    } else {
      if (report_.failure.empty()) {
        report_.failure = fmt::format("a copy ended with code {}: {}", static_cast<int>(copy.engine->exit_code()),
                                      copy.engine->message());
      }
      EndCopy(i, "failed");
    }
    return true;
  }
  for (size_t i = 0; i < starts_.size(); ++i) {
    if (starts_[i].first > now()) continue;
    std::string identity = starts_[i].second;
    starts_.erase(starts_.begin() + static_cast<std::ptrdiff_t>(i));
    if (copies_.size() < static_cast<size_t>(options_.copies_max)) StartCopy(identity);
    return true;
  }
  return false;
}

// Something happens to one of the copies.
void Simulation::Disturb() {
  next_disturbance_ = now() + static_cast<int64_t>(Draw(2 * kSecond));
  if (copies_.empty()) return;
  size_t index = Draw(copies_.size());
  Copy& copy = *copies_[index];
  switch (Draw(6)) {
    case 0:
    case 1:
      if (options_.kills) EndCopy(index, "killed");
      break;
    case 2:
      if (!options_.pauses) break;
      copy.paused_until = now() + static_cast<int64_t>(Draw(static_cast<uint64_t>(2 * options_.session_ns)));
      Trace("copy " + copy.identity + " paused");
      ++report_.faults["copy paused"];
      break;
    case 3:
      if (!options_.stops || copy.stopping) break;
      copy.stopping = true;
      copy.engine->RequestStop();
      Trace("copy " + copy.identity + " is told to stop");
      break;
    case 4:
      if (copies_.size() < static_cast<size_t>(options_.copies_max)) StartCopy(fmt::format("copy{}", ++names_));
      break;
    default: break;
  }
}

// ---- Turns and time -------------------------------------------------------------------------------------------------

bool Simulation::TakeTurn(Copy& copy) {
  uint64_t actor = Draw(static_cast<uint64_t>(copy.engine->workers()) + 1);
  // Threads do not take turns one by one: now and then one runs ahead.
  uint64_t run = Draw(4) == 0 ? 1 + Draw(16) : 1;
  // Of a process that was stopped, the thread that commits may be the first to go on.
  if (copy.woken && Draw(2) == 0) {
    actor = 0;
    run = 100;
  }
  copy.woken = false;
  bool any = false;
  for (bool did = true; did && run > 0 && copy.paused_until <= now() && !copy.engine->ended(); --run) {
    ++report_.turns;
    did = actor == 0 ? copy.engine->StepCommit() == Epochs::Step::kWorked
                     : copy.engine->worker(static_cast<int>(actor) - 1).Turn();
    any |= did;
  }
  for (int i = 0; !copy.kept_small && i < copy.engine->workers(); ++i) {
    copy.kept_small = copy.engine->worker(i).epoch_bytes_limit() != 0;
    if (copy.kept_small) ++report_.faults["commits kept small"];
  }
  return any;
}

// Everybody gets turns until nobody has done anything for a while.
bool Simulation::Turn() {
  bool any = false;
  for (uint64_t idle = 0; report_.turns < kTurnsMax;) {
    bool did = cluster_.DeliverEvents();
    did |= world_.DeliverAnswers();
    did |= Reap();
    if (copies_.empty()) return any || did;
    Copy& copy = *copies_[Draw(copies_.size())];
    if (copy.paused_until <= now() && !copy.engine->ended()) did |= TakeTurn(copy);
    any |= did;
    uint64_t actors = 0;
    for (auto& one : copies_) actors += static_cast<uint64_t>(one->engine->workers()) * 2;
    idle = did ? 0 : idle + 1;
    if (idle > 4 * actors + 4) return any;
    if (!report_.failure.empty()) return any;
  }
  report_.failure = "it turns without end";
  for (int i = 0; i < 20 && !copies_.empty(); ++i) {
    Copy& copy = *copies_[Draw(copies_.size())];
    size_t actor = Draw(static_cast<uint64_t>(copy.engine->workers()));
    bool worked = copy.engine->worker(static_cast<int>(actor)).Turn();
    report_.where += fmt::format("  {} worker {} {}\n", copy.identity, actor, worked ? "turns" : "rests");
  }
  Describe();
  return any;
}

void Simulation::Describe() {
  auto later = [this](int64_t at) { return at == INT64_MAX ? std::string("never") : fmt::format("{} us", (at - now()) / 1000); };
  report_.where += fmt::format("  next of the cluster {}, of services {}\n", later(cluster_.NextEventMonoNs()), later(world_.NextEventMonoNs()));
  for (auto& copy : copies_) {
    for (int i = 0; i < copy->engine->workers(); ++i) {
      report_.where += fmt::format("  {} worker {}: next {}\n", copy->identity, i, later(copy->engine->worker(i).NextTimerMonoNs()));
      report_.where += copy->engine->worker(i).Describe();
    }
  }
}

bool Simulation::AdvanceToNext(int64_t end) {
  int64_t next = std::min(cluster_.NextEventMonoNs(), world_.NextEventMonoNs());
  for (auto& copy : copies_) {
    if (copy->paused_until > now()) {
      next = std::min(next, copy->paused_until);
      continue;
    }
    for (int i = 0; i < copy->engine->workers(); ++i) next = std::min(next, copy->engine->worker(i).NextTimerMonoNs());
  }
  for (const auto& start : starts_) next = std::min(next, start.first);
  if (!calm_) next = std::min(next, next_disturbance_);
  if (!actions_.empty()) next = std::min(next, begin_ns_ + actions_.begin()->first);
  if (next > end) return false;
  world_.clock.SetMono(std::max(next, now() + 1000));
  while (!actions_.empty() && begin_ns_ + actions_.begin()->first <= now()) {
    auto action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    action();
  }
  if (!calm_ && now() >= next_disturbance_) Disturb();
  return true;
}

void Simulation::RunUntil(int64_t end) {
  Turn();
  while (report_.failure.empty() && AdvanceToNext(end)) Turn();
}

// A worker waits for its commit: time passes, and the cluster and services do what is due. Others get no turns meanwhile,
// so no more passes than they can do without.
void Simulation::Move(int64_t ns) {
  int64_t end = now() + ns;
  for (auto& copy : copies_) {
    for (int i = 0; copy->paused_until <= now() && i < copy->engine->workers(); ++i) {
      end = std::min(end, copy->engine->worker(i).NextTimerMonoNs(true));
    }
  }
  if (end <= now() + 1000) return;
  int64_t next = std::min(cluster_.NextEventMonoNs(), world_.NextEventMonoNs());
  world_.clock.SetMono(std::clamp(next, now() + 1000, end));
  cluster_.DeliverEvents();
  world_.DeliverAnswers();
}

// ---- The whole ------------------------------------------------------------------------------------------------------

bool Simulation::WorkedOff() {
  int32_t partitions = 0;
  for (auto& copy : copies_) {
    MetricsSnapshot metrics = copy->engine->Metrics();
    if (metrics.pending_rows != 0 || metrics.open_windows != 0) return false;
    // What is not back yet may hold rows and windows.
    for (const PartitionMetrics& partition : metrics.partitions) partitions += partition.recovering ? 0 : 1;
  }
  for (const SourceSpec& source : program_.sources) partitions -= cluster_.Partitions(source.address);
  if (partitions < 0) return false;
  for (const SourceSpec& source : program_.sources) {
    for (int32_t p = 0; p < cluster_.Partitions(source.address); ++p) {
      // Offsets stand behind the last record, and the end behind its transaction's marker.
      const ClusterLog& log = cluster_.log({source.address, p});
      int64_t at = std::max<int64_t>(cluster_.CommittedOffset(program_.name, {source.address, p}), 0);
      if (log.stable_end() != log.end() || log.NextCommitted(&at, log.end()) != nullptr) return false;
    }
  }
  return true;
}

bool Simulation::StopAll() {
  for (auto& copy : copies_) copy->engine->RequestStop();
  int64_t end = now() + 120 * kSecond;
  while (!copies_.empty() && report_.failure.empty()) {
    Turn();
    starts_.clear();
    if (!copies_.empty() && !AdvanceToNext(end)) break;
  }
  return copies_.empty();
}

SimulationReport Simulation::Run() {
  begin_ns_ = now();
  cluster_.faults = options_.faults;
  StartCopy(fmt::format("copy{}", ++names_));
  if (options_.copies_max > 1 && Draw(2) == 0) StartCopy(fmt::format("copy{}", ++names_));
  next_disturbance_ = now() + static_cast<int64_t>(Draw(2 * kSecond));
  RunUntil(begin_ns_ + options_.chaos_ns);
  calm_ = true;
  cluster_.Calm();
  for (auto& [identity, disk] : disks_) disk->faults = DiskFaults();
  Trace("calm");
  for (auto& copy : copies_) copy->faults->stop_at = 0;
  if (copies_.empty() && starts_.empty()) StartCopy(fmt::format("copy{}", ++names_));
  int64_t end = now() + options_.settle_ns;
  // Not only for a moment: copies that have lost their partitions without knowing it yet count them too.
  constexpr int kLooks = 4;
  int worked_off = 0;
  while (report_.failure.empty() && worked_off < kLooks && now() < end) {
    int64_t next = std::min(end, now() + 10 * kSecond);
    RunUntil(next);
    world_.clock.SetMono(next);
    worked_off = WorkedOff() ? worked_off + 1 : 0;
  }
  if (report_.failure.empty() && worked_off < kLooks) {
    report_.failure = "not everything is worked off";
    Describe();
  }
  if (report_.failure.empty() && !StopAll()) report_.failure = "copies do not end";
  for (const auto& [fault, times] : cluster_.occurred) report_.faults[fault] += times;
  report_.virtual_ns = now() - begin_ns_;
  return std::move(report_);
}

}  // namespace weir
