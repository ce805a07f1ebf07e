// What engines see of the simulated cluster, and that the cluster is worth testing against: a small process that copies
// a topic keeps its promise under all faults, and breaks it when it leaves out what the commit protocol asks for.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "runtime/testing/cluster_connectors.h"
#include "runtime/testing/cluster_test.h"

namespace weir {
namespace {

Program CopyProgram() {
  Program program;
  program.name = "copy";
  program.stages.resize(1);
  program.stages[0].name = "in";
  program.sources.resize(1);
  program.sources[0].name = program.sources[0].address = "in";
  program.sinks.resize(1);
  program.sinks[0].name = program.sinks[0].address = "out";
  return program;
}

OutputBuffer Outputs(const std::vector<MemoryRecord>& records) {
  OutputBuffer outputs;
  auto append = [&](const std::string& text, uint32_t* begin, uint32_t* size) {
    *begin = static_cast<uint32_t>(outputs.bytes.size());
    *size = static_cast<uint32_t>(text.size());
    outputs.bytes.Append(text.data(), text.size());
  };
  for (const MemoryRecord& record : records) {
    OutputRecord out;
    out.has_key = record.has_key;
    out.has_value = record.has_value;
    append(record.key, &out.key_begin, &out.key_size);
    append(record.value, &out.value_begin, &out.value_size);
    outputs.records.push_back(out);
  }
  return outputs;
}

// What a small process leaves out, to see that the cluster notices.
struct Copying {
  bool drops_unanswered = true;  // a producer with a request that had no answer is made anew
  bool sends_token_of_epoch = true;  // else that of the moment of sending
};

// One worker that copies `in` to `out`, an epoch at a time.
class CopyProcess : public SourceEvents {
 public:
  CopyProcess(MemoryCluster& cluster, MemoryWorld& world, const Program& program, const ClusterProcess& process,
              Copying copying)
      : connectors_(cluster, world, process), copying_(copying) {
    ConnectorContext context;
    context.program = &program;
    context.clock = &world.clock;
    context.group_member = context.resumed = true;
    REQUIRE(connectors_.MakeSource(program.sources[0], context, &source_).ok());
    REQUIRE(connectors_.MakeTransactions(context, &transactions_).ok());
    REQUIRE(transactions_->Open({}, 0).ok());
    REQUIRE(source_->Open({}, this).ok());
  }

  // One turn of the worker: reads. True: it did something.
  bool Read() {
    std::unique_ptr<Batch> batch;
    Status status = source_->Poll(&batch);
    if (!status.ok()) failed = status.ToString();
    if (batch == nullptr) return false;
    auto at = owned_.find(batch->partition);
    if (at == owned_.end()) return true;
    for (uint32_t i = 0; i < batch->size; ++i) {
      const Message& message = batch->messages[i];
      next_.push_back(Record(std::string(message.key.view()), std::string(message.value.view())));
      at->second = message.next_offset;
    }
    return true;
  }

  // One step of the commit thread. True: it did something.
  bool Step() {
    TransactionResult result;
    switch (job_) {
      case Job::kFence:
        result = transactions_->Fence();
        if (result.ok()) job_ = Job::kRecover;
        break;
      case Job::kRecover: {
        std::vector<int64_t> offsets;
        std::vector<OffsetState> states;
        int32_t then = 0;
        result = transactions_->Committed(0, &offsets, &states, &then);
        if (!result.ok()) break;
        if (lost_) {
          // Asked before the last rebalance: asked again.
          lost_ = false;
          return true;
        }
        if (!owned_.empty() && static_cast<size_t>(owned_.rbegin()->first) >= offsets.size()) return true;
        next_.clear();
        for (auto& [partition, offset] : owned_) {
          offset = std::max<int64_t>(offsets[static_cast<size_t>(partition)], 0);
          Status status = source_->Resume(partition, offset);
          if (!status.ok()) failed = status.ToString();
        }
        job_ = Job::kIdle;
        break;
      }
      case Job::kIdle:
        if (lost_) return Recover();
        if (next_.empty()) return false;
        epoch_ = std::move(next_);
        next_.clear();
        offsets_.clear();
        for (auto& [partition, offset] : owned_) offsets_.push_back(SourceOffset{0, partition, offset});
        token_ = transactions_->Group();
        job_ = Job::kBegin;
        return true;
      case Job::kBegin:
        if (lost_) return Recover();
        result = transactions_->Begin();
        if (result.ok()) job_ = Job::kWrite;
        break;
      case Job::kWrite:
        result = transactions_->Write(0, Outputs(epoch_));
        if (result.ok()) job_ = Job::kFlush;
        break;
      case Job::kFlush:
        result = transactions_->Flush();
        if (result.ok()) job_ = Job::kOffsets;
        break;
      case Job::kOffsets:
        result = transactions_->SendOffsets(offsets_, copying_.sends_token_of_epoch ? token_ : transactions_->Group());
        if (result.ok()) job_ = Job::kCommit;
        break;
      case Job::kCommit:
        result = transactions_->Commit();
        if (!result.ok()) break;
        job_ = Job::kIdle;
        if (transactions_->unanswered() && copying_.drops_unanswered) {
          transactions_->Drop();
          job_ = Job::kRefence;
        }
        break;
      case Job::kRefence:
        result = transactions_->Fence();
        if (result.ok()) job_ = Job::kIdle;
        break;
      case Job::kAbort:
        result = transactions_->Abort();
        if (result.ok()) {
          if (transactions_->unanswered() && copying_.drops_unanswered) transactions_->Drop();
          return Recover();
        }
        break;
    }
    switch (result.outcome) {
      case TransactionOutcome::kOk: return true;
      case TransactionOutcome::kAgain: return false;
      case TransactionOutcome::kAbort: job_ = Job::kAbort; return true;
      case TransactionOutcome::kRestart: transactions_->Drop(); return Recover();
      case TransactionOutcome::kFailed: failed = result.status.ToString(); return false;
    }
    return false;
  }

  void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) override {
    positions->resize(partitions.size());
    owned_.clear();
    for (int32_t partition : partitions) owned_[partition] = 0;
    lost_ = true;
  }
  // The epoch under way is left to the broker's judgement, and everything else forgotten: the next owner reads it.
  void Revoked(const std::vector<int32_t>&) override { Forget(); }
  void Lost(const std::vector<int32_t>&) override { Forget(); }

  void Close() {
    transactions_->Close();
    source_->Close();
  }

  std::string failed;

 private:
  enum class Job : uint8_t { kFence, kRecover, kIdle, kBegin, kWrite, kFlush, kOffsets, kCommit, kRefence, kAbort };

  void Forget() {
    owned_.clear();
    next_.clear();
    lost_ = true;
  }
  bool Recover() {
    next_.clear();
    lost_ = false;
    job_ = Job::kFence;
    return true;
  }

  ClusterConnectors connectors_;
  Copying copying_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Transactions> transactions_;
  std::map<int32_t, int64_t> owned_;
  std::vector<MemoryRecord> next_, epoch_;
  std::vector<SourceOffset> offsets_;
  GroupToken token_;
  Job job_ = Job::kFence;
  bool lost_ = true;
};

struct CopyRun {
  uint64_t seed = 1;
  ClusterFaults faults;
  Copying copying;
  int records = 150;       // of each partition
  bool kills = true;
  bool pauses = true;
};

struct CopyResult {
  std::string wrong;       // empty: all is well
  std::string trace;
  uint64_t hash = 0;
  std::map<std::string, uint64_t> occurred;
};

CopyResult RunCopy(const CopyRun& run) {
  MemoryWorld world(run.seed);
  ClusterOptions options;
  options.session_ns = 2 * kSecond;
  MemoryCluster cluster(world.clock, run.seed, options);
  cluster.AddTopic("in", 4, {.foreign = true, .may_grow = true});
  cluster.AddTopic("out", 3, {.foreign = true});
  cluster.faults = run.faults;
  Program program = CopyProgram();
  std::mt19937_64 random(run.seed);
  std::vector<ClusterProcess> lives(2);
  for (size_t i = 0; i < lives.size(); ++i) {
    lives[i].identity = fmt::format("p{}", i);
    lives[i].static_members = run.seed % 2 == 0;
    lives[i].transaction_timeout_ns = kSecond;
    lives[i].batch_max = 20;
  }
  std::vector<std::unique_ptr<CopyProcess>> processes(2);
  std::vector<int64_t> paused_until(2, 0);
  auto start = [&](size_t i) {
    processes[i] = std::make_unique<CopyProcess>(cluster, world, program, lives[i], run.copying);
  };
  start(0);
  start(1);
  int added = 0;
  CopyResult result;
  int64_t calm_at = INT64_MAX;
  for (uint64_t turn = 0; turn < 400'000; ++turn) {
    cluster.DeliverEvents();
    int64_t now = cluster.now();
    if (added < run.records * 4 && random() % 8 == 0) {
      cluster.Append("in", added % 4, Record(fmt::format("k{}", added % 11), fmt::format("{} {}", added % 4, added / 4)));
      if (++added == run.records * 4) calm_at = now + 3 * kSecond;
    }
    if (now >= calm_at) {
      cluster.Calm();
      calm_at = INT64_MAX;
    }
    bool calm = cluster.faults.weather_ns == 0 && added == run.records * 4;
    bool worked = false;
    for (size_t i = 0; i < processes.size(); ++i) {
      if (run.kills && !calm && random() % 3000 == 0) start(i);
      if (run.pauses && !calm && random() % 4000 == 0) paused_until[i] = now + static_cast<int64_t>(random() % (4 * kSecond));
      if (paused_until[i] > now && !calm) continue;
      if (random() % 2 == 0) worked = processes[i]->Read() || worked;
      if (random() % 2 == 0) worked = processes[i]->Step() || worked;
      if (!processes[i]->failed.empty()) {
        result.wrong = "failed: " + processes[i]->failed;
        turn = 1'000'000;
      }
    }
    if (!worked && random() % 4 == 0) {
      int64_t next = std::min(cluster.NextEventMonoNs(), now + 20 * kMs);
      world.clock.SetMono(std::max(next, now + 1000));
    }
    if (calm && turn % 64 == 0) {
      int64_t left = 0;
      for (int32_t p = 0; p < 4; ++p) {
        int64_t at = std::max<int64_t>(cluster.CommittedOffset("copy", {"in", p}), 0);
        // What is behind the last record does not count.
        if (cluster.log({"in", p}).NextCommitted(&at, INT64_MAX) != nullptr) ++left;
      }
      if (left == 0 && cluster.OpenTransactions() == 0) break;
    }
  }
  std::map<std::string, int> seen;
  for (int32_t p = 0; p < 3; ++p) {
    std::map<std::pair<std::string, int>, int> last;  // by key and partition it was read from
    for (const MemoryRecord& record : cluster.ReadCommitted("out", p)) {
      ++seen[record.value];
      int from = 0, number = 0;
      std::sscanf(record.value.c_str(), "%d %d", &from, &number);
      auto [at, first] = last.try_emplace({record.key, from}, number);
      if (!first && number <= at->second) result.wrong = fmt::format("`{}` came behind {}", record.value, at->second);
      at->second = number;
    }
  }
  for (int i = 0; i < added && result.wrong.empty(); ++i) {
    std::string value = fmt::format("{} {}", i % 4, i / 4);
    if (seen[value] != 1) result.wrong = fmt::format("`{}` came out {} times", value, seen[value]);
  }
  if (result.wrong.empty() && added != run.records * 4) result.wrong = "it did not come to its end";
  result.trace = cluster.trace();
  result.hash = cluster.trace_hash();
  result.occurred = cluster.occurred;
  return result;
}

TEST_CASE("two processes copy exactly once under all faults") {
  std::map<std::string, uint64_t> occurred;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    CopyRun run;
    run.seed = seed;
    run.faults = ClusterFaults::Draw(seed);
    CopyResult result = RunCopy(run);
    INFO("seed " << seed << "\n" << run.faults.ToString());
    CHECK(result.wrong == "");
    for (auto& [name, count] : result.occurred) occurred[name] += count;
  }
  std::string text;
  for (auto& [name, count] : occurred) text += fmt::format("{} {}\n", name, count);
  INFO(text);
  for (const char* name :
       {"answer lost", "request late", "request lost", "request delayed", "late copy refused", "marker lag",
        "coordinator unavailable", "abort demanded", "outcome unknown", "transaction timed out", "rebalance",
        "rebalance at commit", "leader moved", "partition added", "foreign transaction", "small fetch", "end lag",
        "queue full", "session expired", "illegal generation", "unstable offsets", "concurrent transactions",
        "producer fenced"}) {
    CHECK(occurred.count(name) == 1);
  }
}

// How many of these seeds go wrong.
int CountWrong(Copying copying, const ClusterFaults& faults, bool pauses, uint64_t seeds) {
  int wrong = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CopyRun run;
    run.seed = seed;
    run.faults = faults;
    run.copying = copying;
    run.kills = false;
    run.pauses = pauses;
    if (!RunCopy(run).wrong.empty()) ++wrong;
  }
  return wrong;
}

TEST_CASE("a process that keeps a producer with an unanswered request loses or repeats records") {
  ClusterFaults faults;
  faults.answer_lost = 0.05;
  faults.request_late = 0.8;
  faults.weather_ns = 100 * kMs;
  Copying keeps;
  keeps.drops_unanswered = false;
  CHECK(CountWrong(Copying(), faults, false, 20) == 0);
  CHECK(CountWrong(keeps, faults, false, 20) > 0);
}

TEST_CASE("a process that sends the membership of now with the epoch of before repeats records") {
  ClusterFaults faults;
  faults.rebalance = 0.3;
  faults.rebalance_at_commit = 0.1;
  faults.request_delayed = 0.2;
  faults.weather_ns = 50 * kMs;
  Copying now;
  now.sends_token_of_epoch = false;
  CHECK(CountWrong(Copying(), faults, true, 20) == 0);
  CHECK(CountWrong(now, faults, true, 100) > 0);
}

TEST_CASE("the same seed gives the same trace") {
  CopyRun run;
  run.seed = 7;
  run.faults = ClusterFaults::Draw(7);
  CopyResult first = RunCopy(run), second = RunCopy(run);
  CHECK(first.trace == second.trace);
  CHECK(first.hash == second.hash);
  CHECK(!first.trace.empty());
  run.seed = 8;
  CHECK(RunCopy(run).hash != first.hash);
}

// ---- One producer ---------------------------------------------------------------------------------------------------

struct One {
  One() : cluster(world.clock, 1), program(CopyProgram()), connectors(cluster, world, {}) {
    cluster.AddTopic("in", 2);
    cluster.AddTopic("out", 1);
    context.program = &program;
    context.clock = &world.clock;
    context.group_member = context.resumed = true;
    REQUIRE(connectors.MakeTransactions(context, &transactions).ok());
    REQUIRE(transactions->Open({{0, 2}}, 0).ok());
  }
  // The same call until it does not say kAgain.
  template <typename Call>
  TransactionOutcome Until(Call call) {
    for (int i = 0; i < 10'000; ++i) {
      TransactionResult result = call();
      if (result.outcome != TransactionOutcome::kAgain) return result.outcome;
      world.clock.SetMono(std::max(cluster.NextEventMonoNs(), cluster.now() + 1));
      cluster.DeliverEvents();
    }
    return TransactionOutcome::kAgain;
  }
  void Fence() { REQUIRE(Until([&] { return transactions->Fence(); }) == TransactionOutcome::kOk); }
  TransactionOutcome Change(const std::string& key, const std::string& value) {
    Str text{std::string_view(value)};
    return Until([&] { return transactions->WriteChange(0, 1, Str(std::string_view(key)), &text); });
  }
  TransactionOutcome Commit() { return Until([&] { return transactions->Commit(); }); }
  MemoryWorld world;
  MemoryCluster cluster;
  Program program;
  ClusterConnectors connectors;
  ConnectorContext context;
  std::unique_ptr<Transactions> transactions;
};

TEST_CASE("a replay reaches the end that was asked for, past markers, aborts and strangers") {
  One one;
  one.Fence();
  auto replayed = [&](int64_t end) {
    std::map<std::string, std::string> all;
    int64_t at = 0;
    TransactionOutcome outcome = one.Until([&] {
      return one.transactions->Replay(0, 1, end, &at, [&](Str key, const Str* value) {
        all[std::string(key.view())] = std::string(value->view());
        return Status();
      });
    });
    CHECK(outcome == TransactionOutcome::kOk);
    CHECK(at == end);
    return all;
  };
  CHECK(one.transactions->Begin().ok());
  CHECK(one.Change("a", "1") == TransactionOutcome::kOk);
  CHECK(one.Commit() == TransactionOutcome::kOk);
  CHECK(one.transactions->Begin().ok());
  CHECK(one.Change("a", "2") == TransactionOutcome::kOk);
  CHECK(one.Until([&] { return one.transactions->Flush(); }) == TransactionOutcome::kOk);
  CHECK(one.Until([&] { return one.transactions->Abort(); }) == TransactionOutcome::kOk);
  std::string changelog = "copy.in.changelog";
  one.cluster.ForeignTransaction({changelog, 1}, {Record("a", "junk")}, kSecond, false);
  CHECK(one.transactions->Begin().ok());
  CHECK(one.Change("b", "1") == TransactionOutcome::kOk);
  CHECK(one.Commit() == TransactionOutcome::kOk);
  int64_t stable = -1, end = -1;
  CHECK(one.transactions->ChangelogEnd(0, 1, Isolation::kReadCommitted, &stable).ok());
  CHECK(one.transactions->ChangelogEnd(0, 1, Isolation::kReadUncommitted, &end).ok());
  CHECK(stable < end);
  int64_t begun = one.cluster.now();
  CHECK(replayed(end) == std::map<std::string, std::string>{{"a", "1"}, {"b", "1"}});
  CHECK(one.cluster.now() >= begun + kSecond);  // the stranger was waited for
}

TEST_CASE("a replay that waits looks again every few milliseconds, however often it is looked at") {
  One one;
  one.cluster.ForeignTransaction({"copy.in.changelog", 1}, {Record("a", "junk")}, kSecond, false);
  int64_t end = -1, at = 0;
  CHECK(one.transactions->ChangelogEnd(0, 1, Isolation::kReadUncommitted, &end).ok());
  auto look = [&] {
    return one.transactions->Replay(0, 1, end, &at, [](Str, const Str*) { return Status(); }).outcome;
  };
  // As one that is woken by everything that happens in a busy cluster.
  for (int i = 0; i < 100; ++i) {
    CHECK(look() == TransactionOutcome::kAgain);
    one.world.clock.SetMono(one.cluster.now() + kMs / 100);
  }
  int looks = 1;
  for (; look() == TransactionOutcome::kAgain && looks < 10'000; ++looks) {
    one.world.clock.SetMono(std::max(one.cluster.NextEventMonoNs(), one.cluster.now() + 1));
    one.cluster.DeliverEvents();
  }
  CHECK(at == end);
  CHECK(looks > 100);
  CHECK(looks < 300);
}

TEST_CASE("the unanswered request shows, and a new producer does away with it") {
  One one;
  one.Fence();
  CHECK_FALSE(one.transactions->unanswered());
  one.cluster.faults.answer_lost = 1;
  one.cluster.faults.request_late = 1;
  CHECK(one.transactions->Begin().ok());
  CHECK(one.Change("a", "1") == TransactionOutcome::kOk);
  CHECK_FALSE(one.transactions->Flush().ok());
  one.world.clock.SetMono(one.cluster.now() + kSecond);
  one.cluster.DeliverEvents();
  CHECK_FALSE(one.transactions->Flush().ok());
  CHECK(one.transactions->unanswered());
  one.cluster.Calm();
  CHECK(one.Commit() == TransactionOutcome::kOk);
  CHECK(one.transactions->unanswered());
  one.transactions->Drop();
  one.Fence();
  CHECK_FALSE(one.transactions->unanswered());
}

TEST_CASE("a fenced producer must be dropped") {
  One one, other;
  one.Fence();
  CHECK(one.transactions->Begin().ok());
  CHECK(one.Change("a", "1") == TransactionOutcome::kOk);
  CHECK(one.Until([&] { return one.transactions->Flush(); }) == TransactionOutcome::kOk);
  std::unique_ptr<Transactions> second;
  REQUIRE(one.connectors.MakeTransactions(one.context, &second).ok());
  CHECK(one.Until([&] { return second->Fence(); }) == TransactionOutcome::kOk);
  CHECK(one.Commit() == TransactionOutcome::kRestart);
  CHECK(one.transactions->Fence().outcome == TransactionOutcome::kRestart);
  one.transactions->Drop();
  one.Fence();
}

TEST_CASE("offsets of no member, and demanded aborts, abort") {
  One one;
  one.Fence();
  CHECK(one.transactions->Begin().ok());
  CHECK(one.transactions->SendOffsets({{0, 0, 1}}, GroupToken()).outcome == TransactionOutcome::kAbort);
  CHECK(one.transactions->Commit().outcome == TransactionOutcome::kAbort);
  CHECK(one.Until([&] { return one.transactions->Abort(); }) == TransactionOutcome::kOk);
  one.cluster.faults.abort_demanded = 1;
  CHECK(one.transactions->Begin().ok());
  CHECK(one.transactions->Flush().outcome == TransactionOutcome::kAbort);
}

TEST_CASE("a changelog with another number of partitions is refused") {
  One one;
  std::unique_ptr<Transactions> second;
  REQUIRE(one.connectors.MakeTransactions(one.context, &second).ok());
  CHECK(second->Open({{0, 2}}, 0).ok());
  CHECK_FALSE(second->Open({{0, 3}}, 0).ok());
}

}  // namespace
}  // namespace weir
