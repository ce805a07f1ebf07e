#include "runtime/operate/positions.h"

#include <catch2/catch.hpp>

namespace weir {
namespace {

using Catch::Matchers::Contains;

Program Two() {
  Program program;
  program.file = "two.weir";
  for (const char* name : {"trades", "quotes", "files", "rekeyed"}) {
    SourceSpec source;
    source.name = name;
    source.address = std::string("in.") + name;
    source.operation = source.name == "files" ? "ndjson" : "topic";
    if (source.name == "rekeyed") source.exchange = 0;
    program.sources.push_back(source);
  }
  return program;
}

Standing At(int source, int32_t partition, int64_t begin, int64_t end, int64_t committed) {
  Standing standing;
  standing.at = {source, partition};
  standing.range = {begin, end};
  standing.group.offset = committed;
  return standing;
}

TEST_CASE("A record is called by its source, partition and offset") {
  Program program = Two();
  SourcePartition at;
  int64_t offset = 0;
  REQUIRE(ParseRecordPlace(program, "quotes/3@17", &at, &offset).ok());
  CHECK((at == SourcePartition{1, 3} && offset == 17));
  CHECK(PartitionText(program, at) == "quotes/3");
  for (const char* wrong : {"", "quotes", "quotes/3", "quotes@17", "quotes/x@17", "quotes/3@", "quotes/3@x", "quotes/-1@2"}) {
    INFO(wrong);
    CHECK_THAT(ParseRecordPlace(program, wrong, &at, &offset).message(), Contains("trades/0@17"));
  }
  CHECK_THAT(ParseRecordPlace(program, "quote/3@17", &at, &offset).message(), Contains("did you mean `quotes`"));
  // What cannot be set by offset is not offered.
  CHECK_FALSE(ParseRecordPlace(program, "files/0@17", &at, &offset).ok());
  CHECK_FALSE(ParseRecordPlace(program, "rekeyed/0@17", &at, &offset).ok());
}

TEST_CASE("Where the group has no offset the state's counts, as at a start") {
  Standing standing = At(0, 0, 0, 100, -1);
  CHECK(standing.offset(CommitMode::kTransactions) == -1);
  standing.in_state = true;
  standing.state.position.offset = 40;
  CHECK(standing.offset(CommitMode::kTransactions) == 40);
  CHECK(CheckPositionsAgree(Two(), CommitMode::kTransactions, standing).ok());
  standing.group.offset = 50;
  CHECK(standing.offset(CommitMode::kTransactions) == 50);
  CHECK(CheckPositionsAgree(Two(), CommitMode::kTransactions, standing).code() == StatusCode::kExists);
  CHECK(standing.offset(CommitMode::kStore) == 40);
}

TEST_CASE("Where everything begins is said once, and partitions by name beside it") {
  Program program = Two();
  StartTargets targets;
  REQUIRE(ParseStartTargets(program, {}, &targets).ok());
  CHECK(targets.rest == StartTargets::kDeclared);
  REQUIRE(ParseStartTargets(program, {"quotes/0@5"}, &targets).ok());
  CHECK(targets.rest == StartTargets::kCommitted);
  REQUIRE(ParseStartTargets(program, {"latest", "quotes/0@5", "trades/1@6"}, &targets).ok());
  CHECK((targets.rest == StartTargets::kPolicy && targets.policy.kind == StartPolicy::kLatest && targets.exact.size() == 2));
  REQUIRE(ParseStartTargets(program, {"2026-01-02"}, &targets).ok());
  CHECK(targets.policy.kind == StartPolicy::kTime);
  CHECK_THAT(ParseStartTargets(program, {"latest", "earliest"}, &targets).message(), Contains("twice"));
  CHECK_THAT(ParseStartTargets(program, {"quotes/0@5", "quotes/0@6"}, &targets).message(), Contains("twice"));
  CHECK_THAT(ParseStartTargets(program, {"yesterday"}, &targets).message(), Contains("earliest, latest, committed"));
}

TEST_CASE("Targets come to an offset of every partition, within what its topic has") {
  Program program = Two();
  std::vector<Standing> standings = {At(0, 0, 10, 100, 50), At(0, 1, 0, 30, -1), At(1, 0, 5, 9, 7)};
  StartTargets targets;
  std::vector<int64_t> offsets;
  auto resolve = [&](std::vector<std::string> to, std::map<int, std::vector<int64_t>> times = {}) {
    REQUIRE(ParseStartTargets(program, to, &targets).ok());
    return ResolveTargets(program, CommitMode::kTransactions, targets, standings, times, &offsets);
  };
  REQUIRE(resolve({}).ok());
  CHECK(offsets == std::vector<int64_t>{-1, -1, -1});
  REQUIRE(resolve({"earliest"}).ok());
  CHECK(offsets == std::vector<int64_t>{10, 0, 5});
  REQUIRE(resolve({"latest"}).ok());
  CHECK(offsets == std::vector<int64_t>{100, 30, 9});
  REQUIRE(resolve({"2026-01-02"}, {{0, {60, 30}}, {1, {8}}}).ok());
  CHECK(offsets == std::vector<int64_t>{60, 30, 8});
  REQUIRE(resolve({"committed"}).ok());
  CHECK(offsets == std::vector<int64_t>{50, -1, 7});
  REQUIRE(resolve({"trades/0@100", "quotes/0@5"}).ok());
  CHECK(offsets == std::vector<int64_t>{100, -1, 5});
  CHECK_THAT(resolve({"trades/0@101"}).message(), Contains("from 10 to 100"));
  CHECK_THAT(resolve({"trades/0@9"}).message(), Contains("from 10 to 100"));
  CHECK_THAT(resolve({"trades/2@0"}).message(), Contains("no partition 2"));
}

TEST_CASE("Positions that differ between group and state are not moved from") {
  Program program = Two();
  Standing standing = At(0, 0, 0, 100, 50);
  CHECK(CheckPositionsAgree(program, CommitMode::kTransactions, standing).ok());
  standing.in_state = true;
  standing.state.position.offset = 50;
  CHECK(CheckPositionsAgree(program, CommitMode::kTransactions, standing).ok());
  standing.state.position.offset = 49;
  CHECK_THAT(CheckPositionsAgree(program, CommitMode::kTransactions, standing).message(), Contains("the state belongs to 49"));
  // In the local store the state is the truth, and the group's offset only tells.
  CHECK(CheckPositionsAgree(program, CommitMode::kStore, standing).ok());
  CHECK(standing.offset(CommitMode::kStore) == 49);
}

}  // namespace
}  // namespace weir
