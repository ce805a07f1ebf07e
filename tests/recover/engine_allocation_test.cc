// In steady state the engine allocates nothing per record: filtering and projecting, joining a table, windows, exchanges
// and lookups.
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>

#include "tests/recover/engine_rig.h"

// Every allocation of the process comes by here; glibc's own functions do the work.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
std::atomic<uint64_t> weir_allocations{0};
void* malloc(size_t size) {
  weir_allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  weir_allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* at, size_t size) {
  weir_allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(at, size);
}
void* aligned_alloc(size_t align, size_t size) {
  weir_allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(align, size);
}
int posix_memalign(void** out, size_t align, size_t size) {
  weir_allocations.fetch_add(1, std::memory_order_relaxed);
  *out = __libc_memalign(align, size);
  return *out == nullptr ? 12 : 0;
}
}

namespace weir {
namespace {

constexpr uint32_t kBatch = 1000;
constexpr int64_t kRecords = 20'000;

// The same records again and again, their times moving on by a second a round.
class LoopSource : public Source {
 public:
  explicit LoopSource(int64_t* limit) : limit_(limit) {}
  Status Partitions(int64_t, int32_t* count) override {
    *count = 1;
    return Status();
  }
  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override {
    std::vector<Position> positions;
    events->Assigned(mine.empty() ? std::vector<int32_t>{0} : mine, &positions);
    return Status();
  }
  Status Poll(std::unique_ptr<Batch>* batch) override {
    if (held_ || position_ >= *limit_) return Status();
    // One batch is out at a time; its memory is used again.
    struct View : Batch {};
    auto view = std::make_unique<View>();
    for (uint32_t i = 0; i < kBatch; ++i) {
      int64_t n = position_ + i;
      char* at = text_ + i * 128;
      int size = std::snprintf(at, 128, "{\"id\":%lld,\"key\":\"%c%lld\",\"ts\":%lld,\"qty\":%lld}", static_cast<long long>(n),
                               static_cast<char>('a' + n % 7), static_cast<long long>(n % 50),
                               static_cast<long long>(kBaseMs + n), static_cast<long long>(n % 250));
      messages_[i].value = Str(at, static_cast<size_t>(size));
      messages_[i].has_value = true;
      messages_[i].offset = n;
      messages_[i].next_offset = n + 1;
    }
    view->messages = messages_;
    view->size = kBatch;
    position_ += kBatch;
    *batch = std::move(view);
    return Status();
  }
  void Hold(int32_t, bool held) override { held_ = held; }
  PartitionStatus Tell(int32_t) override { return PartitionStatus(); }
  void Commit(const std::vector<std::pair<int32_t, Position>>&) override {}
  Status Ends(int64_t, std::vector<int64_t>*) override { return Status(); }
  void Close() override {}

 private:
  int64_t* limit_;
  int64_t position_ = 0;
  bool held_ = false;
  char text_[kBatch * 128];
  Message messages_[kBatch];
};

class NullSink : public Sink {
 public:
  explicit NullSink(uint64_t* count) : count_(count) {}
  Status Open(const SinkPosition&) override { return Status(); }
  Status Write(const OutputBuffer& outputs, std::vector<Refused>*) override {
    for (const OutputRecord& record : outputs.records) {
      if (record.ticket != nullptr) record.ticket->Lower();
    }
    *count_ += outputs.records.size();
    return Status();
  }
  bool Full() override { return false; }
  Status Poll() override { return Status(); }
  void Flush() override {}
  bool store_backed() const override { return false; }
  void Close() override {}

 private:
  uint64_t* count_;
};

// Answers at once.
class EchoLookup : public LookupConnector {
 public:
  Status Open(LookupAnswers* answers) override {
    answers_ = answers;
    return Status();
  }
  void Ask(std::span<const LookupRequest> requests) override {
    for (const LookupRequest& request : requests) {
      LookupAnswer answer;
      answer.request_id = request.request_id;
      answer.incarnation = request.incarnation;
      answer.attempt = request.attempt;
      answer.outcome = Outcome::kFound;
      answer.body = "ok";
      answers_->Push(std::move(answer));
    }
  }
  void Forget(uint64_t, uint16_t) override {}
  Status Check(int64_t) override { return Status(); }
  void Close() override {}

 private:
  LookupAnswers* answers_ = nullptr;
};

class LoopConnectors : public Connectors {
 public:
  explicit LoopConnectors(MemoryWorld* world) : world_(world) {}
  Status MakeSource(const SourceSpec&, const ConnectorContext&, std::unique_ptr<Source>* out) override {
    *out = std::make_unique<LoopSource>(&limit);
    return Status();
  }
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) override {
    return world_->MakeTable(table, context, out);
  }
  bool StoreBacked(const Program&, const SinkSpec&) override { return false; }
  Status MakeSink(const SinkSpec&, const ConnectorContext&, std::unique_ptr<Sink>* out) override {
    *out = std::make_unique<NullSink>(&written);
    return Status();
  }
  Status MakeLookup(const ConnectionSpec&, const ConnectorContext&, std::unique_ptr<LookupConnector>* out) override {
    *out = std::make_unique<EchoLookup>();
    return Status();
  }
  int64_t limit = 0;
  uint64_t written = 0;

 private:
  MemoryWorld* world_;
};

// Takes commits and keeps nothing.
class NullStore : public Store {
 public:
  Status Open(const StoreIdentity&) override { return Status(); }
  Status Load(uint64_t, StateKind, const Visitor&) override { return Status(); }
  Status Commit(uint64_t epoch, const std::vector<const Buffer*>&) override {
    epoch_ = epoch;
    return Status();
  }
  uint64_t epoch() const override { return epoch_; }
  StoreStats Stats() const override { return StoreStats(); }
  void Close() override {}

 private:
  uint64_t epoch_ = 0;
};

// Allocations per record, after as many records to warm up.
double AllocationsPerRecord(const SampleOptions& options) {
  RecoverRig rig(options, NoEvents());
  LoopConnectors connectors(&rig.world);
  NullStore store;
  for (char c = 'a'; c < 'a' + 7; ++c) {
    for (int i = 0; i < 50; ++i) rig.world.topic("names").Add(0, std::string("{\"key\":\"") + c + std::to_string(i) + "\"}");
  }
  Environment environment = rig.MakeEnvironment(1);
  environment.connectors = &connectors;
  environment.store = &store;
  Engine engine(rig.program, environment);
  REQUIRE(engine.Start().ok());
  auto run = [&](int64_t limit) {
    connectors.limit = limit;
    for (int idle = 0; idle < 10;) {
      bool did = engine.worker(0).Turn();
      if (engine.store_mode()) did |= engine.StepCommit() == Epochs::Step::kWorked;
      rig.world.clock.SetMono(rig.world.clock.MonoNs() + 5 * kMs);
      idle = did ? 0 : idle + 1;
    }
    REQUIRE(!engine.ended());
    CHECK(engine.Metrics().ledger.read == static_cast<uint64_t>(limit));
  };
  run(kRecords);
  uint64_t before = weir_allocations.load();
  run(2 * kRecords);
  uint64_t after = weir_allocations.load();
  CHECK(connectors.written > kRecords);
  return static_cast<double>(after - before) / kRecords;
}

// A batch of 1,000 records may cost a few allocations of its own.
constexpr double kMost = 0.02;

TEST_CASE("the counter counts") {
  uint64_t before = weir_allocations.load();
  std::string* made = new std::string(1000, 'x');
  CHECK(weir_allocations.load() > before);
  delete made;
}

TEST_CASE("nothing is allocated per record in steady state") {
  SampleOptions plain;
  plain.with_lookup = false;
  plain.with_window = false;
  CHECK(AllocationsPerRecord(plain) < kMost);

  SampleOptions stateless = plain;
  stateless.stateful = false;
  CHECK(AllocationsPerRecord(stateless) < kMost);

  SampleOptions table = plain;
  table.with_table = true;
  CHECK(AllocationsPerRecord(table) < kMost);

  SampleOptions window = plain;
  window.with_window = true;
  CHECK(AllocationsPerRecord(window) < kMost);

  SampleOptions rekeyed = window;
  rekeyed.rekeyed = true;
  CHECK(AllocationsPerRecord(rekeyed) < kMost);

  SampleOptions lookup = plain;
  lookup.with_lookup = true;
  lookup.in_flight = 500;
  CHECK(AllocationsPerRecord(lookup) < kMost);
}

}  // namespace
}  // namespace weir
