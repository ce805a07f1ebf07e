// The simulated cluster as brokers behave: what readers see of transactions, who is refused, and what time does.
#include <catch2/catch.hpp>

#include "runtime/testing/cluster_test.h"
#include "runtime/testing/memory_cluster.h"

namespace weir {
namespace {

MemoryRecord Tombstone(const std::string& key) {
  MemoryRecord record = Record(key, "");
  record.has_value = false;
  return record;
}

struct Brokers {
  explicit Brokers(uint64_t seed = 1, ClusterOptions options = {}) : cluster(clock, seed, options) {
    cluster.AddTopic("in", 4);
    cluster.AddTopic("out", 2);
  }
  ProducerIdentity Init(const std::string& id = "p", int64_t timeout_ns = 10 * kSecond) {
    ProducerIdentity producer;
    for (int i = 0; i < 1000; ++i) {
      if (cluster.InitProducerId(id, timeout_ns, nullptr, &producer) == ClusterError::kNone) return producer;
      Pass(kMs);
    }
    FAIL("no producer");
    return producer;
  }
  void Write(const ProducerIdentity& producer, int64_t sequence, const std::vector<MemoryRecord>& records, int32_t partition = 0) {
    REQUIRE(cluster.AddPartitionToTransaction(producer, {"out", partition}) == ClusterError::kNone);
    REQUIRE(cluster.Produce(producer, {"out", partition}, sequence, records) == ClusterError::kNone);
  }
  void Write(const ProducerIdentity& producer, int64_t sequence, const std::string& value, int32_t partition = 0) {
    Write(producer, sequence, std::vector<MemoryRecord>{Record("k", value)}, partition);
  }
  void End(const ProducerIdentity& producer, bool commit) {
    CHECK(cluster.EndTransaction(producer, commit) == ClusterError::kNone);
  }
  std::string Read(int32_t partition = 0) {
    std::string all;
    for (const MemoryRecord& record : cluster.ReadCommitted("out", partition)) all += record.value + " ";
    return all;
  }
  void Pass(int64_t ns) {
    int64_t end = clock.MonoNs() + ns;
    cluster.DeliverEvents();
    while (cluster.NextEventMonoNs() <= end) {
      clock.SetMono(std::max(cluster.NextEventMonoNs(), clock.MonoNs() + 1));
      cluster.DeliverEvents();
    }
    clock.SetMono(end);
  }
  // A member that has heard its assignment.
  struct Member {
    std::string id, instance;
    int32_t generation = -1;
    std::vector<TopicPartition> assigned;
    int revoked = 0, lost = 0;
    bool fenced = false;
  };
  void Poll(Member& member) {
    if (member.id.empty()) member.id = cluster.Join("g", "", member.instance, {"in"});
    MemberNews news = cluster.Heartbeat("g", member.id, member.generation);
    if (news.kind == MemberNews::kRebalance) {
      ++member.revoked;
      member.assigned.clear();
      member.id = cluster.Join("g", member.id, member.instance, {"in"});
    } else if (news.kind == MemberNews::kAssigned) {
      member.generation = news.generation;
      member.assigned = news.assigned;
    } else if (news.kind == MemberNews::kUnknown) {
      ++member.lost;
      member.assigned.clear();
      member.generation = -1;
      member.id = cluster.Join("g", "", member.instance, {"in"});
    } else if (news.kind == MemberNews::kFenced) {
      member.fenced = true;
    }
  }
  void PollAll(std::vector<Member*> members) {
    for (int i = 0; i < 4; ++i) {
      for (Member* member : members) Poll(*member);
    }
  }
  ClusterError SendOffsets(const ProducerIdentity& producer, const std::string& member, int32_t generation, int64_t offset) {
    ClusterError error = cluster.AddOffsetsToTransaction(producer, "g");
    if (error != ClusterError::kNone) return error;
    return cluster.CommitTransactionOffsets(producer, "g", member, generation, {{{"in", 0}, offset}});
  }
  VirtualClock clock;
  MemoryCluster cluster;
};

TEST_CASE("readers of committed records pass markers and what was aborted") {
  Brokers b;
  ProducerIdentity p = b.Init();
  b.Write(p, 0, "a");
  CHECK(b.Read() == "");
  b.End(p, true);
  CHECK(b.Read() == "a ");
  b.Write(p, 1, "b");
  b.End(p, false);
  b.Write(p, 2, "c");
  b.End(p, true);
  CHECK(b.Read() == "a c ");
  // Three records and three markers.
  CHECK(b.cluster.log({"out", 0}).end() == 6);
  int64_t at = 2;
  CHECK(b.cluster.log({"out", 0}).NextCommitted(&at, 4) == nullptr);
  CHECK(at == 4);
  CHECK(b.cluster.OpenTransactions() == 0);
}

TEST_CASE("an open transaction holds back what others commit behind it") {
  Brokers b;
  ProducerIdentity p = b.Init("p"), q = b.Init("q");
  b.Write(p, 0, "open");
  b.Write(q, 0, "done");
  b.End(q, true);
  CHECK(b.Read() == "");
  CHECK(b.cluster.log({"out", 0}).stable_end() == 0);
  int64_t stable = -1, end = -1;
  CHECK(b.cluster.EndOf({"out", 0}, true, &stable) == ClusterError::kNone);
  CHECK(b.cluster.EndOf({"out", 0}, false, &end) == ClusterError::kNone);
  CHECK(stable == 0);
  CHECK(end == 3);
  CHECK(b.cluster.OpenTransactions() == 1);
  b.End(p, true);
  CHECK(b.Read() == "open done ");
}

TEST_CASE("a new producer of the same id fences the old one and aborts what it left open") {
  Brokers b;
  ProducerIdentity old = b.Init();
  b.Write(old, 0, "left");
  ProducerIdentity made;
  CHECK(b.cluster.InitProducerId("p", kSecond, nullptr, &made) == ClusterError::kConcurrent);
  made = b.Init();
  CHECK(made.id == old.id);
  CHECK(made.epoch > old.epoch);
  CHECK(b.cluster.AddPartitionToTransaction(old, {"out", 0}) == ClusterError::kFenced);
  CHECK(b.cluster.Produce(old, {"out", 0}, 1, {Record("k", "x")}) == ClusterError::kFenced);
  CHECK(b.cluster.EndTransaction(old, true) == ClusterError::kFenced);
  b.Write(made, 0, "new");
  b.End(made, true);
  CHECK(b.Read() == "new ");
  // The old one cannot take a new epoch for itself either.
  ProducerIdentity again;
  CHECK(b.cluster.InitProducerId("p", kSecond, &old, &again) == ClusterError::kFenced);
}

TEST_CASE("until its marker arrives, a fenced producer still writes into what will be aborted") {
  Brokers b;
  b.cluster.faults.marker_lag = 1;
  ProducerIdentity old = b.Init();
  b.Write(old, 0, "left");
  ProducerIdentity made;
  CHECK(b.cluster.InitProducerId("p", kSecond, nullptr, &made) == ClusterError::kConcurrent);
  CHECK(b.cluster.Produce(old, {"out", 0}, 1, {Record("k", "more")}) == ClusterError::kNone);
  CHECK(b.cluster.Produce(old, {"out", 1}, 0, {Record("k", "more")}) == ClusterError::kFenced);
  made = b.Init();
  CHECK(b.Read() == "");
  CHECK(b.cluster.log({"out", 0}).stable_end() == 3);
}

TEST_CASE("markers that come late hold the stable end, the offsets and the next transaction") {
  Brokers b;
  b.cluster.faults.marker_lag = 1;
  Brokers::Member m;
  b.PollAll({&m});
  ProducerIdentity p = b.Init();
  b.Write(p, 0, "a");
  CHECK(b.SendOffsets(p, m.id, m.generation, 7) == ClusterError::kNone);
  b.End(p, true);
  CHECK(b.Read() == "");
  std::vector<int64_t> offsets;
  CHECK(b.cluster.FetchOffsets("g", "in", &offsets) == ClusterError::kUnstable);
  CHECK(b.cluster.AddPartitionToTransaction(p, {"out", 1}) == ClusterError::kConcurrent);
  CHECK(b.cluster.EndTransaction(p, true) == ClusterError::kConcurrent);
  CHECK(b.cluster.EndTransaction(p, false) == ClusterError::kInvalidState);
  CHECK(b.cluster.OpenTransactions() == 1);
  b.Pass(b.cluster.faults.marker_lag_ns_max);
  CHECK(b.Read() == "a ");
  CHECK(b.cluster.FetchOffsets("g", "in", &offsets) == ClusterError::kNone);
  CHECK(offsets == std::vector<int64_t>{7, -1, -1, -1});
  b.End(p, true);  // sent again: it is done
  CHECK(b.cluster.OpenTransactions() == 0);
}

TEST_CASE("an aborted transaction's offsets are gone") {
  Brokers b;
  Brokers::Member m;
  b.PollAll({&m});
  ProducerIdentity p = b.Init();
  b.cluster.SetCommittedOffset("g", {"in", 0}, 3);
  CHECK(b.SendOffsets(p, m.id, m.generation, 7) == ClusterError::kNone);
  b.End(p, false);
  CHECK(b.cluster.CommittedOffset("g", {"in", 0}) == 3);
}

// Sends EndTxn so that no answer comes and its first copy arrives some time after `timeout`.
void SendLate(Brokers& b, const ProducerIdentity& p, bool commit) {
  b.cluster.faults.answer_lost = b.cluster.faults.request_late = 1;
  auto call = b.cluster.Send("EndTxn", true, [&b, p, commit] { return b.cluster.EndTransaction(p, commit); });
  b.cluster.Calm();
  b.Pass(b.cluster.faults.answer_timeout_ns);
  CHECK(call->answered);
  CHECK(call->timed_out);
}

TEST_CASE("a late abort hits the next transaction of the same epoch: half of it is lost") {
  Brokers b;
  ProducerIdentity p = b.Init();
  b.Write(p, 0, "a");
  SendLate(b, p, false);
  b.End(p, false);  // sent again
  b.Write(p, 1, "b");
  b.Pass(b.cluster.faults.late_ns_max);
  CHECK(b.cluster.occurred["late copy accepted"] == 1);
  b.Write(p, 0, "c", 1);
  b.End(p, true);
  CHECK(b.Read(0) == "");
  CHECK(b.Read(1) == "c ");
}

TEST_CASE("a late commit hits the next transaction of the same epoch: it is torn") {
  Brokers b;
  ProducerIdentity p = b.Init();
  b.Write(p, 0, "a");
  SendLate(b, p, true);
  b.End(p, true);
  b.Write(p, 1, "b");
  b.Pass(b.cluster.faults.late_ns_max);
  CHECK(b.Read() == "a b ");
  // The partition is no longer part of anything, and the transaction cannot be aborted any more.
  CHECK(b.cluster.Produce(p, {"out", 0}, 2, {Record("k", "c")}) == ClusterError::kInvalidState);
  CHECK(b.cluster.EndTransaction(p, false) == ClusterError::kInvalidState);
}

TEST_CASE("a late copy is refused once the producer was made anew") {
  Brokers b;
  ProducerIdentity p = b.Init();
  b.Write(p, 0, "a");
  SendLate(b, p, false);
  b.End(p, false);
  ProducerIdentity made = b.Init();
  b.Write(made, 0, "b");
  b.Pass(b.cluster.faults.late_ns_max);
  CHECK(b.cluster.occurred["late copy refused"] == 1);
  b.End(made, true);
  CHECK(b.Read() == "b ");
}

TEST_CASE("a batch that comes twice is written once, and one that is missing is missed") {
  Brokers b;
  ProducerIdentity p = b.Init();
  b.Write(p, 0, "a");
  CHECK(b.cluster.Produce(p, {"out", 0}, 0, {Record("k", "a")}) == ClusterError::kNone);
  CHECK(b.cluster.Produce(p, {"out", 0}, 2, {Record("k", "c")}) == ClusterError::kOutOfOrder);
  b.End(p, true);
  CHECK(b.Read() == "a ");
}

TEST_CASE("offsets of a stale generation, an unknown member or a fenced instance are refused") {
  Brokers b;
  Brokers::Member m, other, fixed, again;
  fixed.instance = again.instance = "i";
  b.PollAll({&m, &fixed});
  ProducerIdentity p = b.Init();
  CHECK(b.SendOffsets(p, m.id, m.generation, 1) == ClusterError::kNone);
  CHECK(b.SendOffsets(p, m.id, m.generation - 1, 1) == ClusterError::kIllegalGeneration);
  CHECK(b.SendOffsets(p, "nobody", m.generation, 1) == ClusterError::kUnknownMember);
  int32_t before = m.generation;
  b.PollAll({&other, &m, &fixed});
  CHECK(b.SendOffsets(p, m.id, before, 1) == ClusterError::kIllegalGeneration);
  CHECK(b.SendOffsets(p, m.id, m.generation, 1) == ClusterError::kNone);
  b.PollAll({&again});
  CHECK(b.SendOffsets(p, fixed.id, fixed.generation, 1) == ClusterError::kFencedInstance);
  // Without a member nothing is checked: clients must not send that.
  CHECK(b.SendOffsets(p, "", -1, 1) == ClusterError::kNone);
}

TEST_CASE("a transaction that stays open too long is aborted and its producer fenced") {
  Brokers b;
  ProducerIdentity p = b.Init("p", 2 * kSecond);
  b.Pass(5 * kSecond);  // does not count: nothing is open
  b.Write(p, 0, "a");
  b.Pass(kSecond);
  CHECK(b.cluster.OpenTransactions() == 1);
  b.Pass(kSecond);
  CHECK(b.cluster.occurred["transaction timed out"] == 1);
  CHECK(b.cluster.OpenTransactions() == 0);
  CHECK(b.cluster.EndTransaction(p, true) == ClusterError::kFenced);
  CHECK(b.Read() == "");
}

TEST_CASE("compaction keeps the last value of each key, and offsets") {
  Brokers b;
  ProducerIdentity p = b.Init();
  auto write = [&](int64_t sequence, const std::vector<MemoryRecord>& records, bool commit) {
    b.Write(p, sequence, records);
    b.End(p, commit);
  };
  write(0, {Record("x", "1"), Record("y", "1"), Record("x", "2")}, true);  // 0 1 2, marker 3
  write(3, {Record("x", "never")}, false);                                // 4, marker 5
  write(4, {Tombstone("y"), Record("z", "1")}, true);                     // 6 7, marker 8
  b.Write(p, 6, "open");                                                  // 9
  CHECK(b.cluster.Compact({"out", 0}, false) == 3);
  auto offsets = [&] {
    std::string all;
    for (const LogEntry& entry : b.cluster.log({"out", 0}).entries()) all += std::to_string(entry.offset) + " ";
    return all;
  };
  CHECK(offsets() == "2 3 5 6 7 8 9 ");
  int64_t at = 0;
  const LogEntry* entry = b.cluster.log({"out", 0}).NextCommitted(&at, INT64_MAX);
  REQUIRE(entry != nullptr);
  CHECK(entry->record == Record("x", "2"));
  CHECK(at == 3);
  CHECK(b.cluster.Compact({"out", 0}, true) == 2);  // the tombstone, and the marker of what was aborted
  CHECK(offsets() == "2 3 7 8 9 ");
  b.End(p, true);
  CHECK(b.Read() == "2 1 open ");
}

TEST_CASE("two members share the partitions, and give everything back when a third comes or one leaves") {
  Brokers b;
  Brokers::Member m, n, o;
  b.PollAll({&m});
  CHECK(m.assigned.size() == 4);
  b.PollAll({&n, &m});
  CHECK(m.revoked == 1);
  CHECK(m.assigned == std::vector<TopicPartition>{{"in", 0}, {"in", 1}});
  CHECK(n.assigned == std::vector<TopicPartition>{{"in", 2}, {"in", 3}});
  CHECK(m.generation == n.generation);
  b.PollAll({&o, &m, &n});
  CHECK(m.assigned.size() + n.assigned.size() + o.assigned.size() == 4);
  b.cluster.Leave("g", m.id);
  b.PollAll({&n, &o});
  CHECK(n.assigned.size() == 2);
  CHECK(o.assigned.size() == 2);
  CHECK(n.lost + o.lost == 0);
}

TEST_CASE("a rebalance waits for members that have not given back, and throws out who never does") {
  ClusterOptions options;
  options.rebalance_ns = 3 * kSecond;
  Brokers b(1, options);
  Brokers::Member m, n;
  b.PollAll({&m});
  b.Poll(n);
  b.Poll(n);
  CHECK(n.assigned.empty());
  b.Pass(4 * kSecond);
  CHECK(b.cluster.occurred["rebalance timed out"] == 1);
  b.Poll(n);
  CHECK(n.assigned.size() == 4);
  b.Poll(m);
  CHECK(m.lost == 1);
}

TEST_CASE("a static member keeps its place over a restart") {
  Brokers b;
  Brokers::Member m, n, again;
  m.instance = again.instance = "m";
  n.instance = "n";
  b.PollAll({&m, &n});
  int32_t generation = m.generation;
  auto had = m.assigned;
  b.PollAll({&again, &n});
  CHECK(again.assigned == had);
  CHECK(again.generation == generation);
  CHECK(n.generation == generation);
  CHECK(n.revoked == 0);
  b.Poll(m);
  CHECK(m.fenced);
}

TEST_CASE("a paused member loses its partitions when its session ends, and hears so when it goes on") {
  Brokers b;
  Brokers::Member m, n;
  b.PollAll({&m, &n});
  auto had = m.assigned;
  ProducerIdentity p = b.Init();
  std::string id = m.id;
  int32_t generation = m.generation;
  for (int i = 0; i < 12; ++i) {
    b.Pass(kSecond);
    b.PollAll({&n});
  }
  CHECK(b.cluster.occurred["session expired"] == 1);
  CHECK(n.assigned.size() == 4);
  // What it says before it polls is said under its old name.
  CHECK(b.SendOffsets(p, id, generation, 5) == ClusterError::kUnknownMember);
  b.Poll(m);
  CHECK(m.lost == 1);
  b.PollAll({&m, &n});
  CHECK(m.assigned.size() == 2);
}

TEST_CASE("an added partition makes the group rebalance") {
  Brokers b;
  Brokers::Member m;
  b.PollAll({&m});
  b.cluster.AddPartition("in");
  b.PollAll({&m});
  CHECK(m.assigned.size() == 5);
}

TEST_CASE("a coordinator that is away says so, and sessions do not end meanwhile") {
  Brokers b;
  Brokers::Member m;
  b.PollAll({&m});
  ProducerIdentity p = b.Init();
  b.cluster.SetTransactionsDown(kSecond);
  b.cluster.SetGroupsDown(15 * kSecond);
  CHECK(b.cluster.AddOffsetsToTransaction(p, "g") == ClusterError::kUnavailable);
  b.Pass(2 * kSecond);
  CHECK(b.SendOffsets(p, m.id, m.generation, 1) == ClusterError::kUnavailable);
  b.Pass(14 * kSecond);
  b.Poll(m);
  CHECK(m.lost == 0);
}

TEST_CASE("a stranger's transaction holds back readers until it aborts") {
  Brokers b;
  ProducerIdentity p = b.Init();
  b.cluster.ForeignTransaction({"out", 0}, {Record("s", "junk")}, kSecond, false);
  b.Write(p, 0, "a");
  b.End(p, true);
  CHECK(b.Read() == "");
  CHECK(b.cluster.OpenTransactions() == 1);
  b.Pass(kSecond);
  CHECK(b.Read() == "a ");
  CHECK(b.cluster.OpenTransactions() == 0);
}

}  // namespace
}  // namespace weir
