#include "runtime/connector/kafka/broker_version.h"

#include <catch2/catch.hpp>

#include "runtime/connector/kafka/settings.h"

using namespace weir;
using namespace weir::kafka;

namespace {

Settings Main() {
  Settings settings;
  settings.connection = "main";
  return settings;
}

}  // namespace

TEST_CASE("What librdkafka logs of a broker's requests is read, and everything else is not") {
  BrokerVersionsByAddress brokers;
  CHECK(ReadVersionLine("[thrd:a:9092/bootstrap]: a:9092/bootstrap:   ApiKey Produce (0) Versions 3..10", &brokers));
  CHECK(ReadVersionLine("[thrd:a:9092/bootstrap]: a:9092/1:   ApiKey Fetch (1) Versions 4..16", &brokers));
  CHECK(ReadVersionLine("b:9092/2:   ApiKey Fetch (1) Versions 0..11", &brokers));
  CHECK(ReadVersionLine("[thrd:main]: c:9092/3:   ApiKey Metadata (3) Versions 0..12", &brokers));
  for (const char* other : {"", "[thrd:main]: a:9092/1: Broker API support:", "a:9092/1:   ApiKey Fetch (1",
                            "]: (1) Versions 0..1", "a:9092/1:   ApiKey Fetch (1) Versions x..y"}) {
    CHECK_FALSE(ReadVersionLine(other, &brokers));
  }
  REQUIRE(brokers.size() == 2);
  CHECK(brokers["a:9092"].produce == 10);
  CHECK(brokers["a:9092"].fetch == 16);
  CHECK(brokers["b:9092"].produce == -1);
  CHECK(brokers["b:9092"].fetch == 11);
}

TEST_CASE("Brokers before 3.7 are refused, by address, about what they are, and the way out") {
  CHECK(NewEnoughForTransactions(Main(), {}, true).ok());
  CHECK(NewEnoughForTransactions(Main(), {{"a:9092", {10, 16}}, {"b:9092", {13, 18}}}, true).ok());
  // Nothing heard, or only half: nobody can say.
  CHECK(NewEnoughForTransactions(Main(), {{"a:9092", {-1, -1}}, {"b:9092", {9, -1}}}, true).ok());
  struct Old {
    BrokerVersions versions;
    const char* about;
  };
  for (const Old& old : {Old{{9, 15}, "3.5 or 3.6"}, Old{{9, 13}, "3.1 to 3.4"}, Old{{8, 12}, "2.7 to 3.0"},
                         Old{{8, 11}, "2.3 to 2.6"}, Old{{7, 8}, "older than 2.3"}}) {
    const BrokerVersionsByAddress brokers{{"a:9092", {10, 16}}, {"b:9092", old.versions}};
    Status status = NewEnoughForTransactions(Main(), brokers, true);
    CHECK(status.code() == StatusCode::kNotFound);
    CHECK_THAT(status.message(), Catch::Contains("b:9092") && Catch::Contains("`main`") && Catch::Contains(old.about) &&
                                     Catch::Contains("Kafka 3.7") && Catch::Contains("`deliver: at_least_once`"));
    // Where state is in Kafka, no `deliver` does without transactions.
    CHECK_THAT(NewEnoughForTransactions(Main(), brokers, false).message(), !Catch::Contains("deliver"));
  }
}
