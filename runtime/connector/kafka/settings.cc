// What may be set, what the runtime owns, and what a property is called in Java.
#include "runtime/connector/kafka/settings.h"

#include <algorithm>
#include <cstdlib>

namespace weir::kafka {
namespace {

constexpr int kSessionMs = 45'000;  // librdkafka's default
constexpr int kTransactionMsMax = 10'000;
constexpr int kRebalanceMs = 60'000;
constexpr int kBelowSessionMs = 10'000;

struct Owned {
  const char* property;
  const char* instead;
};

// Delivery and order rest on these.
constexpr Owned kOwned[] = {
    {"bootstrap.servers", "write `brokers:` in the connection's block"},
    {"metadata.broker.list", "write `brokers:` in the connection's block"},
    {"group.id", "write `group:` in the connection's block"},
    {"group.instance.id", "it comes from the state directory"},
    {"group.protocol", "the group's members take part in the commit protocol"},
    {"partition.assignment.strategy", "all workers use `range`"},
    {"client.id", "it names the pipeline and its worker"},
    {"enable.auto.commit", "offsets are committed when their records are finished"},
    {"enable.auto.offset.store", "offsets are committed when their records are finished"},
    {"auto.commit.interval.ms", "write `commit:` in the pipeline's block"},
    {"auto.offset.reset", "write `start: earliest` or `start: latest` in the source's block"},
    {"enable.partition.eof", "the runtime needs to know when it has read everything"},
    {"isolation.level", "aborted transactions are never read"},
    {"check.crcs", "damaged records are always noticed"},
    {"enable.idempotence", "it is always on: otherwise a retry could write twice or change the order"},
    {"acks", "it is always `all`: otherwise an acknowledged record could be lost"},
    {"request.required.acks", "`acks` is always `all`"},
    {"transactional.id", "it comes from the state directory"},
    {"transaction.timeout.ms", "it follows `kafka.session.timeout.ms`"},
    {"max.in.flight", "order and idempotence limit it to 5"},
    {"max.in.flight.requests.per.connection", "order and idempotence limit it to 5"},
    {"retries", "records are sent until they are acknowledged"},
    {"message.send.max.retries", "records are sent until they are acknowledged"},
    {"message.timeout.ms", "records are sent until they are acknowledged"},
    {"delivery.timeout.ms", "records are sent until they are acknowledged"},
    {"delivery.report.only.error", "the runtime counts every acknowledgement"},
    {"partitioner", "it is always `murmur2_random`, as in Java clients"},
    {"opaque", "the runtime uses it"},
    {"plugin.library.paths", "a static executable loads no plugins"},
    {"enable.sasl.oauthbearer.unsecure.jwt", "unsigned tokens protect nothing"},
};

// Properties of the Java clients that librdkafka calls otherwise or does not have.
constexpr Owned kJava[] = {
    {"max.poll.records", "batches are bounded by what the pipeline takes; leave it out"},
    {"fetch.max.wait.ms", "write `kafka.fetch.wait.max.ms`"},
    {"max.request.size", "write `kafka.message.max.bytes`"},
    {"buffer.memory", "write `kafka.queue.buffering.max.kbytes` (in KiB)"},
    {"max.block.ms", "a full buffer slows the pipeline down; leave it out"},
    {"receive.buffer.bytes", "write `kafka.socket.receive.buffer.bytes`"},
    {"send.buffer.bytes", "write `kafka.socket.send.buffer.bytes`"},
    {"default.api.timeout.ms", "leave it out"},
    {"key.serializer", "the sink's `key:` and `format:` decide; leave it out"},
    {"value.serializer", "the sink's `format:` decides; leave it out"},
    {"key.deserializer", "the source's `format:` decides; leave it out"},
    {"value.deserializer", "the source's `format:` decides; leave it out"},
    {"interceptor.classes", "there are no interceptors; leave it out"},
    {"metric.reporters", "metrics are at /metrics; leave it out"},
    {"partitioner.class", "keys are partitioned as Java's default does; leave it out"},
    {"ssl.truststore.location", "write `ca:` with a PEM file: keytool -exportcert -rfc … prints one"},
    {"ssl.truststore.password", "PEM files of authorities need none; leave it out"},
    {"ssl.truststore.type", "write `ca:` with a PEM file"},
    {"ssl.keystore.type", "`kafka.ssl.keystore.location` takes PKCS#12"},
    {"sasl.jaas.config", "write `user:` and `password:` in the connection's block"},
    {"sasl.login.class", "leave it out"},
    {"sasl.client.callback.handler.class", "leave it out"},
    {"sasl.login.callback.handler.class", "leave it out"},
    {"allow.auto.create.topics", "topics are never created behind your back; leave it out"},
    {"exclude.internal.topics", "leave it out"},
    {"processing.guarantee", "write `deliver:` in the pipeline's block"},
    {"application.id", "write `group:` in the connection's block"},
    {"num.stream.threads", "start the pipeline with `--workers`"},
    {"state.dir", "start the pipeline with `--state`"},
    {"commit.interval.ms", "write `commit:` in the pipeline's block"},
};

std::string Named(const Settings& settings, const std::string& setting) {
  return "connection `" + settings.connection + "`: setting `" + setting + "`";
}

Status CheckProperty(const Settings& settings, const std::string& property) {
  for (const Owned& owned : kOwned) {
    if (property == owned.property) {
      return Status::Invalid(Named(settings, "kafka." + property) + " belongs to the runtime: " + owned.instead);
    }
  }
  for (const Owned& java : kJava) {
    if (property == java.property) {
      return Status::Invalid(Named(settings, "kafka." + property) + " is a setting of the Java clients: " +
                             java.instead);
    }
  }
  return Status();
}

Status Set(const Settings& settings, rd_kafka_conf_t* conf, const std::string& property, const std::string& value) {
  char error[512] = "";
  switch (rd_kafka_conf_set(conf, property.c_str(), value.c_str(), error, sizeof error)) {
    case RD_KAFKA_CONF_OK:
      return Status();
    case RD_KAFKA_CONF_UNKNOWN:
      return Status::Invalid(Named(settings, "kafka." + property) +
                             " is no property of librdkafka 2.8: see its CONFIGURATION.md");
    default:
      // librdkafka's text quotes the value of nothing that is secret.
      return Status::Invalid(Named(settings, "kafka." + property) + ": " + error);
  }
}

}  // namespace

const std::string* Settings::Find(const std::string& property) const {
  for (auto it = properties.rbegin(); it != properties.rend(); ++it) {
    if (it->first == property) return &it->second;
  }
  return nullptr;
}

Status ReadSettings(const ConnectionSpec& connection, const Properties& operator_settings,
                    const std::string& operator_group, const std::string& pipeline, Settings* settings) {
  *settings = Settings();
  settings->connection = connection.name;
  settings->line = connection.line;
  settings->group = pipeline;
  bool tls = false;
  std::string user, password, mechanism = "SCRAM-SHA-256";
  bool has_mechanism = false;
  std::vector<std::pair<std::string, std::string>> own;
  for (const Property& property : connection.properties) {
    if (property.name == "brokers") {
      settings->brokers = property.value;
    } else if (property.name == "group") {
      settings->group = property.value;
    } else if (property.name == "tls") {
      tls = property.value == "true";
    } else if (property.name == "ca") {
      tls = true;
      own.push_back({"ssl.ca.location", property.value});
    } else if (property.name == "user") {
      user = property.value;
    } else if (property.name == "password") {
      password = property.value;
    } else if (property.name == "mechanism") {
      mechanism = property.value;
      has_mechanism = true;
    } else if (property.name.starts_with("kafka.")) {
      settings->properties.push_back({property.name.substr(6), property.value});
    } else {
      return Status::Invalid(Named(*settings, property.name) + " is unknown");
    }
  }
  for (const Property& property : operator_settings) {
    size_t skip = property.name.starts_with("kafka.") ? 6 : 0;
    settings->properties.push_back({property.name.substr(skip), property.value});
  }
  if (!operator_group.empty()) settings->group = operator_group;
  if (settings->brokers.empty()) {
    return Status::Invalid(Named(*settings, "brokers") + " is empty: write at least one host:port");
  }
  for (const auto& [name, value] : settings->properties) {
    if (Status status = CheckProperty(*settings, name); !status.ok()) return status;
  }
  if (const std::string* set = settings->Find("sasl.mechanisms")) mechanism = *set;
  if (const std::string* set = settings->Find("sasl.mechanism")) mechanism = *set;
  if (mechanism != "PLAIN" && mechanism != "SCRAM-SHA-256" && mechanism != "SCRAM-SHA-512") {
    return Status::Invalid(Named(*settings, "mechanism") + ": " +
                           (mechanism == "GSSAPI" ? "Kerberos (GSSAPI)" : "`" + mechanism + "`") +
                           " is not supported; use SCRAM-SHA-512, SCRAM-SHA-256, PLAIN or a client certificate");
  }
  if (!user.empty() || has_mechanism) {
    own.push_back({"sasl.mechanism", mechanism});
    own.push_back({"sasl.username", user});
    own.push_back({"sasl.password", password});
    own.push_back({"security.protocol", tls ? "SASL_SSL" : "SASL_PLAINTEXT"});
  } else if (tls) {
    own.push_back({"security.protocol", "SSL"});
  }
  settings->properties.insert(settings->properties.begin(), own.begin(), own.end());
  return Status();
}

int SessionMs(const Settings& settings) {
  const std::string* set = settings.Find("session.timeout.ms");
  return set ? atoi(set->c_str()) : kSessionMs;
}

int TransactionTimeoutMs(const Settings& settings) {
  int session = SessionMs(settings);
  int below = session - kBelowSessionMs;
  if (below < 2'000) below = std::clamp(session / 3, 1'000, 2'000);
  return std::min(below, kTransactionMsMax);
}

Status MakeConf(const Settings& settings, Role role, const std::string& client_id, Conf* out) {
  Conf conf(rd_kafka_conf_new());
  std::vector<std::pair<std::string, std::string>> before = {
      // Defaults that an operator may override.
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
      // When a broker dies, librdkafka asks at once who leads its partitions now, which nobody knows yet, and then no
      // more before this time.
      {"topic.metadata.refresh.interval.ms", "5000"},
      // Metrics are at /metrics, not pushed to the broker; and librdkafka's mock cluster falls silent when asked for
      // telemetry subscriptions.
      {"enable.metrics.push", "false"},
  };
  // Where this machine's authorities are depends on who made it, and OpenSSL knows Debian's place only, and these two.
  if (std::getenv("SSL_CERT_FILE") == nullptr && std::getenv("SSL_CERT_DIR") == nullptr) {
    before.push_back({"ssl.ca.location", "probe"});
  }
  if (role == Role::kFetch) {
    // A partition's queue that is full is looked at again after this time; librdkafka's default of 1 s stalls.
    before.push_back({"fetch.queue.backoff.ms", "2"});
    before.push_back({"queued.min.messages", "100000"});
    // How long a fetch waits for news at the end of all its partitions. Records that come end the wait at once, but a
    // partition that is added meanwhile waits for it, once for its offset and once for its records.
    before.push_back({"fetch.wait.max.ms", "100"});
  }
  if (role == Role::kMember) {
    // So long the broker waits for members that do not join again, also for those that are no more: one that was away for
    // longer than their sessions does not always see dynamic ones end (Kafka 4.1; ours are static). librdkafka's 5 minutes
    // are a long standstill, and a member that polls many times a second needs none of them.
    before.push_back({"max.poll.interval.ms", std::to_string(std::max(kRebalanceMs, std::min(SessionMs(settings), kRebalanceMs * 10) * 2))});
  }
  bool producer = role == Role::kProduce || role == Role::kTransact;
  if (producer) before.push_back({"linger.ms", "5"});
  for (const auto& [name, value] : before) {
    if (Status status = Set(settings, conf.get(), name, value); !status.ok()) return status;
  }
  for (const auto& [name, value] : settings.properties) {
    // Bounds that the runtime keeps itself: see writer.cc.
    if (name == "queue.buffering.max.kbytes" || name == "queue.buffering.max.messages") continue;
    if (Status status = Set(settings, conf.get(), name, value); !status.ok()) return status;
  }
  std::vector<std::pair<std::string, std::string>> after = {
      {"bootstrap.servers", settings.brokers},
      {"client.id", client_id},
      {"log.connection.close", "false"},
  };
  if (producer) {
    after.insert(after.end(), {{"enable.idempotence", "true"},
                               {"acks", "all"},
                               {"partitioner", "murmur2_random"},
                               {"message.timeout.ms", "0"},  // until it is acknowledged
                               {"queue.buffering.max.messages", "0"},
                               {"queue.buffering.max.kbytes", "2147483647"}});
  }
  if (role == Role::kTransact) {
    // A transaction that is older than its time-out cannot be committed: neither records nor requests are sent longer.
    int timeout = TransactionTimeoutMs(settings);
    int answer = timeout - 100;
    if (const std::string* set = settings.Find("socket.timeout.ms")) answer = std::min(answer, atoi(set->c_str()));
    after.insert(after.end(), {{"transaction.timeout.ms", std::to_string(timeout)},
                               {"message.timeout.ms", std::to_string(timeout)},
                               {"socket.timeout.ms", std::to_string(answer)}});
  }
  if (!producer) {
    after.insert(after.end(), {{"group.id", settings.group},
                               {"enable.auto.commit", "false"},
                               {"enable.auto.offset.store", "false"},
                               {"auto.offset.reset", "error"},
                               {"isolation.level", "read_committed"},
                               {"enable.partition.eof", "true"},
                               {"check.crcs", "true"},
                               {"partition.assignment.strategy", "range"},
                               {"allow.auto.create.topics", "false"}});
  }
  for (const auto& [name, value] : after) {
    if (Status status = Set(settings, conf.get(), name, value); !status.ok()) return status;
  }
  *out = std::move(conf);
  return Status();
}

}  // namespace weir::kafka
