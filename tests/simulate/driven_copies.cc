#include "tests/simulate/driven_copies.h"

#include <algorithm>

#include "runtime/lookup/engine_lookups.h"

namespace weir {

void DrivenCopy::Write(LogLevel, uint32_t, const std::string& message) { log += message + "\n"; }

DrivenCopies::~DrivenCopies() {
  for (auto& copy : copies) copy->engine.reset();
}

DrivenCopy& DrivenCopies::Start(const std::string& identity, const std::function<void(Environment*)>& adjust) {
  copies.push_back(std::make_unique<DrivenCopy>());
  DrivenCopy& copy = *copies.back();
  ClusterProcess process;
  process.identity = identity;
  process.batch_max = 10;
  copy.connectors = std::make_unique<ClusterConnectors>(sample.cluster, sample.rig.world, process);
  Environment environment;
  environment.clock = &sample.rig.world.clock;
  environment.connectors = copy.connectors.get();
  environment.log = &copy;
  environment.make_loop = [this](int) {
    return std::make_unique<VirtualLoop>([this](int64_t ns) {
      const int64_t now = sample.cluster.now();
      sample.rig.world.clock.SetMono(std::clamp(sample.cluster.NextEventMonoNs(), now + 1000, now + ns));
      sample.cluster.DeliverEvents();
    });
  };
  environment.make_lookup_host = EngineLookups(1, nullptr);
  environment.commit_ns = 100'000'000;
  environment.trim_ns = 100'000'000;
  if (adjust) adjust(&environment);
  copy.engine = std::make_unique<Engine>(sample.rig.program, environment);
  if (Status status = copy.engine->Start(); !status.ok()) copy.log += "it does not start: " + status.message() + "\n";
  return copy;
}

void DrivenCopies::Append(int events) {
  for (size_t p = 0; p < sample.rig.events.size(); ++p) {
    for (int i = appended_; i < appended_ + events; ++i) {
      MemoryRecord record;
      record.value = EventJson(sample.rig.events[p][static_cast<size_t>(i)]);
      sample.cluster.Append("events", static_cast<int32_t>(p), record);
    }
  }
  appended_ += events;
}

void DrivenCopies::Turns() {
  for (int idle = 0; idle < 4;) {
    bool did = sample.cluster.DeliverEvents();
    did |= sample.rig.world.DeliverAnswers();
    for (auto& copy : copies) {
      if (copy->paused || copy->engine->ended()) continue;
      did |= copy->engine->StepCommit() == Epochs::Step::kWorked;
      did |= copy->engine->worker(0).Turn();
    }
    idle = did ? 0 : idle + 1;
  }
}

bool DrivenCopies::Until(const std::function<bool()>& done, int64_t ns_max) {
  const int64_t end = sample.cluster.now() + ns_max;
  for (;;) {
    Turns();
    if (done()) return true;
    int64_t next = std::min(sample.cluster.NextEventMonoNs(), sample.rig.world.NextEventMonoNs());
    for (auto& copy : copies) {
      if (!copy->paused && !copy->engine->ended()) next = std::min(next, copy->engine->worker(0).NextTimerMonoNs());
    }
    if (next >= end) return false;
    sample.rig.world.clock.SetMono(std::max(next, sample.cluster.now() + 1000));
  }
}

int64_t DrivenCopies::Committed(const std::string& topic, int32_t partition) const {
  return sample.cluster.CommittedOffset(sample.rig.program.name, {topic, partition});
}

bool DrivenCopies::WorkedOff() {
  for (auto& copy : copies) {
    const MetricsSnapshot metrics = copy->engine->Metrics();
    if (metrics.pending_rows != 0 || metrics.open_windows != 0) return false;
  }
  for (const SourceSpec& source : sample.rig.program.sources) {
    for (int32_t p = 0; p < sample.cluster.Partitions(source.address); ++p) {
      const ClusterLog& log = sample.cluster.log({source.address, p});
      int64_t at = std::max<int64_t>(Committed(source.address, p), 0);
      if (log.stable_end() != log.end() || log.NextCommitted(&at, log.end()) != nullptr) return false;
    }
  }
  return true;
}

std::string DrivenCopies::Stop() {
  for (auto& copy : copies) copy->engine->RequestStop();
  const bool ended = Until([&] {
    return std::all_of(copies.begin(), copies.end(), [](const auto& copy) { return copy->engine->ended(); });
  }, 60'000'000'000);
  if (!ended) return "one does not stop";
  for (auto& copy : copies) {
    if (copy->engine->exit_code() != ExitCode::kOk) return copy->engine->message();
  }
  return "";
}

}  // namespace weir
