// The production runner: real threads, clocks, loops and a store on disk; answers come from other threads. Run under
// ThreadSanitizer this is where races would show.
#include <catch2/catch.hpp>

#include <stdlib.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "runtime/engine/asio_loop.h"
#include "runtime/engine/system_clock.h"
#include "runtime/state/lmdb_store.h"
#include "tests/recover/recover_rig.h"

namespace weir {
namespace {

// Answers from a thread of its own, after a moment.
class AnswerThread {
 public:
  AnswerThread() : thread_([this] { Run(); }) {}
  ~AnswerThread() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void Ask(LookupAnswers* to, LookupAnswer answer) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.emplace_back(to, std::move(answer));
    wake_.notify_all();
  }
  // No answer goes to `to` any more.
  void Close(LookupAnswers* to) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(queue_, [to](const auto& one) { return one.first == to; });
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_) {
      if (queue_.empty()) {
        wake_.wait(lock);
        continue;
      }
      auto [to, answer] = std::move(queue_.front());
      queue_.pop_front();
      to->Push(std::move(answer));
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<LookupAnswers*, LookupAnswer>> queue_;
  bool stop_ = false;
  std::thread thread_;
};

class ThreadLookup : public LookupConnector {
 public:
  explicit ThreadLookup(AnswerThread* thread) : thread_(thread) {}
  ~ThreadLookup() override { thread_->Close(answers_); }
  Status Open(LookupAnswers* answers) override {
    answers_ = answers;
    return Status();
  }
  void Ask(std::span<const LookupRequest> requests) override {
    for (const LookupRequest& request : requests) {
      std::string target(request.target.view());
      int64_t id = std::stoll(target.substr(target.rfind('/') + 1));
      LookupAnswer answer;
      answer.slot = request.slot;
      answer.incarnation = request.incarnation;
      answer.attempt = request.attempt;
      switch (AnswerFor(id)) {
        case SampleAnswer::kFound:
          answer.outcome = Outcome::kFound;
          answer.body = AnswerText(id);
          break;
        case SampleAnswer::kMissing: answer.outcome = Outcome::kMissing; break;
        case SampleAnswer::kRejected: answer.outcome = Outcome::kRejected; break;
        case SampleAnswer::kTimeout: answer.outcome = Outcome::kTimeout; break;
      }
      thread_->Ask(answers_, std::move(answer));
    }
  }
  void Forget(uint64_t, uint16_t) override {}
  Status Check(int64_t) override { return Status(); }
  void Close() override { thread_->Close(answers_); }

 private:
  AnswerThread* thread_;
  LookupAnswers* answers_ = nullptr;
};

class ThreadConnectors : public Connectors {
 public:
  explicit ThreadConnectors(MemoryWorld* world) : world_(world) {}
  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out) override {
    return world_->MakeSource(source, context, out);
  }
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) override {
    return world_->MakeTable(table, context, out);
  }
  bool StoreBacked(const Program& program, const SinkSpec& sink) override { return world_->StoreBacked(program, sink); }
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) override {
    return world_->MakeSink(sink, context, out);
  }
  Status MakeLookup(const ConnectionSpec&, const ConnectorContext&, std::unique_ptr<LookupConnector>* out) override {
    *out = std::make_unique<ThreadLookup>(&thread_);
    return Status();
  }

 private:
  MemoryWorld* world_;
  AnswerThread thread_;
};

struct TempDir {
  TempDir() {
    char name[] = "/tmp/weir_threads_test_XXXXXX";
    path = mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST_CASE("threads, a store on disk, stops and restarts: exactly once and in order") {
  for (int shape = 0; shape < 4; ++shape) {
    for (int workers = 1; workers <= 3; ++workers) {
      INFO("shape " << shape << ", " << workers << " workers");
      SampleOptions options;
      options.timeout_ns = 60'000'000'000;
      options.in_flight = 50;
      options.rekeyed = shape >= 1;
      options.lookup_behind_exchange = shape == 2;
      options.with_table = shape == 3;
      options.with_second_lookup = shape == 3;
      RigInput input;
      input.partitions = 4;
      input.records = 400;
      input.shared_keys = options.rekeyed;
      RecoverRig rig(options, input);
      rig.world.topic("events").batch_max = 20;
      ThreadConnectors connectors(&rig.world);
      SystemClock clock;
      TempDir dir;
      bool ended = false;
      for (int life = 0; life < 50 && !ended; ++life) {
        LmdbStore store(dir.path + "/state");
        Environment environment = rig.MakeEnvironment((workers + life) % 3 + 1);
        environment.clock = &clock;
        environment.connectors = &connectors;
        environment.store = &store;
        environment.make_loop = [](int) { return MakeAsioLoop(); };
        environment.commit_ns = 2'000'000;
        Engine engine(rig.program, environment);
        Status status = engine.Start();
        REQUIRE(status.ToString() == "ok");
        std::atomic<bool> done{false};
        std::thread outside([&] {
          // Metrics are read, and a stop is asked for, from another thread.
          for (int i = 0; i < 3 + life && !done; ++i) {
            engine.Metrics();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
          }
          if (life < 4) engine.RequestStop();
        });
        ExitCode code = engine.Run();
        done = true;
        outside.join();
        REQUIRE(engine.message() == "");
        REQUIRE(code == ExitCode::kOk);
        // Ended by itself: it says so by having read everything and left nothing pending.
        MetricsSnapshot metrics = engine.Metrics();
        ended = metrics.pending_rows == 0 && metrics.open_windows == 0;
        for (const PartitionMetrics& partition : metrics.partitions) {
          ended = ended && partition.watermark_ns == INT64_MAX;
        }
      }
      CHECK(ended);
      CHECK(rig.Check() == "");
    }
  }
}

TEST_CASE("without state, offsets follow delivery on threads too") {
  SampleOptions options;
  options.with_window = false;
  options.stateful = false;
  options.timeout_ns = 60'000'000'000;
  RigInput input;
  input.partitions = 3;
  input.records = 500;
  RecoverRig rig(options, input);
  rig.exactly_once = false;
  for (const char* name : {"out", "bars", "dead", "late"}) rig.world.MakeStreaming(name);
  ThreadConnectors connectors(&rig.world);
  SystemClock clock;
  Environment environment = rig.MakeEnvironment(2);
  environment.clock = &clock;
  environment.connectors = &connectors;
  environment.make_loop = [](int) { return MakeAsioLoop(); };
  environment.commit_ns = 2'000'000;
  Engine engine(rig.program, environment);
  REQUIRE(engine.Start().ok());
  std::thread outside([&] {
    for (int i = 0; i < 5000; ++i) {
      MetricsSnapshot metrics = engine.Metrics();
      if (metrics.ledger.read == 1500 && metrics.pending_rows == 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    engine.RequestStop();
  });
  CHECK(engine.Run() == ExitCode::kOk);
  outside.join();
  CHECK(rig.Check() == "");
  for (auto& partition : rig.world.topic("events").partitions) CHECK(partition.committed == 500);
}

}  // namespace
}  // namespace weir
