// The hazard of KIP-890 on a real broker: a request of one transaction arrives in the next. Each case shows what that does
// to a producer that goes on after a request without an answer, and that nothing happens when it is made anew, which is
// what the commit protocol does: once with the broker's transactions as they were before Kafka 4, once as they are since.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/kafka.h"
#include "tests/integration/connector_harness.h"
#include "tests/integration/transaction_worker.h"
#include "tests/servers/broker.h"
#include "tests/servers/kafka_probe.h"

using namespace weir;
using weir_test::kSecond;
using weir_test::LateBroker;
using weir_test::Setting;
using weir_test::Shows;
using weir_test::Worker;

namespace {

LateBroker& BrokerOf(int transaction_version) {
  static std::map<int, std::unique_ptr<LateBroker>> brokers;
  std::unique_ptr<LateBroker>& broker = brokers[transaction_version];
  if (!broker) broker = std::make_unique<LateBroker>(transaction_version);
  return *broker;
}

// A worker that does after each transaction what the commit protocol does, or leaves that out.
struct LateWorker : Worker {
  LateWorker(const Setting& at, const std::string& instance_id, LateBroker& broker, bool defended)
      : Worker(at.name, at.in, at.out, instance_id, broker.bootstrap()), defended(defended) {
    Start(1);
    REQUIRE(PollUntil(std::vector<Worker*>{this}, [&] { return events.mine.size() == 1; }, 30));
  }
  void SendOffset(int64_t offset) {
    GroupToken group = transactions->Group();
    Ok([&] { return transactions->SendOffsets({{0, 0, offset}}, group); });
  }
  void Ended() {
    if (!transactions->unanswered() || !defended) return;
    int64_t began = clock.MonoNs();
    transactions->Drop();
    Ok([&] { return transactions->Fence(); });
    made_anew_ns.push_back(clock.MonoNs() - began);
  }
  void CommitAndGoOn() {
    CommitAll();
    Ended();
  }
  void AbortAndGoOn() {
    Abort();
    Ended();
  }

  bool defended;
  std::vector<int64_t> made_anew_ns;  // how long the defence took, each time
};

// How often readers see each value, once they see `last`, which was committed after all others.
std::map<std::string, int> Seen(const Setting& at, const std::string& last) {
  weir_test::SystemClock clock;
  weir_test::KafkaProbe probe = at.probe;
  for (int64_t end = clock.MonoNs() + 30 * kSecond; clock.MonoNs() < end;) {
    std::map<std::string, int> seen;
    for (const weir_test::ProbeRecord& r : probe.ReadAll(at.out)) ++seen[r.value.value_or("(none)")];
    if (seen.count(last) != 0) return seen;
  }
  return {};
}

// Refused because its producer is not the newest of its name any more.
bool IsFenced(const std::string& error) { return error == "INVALID_PRODUCER_EPOCH" || error == "PRODUCER_FENCED"; }

}  // namespace

TEST_CASE("The late end of an aborted transaction takes the outputs of the next one, not from a new producer") {
  int version = GENERATE(1, 2);
  bool defended = GENERATE(false, true);
  CAPTURE(version, defended);
  LateBroker& broker = BrokerOf(version);
  Setting at(1, broker.bootstrap());
  LateWorker worker(at, "one", broker, defended);

  worker.Begin();
  worker.Write({{"a", "taken back"}});
  worker.Flush();
  broker.Hold("EndTxn");
  worker.AbortAndGoOn();

  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.Flush();
  std::string error = broker.Deliver();
  worker.SendOffset(10);
  worker.CommitAndGoOn();

  worker.Begin();
  worker.Write({{"a", "last"}});
  worker.CommitAndGoOn();
  std::map<std::string, int> seen = Seen(at, "last");
  CHECK(seen.count("taken back") == 0);
  CHECK(worker.Committed() == std::vector<int64_t>{10});
  if (defended) {
    CHECK(IsFenced(error));
    CHECK(seen["1"] == 1);
  } else {
    // Lost: the record was read, its offset is committed, its output is nowhere, and nobody was told.
    CHECK(error == "none");
    CHECK(seen["1"] == 0);
  }
}

TEST_CASE("The late end of a committed transaction shows outputs of the next one that are written again, not of a new producer") {
  int version = GENERATE(1, 2);
  bool defended = GENERATE(false, true);
  CAPTURE(version, defended);
  LateBroker& broker = BrokerOf(version);
  Setting at(1, broker.bootstrap());
  {
    LateWorker worker(at, "one", broker, defended);
    worker.Begin();
    worker.Write({{"a", "1"}});
    worker.Flush();
    worker.SendOffset(10);
    broker.Hold("EndTxn");
    worker.CommitAndGoOn();

    worker.Begin();
    worker.Write({{"a", "2"}});
    worker.Flush();
    std::string error = broker.Deliver();
    if (defended) {
      CHECK(IsFenced(error));
    } else {
      CHECK(error == "none");
    }
  }  // it dies here: nothing of this epoch was committed

  LateWorker next(at, "one", broker, true);
  CHECK(next.Committed() == std::vector<int64_t>{10});
  next.Begin();
  next.Write({{"a", "2"}});
  next.Flush();
  next.SendOffset(20);
  next.CommitAndGoOn();
  next.Begin();
  next.Write({{"a", "last"}});
  next.CommitAndGoOn();
  std::map<std::string, int> seen = Seen(at, "last");
  CHECK(seen["1"] == 1);
  CHECK(seen["2"] == (defended ? 1 : 2));
}

TEST_CASE("Late offsets take the next transaction's back, not a new producer's") {
  int version = GENERATE(1, 2);
  auto [defended, before_its_own] = GENERATE(std::pair(false, false), std::pair(true, false), std::pair(true, true));
  CAPTURE(version, defended, before_its_own);
  LateBroker& broker = BrokerOf(version);
  Setting at(1, broker.bootstrap());
  LateWorker worker(at, "one", broker, defended);

  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.Flush();
  broker.Hold("TxnOffsetCommit");
  worker.SendOffset(10);
  worker.CommitAndGoOn();

  std::string error;
  worker.Begin();
  worker.Write({{"a", "2"}});
  worker.Flush();
  if (before_its_own) error = broker.Deliver();
  worker.SendOffset(20);
  if (!before_its_own) error = broker.Deliver();
  worker.CommitAndGoOn();

  REQUIRE(Shows(at.probe, at.out, {"1", "2"}));
  if (defended) {
    CHECK(IsFenced(error));
    CHECK(worker.Committed() == std::vector<int64_t>{20});
  } else {
    // Whoever goes on from here reads again what "2" was made of.
    CHECK(error == "none");
    CHECK(worker.Committed() == std::vector<int64_t>{10});
  }
}

TEST_CASE("A late batch, and late partitions and offsets of a transaction, change nothing in the next one") {
  int version = GENERATE(1, 2);
  std::string request = GENERATE("Produce", "AddPartitionsToTxn", "AddOffsetsToTxn");
  bool defended = GENERATE(false, true);
  CAPTURE(version, request, defended);
  LateBroker& broker = BrokerOf(version);
  Setting at(1, broker.bootstrap());
  LateWorker worker(at, "one", broker, defended);
  broker.Hold(request);
  worker.Begin();
  worker.Write({{"a", "1"}});
  worker.Flush();
  worker.SendOffset(10);
  worker.CommitAndGoOn();
  worker.Begin();
  worker.Write({{"a", "2"}});
  worker.Flush();
  std::string error = broker.Deliver();
  CAPTURE(error);
  worker.SendOffset(20);
  worker.CommitAndGoOn();
  if (defended) CHECK((IsFenced(error) || request == "Produce"));
  CHECK(Shows(at.probe, at.out, {"1", "2"}));
  CHECK(at.probe.ReadAll(at.out).size() == 2);
  CHECK(worker.Committed() == std::vector<int64_t>{20});
}

TEST_CASE("The defence costs a new producer after a request without an answer, and nothing else") {
  int version = GENERATE(1, 2);
  CAPTURE(version);
  constexpr int kCommits = 100, kLost = 20;
  LateBroker& broker = BrokerOf(version);
  Setting at(1, broker.bootstrap());
  LateWorker worker(at, "one", broker, true);
  std::vector<int64_t> commits;
  int64_t offset = 0;
  auto commit = [&] {
    worker.Begin();
    worker.Write({{"a", "1"}});
    worker.Flush();
    worker.SendOffset(++offset);
    int64_t began = worker.clock.MonoNs();
    worker.CommitAll();
    int64_t took = worker.clock.MonoNs() - began;
    worker.Ended();
    return took;
  };
  commit();
  int64_t producers = broker.Count("InitProducerId");
  for (int i = 0; i < kCommits; ++i) commits.push_back(commit());
  CHECK(worker.made_anew_ns.empty());
  CHECK(broker.Count("InitProducerId") == producers);

  for (int i = 0; i < kLost; ++i) {
    broker.Hold("EndTxn");
    commit();
  }
  REQUIRE(worker.made_anew_ns.size() == kLost);
  CHECK(broker.Count("InitProducerId") == producers + kLost);
  std::vector<int64_t>& anew = worker.made_anew_ns;
  for (std::vector<int64_t>* times : {&commits, &anew}) std::sort(times->begin(), times->end());
  auto ms = [](int64_t ns) { return std::to_string(ns / 100'000 / 10) + "." + std::to_string(ns / 100'000 % 10) + " ms"; };
  WARN("transaction.version=" << version << ": a new producer after a request without an answer takes " << ms(anew[kLost / 2])
       << " (half of " << kLost << "), at most " << ms(anew.back()) << "; " << kCommits << " commits with answers took "
       << ms(commits[kCommits / 2]) << " each and made none");
}
