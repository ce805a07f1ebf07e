// Everything outside the engine, put together once.
#include "runtime/program/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "runtime/core/time.h"
#include "runtime/engine/asio_loop.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/system_clock.h"
#include "runtime/lookup/engine_lookups.h"
#include "runtime/program/check.h"
#include "runtime/program/connectors.h"
#include "runtime/program/engine_metrics.h"
#include "runtime/serve/status_server.h"
#include "runtime/serve/stderr_log.h"
#include "runtime/state/lmdb_store.h"
#include "runtime/state/store_files.h"

namespace weir {
namespace {

// A worker that has not turned for so long hangs.
constexpr int64_t kHangsNs = 60 * kNsPerSecond;
// With stop_at_end: how long everything must stand still at the end.
constexpr int64_t kStandsNs = 500 * kNsPerMs;
constexpr int kLookMs = 50;

sigset_t EndingSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  return set;
}

// A worker's loop that remembers when it last turned.
class WatchedLoop final : public Loop {
 public:
  WatchedLoop(std::unique_ptr<Loop> loop, std::atomic<int64_t>* turned, Clock* clock)
      : loop_(std::move(loop)), turned_(turned), clock_(clock) {}
  void Run(int64_t wait_ns_max) override {
    loop_->Run(wait_ns_max);
    turned_->store(clock_->MonoNs(), std::memory_order_relaxed);
  }
  void Wake() override { loop_->Wake(); }
  void Watch(int fd, std::function<void()> ready) override { loop_->Watch(fd, std::move(ready)); }
  void Forget(int fd) override { loop_->Forget(fd); }
  void* io_context() override { return loop_->io_context(); }

 private:
  std::unique_ptr<Loop> loop_;
  std::atomic<int64_t>* turned_;
  Clock* clock_;
};

// A name that a pipeline whose truth is Kafka keeps between runs on the same state directory: with it a restart keeps its
// place in the consumer group and ends its own unfinished transactions at once. Locked, so that two copies on one
// directory do not share it.
class Instance {
 public:
  ~Instance() {
    if (fd_ >= 0) close(fd_);
  }
  Status Open(const std::string& directory) {
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return Status::FromErrno(errno, "making the state directory " + directory);
    }
    std::string path = directory + "/instance";
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) return Status::FromErrno(errno, "opening " + path);
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      return Status::Exists("another process uses the state directory " + directory + "; give this one its own with --state-dir");
    }
    char text[33] = "";
    if (read(fd_, text, 32) != 32) {
      unsigned char random[16];
      if (getrandom(random, sizeof random, 0) != sizeof random) return Status::FromErrno(errno, "drawing a random number");
      for (int i = 0; i < 16; ++i) std::snprintf(text + i * 2, 3, "%02x", random[i]);
      if (pwrite(fd_, text, 32, 0) != 32 || fsync(fd_) != 0) return Status::FromErrno(errno, "writing " + path);
    }
    id_.assign(text, 32);
    return Status();
  }
  const std::string& id() const { return id_; }

 private:
  int fd_ = -1;
  std::string id_;
};

class Runner {
 public:
  Runner(const Program& program, const Settings& settings, Faults* faults)
      : program_(program),
        faults_(faults),
        settings_(settings.run()),
        log_(LogOptions()),
        turned_(new std::atomic<int64_t>[static_cast<size_t>(settings_.workers)]),
        started_mono_ns_(clock_.MonoNs()),
        started_wall_ns_(clock_.WallNs()),
        kafka_(settings.kafka()) {}

  ExitCode Run() {
    AllowFiles();
    Environment environment;
    if (settings_.standby && !program_.transactional) {
      return Failed(Status::Invalid("--standby is for pipelines that keep state in Kafka, and this one does not: there is "
                                    "nothing to follow"),
                    ExitCode::kUsage);
    }
    std::unique_ptr<LmdbStore> store;
    if (CommitModeOf(program_) == CommitMode::kStore) {
      store = std::make_unique<LmdbStore>(settings_.state_dir);
      environment.store = store.get();
    } else if (settings_.state_dir_given || program_.transactional) {
      Status status = BeginsBesideState(program_, settings_.state_dir);
      if (!status.ok()) return Failed(status, ExitCode::kStateMismatch);
      status = instance_.Open(settings_.state_dir);
      // A second copy, and one where nothing can be written, does without when it was given no directory of its own.
      bool without = program_.transactional && !settings_.state_dir_given;
      if (!status.ok() && without) {
        log_.Write(LogLevel::kInfo, 0, status.message() + "; this copy keeps no place in the group over a restart");
      }
      if (status.ok() && program_.transactional) {
        environment.task_files = [directory = settings_.state_dir + "/tasks"](const std::string& task) {
          return MakeDirectoryFiles(directory + "/" + task);
        };
        environment.task_names = [directory = settings_.state_dir + "/tasks"](std::vector<std::string>* names) {
          return ListDirectories(directory, names);
        };
      }
      if (!status.ok() && settings_.standby) {
        return Failed(status.Within("--standby keeps state in the state directory"), ExitCode::kRefused);
      }
      if (!status.ok() && !without) return Failed(status, status.code() == StatusCode::kExists ? ExitCode::kRefused : ExitCode::kWriteFailed);
    }
    ProductionConnectors connectors({kafka_, settings_.group, instance_.id(), settings_.leave, !settings_.no_create});
    environment.clock = &clock_;
    environment.connectors = &connectors;
    environment.faults = faults_;
    environment.log = &log_;
    environment.workers = settings_.workers;
    environment.standby = settings_.standby;
    environment.commit_ns = settings_.commit_ns;
    environment.grace_ns = settings_.grace_ns;
    for (int i = 0; i < settings_.workers; ++i) turned_[static_cast<size_t>(i)] = INT64_MAX;
    environment.make_loop = [this](int worker) {
      return std::make_unique<WatchedLoop>(MakeAsioLoop(), &turned_[static_cast<size_t>(worker)], &clock_);
    };
    environment.make_lookup_host = EngineLookups(static_cast<uint64_t>(started_wall_ns_), &lookup_metrics_);

    Engine engine(program_, environment);
    engine_ = &engine;
    StatusServer server({settings_.http_host, settings_.http_port}, Content());
    if (!settings_.http_off) {
      Status status = server.Start();
      if (!status.ok() && !settings_.http_default) return Failed(status, ExitCode::kUsage);
      // Nobody asked for this very port, so another pipeline on this machine is no reason to stop.
      if (!status.ok()) log_.Write(LogLevel::kWarning, 0, "no /livez, /readyz and /metrics: " + status.message());
      if (status.ok()) {
        log_.Write(LogLevel::kInfo, 0, "/livez, /readyz and /metrics on " + settings_.http_host + ":" + std::to_string(server.port()));
      }
    }

    std::thread supervisor([this] { Supervise(); });
    Status status = engine.Start();
    ExitCode code = engine.exit_code();
    if (status.ok()) {
      running_ = true;
      log_.Write(LogLevel::kInfo, 0, "running " + program_.name + " version " + std::to_string(program_.version) + " on " +
                                         std::to_string(settings_.workers) + (settings_.workers == 1 ? " worker" : " workers"));
      code = engine.Run();
      if (code == ExitCode::kOk) log_.Write(LogLevel::kInfo, 0, "ended, everything is committed");
    }
    ended_ = true;
    uint64_t one = 1;
    [[maybe_unused]] ssize_t n = write(end_event_, &one, sizeof one);
    supervisor.join();
    server.Stop();
    engine_ = nullptr;
    return code;
  }

 private:
  // Connections and the files of local stores: as many as the system allows, not as few as it suggests.
  static void AllowFiles() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  StderrLog::Options LogOptions() {
    StderrLog::Options options;
    options.json = settings_.log == LogFormat::kJson || (settings_.log == LogFormat::kAuto && isatty(2) == 0);
    options.pipeline = program_.name;
    options.file = program_.file;
    options.clock = &clock_;
    return options;
  }
  ExitCode Failed(const Status& status, ExitCode code) {
    log_.Write(LogLevel::kError, 0, status.message());
    return code;
  }

  StatusServer::Content Content() {
    StatusServer::Content content;
    content.live = [this](std::string* why) { return Live(why); };
    content.ready = [this](std::string* why) { return Ready(why); };
    content.metrics = [this](MetricsFormat format) {
      MetricsWriter out;
      CollectProcess(started_wall_ns_, &out);
      if (running_) CollectEngine(program_, engine_->Metrics(), &out);
      lookup_metrics_.Collect(&out);
      return out.Text(format);
    };
    content.page = [this] {
      std::string why = "ready";
      Ready(&why);
      MetricsSnapshot snapshot;
      if (running_) snapshot = engine_->Metrics();
      return StatusPage(program_, snapshot, why, clock_.MonoNs() - started_mono_ns_);
    };
    return content;
  }
  bool Live(std::string* why) const {
    int64_t now = const_cast<SystemClock&>(clock_).MonoNs();
    for (int i = 0; i < settings_.workers; ++i) {
      int64_t turned = turned_[static_cast<size_t>(i)].load(std::memory_order_relaxed);
      if (turned == INT64_MAX || now - turned < kHangsNs) continue;
      *why = "worker " + std::to_string(i) + " has not turned for " + std::to_string((now - turned) / kNsPerSecond) + " s";
      return false;
    }
    return true;
  }
  bool Ready(std::string* why) const {
    if (!running_) {
      *why = "starting";
    } else if (engine_->ended()) {
      *why = "ended";
    } else if (stopping_) {
      *why = "stopping";
    } else if (!engine_->ready()) {
      *why = "tables are loading";
    } else {
      for (const PartitionMetrics& p : engine_->Metrics().partitions) {
        if (p.connected && !p.recovering) continue;
        if (p.recovering) {
          *why = "the state of source `" + program_.sources[static_cast<size_t>(p.source)].name + "`, partition " +
                 std::to_string(p.partition) + " is being brought back";
          return false;
        }
        *why = "source `" + program_.sources[static_cast<size_t>(p.source)].name + "`, partition " +
               std::to_string(p.partition) + ": nothing answers";
        return false;
      }
      return true;
    }
    return false;
  }

  // Signals, and the end of the input when that is asked for.
  void Supervise() {
    sigset_t set = EndingSignals();
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    pollfd fds[2] = {{signals, POLLIN, 0}, {end_event_, POLLIN, 0}};
    while (!ended_) {
      poll(fds, 2, settings_.stop_at_end && !stopping_ ? kLookMs : -1);
      signalfd_siginfo info;
      while (read(signals, &info, sizeof info) == sizeof info) Signal(static_cast<int>(info.ssi_signo));
      if (settings_.stop_at_end && running_ && !stopping_ && AtEnd()) Stop();
    }
    close(signals);
  }
  void Signal(int number) {
    const char* name = number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGHUP";
    if (stopping_ || !running_) {
      log_.Write(LogLevel::kWarning, 0, std::string(name) + ": ending at once; what is not committed is done again at the next start");
      _exit(128 + number);
    }
    log_.Write(LogLevel::kInfo, 0, std::string(name) + ": no more input; requests under way may end, then the last commit");
    Stop();
  }
  void Stop() {
    stopping_ = true;
    engine_->RequestStop();
  }
  // Everything that was there is read, nothing waits, and nothing has moved for a while.
  bool AtEnd() {
    MetricsSnapshot m = engine_->Metrics();
    // What is re-keyed is read only once it is committed.
    bool end = m.ready && m.pending_rows == 0 && !m.uncommitted && !m.partitions.empty();
    uint64_t moved = m.ledger.read + m.epochs_committed;
    for (const PartitionMetrics& p : m.partitions) {
      end = end && (p.watermark_ns == INT64_MAX || (p.end_offset >= 0 && p.position >= p.end_offset));
      moved += static_cast<uint64_t>(p.position);
    }
    int64_t now = clock_.MonoNs();
    if (!end || moved != moved_) {
      moved_ = moved;
      stands_since_ns_ = now;
      return false;
    }
    return now - stands_since_ns_ >= kStandsNs;
  }

  const Program& program_;
  Faults* faults_;
  const RunSettings& settings_;
  SystemClock clock_;
  StderrLog log_;
  std::unique_ptr<std::atomic<int64_t>[]> turned_;
  const int64_t started_mono_ns_;
  const int64_t started_wall_ns_;
  const Properties& kafka_;
  Instance instance_;
  MetricsRegistry lookup_metrics_;
  Engine* engine_ = nullptr;
  int end_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> running_{false}, stopping_{false}, ended_{false};
  uint64_t moved_ = 0;
  int64_t stands_since_ns_ = 0;
};

}  // namespace

void TakeSignals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is a write that fails, as on a full disk
  sigset_t set = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

ExitCode RunPipeline(const Program& program, const Settings& settings, Faults* faults) {
  return Runner(program, settings, faults).Run();
}

}  // namespace weir
