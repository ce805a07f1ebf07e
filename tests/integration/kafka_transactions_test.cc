// Transactions against a real broker: what becomes visible when, who is fenced, what a recovery reads back, and what is
// noticed when the broker is away.
#include <catch2/catch.hpp>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "runtime/connector/kafka/kafka.h"
#include "tests/integration/connector_harness.h"
#include "tests/integration/transaction_worker.h"
#include "tests/servers/broker.h"
#include "tests/servers/kafka_probe.h"

using namespace weir;
using weir_test::Fresh;
using weir_test::KafkaProbe;
using weir_test::kSecond;
using weir_test::ProbeRecord;
using weir_test::Setting;
using weir_test::Shows;
using weir_test::TheBroker;
using weir_test::Values;
using weir_test::Worker;
using How = TransactionOutcome;

namespace {

bool Until(const std::vector<Worker*>& workers, const std::function<bool()>& done, int seconds = 30) {
  return workers[0]->PollUntil(workers, done, seconds);
}

std::vector<ProbeRecord> Numbered(const std::string& topic, int partition, int count) {
  std::vector<ProbeRecord> out;
  for (int i = 0; i < count; ++i) {
    ProbeRecord r;
    r.topic = topic;
    r.partition = partition;
    r.key = "key" + std::to_string(i);
    r.value = std::to_string(i);
    out.push_back(r);
  }
  return out;
}

std::string ChangelogOf(const std::string& pipeline) { return pipeline + ".trades-1m.changelog"; }

}  // namespace

TEST_CASE("Outputs are visible after the commit and not before, and an abort leaves nothing") {
  Setting at;
  Worker worker(at.name, at.in, at.out, "one");
  worker.Start(1);
  worker.Begin();
  worker.Write({{"a", "1"}, {"b", "2"}});
  worker.Change(0, "a", "state");
  worker.Flush();
  CHECK(at.probe.ReadAll(at.out).empty());
  CHECK(at.probe.ReadAll(ChangelogOf(at.name)).empty());
  worker.Commit();
  CHECK(Shows(at.probe, at.out, {"1", "2"}));
  CHECK(Shows(at.probe, ChangelogOf(at.name), {"state"}));

  worker.Begin();
  worker.Write({{"a", "3"}});
  worker.Change(0, "a", "later");
  worker.Flush();
  worker.Abort();
  // Also one whose records have not left yet.
  worker.Begin();
  worker.Write({{"a", "4"}});
  worker.Abort();
  worker.Begin();
  worker.Write({{"a", "5"}});
  worker.CommitAll();
  CHECK(Shows(at.probe, at.out, {"1", "2", "5"}));
  CHECK(at.probe.ReadAll(ChangelogOf(at.name)).size() == 1);
  CHECK_FALSE(worker.transactions->unanswered());

  // A transaction with nothing in it.
  worker.Begin();
  worker.CommitAll();
}

TEST_CASE("A second producer of the same identity fences the first and aborts what it left open") {
  Setting at;
  Worker first(at.name, at.in, at.out, "one");
  first.Start(1);
  first.Begin();
  first.Write({{"a", "of the first"}});
  first.Flush();

  // Not in the group: a static member would be fenced there, too.
  Worker second(at.name, at.in, at.out, "one");
  REQUIRE(second.Open(1).ok());
  second.source->Close();
  second.source.reset();
  second.Ok([&] { return second.transactions->Fence(); });
  second.Begin();
  second.Write({{"a", "of the second"}});
  second.CommitAll();

  TransactionResult result = first.Call([&] { return first.transactions->Commit(); });
  INFO(result.status.ToString());
  CHECK(result.outcome == How::kRestart);
  CHECK(Shows(at.probe, at.out, {"of the second"}));

  first.transactions->Drop();
  first.Ok([&] { return first.transactions->Fence(); });
  first.Begin();
  first.Write({{"a", "of the first again"}});
  first.CommitAll();
  second.Begin();
  second.Write({{"a", "too late"}});
  result = second.Call([&] { return second.transactions->Flush(); });
  if (result.ok()) result = second.Call([&] { return second.transactions->Commit(); });
  INFO(result.status.ToString());
  CHECK(result.outcome == How::kRestart);
  CHECK(Shows(at.probe, at.out, {"of the second", "of the first again"}));
}

TEST_CASE("Workers without a state directory do not fence each other") {
  Setting at;
  Worker one(at.name, at.in, at.out, ""), two(at.name, at.in, at.out, "");
  one.Start(1);
  two.Start(1);
  for (Worker* worker : {&one, &two}) {
    worker->Begin();
    worker->Write({{"a", worker == &one ? "one" : "two"}});
    worker->CommitAll();
  }
  CHECK(Shows(at.probe, at.out, {"one", "two"}));
}

TEST_CASE("Offsets move with the commit, and only for members of the present generation") {
  Setting at(2);
  at.probe.Write(Numbered(at.in, 0, 100));
  Worker worker(at.name, at.in, at.out, "one");
  worker.Make();
  CHECK_FALSE(worker.transactions->Group().valid());
  worker.Start(2);
  REQUIRE(Until({&worker}, [&] { return worker.events.mine.size() == 2; }));
  CHECK(worker.Committed() == std::vector<int64_t>{-1, -1});
  int64_t start = -1;
  worker.Ok([&] { return worker.transactions->StartOf(0, 0, false, &start); });
  CHECK(start == 0);
  worker.program.sources[0].properties = {{"start", "latest"}};
  worker.Ok([&] { return worker.transactions->StartOf(0, 0, true, &start); });
  CHECK(start == 100);
  // A time: before every record, and behind all of them.
  worker.program.sources[0].properties = {{"start", "2020-01-01"}};
  worker.Ok([&] { return worker.transactions->StartOf(0, 0, true, &start); });
  CHECK(start == 0);
  worker.program.sources[0].properties = {{"start", "2100-01-01T00:00:00.5Z"}};
  worker.Ok([&] { return worker.transactions->StartOf(0, 0, true, &start); });
  CHECK(start == 100);
  // A partition that came later begins at its beginning, whatever is said.
  worker.Ok([&] { return worker.transactions->StartOf(0, 0, false, &start); });
  CHECK(start == 0);

  GroupToken group = worker.transactions->Group();
  REQUIRE(group.valid());
  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.Flush();
  worker.Ok([&] { return worker.transactions->SendOffsets({{0, 0, 40, OffsetState::kNone}, {0, 1, -1}}, group); });
  // Nobody is told offsets that may still be taken back.
  std::vector<int64_t> offsets;
  CHECK(worker.transactions->Committed(0, &offsets, &worker.states, &worker.then).outcome == How::kAgain);
  worker.Commit();
  CHECK(worker.Committed() == std::vector<int64_t>{40, -1});
  CHECK(worker.states[0] == OffsetState::kNone);
  CHECK(worker.states[1] == OffsetState::kUnknown);

  worker.Begin();
  worker.Ok([&] { return worker.transactions->SendOffsets({{0, 0, 60}}, group); });
  worker.Abort();
  CHECK(worker.Committed() == std::vector<int64_t>{40, -1});

  // Another member moves the group on.
  Worker other(at.name, at.in, at.out, "two");
  other.Start(2);
  REQUIRE(Until({&worker, &other}, [&] { return worker.events.mine.size() == 1 && other.events.mine.size() == 1; }));
  CHECK(worker.transactions->Group().generation > group.generation);
  worker.Begin();
  worker.Write({{"a", "of the past"}});
  worker.Flush();
  TransactionResult result =
      worker.Call([&] { return worker.transactions->SendOffsets({{0, 0, 80}}, group); });
  INFO(result.status.ToString());
  CHECK(result.outcome == How::kAbort);
  worker.Abort();
  worker.Begin();
  CHECK(worker.transactions->SendOffsets({{0, 0, 80}}, GroupToken()).outcome == How::kAbort);
  worker.Abort();
  CHECK(worker.Committed() == std::vector<int64_t>{40, -1});
  CHECK(Shows(at.probe, at.out, {"1"}));

  worker.Begin();
  worker.Ok([&] {
    return worker.transactions->SendOffsets({{0, worker.events.mine.begin()->first, 90}}, worker.transactions->Group());
  });
  worker.Commit();
  worker.source->Close();
  worker.source.reset();
  CHECK_FALSE(worker.transactions->Group().valid());

  // Partitions that were added are asked for, too.
  at.probe.AddPartitions(at.in, 4);
  CHECK(Until({&other}, [&] { return worker.Committed().size() == 4; }));
  // How many there were when the group began is kept with each offset: what was added since is read from its beginning.
  CHECK(worker.then == 2);
}

TEST_CASE("A changelog is made as it must be, by whoever comes first, and checked when it is there") {
  Setting at(3);
  std::string topic = ChangelogOf(at.name);
  SECTION("Several processes start at once") {
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<Status> opened(3);
    for (int i = 0; i < 3; ++i) {
      workers.push_back(std::make_unique<Worker>(at.name, at.in, at.out, "i" + std::to_string(i)));
      workers.back()->Make();
    }
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] { opened[i] = workers[i]->transactions->Open({{0, 3}}, 30 * kSecond); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Status& status : opened) CHECK(status.ToString() == "ok");
    Worker again(at.name, at.in, at.out, "again");
    CHECK(again.Open(3).ok());
    Status status = Worker(at.name, at.in, at.out, "more").Open(4);
    CHECK(status.code() == StatusCode::kInvalid);
    CHECK_THAT(status.message(), Catch::Contains(topic) && Catch::Contains("3 partitions") && Catch::Contains("4"));
  }
  SECTION("One that loses old state is refused") {
    at.probe.CreateTopic(topic, 3, {{"cleanup.policy", "delete"}});
    Status status = Worker(at.name, at.in, at.out, "one").Open(3);
    CHECK(status.code() == StatusCode::kInvalid);
    CHECK_THAT(status.message(), Catch::Contains(topic) && Catch::Contains("cleanup.policy=compact"));
  }
  SECTION("One that also deletes is refused") {
    at.probe.CreateTopic(topic, 3, {{"cleanup.policy", "compact,delete"}});
    CHECK(Worker(at.name, at.in, at.out, "one").Open(3).code() == StatusCode::kInvalid);
  }
  SECTION("Larger changes than it takes are told") {
    at.probe.CreateTopic(topic, 3, {{"cleanup.policy", "compact"}, {"max.message.bytes", "2000"}});
    Worker worker(at.name, at.in, at.out, "one");
    worker.Start(3);
    worker.Begin();
    worker.Change(0, "a", std::string(1000, 'x'));
    std::string large(2000, 'x');
    Str value(large);
    TransactionResult result = worker.transactions->WriteChange(0, 0, Str(std::string_view("a")), &value);
    CHECK(result.outcome == How::kFailed);
    CHECK_THAT(result.status.message(), Catch::Contains("max.message.bytes") && Catch::Contains(topic));
  }
}

TEST_CASE("A replay reads what was committed, passes what was aborted, and waits for a stranger's transaction") {
  Setting at(2);
  std::string topic = ChangelogOf(at.name);
  Worker worker(at.name, at.in, at.out, "one");
  worker.Start(2);
  CHECK(worker.End(1, Isolation::kReadUncommitted) == 0);
  worker.Begin();
  worker.Change(1, "a", "1");
  worker.Change(1, "b", "2");
  worker.CommitAll();
  worker.Begin();
  worker.Change(1, "a", "aborted");
  worker.Flush();
  worker.Abort();
  worker.Begin();
  worker.Change(1, "b", std::nullopt);
  worker.Change(1, "c", "");
  worker.CommitAll();

  std::vector<std::pair<std::string, std::string>> changes;
  auto keep = [&](Str key, const Str* value) {
    changes.push_back({std::string(key.view()), value ? std::string(value->view()) : "(none)"});
    return Status();
  };
  std::vector<std::pair<std::string, std::string>> all = {{"a", "1"}, {"b", "2"}, {"b", "(none)"}, {"c", ""}};
  // Two records and a marker, one and a marker, two and a marker, which the broker writes after it has answered.
  int64_t end = 8;
  REQUIRE(Until({&worker}, [&] { return worker.End(1, Isolation::kReadUncommitted) == end; }));
  CHECK(Until({&worker}, [&] { return worker.End(1, Isolation::kReadCommitted) == end; }));
  int64_t position = -1;
  worker.Ok([&] { return worker.transactions->Replay(0, 1, end, &position, keep); });
  CHECK(position == 8);
  CHECK(changes == all);

  // From a local store's position, another partition, and what is there already.
  changes.clear();
  position = 3;
  worker.Ok([&] { return worker.transactions->Replay(0, 1, end, &position, keep); });
  CHECK(position == 8);
  CHECK(changes == std::vector<std::pair<std::string, std::string>>{{"b", "(none)"}, {"c", ""}});
  position = -1;
  worker.Ok([&] { return worker.transactions->Replay(0, 0, 0, &position, keep); });
  position = 8;
  CHECK(worker.transactions->Replay(0, 1, 8, &position, keep).ok());
  CHECK(changes.size() == 2);

  // Somebody died with a transaction open. It ends when the broker's patience does.
  ProbeRecord foreign;
  foreign.topic = topic;
  foreign.partition = 1;
  foreign.key = "a";
  foreign.value = "never committed";
  at.probe.WriteTransaction({foreign}, KafkaProbe::End::kHang, 4'000);
  end = worker.End(1, Isolation::kReadUncommitted);
  CHECK(end == 9);
  CHECK(worker.End(1, Isolation::kReadCommitted) == 8);
  changes.clear();
  position = 0;
  CHECK(worker.transactions->Replay(0, 1, end, &position, keep).outcome == How::kAgain);
  REQUIRE(Until({&worker}, [&] {
    CHECK(worker.transactions->Replay(0, 1, end, &position, keep).outcome == How::kAgain);
    return position == 8;
  }));
  CHECK(changes == all);
  worker.Ok([&] { return worker.transactions->Replay(0, 1, end, &position, keep); });
  CHECK(position == 9);
  CHECK(changes == all);
  // A change that cannot be used stops it.
  position = 0;
  TransactionResult result = worker.Call([&] {
    return worker.transactions->Replay(0, 1, end, &position, [](Str, const Str*) { return Status::Corrupt("no row"); });
  });
  CHECK(result.outcome == How::kFailed);
  CHECK_THAT(result.status.message(), Catch::Contains("no row"));
}

TEST_CASE("A look into a topic begins where it is told, stops when it is told, and waits for what is open there") {
  Setting at(2);
  const std::string topic = ChangelogOf(at.name);
  Worker worker(at.name, at.in, at.out, "one");
  worker.Start(2);
  worker.Begin();
  worker.Change(0, "a", "1");
  worker.Change(1, "b", "2");
  worker.Change(1, "b", std::nullopt);
  worker.Write({{"(none)", "out"}});
  worker.CommitAll();
  std::unique_ptr<TopicAccess> access;
  REQUIRE(worker.connector->MakeTopicAccess(0, worker.Context(), 30 * kSecond, &access).ok());
  std::vector<std::string> names;
  REQUIRE(access->Names(&names).ok());
  CHECK(std::set<std::string>(names.begin(), names.end()).contains(topic));

  std::vector<std::string> seen;
  auto look = [&](const std::string& into, const std::map<int32_t, int64_t>& from, size_t most = 100) {
    seen.clear();
    return access->Read(into, from, [&](int32_t partition, Str key, const Str* value, bool* stop) {
      seen.push_back(std::to_string(partition) + " " + std::string(key.view()) + "=" + (value ? std::string(value->view()) : "(none)"));
      *stop = seen.size() == most;
    });
  };
  using Seen = std::vector<std::string>;
  REQUIRE(look(topic, {}).ok());
  CHECK(seen == Seen{"0 a=1", "1 b=2", "1 b=(none)"});
  REQUIRE(look(topic, {{0, 1}, {1, 1}}).ok());
  CHECK(seen == Seen{"1 b=(none)"});
  REQUIRE(look(topic, {}, 2).ok());
  CHECK(seen == Seen{"0 a=1", "1 b=2"});
  REQUIRE(look(at.out, {}).ok());
  REQUIRE(seen.size() == 1);
  CHECK_THAT(seen[0], Catch::EndsWith(" =out"));
  CHECK(look(Fresh("none"), {}).code() == StatusCode::kNotFound);

  worker.Begin();
  worker.Change(0, "c", "3");
  worker.Flush();
  std::future<Status> waits = std::async(std::launch::async, [&] { return look(topic, {{1, 3}}); });
  CHECK(waits.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout);
  worker.Commit();
  REQUIRE(waits.get().ok());
  CHECK(seen == Seen{"0 a=1", "0 c=3"});
}

TEST_CASE("A long changelog is replayed whole") {
  Setting at;
  Worker worker(at.name, at.in, at.out, "one");
  worker.Start(1);
  constexpr int kChanges = 200'000;
  worker.Begin();
  for (int i = 0; i < kChanges; ++i) worker.Change(0, "key" + std::to_string(i), std::string(50, 'x'));
  worker.CommitAll();
  int64_t end = worker.End(0, Isolation::kReadUncommitted);
  int64_t position = -1;
  int count = 0;
  int64_t began = worker.clock.MonoNs();
  worker.Ok([&] {
    return worker.transactions->Replay(0, 0, end, &position, [&](Str, const Str*) {
      ++count;
      return Status();
    });
  });
  int64_t took = worker.clock.MonoNs() - began;
  CHECK(count == kChanges);
  WARN("replayed " << kChanges * kSecond / took << " changes a second");
}

TEST_CASE("What a topic can never take is told beforehand, or after the first time") {
  Setting at;
  at.probe.CreateTopic(at.out + "-c", 1, {{"cleanup.policy", "compact"}, {"max.message.bytes", "2000"}});
  SECTION("Its limits are known") {
    Worker worker(at.name, at.in, at.out + "-c", "one");
    worker.Start(1);
    OutputBuffer buffer = Worker::Buffered({{"a", "1"}, {"(none)", "2"}, {"b", std::string(3000, 'x')}});
    std::vector<Sink::Refused> refused;
    worker.transactions->Check(0, buffer, &refused);
    REQUIRE(refused.size() == 2);
    CHECK(refused[0].record == 1);
    CHECK_THAT(refused[0].reason, Catch::Contains("compacted"));
    CHECK(refused[1].record == 2);
    CHECK_THAT(refused[1].reason, Catch::Contains("max.message.bytes"));
  }
  SECTION("Its limits changed while running") {
    Worker worker(at.name, at.in, at.out, "one");
    REQUIRE(worker.Open(1).ok());
    size_t before = at.probe.MakeCompacted(at.out);
    worker.Ok([&] { return worker.transactions->Fence(); });
    worker.Begin();
    worker.Write({{"a", "1"}, {"(none)", "2"}});
    TransactionResult result = worker.Call([&] { return worker.transactions->Flush(); });
    CHECK(result.outcome == How::kAbort);
    CHECK_THAT(result.status.message(), Catch::Contains(at.out));
    worker.Abort();
    std::vector<Sink::Refused> refused;
    worker.transactions->Check(0, Worker::Buffered({{"a", "1"}, {"(none)", "2"}}), &refused);
    INFO(refused.at(0).reason << result.status.message());
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].record == 1);
    // Its sequence number is missing now: no more with this producer.
    CHECK(worker.transactions->unanswered());
    worker.transactions->Drop();
    worker.Ok([&] { return worker.transactions->Fence(); });
    worker.Begin();
    worker.Write({{"a", "1"}});
    worker.CommitAll();
    std::set<std::string> shown = {"1"};
    if (before != 0) shown.insert("no key");
    CHECK(Shows(at.probe, at.out, shown));
  }
}

TEST_CASE("A source reads its partitions from where it is told to go on") {
  Setting at(2);
  at.probe.Write(Numbered(at.in, 0, 100));
  at.probe.Write(Numbered(at.in, 1, 100));
  Worker worker(at.name, at.in, at.out, "one");
  worker.Start(2);
  REQUIRE(Until({&worker}, [&] { return worker.events.mine.size() == 2; }));
  CHECK(worker.source->Resume(2, 0).code() == StatusCode::kInternal);
  REQUIRE(worker.source->Resume(1, 90).ok());
  REQUIRE(Until({&worker}, [&] { return worker.read.size() == 10; }));
  CHECK(worker.read.front() == std::make_pair(1, int64_t{90}));
  // The other one was told to nobody.
  REQUIRE(Until({&worker}, [&] { return worker.source->Tell(1).at_end; }));
  CHECK(worker.read.size() == 10);
  CHECK_FALSE(worker.source->Tell(0).connected);

  // Anew from an earlier record, again and again: nothing comes that is older or missing.
  for (int64_t from : {50, 20, 99, 0}) {
    worker.read.clear();
    REQUIRE(worker.source->Resume(1, from).ok());
    size_t expected = static_cast<size_t>(100 - from);
    REQUIRE(Until({&worker}, [&] { return worker.read.size() >= expected && worker.source->Tell(1).at_end; }));
    CHECK(worker.read.size() == expected);
    for (size_t i = 0; i < worker.read.size(); ++i) CHECK(worker.read[i].second == from + static_cast<int64_t>(i));
  }
  // Before the first record has come.
  REQUIRE(worker.source->Resume(0, 0).ok());
  worker.Poll();
  worker.read.clear();
  REQUIRE(worker.source->Resume(0, 30).ok());
  REQUIRE(Until({&worker}, [&] { return worker.read.size() >= 70 && worker.source->Tell(0).at_end; }));
  CHECK(worker.read.size() == 70);
  CHECK(worker.read.front().second == 30);

  // Partitions go away and come back, resumed or not; partitions that are added come, too.
  {
    Worker other(at.name, at.in, at.out, "two");
    other.Start(2);
    REQUIRE(Until({&worker, &other}, [&] { return worker.events.mine.size() == 1 && other.events.mine.size() == 1; }));
    CHECK(worker.events.revocations == 1);
    CHECK(worker.events.losses == 0);
    CHECK(other.read.empty());
  }
  // A static member that is gone keeps its place until its session has ended.
  REQUIRE(Until({&worker}, [&] { return worker.events.mine.size() == 2; }));
  worker.read.clear();
  at.probe.AddPartitions(at.in, 3);
  REQUIRE(Until({&worker}, [&] { return worker.events.mine.size() == 3; }));
  at.probe.Write(Numbered(at.in, 2, 5));
  REQUIRE(worker.source->Resume(2, 0).ok());
  CHECK(Until({&worker}, [&] { return worker.read.size() == 5; }));
  CHECK(worker.failed.ok());
}

TEST_CASE("A topic that brokers do not know yet is asked for again") {
  Setting at;
  Worker worker(at.name, at.in, at.out, "one");
  REQUIRE(worker.Open(1).ok());
  int32_t count = 0;
  REQUIRE(worker.source->Partitions(30 * kSecond, &count).ok());
  at.probe.DeleteTopic(at.in);
  REQUIRE(worker.source->Open({}, &worker.events).ok());
  REQUIRE(Until({&worker}, [&] {
    REQUIRE(worker.failed.ok());
    return worker.log.text().find("topic `" + at.in + "` is not known yet") != std::string::npos;
  }));
  int64_t offset = -1;
  std::vector<int64_t> offsets;
  for (int i = 0; i < 3; ++i) {
    CHECK(worker.transactions->StartOf(0, 0, false, &offset).outcome == How::kAgain);
    CHECK(worker.transactions->Committed(0, &offsets, &worker.states, &worker.then).outcome == How::kAgain);
  }
  at.probe.CreateTopic(at.in, 1);
  worker.Ok([&] { return worker.transactions->StartOf(0, 0, false, &offset); });
  CHECK(offset == 0);
  CHECK(worker.Committed() == std::vector<int64_t>{-1});
  CHECK(Until({&worker}, [&] { return worker.events.mine.size() == 1; }));
  CHECK(worker.failed.ok());

  // One that stays away is missing.
  at.probe.DeleteTopic(at.in);
  worker.transactions->BeginRecovery();
  TransactionResult result = worker.Call([&] { return worker.transactions->Committed(0, &offsets, &worker.states, &worker.then); });
  CHECK(result.outcome == How::kFailed);
  CHECK_THAT(result.status.message(), Catch::Contains(at.in));
}

TEST_CASE("Records that are not where their key belongs stop a source with state") {
  Setting at(4);
  ProbeRecord wrong = Numbered(at.in, 0, 1)[0];
  for (int32_t p = 0; p < 4; ++p) {
    wrong.partition = p;
    at.probe.Write({wrong});
  }
  Worker worker(at.name, at.in, at.out, "one");
  worker.program.sources[0].keyed = true;
  worker.program.windows.emplace_back();
  worker.Start(4);
  REQUIRE(Until({&worker}, [&] { return worker.events.mine.size() == 4; }));
  for (int32_t p = 0; p < 4; ++p) REQUIRE(worker.source->Resume(p, 0).ok());
  // All together, with the next poll: each alone would hold the worker for some milliseconds.
  for (int32_t p = 0; p < 4; ++p) CHECK(worker.source->Tell(p).position == -1);
  CHECK(Until({&worker}, [&] { return !worker.failed.ok(); }));
  // The engine says which source it is.
  CHECK_THAT(worker.failed.message(), Catch::StartsWith("topic `" + at.in + "`, partition ") && Catch::Contains("murmur2"));
}

TEST_CASE("Two clusters, or files, are not in one transaction") {
  Setting at;
  Worker worker(at.name, at.in, at.out, "one");
  worker.program.sinks[0].connection = -1;
  REQUIRE(worker.connector->MakeSource(worker.program.sources[0], worker.Context(), &worker.source).ok());
  Status status = worker.connector->MakeTransactions(worker.Context(), &worker.transactions);
  CHECK(status.code() == StatusCode::kInvalid);
  CHECK_THAT(status.message(), Catch::Contains("`out`"));
}

// ---- A broker that is away ------------------------------------------------------------------------------------------

namespace {

// The processes whose parent is `parent`.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream in(entry.path() / "stat");
    std::stringstream text;
    text << in.rdbuf();
    std::string stat = text.str();
    size_t name_end = stat.rfind(") ");  // "pid (name) state parent …"
    if (name_end != std::string::npos && atoi(stat.c_str() + name_end + 4) == parent) out.push_back(pid);
  }
  return out;
}

// Whether each thread of a process stands still: the signal reaches them one after the other.
bool Stands(pid_t pid) {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::string line;
    std::getline(std::ifstream(thread.path() / "stat"), line);
    const size_t name_end = line.rfind(')');
    if (name_end != std::string::npos && line.substr(name_end + 2, 1) != "T") return false;
  }
  return true;
}

// A broker that can also be paused.
struct PausableBroker {
  PausableBroker() {
    TheBroker();  // its processes are none of ours
    std::vector<pid_t> before = ChildrenOf(getpid());
    broker.emplace();
    for (pid_t harness : ChildrenOf(getpid())) {
      if (std::find(before.begin(), before.end(), harness) != before.end()) continue;
      for (pid_t pid : ChildrenOf(harness)) java = pid;
    }
    if (java <= 0) throw std::runtime_error("the broker's process was not found");
  }
  ~PausableBroker() { kill(java, SIGCONT); }
  void Pause() {
    kill(java, SIGSTOP);
    while (!Stands(java)) usleep(1000);
  }
  void GoOn() { kill(java, SIGCONT); }

  std::optional<weir_test::Broker> broker;
  pid_t java = -1;
};

}  // namespace

TEST_CASE("A commit without an answer is noticed, however it ends") {
  PausableBroker paused;
  Setting at(1, paused.broker->bootstrap());
  Worker worker(at.name, at.in, at.out, "one", paused.broker->bootstrap());
  worker.Start(1);
  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.CommitAll();
  CHECK_FALSE(worker.transactions->unanswered());
  worker.Begin();
  worker.Write({{"a", "2"}});
  worker.Flush();
  CHECK_FALSE(worker.transactions->unanswered());

  // The request is on its way when the broker stands still; it will be executed when the broker goes on.
  paused.Pause();
  CHECK(Until({&worker}, [&] {
    CHECK(worker.transactions->Commit().outcome == How::kAgain);
    return worker.transactions->unanswered();
  }));
  paused.GoOn();
  TransactionResult result = worker.Call([&] { return worker.transactions->Commit(); });
  INFO(result.status.ToString());
  CHECK((result.ok() || result.outcome == How::kRestart));
  CHECK(worker.transactions->unanswered());
  bool committed = result.ok();
  // A new producer knows how it ended.
  worker.transactions->Drop();
  worker.Ok([&] { return worker.transactions->Fence(); });
  CHECK_FALSE(worker.transactions->unanswered());
  worker.Begin();
  worker.Write({{"a", "3"}});
  worker.CommitAll();
  REQUIRE(Until({&worker}, [&] { return Values(at.probe, at.out).count("3") == 1; }));
  std::set<std::string> values = Values(at.probe, at.out);
  CHECK(values.count("1") == 1);
  if (committed) CHECK(values.count("2") == 1);
}

TEST_CASE("Offsets that nobody answers hold up no other call for long, and a dropped producer is survived") {
  PausableBroker paused;
  Setting at(1, paused.broker->bootstrap());
  Worker worker(at.name, at.in, at.out, "one", paused.broker->bootstrap());
  worker.Start(1);
  REQUIRE(Until({&worker}, [&] { return worker.events.mine.size() == 1; }));
  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.Flush();
  GroupToken group = worker.transactions->Group();
  paused.Pause();
  auto quick = [&](const std::function<TransactionResult()>& call) {
    int64_t began = worker.clock.MonoNs();
    CHECK(call().outcome == How::kAgain);
    CHECK(worker.clock.MonoNs() - began < kSecond);
  };
  quick([&] { return worker.transactions->SendOffsets({{0, 0, 10}}, group); });
  quick([&] { return worker.transactions->SendOffsets({{0, 0, 10}}, group); });
  quick([&] { return worker.transactions->Abort(); });
  worker.transactions->Drop();
  quick([&] { return worker.transactions->Fence(); });
  quick([&] {
    std::vector<int64_t> offsets;
    return worker.transactions->Committed(0, &offsets, &worker.states, &worker.then);
  });
  quick([&] {
    int64_t end;
    return worker.transactions->ChangelogEnd(0, 0, Isolation::kReadUncommitted, &end);
  });
  paused.GoOn();
  worker.Ok([&] { return worker.transactions->Fence(); });
  worker.transactions->BeginRecovery();  // what was asked before the fence may be out of date
  CHECK(worker.Committed() == std::vector<int64_t>{-1});
  CHECK(at.probe.ReadAll(at.out).empty());
}

TEST_CASE("A broker that is killed in the middle of a transaction leaves nothing of it") {
  weir_test::Broker broker;
  Setting at(1, broker.bootstrap());
  Worker worker(at.name, at.in, at.out, "one", broker.bootstrap());
  worker.Start(1);
  worker.Begin();
  // Records are on their way all the time until it is dead.
  std::atomic<bool> dead{false};
  std::thread killer([&] {
    broker.Kill();
    dead = true;
  });
  OutputBuffer buffer = Worker::Buffered({{"a", std::string(200'000, 'x')}});
  for (int i = 0; i < 1000 && !dead; ++i) {
    if (!worker.transactions->Write(0, buffer).ok()) break;
  }
  killer.join();
  REQUIRE(Until({&worker}, [&] { return worker.transactions->unanswered(); }));
  broker.Start();
  TransactionResult result = worker.Call([&] { return worker.transactions->Flush(); });
  if (result.ok()) result = worker.Call([&] { return worker.transactions->Abort(); });
  INFO(result.status.ToString());
  CHECK(result.outcome != How::kFailed);
  worker.transactions->Drop();
  worker.Ok([&] { return worker.transactions->Fence(); });
  CHECK(at.probe.ReadAll(at.out).empty());
  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.CommitAll();
  CHECK(Shows(at.probe, at.out, {"1"}));
}
