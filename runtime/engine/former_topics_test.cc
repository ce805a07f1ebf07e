#include "runtime/engine/former_topics.h"

#include <catch2/catch.hpp>

#include "runtime/core/hash.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/input.h"
#include "runtime/engine/topic_names.h"
#include "runtime/state/changelog.h"
#include "runtime/state/store.h"

namespace weir {
namespace {

using Catch::Contains;

Str View(const std::string& text) { return Str(std::string_view(text)); }

struct Record {
  std::string key, value;
  bool has_value = true;
};

// Topics as partitions of committed records.
class Topics final : public TopicAccess {
 public:
  Status Names(std::vector<std::string>* names) override {
    for (const auto& [name, partitions] : topics) names->push_back(name);
    return Status();
  }
  Status Read(const std::string& topic, const std::map<int32_t, int64_t>& from, const Visitor& visitor) override {
    if (denied == topic) return Status::Denied("no right to read topic `" + topic + "`");
    bool stop = false;
    const auto& partitions = topics.at(topic);
    for (int32_t p = 0; p < static_cast<int32_t>(partitions.size()); ++p) {
      const auto& records = partitions[static_cast<size_t>(p)];
      auto at = from.find(p);
      for (size_t i = at == from.end() ? 0 : static_cast<size_t>(at->second); i < records.size() && !stop; ++i) {
        Str value = View(records[i].value);
        ++read;
        visitor(p, View(records[i].key), records[i].has_value ? &value : nullptr, &stop);
      }
    }
    return Status();
  }
  std::string DeleteCommand(const std::string& topic) const override { return "delete " + topic; }

  std::map<std::string, std::vector<std::vector<Record>>> topics;
  std::string denied;
  uint64_t read = 0;
};

Record Change(const std::string& step, StateKind kind, int32_t partition, const std::string& key, const std::string& value) {
  Buffer full, sealed;
  AppendStoreKey(Hash(View(step)), kind, partition, View(key), &full);
  SealChange(full.str(), View(value), &sealed);
  return {std::string(full.str().view()), std::string(sealed.str().view())};
}

Record Identity(const std::string& pipeline, int32_t partition = 0, int version = 1) {
  StoreIdentity identity;
  identity.pipeline = pipeline;
  identity.version = version;
  for (const char* step : {"orders", "orders.a", "bars.window"}) identity.steps.push_back({step, "", Hash(View(step)), 1});
  Buffer bytes;
  WriteIdentity(identity, &bytes);
  return Change("orders", StateKind::kIdentity, partition, "", std::string(bytes.str().view()));
}

Record Read(int64_t offset, int32_t partition = 0) {
  StoredSource stored;
  stored.position.offset = offset;
  Buffer bytes;
  RowWriter row(&bytes);
  WriteStoredSource(stored, row);
  return Change("bars.window.rekey", StateKind::kSource, partition, "", std::string(bytes.str().view()));
}

Record Pending(const std::string& slot, const std::string& row = "row", int32_t partition = 0) {
  return Change("orders.a", StateKind::kRow, partition, slot, row);
}

Record Window(const std::string& key) { return Change("bars.window", StateKind::kWindow, 0, key, "window"); }

Record Removed(Record record) {
  record.has_value = false;
  return record;
}

Record Rekeyed(char kind) {
  Buffer sealed;
  SealChange(Str(), View(std::string(1, kind) + "item"), &sealed);
  return {"", std::string(sealed.str().view())};
}
const Record kRow = Rekeyed(ExchangeBatch::kRow), kWatermark = Rekeyed(ExchangeBatch::kWatermark);

Program Of(const std::string& name) {
  Program program;
  program.name = name;
  program.transactional = true;
  program.steps = {{"trades", "source", 3}};
  StageSpec stage;
  stage.name = "trades";
  stage.source = 0;
  program.stages = {stage};
  SourceSpec source;
  source.name = "trades";
  program.sources = {source};
  return program;
}

std::vector<FormerTopic> Find(Topics& topics, const std::string& pipeline = "p") {
  std::vector<FormerTopic> found;
  Status status = FindFormerTopics(Of(pipeline), topics, &found);
  INFO(status.message());
  CHECK(status.ok());
  return found;
}

TEST_CASE("pending requests and open windows of a stage that is no more are a problem, with what to do", "[former_topics]") {
  Topics topics;
  topics.topics["p.orders.changelog"] = {{Identity("p", 0, 4), Pending("1"), Pending("2"), Window("a"), Window("b"), Removed(Window("b"))},
                                         {Identity("p", 1), Pending("1", "row", 1)}};
  std::vector<FormerTopic> found = Find(topics);
  REQUIRE(found.size() == 1);
  CHECK(found[0].topic == "p.orders.changelog");
  CHECK(found[0].own);
  CHECK(found[0].warning == "");
  for (const char* part : {"1 open window of `bars.window`", "3 pending requests of `orders.a`", "(version 4)", "`state list`",
                           "delete p.orders.changelog", "`reset`"}) {
    CHECK_THAT(found[0].problem, Contains(part));
  }
}

TEST_CASE("what was ended there waits no more, and the topic may be deleted", "[former_topics]") {
  Topics topics;
  topics.topics["p.orders.changelog"] = {
      {Identity("p"), Read(17), Pending("1"), Window("a"), Pending("1", ""), Removed(Window("a"))}};
  std::vector<FormerTopic> found = Find(topics);
  REQUIRE(found.size() == 1);
  CHECK(found[0].own);
  CHECK(found[0].problem == "");
  CHECK(found[0].waits == "");
  CHECK_THAT(found[0].warning, Contains("`p.orders.changelog`") && Contains("delete p.orders.changelog"));
}

TEST_CASE("rows that were re-keyed and not read are a problem, those that were read and watermarks are none", "[former_topics]") {
  Topics topics;
  topics.topics["p.bars.window.rekey.changelog"] = {{Identity("p", 0), Read(2, 0)}, {Identity("p", 1), Read(1, 1)}};
  topics.topics["p.bars.window.rekey.rekey"] = {{kRow, kRow, kRow, kWatermark, kRow}, {kRow, kWatermark}};
  std::vector<FormerTopic> found = Find(topics);
  REQUIRE(found.size() == 2);
  CHECK(found[0].problem == "");
  CHECK(found[1].own);
  CHECK(found[1].rekey);
  for (const char* part : {"`p.bars.window.rekey.rekey`", "2 rows that nobody has read", "--stop-at-end", "`reset`",
                           "delete p.bars.window.rekey.rekey\n  delete p.bars.window.rekey.changelog"}) {
    CHECK_THAT(found[1].problem, Contains(part));
  }
  topics.topics["p.bars.window.rekey.changelog"][0].push_back(Read(5, 0));
  found = Find(topics);
  REQUIRE(found.size() == 2);
  CHECK(found[1].problem == "");
  CHECK_THAT(found[1].warning, Contains("`p.bars.window.rekey.rekey`"));
}

TEST_CASE("topics that the program has, and those of others, are left alone", "[former_topics]") {
  Topics topics;
  const std::vector<std::vector<Record>> of_neighbour = {{Identity("p.orders"), Pending("1"), Pending("2")}};
  topics.topics["p.trades.changelog"] = {{Identity("p"), Pending("1")}};
  topics.topics["p.orders.trades.changelog"] = of_neighbour;
  topics.topics["p.orders.bars.window.rekey.changelog"] = of_neighbour;
  topics.topics["p.orders.bars.window.rekey.rekey"] = {{kRow}};
  topics.topics["p2.orders.changelog"] = {{Identity("p2"), Pending("1")}};
  topics.topics["p.changelog"] = topics.topics["p..changelog"] = {{Identity("p"), Pending("1")}};
  topics.topics["p.someone.changelog"] = {{{"a key that is long enough", "a value"}, Identity("p"), Pending("1")}};
  topics.topics["p.someone.rekey"] = {{{"", "a value"}, kRow}};
  topics.topics["p.anyone.rekey"] = {{{"", "a value"}, kRow}};
  topics.topics["p.made.changelog"] = topics.topics["p.made.rekey"] = {{}, {}};  // and never written to
  CHECK(Find(topics).empty());
  // Of the neighbour's nothing is read behind what says whose it is.
  CHECK(topics.read == 4);
  CHECK(Find(topics, "p.orders").size() == 2);
}

TEST_CASE("names are compared as topics have them", "[former_topics]") {
  Topics topics;
  topics.topics["my-p.trades.changelog"] = topics.topics["my-p.orders.changelog"] = {{Identity("my p"), Pending("1")}};
  std::vector<FormerTopic> found = Find(topics, "my p");
  REQUIRE(found.size() == 1);
  CHECK(found[0].topic == "my-p.orders.changelog");
  CHECK(Find(topics, "my-p").empty());
}

TEST_CASE("what cannot be told is said, and refused only where the topic is known to be the pipeline's", "[former_topics]") {
  Topics topics;
  SECTION("there is no right to read it") {
    topics.topics["p.orders.changelog"] = {{Identity("p"), Pending("1")}};
    topics.denied = "p.orders.changelog";
  }
  SECTION("rows of nobody knows whom") { topics.topics["p.bars.window.rekey.rekey"] = {{kRow, kRow}}; }
  SECTION("requests of nobody knows whom") { topics.topics["p.orders.changelog"] = {{Pending("1")}}; }
  std::vector<FormerTopic> found = Find(topics);
  REQUIRE(found.size() == 1);
  CHECK_FALSE(found[0].own);
  CHECK(found[0].problem == "");
  CHECK_THAT(found[0].warning, Contains("no right to read") || Contains("2 rows that") || Contains("1 pending request of"));
}

TEST_CASE("whose a changelog is may be written behind what is older, and behind damage", "[former_topics]") {
  Topics topics;
  std::vector<Record>& records = topics.topics["p.orders.changelog"].emplace_back();
  Record damaged = Pending("3");
  damaged.value[0] ^= 1;
  SECTION("of another pipeline") {
    records = {Pending("1"), Pending("2"), Identity("p.orders"), Pending("3")};
    CHECK(Find(topics).empty());
    CHECK(topics.read == 3);
  }
  SECTION("of this one") {
    records = {Pending("1"), Pending("2"), Identity("p"), Pending("2", "")};
    std::vector<FormerTopic> found = Find(topics);
    REQUIRE(found.size() == 1);
    CHECK_THAT(found[0].problem, Contains("1 pending request of `orders.a`"));
  }
  SECTION("of this one, and damaged before") {
    records = {Pending("1"), Pending("1", ""), damaged, Identity("p")};
    std::vector<FormerTopic> found = Find(topics);
    REQUIRE(found.size() == 1);
    CHECK_THAT(found[0].problem, Contains("is damaged"));
  }
  SECTION("in words that this Weir does not know") {
    Record newer = Identity("p");
    Buffer sealed;
    SealChange(View(newer.key), View("a layout of years to come"), &sealed);
    newer.value = std::string(sealed.str().view());
    records = {Pending("1"), Pending("1", ""), newer};
    std::vector<FormerTopic> found = Find(topics);
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0].own);
    CHECK_THAT(found[0].warning, Contains("is damaged, or of a newer Weir"));
  }
}

TEST_CASE("a damaged topic of a stage that is no more is a problem", "[former_topics]") {
  Topics topics;
  topics.topics["p.orders.changelog"] = {{Identity("p"), Pending("1"), Pending("1", "")}};
  topics.topics["p.orders.changelog"][0].back().value[0] ^= 1;
  std::vector<FormerTopic> found = Find(topics);
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].problem, Contains("damaged"));
}

}  // namespace
}  // namespace weir
