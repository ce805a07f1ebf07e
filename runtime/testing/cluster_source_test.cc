// Offsets that a member of a group commits outside of transactions, as a client of Kafka does.
#include "runtime/testing/cluster_source.h"

#include <catch2/catch.hpp>

#include "runtime/testing/cluster_connectors.h"
#include "runtime/testing/cluster_test.h"

namespace weir {
namespace {

const TopicPartition kPartition("in", 0);

// A worker that has the one partition of a topic.
class Reading : public SourceEvents {
 public:
  Reading() : cluster(world.clock, 1), connectors_(cluster, world, {}) {
    program_.name = "reads";
    program_.sources.resize(1);
    program_.sources[0].name = program_.sources[0].address = "in";
    cluster.AddTopic("in", 1);
    for (int i = 0; i < 10; ++i) cluster.Append("in", 0, Record("k", std::to_string(i)));
    ConnectorContext context;
    context.program = &program_;
    context.clock = &world.clock;
    context.group_member = true;
    REQUIRE(connectors_.MakeSource(program_.sources[0], context, &source_).ok());
    REQUIRE(source_->Open({}, this).ok());
    Pass(5 * kSecond);
    REQUIRE(assigned == 1);
  }
  void Pass(int64_t ns) {
    for (const int64_t end = cluster.now() + ns; cluster.now() < end;) {
      world.clock.SetMono(std::min(end, cluster.now() + 10 * kMs));
      cluster.DeliverEvents();
      std::unique_ptr<Batch> batch;
      REQUIRE(source_->Poll(&batch).ok());
    }
  }
  void Commit(int64_t offset) {
    Position position;
    position.offset = offset;
    source_->Commit({{0, position}});
  }
  int64_t Committed() { return cluster.CommittedOffset("reads", kPartition); }

  void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) override {
    positions->resize(partitions.size());
    ++assigned;
  }
  void Revoked(const std::vector<int32_t>&) override {
    if (commit_when_revoked >= 0) Commit(commit_when_revoked);
  }
  void Lost(const std::vector<int32_t>&) override {}

  MemoryWorld world;
  MemoryCluster cluster;
  int assigned = 0;
  int64_t commit_when_revoked = -1;

 private:
  Program program_;
  ClusterConnectors connectors_;
  std::unique_ptr<Source> source_;
};

TEST_CASE("an offset that the group refuses for a while is committed again, and no older one after a newer one") {
  Reading reading;
  reading.Commit(2);
  CHECK(reading.Committed() == 2);
  reading.cluster.SetGroupsDown(kSecond);
  reading.Commit(3);
  reading.Commit(5);
  reading.Pass(900 * kMs);
  CHECK(reading.Committed() == 2);
  reading.Pass(kSecond);
  CHECK(reading.Committed() == 5);
  CHECK(reading.cluster.trace().find("OffsetCommit: unavailable") != std::string::npos);
}

TEST_CASE("an offset is committed when its partition is given back, and what was refused then is forgotten") {
  Reading reading;
  reading.commit_when_revoked = 4;
  reading.cluster.ForceRebalance("reads");
  reading.Pass(5 * kSecond);
  CHECK(reading.assigned == 2);
  CHECK(reading.Committed() == 4);
  // The request arrives when the member has joined again: it is of a generation that is no more.
  reading.commit_when_revoked = 6;
  reading.cluster.faults.request_delayed = 1;
  reading.cluster.faults.delay_ns_max = 4 * kSecond;
  reading.cluster.ForceRebalance("reads");
  reading.Pass(20 * kSecond);
  CHECK(reading.assigned == 3);
  CHECK(reading.cluster.trace().find("OffsetCommit, delayed: illegal generation") != std::string::npos);
  CHECK(reading.Committed() == 4);
}

}  // namespace
}  // namespace weir
