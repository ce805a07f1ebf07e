// The production runner: real threads, clocks, loops and a store on disk; answers come from other threads. Under
// tools/thread-sanitizer this is where races show.
#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "runtime/engine/asio_loop.h"
#include "runtime/engine/system_clock.h"
#include "runtime/state/lmdb_store.h"
#include "tests/recover/answer_thread.h"
#include "tests/recover/recover_rig.h"

namespace weir {
namespace {

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
