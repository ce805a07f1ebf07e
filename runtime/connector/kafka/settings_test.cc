// What may be set on a Kafka connection, what the runtime keeps to itself, and what it says to Java users.
#include <catch2/catch.hpp>

#include "runtime/connector/kafka/settings.h"

using namespace weir;
using namespace weir::kafka;

namespace {

ConnectionSpec Connection(Properties properties) {
  ConnectionSpec connection;
  connection.name = "main";
  connection.kind = "kafka";
  connection.properties = std::move(properties);
  connection.properties.insert(connection.properties.begin(), {"brokers", "a:9092,b:9092"});
  return connection;
}

Status Read(Properties properties, Properties operator_settings, Settings* settings, const std::string& group = "") {
  return ReadSettings(Connection(std::move(properties)), operator_settings, group, "trades", settings);
}

// The value librdkafka ends up with.
std::string Value(const Settings& settings, Role role, const std::string& property) {
  Conf conf;
  Status status = MakeConf(settings, role, "test", &conf);
  INFO(status.ToString());
  REQUIRE(status.ok());
  char value[512];
  size_t size = sizeof value;
  if (rd_kafka_conf_get(conf.get(), property.c_str(), value, &size) != RD_KAFKA_CONF_OK) return "?";
  return value;
}

}  // namespace

TEST_CASE("The runtime's own properties are set, whoever asks for what") {
  Settings settings;
  REQUIRE(Read({}, {}, &settings).ok());
  CHECK(settings.group == "trades");
  for (Role role : {Role::kAdmin, Role::kMember, Role::kFetch}) {
    CHECK(Value(settings, role, "bootstrap.servers") == "a:9092,b:9092");
    CHECK(Value(settings, role, "group.id") == "trades");
    CHECK(Value(settings, role, "enable.auto.commit") == "false");
    CHECK(Value(settings, role, "enable.auto.offset.store") == "false");
    CHECK(Value(settings, role, "isolation.level") == "read_committed");
    CHECK(Value(settings, role, "check.crcs") == "true");
    CHECK(Value(settings, role, "partition.assignment.strategy") == "range");
    CHECK(Value(settings, role, "socket.nagle.disable") == "true");
  }
  CHECK(Value(settings, Role::kProduce, "enable.idempotence") == "true");
}

TEST_CASE("The operator's properties win over the file's") {
  Settings settings;
  REQUIRE(Read({{"kafka.linger.ms", "1"}, {"kafka.fetch.min.bytes", "10"}}, {{"kafka.linger.ms", "20"}, {"fetch.wait.max.ms", "7"}}, &settings)
              .ok());
  CHECK(Value(settings, Role::kProduce, "linger.ms") == "20");
  CHECK(Value(settings, Role::kFetch, "fetch.min.bytes") == "10");
  CHECK(Value(settings, Role::kFetch, "fetch.wait.max.ms") == "7");
  REQUIRE(Read({{"group", "of-the-file"}}, {}, &settings).ok());
  CHECK(settings.group == "of-the-file");
  REQUIRE(Read({{"group", "of-the-file"}}, {}, &settings, "of-the-operator").ok());
  CHECK(settings.group == "of-the-operator");
}

TEST_CASE("What the runtime owns is refused, with what to write instead") {
  Settings settings;
  Status status = Read({{"kafka.acks", "1"}}, {}, &settings);
  CHECK(status.code() == StatusCode::kInvalid);
  CHECK_THAT(status.message(), Catch::Contains("connection `main`") && Catch::Contains("kafka.acks") &&
                                   Catch::Contains("always `all`"));
  CHECK_THAT(Read({}, {{"kafka.auto.offset.reset", "latest"}}, &settings).message(),
             Catch::Contains("start: latest"));
  CHECK_THAT(Read({}, {{"kafka.group.id", "x"}}, &settings).message(), Catch::Contains("`group:`"));
}

TEST_CASE("Java's names are translated") {
  Settings settings;
  CHECK_THAT(Read({{"kafka.max.poll.records", "500"}}, {}, &settings).message(),
             Catch::Contains("setting of the Java clients"));
  CHECK_THAT(Read({{"kafka.buffer.memory", "1"}}, {}, &settings).message(),
             Catch::Contains("queue.buffering.max.kbytes"));
  CHECK_THAT(Read({{"kafka.sasl.jaas.config", "x"}}, {}, &settings).message(), Catch::Contains("`password:`"));
  // Names that both have are taken.
  REQUIRE(Read({{"kafka.compression.type", "lz4"}, {"kafka.max.partition.fetch.bytes", "2000000"}}, {}, &settings).ok());
  CHECK(Value(settings, Role::kProduce, "compression.codec") == "lz4");
}

TEST_CASE("An unknown property and a bad value are named when the client is made") {
  Settings settings;
  Conf conf;
  REQUIRE(Read({{"kafka.no.such.thing", "1"}}, {}, &settings).ok());
  CHECK_THAT(MakeConf(settings, Role::kFetch, "test", &conf).message(), Catch::Contains("kafka.no.such.thing"));
  Settings other;
  REQUIRE(Read({{"kafka.linger.ms", "soon"}}, {}, &other).ok());
  CHECK_THAT(MakeConf(other, Role::kProduce, "test", &conf).message(), Catch::Contains("kafka.linger.ms"));
}

TEST_CASE("TLS and SASL are said in few words") {
  Settings settings;
  REQUIRE(Read({{"tls", "true"}}, {}, &settings).ok());
  CHECK(Value(settings, Role::kFetch, "security.protocol") == "ssl");
  unsetenv("SSL_CERT_FILE");
  unsetenv("SSL_CERT_DIR");
  CHECK(Value(settings, Role::kFetch, "ssl.ca.location") == "probe");  // wherever this machine has them
  setenv("SSL_CERT_FILE", "/ca.pem", 1);
  CHECK(Value(settings, Role::kFetch, "ssl.ca.location") != "probe");  // OpenSSL takes what it is told
  unsetenv("SSL_CERT_FILE");
  Settings sasl;
  REQUIRE(Read({{"user", "u"}, {"password", "p"}}, {}, &sasl).ok());
  CHECK(Value(sasl, Role::kFetch, "security.protocol") == "sasl_plaintext");
  CHECK(Value(sasl, Role::kFetch, "sasl.mechanism") == "SCRAM-SHA-256");
  CHECK(Value(sasl, Role::kProduce, "sasl.username") == "u");
  Settings both;
  REQUIRE(Read({{"user", "u"}, {"password", "p"}, {"mechanism", "PLAIN"}, {"ca", "/ca.pem"}}, {}, &both).ok());
  CHECK(Value(both, Role::kFetch, "security.protocol") == "sasl_ssl");
  CHECK(Value(both, Role::kFetch, "sasl.mechanism") == "PLAIN");
  CHECK(Value(both, Role::kFetch, "ssl.ca.location") == "/ca.pem");
  CHECK_THAT(Read({{"mechanism", "GSSAPI"}}, {}, &both).message(), Catch::Contains("Kerberos"));
  CHECK_THAT(Read({{"mechanism", "OAUTHBEARER"}}, {}, &both).message(), Catch::Contains("`OAUTHBEARER` is not supported"));
  CHECK_THAT(Read({}, {{"kafka.sasl.mechanisms", "OAUTHBEARER"}}, &both).message(), Catch::Contains("`OAUTHBEARER` is not supported"));
}

TEST_CASE("No brokers and unknown settings of the block are errors") {
  Settings settings;
  ConnectionSpec connection;
  connection.name = "main";
  CHECK_THAT(ReadSettings(connection, {}, "", "p", &settings).message(), Catch::Contains("`brokers` is empty"));
  CHECK_THAT(Read({{"broker", "x"}}, {}, &settings).message(), Catch::Contains("`broker` is unknown"));
}

TEST_CASE("A group waits a minute for members that do not join again, and longer for longer sessions") {
  auto wait = [](const Properties& given) {
    Settings settings;
    REQUIRE(Read({}, given, &settings).ok());
    return Value(settings, Role::kMember, "max.poll.interval.ms");
  };
  CHECK(wait({}) == "90000");
  CHECK(wait({{"session.timeout.ms", "6000"}}) == "60000");
  CHECK(wait({{"session.timeout.ms", "120000"}}) == "240000");
  CHECK(wait({{"session.timeout.ms", "6000"}, {"max.poll.interval.ms", "20000"}}) == "20000");
}

TEST_CASE("A transaction ends before its member's session does") {
  auto timeout = [](const std::string& session) {
    Settings settings;
    REQUIRE(Read({}, {{"session.timeout.ms", session}}, &settings).ok());
    return TransactionTimeoutMs(settings);
  };
  CHECK(timeout("45000") == 10'000);
  CHECK(timeout("15000") == 5'000);
  CHECK(timeout("6000") == 2'000);
  CHECK(timeout("2000") == 1'000);
  Settings settings;
  REQUIRE(Read({}, {{"socket.timeout.ms", "60000"}}, &settings).ok());
  CHECK(Value(settings, Role::kTransact, "transaction.timeout.ms") == "10000");
  CHECK(Value(settings, Role::kTransact, "socket.timeout.ms") == "9900");
  CHECK(Value(settings, Role::kTransact, "enable.idempotence") == "true");
}
