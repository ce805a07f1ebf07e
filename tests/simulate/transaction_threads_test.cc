// Copies of a pipeline with transactions on real threads: each worker and its commit thread, answers from another thread,
// metrics read and stops asked for from outside. Under tools/thread-sanitizer this is where races show.
//
// The simulated cluster is for one thread: a mutex stands around it, given back while the engine is told of a rebalance,
// since it waits for its commit thread there. Time goes faster than the clock on the wall.
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "runtime/engine/asio_loop.h"
#include "runtime/engine/engine.h"
#include "runtime/lookup/engine_lookups.h"
#include "runtime/testing/cluster_connectors.h"
#include "tests/recover/answer_thread.h"
#include "tests/simulate/sample_on_cluster.h"

namespace weir {
namespace {

using Lock = std::lock_guard<std::mutex>;

class UnlockedEvents : public SourceEvents {
 public:
  UnlockedEvents(std::mutex& mutex, SourceEvents* to) : mutex_(mutex), to_(to) {}
  void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) override {
    Unlocked([&] { to_->Assigned(partitions, positions); });
  }
  void Revoked(const std::vector<int32_t>& partitions) override {
    Unlocked([&] { to_->Revoked(partitions); });
  }
  void Lost(const std::vector<int32_t>& partitions) override {
    Unlocked([&] { to_->Lost(partitions); });
  }

 private:
  template <class Call>
  void Unlocked(Call call) {
    mutex_.unlock();
    call();
    mutex_.lock();
  }
  std::mutex& mutex_;
  SourceEvents* to_;
};

class LockedSource : public Source {
 public:
  LockedSource(std::mutex& mutex, std::unique_ptr<Source> source) : mutex_(mutex), source_(std::move(source)) {}
  ~LockedSource() override {
    Lock lock(mutex_);
    source_.reset();
  }
  Status Partitions(int64_t wait_ns_max, int32_t* count) override {
    Lock lock(mutex_);
    return source_->Partitions(wait_ns_max, count);
  }
  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override {
    events_ = std::make_unique<UnlockedEvents>(mutex_, events);
    Lock lock(mutex_);
    return source_->Open(mine, events_.get());
  }
  Status Poll(std::unique_ptr<Batch>* batch) override {
    Lock lock(mutex_);
    return source_->Poll(batch);
  }
  void Hold(int32_t partition, bool held) override {
    Lock lock(mutex_);
    source_->Hold(partition, held);
  }
  PartitionStatus Tell(int32_t partition) override {
    Lock lock(mutex_);
    return source_->Tell(partition);
  }
  Status Resume(int32_t partition, int64_t offset) override {
    Lock lock(mutex_);
    return source_->Resume(partition, offset);
  }
  void Commit(const std::vector<std::pair<int32_t, Position>>& positions) override {
    Lock lock(mutex_);
    source_->Commit(positions);
  }
  Status Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) override {
    Lock lock(mutex_);
    return source_->Ends(wait_ns_max, ends);
  }
  void Close() override {
    Lock lock(mutex_);
    source_->Close();
  }

 private:
  std::mutex& mutex_;
  std::unique_ptr<UnlockedEvents> events_;
  std::unique_ptr<Source> source_;
};

class LockedTransactions : public Transactions {
 public:
  LockedTransactions(std::mutex& mutex, std::unique_ptr<Transactions> to) : mutex_(mutex), to_(std::move(to)) {}
  ~LockedTransactions() override {
    Lock lock(mutex_);
    to_.reset();
  }
  Status Open(const std::vector<Changelog>& changelogs, int64_t wait_ns_max) override {
    Lock lock(mutex_);
    return to_->Open(changelogs, wait_ns_max);
  }
  Status OpenRekeys(std::vector<Rekey>* rekeys, int64_t wait_ns_max) override {
    Lock lock(mutex_);
    return to_->OpenRekeys(rekeys, wait_ns_max);
  }
  GroupToken Group() override {
    Lock lock(mutex_);
    return to_->Group();
  }
  void Check(int sink, const OutputBuffer& outputs, std::vector<Sink::Refused>* refused) override {
    Lock lock(mutex_);
    to_->Check(sink, outputs, refused);
  }
  TransactionResult Fence() override {
    Lock lock(mutex_);
    return to_->Fence();
  }
  void Drop() override {
    Lock lock(mutex_);
    to_->Drop();
  }
  TransactionResult Begin() override {
    Lock lock(mutex_);
    return to_->Begin();
  }
  TransactionResult Write(int sink, const OutputBuffer& outputs) override {
    Lock lock(mutex_);
    return to_->Write(sink, outputs);
  }
  TransactionResult WriteChange(int stage, int32_t partition, Str key, const Str* value) override {
    Lock lock(mutex_);
    return to_->WriteChange(stage, partition, key, value);
  }
  TransactionResult WriteRow(int exchange, int32_t partition, Str value) override {
    Lock lock(mutex_);
    return to_->WriteRow(exchange, partition, value);
  }
  TransactionResult Flush() override {
    Lock lock(mutex_);
    return to_->Flush();
  }
  TransactionResult SendOffsets(const std::vector<SourceOffset>& offsets, const GroupToken& group) override {
    Lock lock(mutex_);
    return to_->SendOffsets(offsets, group);
  }
  TransactionResult Commit() override {
    Lock lock(mutex_);
    return to_->Commit();
  }
  TransactionResult Abort() override {
    Lock lock(mutex_);
    return to_->Abort();
  }
  int64_t open_ns_max() const override { return to_->open_ns_max(); }
  bool unanswered() const override {
    Lock lock(mutex_);
    return to_->unanswered();
  }
  void TrimRekeyed(int exchange, const std::vector<std::pair<int32_t, int64_t>>& before) override {
    Lock lock(mutex_);
    to_->TrimRekeyed(exchange, before);
  }
  void BeginRecovery() override {
    Lock lock(mutex_);
    to_->BeginRecovery();
  }
  TransactionResult Committed(int source, std::vector<int64_t>* offsets, std::vector<OffsetState>* states,
                              int32_t* then) override {
    Lock lock(mutex_);
    return to_->Committed(source, offsets, states, then);
  }
  TransactionResult StartOf(int source, int32_t partition, bool latest, int64_t* offset) override {
    Lock lock(mutex_);
    return to_->StartOf(source, partition, latest, offset);
  }
  TransactionResult ChangelogEnd(int stage, int32_t partition, Isolation isolation, int64_t* end) override {
    Lock lock(mutex_);
    return to_->ChangelogEnd(stage, partition, isolation, end);
  }
  TransactionResult Replay(int stage, int32_t partition, int64_t end, int64_t* at, const Change& change) override {
    Lock lock(mutex_);
    return to_->Replay(stage, partition, end, at, change);
  }
  void Close() override {
    Lock lock(mutex_);
    to_->Close();
  }

 private:
  std::mutex& mutex_;
  std::unique_ptr<Transactions> to_;
};

class LockedConnectors : public Connectors {
 public:
  LockedConnectors(std::mutex& mutex, SampleOnCluster& sample, const ClusterProcess& process, AnswerThread& answers)
      : mutex_(mutex), cluster_(sample.cluster, sample.rig.world, process), answers_(answers) {}
  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out) override {
    std::unique_ptr<Source> made;
    Lock lock(mutex_);
    Status status = cluster_.MakeSource(source, context, &made);
    if (status.ok()) *out = std::make_unique<LockedSource>(mutex_, std::move(made));
    return status;
  }
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) override {
    return cluster_.MakeTable(table, context, out);
  }
  bool StoreBacked(const Program&, const SinkSpec&) override { return false; }
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) override {
    return cluster_.MakeSink(sink, context, out);
  }
  Status MakeLookup(const ConnectionSpec&, const ConnectorContext&, std::unique_ptr<LookupConnector>* out) override {
    *out = std::make_unique<ThreadLookup>(&answers_);
    return Status();
  }
  Status MakeTransactions(const ConnectorContext& context, std::unique_ptr<Transactions>* out) override {
    std::unique_ptr<Transactions> made;
    Lock lock(mutex_);
    Status status = cluster_.MakeTransactions(context, &made);
    if (status.ok()) *out = std::make_unique<LockedTransactions>(mutex_, std::move(made));
    return status;
  }

 private:
  std::mutex& mutex_;
  ClusterConnectors cluster_;
  AnswerThread& answers_;
};

// Moves the clock and lets the cluster do what is due.
class ClusterTime {
 public:
  ClusterTime(std::mutex& mutex, SampleOnCluster& sample) : thread_([this, &mutex, &sample] {
    while (!stop_) {
      {
        Lock lock(mutex);
        sample.rig.world.clock.SetMono(sample.rig.world.clock.MonoNs() + 20'000'000);
        sample.cluster.DeliverEvents();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }) {}
  ~ClusterTime() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// One process: started, and ended as SIGTERM does.
class Copy {
 public:
  Copy(std::mutex& mutex, SampleOnCluster& sample, AnswerThread& answers, const std::string& identity, int workers) {
    ClusterProcess process;
    process.identity = identity;
    process.batch_max = 20;
    connectors_ = std::make_unique<LockedConnectors>(mutex, sample, process, answers);
    Environment environment = sample.rig.MakeEnvironment(workers);
    environment.store = nullptr;
    environment.connectors = connectors_.get();
    environment.make_loop = [](int) { return MakeAsioLoop(); };
    environment.make_lookup_host = EngineLookups(1, nullptr);
    environment.commit_ns = 100'000'000;
    engine_ = std::make_unique<Engine>(sample.rig.program, environment);
    REQUIRE(engine_->Start().ToString() == "ok");
    thread_ = std::thread([this] { code_ = engine_->Run(); });
  }
  ~Copy() {
    engine_->RequestStop();
    if (thread_.joinable()) thread_.join();
  }
  MetricsSnapshot Metrics() const { return engine_->Metrics(); }
  bool ended() const { return engine_->ended(); }
  std::string Stop() {
    engine_->RequestStop();
    thread_.join();
    return code_ == ExitCode::kOk ? engine_->message() : "it ended with another code: " + engine_->message();
  }

 private:
  std::unique_ptr<LockedConnectors> connectors_;
  std::unique_ptr<Engine> engine_;
  std::thread thread_;
  ExitCode code_ = ExitCode::kOk;
};

TEST_CASE("threads, transactions, copies that come and go: exactly once and in order") {
  for (int shape = 0; shape < 3; ++shape) {
    INFO("shape " << shape);
    SampleOptions options;
    options.stateful = false;
    options.timeout_ns = 600'000'000'000;
    options.idle_ns = 20'000'000'000;
    options.in_flight = 50;
    options.rekeyed = shape >= 1;
    options.lookup_behind_exchange = shape == 2;
    RigInput input;
    input.partitions = 4;
    input.records = 300;
    input.shared_keys = options.rekeyed;
    SampleOnCluster sample(options, input, 1 + static_cast<uint64_t>(shape));
    sample.cluster.keep_trace = false;
    sample.cluster.faults.request_delayed = 0.02;
    sample.cluster.faults.marker_lag = 0.1;
    sample.cluster.faults.small_fetch = 0.5;
    sample.AppendAll();
    std::mutex mutex;
    AnswerThread answers;
    ClusterTime time(mutex, sample);
    // Copies that stand and those to come; each joins when a quarter more of the input is committed, and then the oldest ends.
    std::vector<std::unique_ptr<Copy>> copies;
    int started = 0;
    auto start = [&] {
      copies.push_back(std::make_unique<Copy>(mutex, sample, answers, "copy" + std::to_string(started), started % 3 + 1));
      ++started;
    };
    auto committed = [&] {
      Lock lock(mutex);
      int64_t sum = 0;
      for (int32_t p = 0; p < input.partitions; ++p) {
        sum += std::max<int64_t>(sample.cluster.CommittedOffset(sample.rig.program.name, {"events", p}), 0);
      }
      return sum;
    };
    const int64_t all = input.partitions * input.records;
    start();
    start();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(100);
    // Several times in a row: between two looks rows may be on their way through an exchange.
    for (int quiet = 0; quiet < 20;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      bool done = committed() == all;
      int32_t held = 0;
      for (auto& copy : copies) {
        REQUIRE_FALSE(copy->ended());
        MetricsSnapshot metrics = copy->Metrics();
        done = done && metrics.pending_rows == 0 && metrics.open_windows == 0;
        for (const PartitionMetrics& partition : metrics.partitions) held += partition.recovering ? 0 : 1;
      }
      {
        Lock lock(mutex);
        for (const SourceSpec& source : sample.rig.program.sources) {
          for (int32_t p = 0; p < sample.cluster.Partitions(source.address); ++p, --held) {
            const ClusterLog& log = sample.cluster.log({source.address, p});
            int64_t at = std::max<int64_t>(sample.cluster.CommittedOffset(sample.rig.program.name, {source.address, p}), 0);
            done = done && log.stable_end() == log.end() && log.NextCommitted(&at, log.end()) == nullptr;
          }
        }
      }
      quiet = done && held >= 0 ? quiet + 1 : 0;
      if (started < 5 && committed() > all * (started - 1) / 5) {
        start();
        REQUIRE(copies.front()->Stop() == "");
        copies.erase(copies.begin());
      }
    }
    CHECK(started == 5);
    for (auto& copy : copies) CHECK(copy->Stop() == "");
    copies.clear();
    Lock lock(mutex);
    CHECK(sample.Check() == "");
  }
}

}  // namespace
}  // namespace weir
