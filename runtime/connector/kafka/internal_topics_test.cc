#include "runtime/connector/kafka/internal_topics.h"

#include <catch2/catch.hpp>

using namespace weir;
using namespace weir::kafka;
using Catch::Contains;

namespace {

Settings Main() {
  Settings settings;
  settings.connection = "main";
  settings.brokers = "kafka-1:9092,kafka-2:9092";
  return settings;
}

InternalTopic Example(bool rekey) {
  InternalTopic topic;
  topic.topic = rekey ? "p.bars.rekey" : "p.trades.changelog";
  topic.stage = rekey ? "bars" : "trades";
  topic.rekey = rekey;
  topic.partitions = 3;
  return topic;
}

// As a start makes it, and as brokers then show it.
TopicSettings Made(bool rekey) {
  TopicSettings settings = {{"segment.bytes", "67108864"},
                            {"message.timestamp.type", "CreateTime"},
                            {"max.message.bytes", "8388608"},
                            {"compression.type", "producer"}};
  if (rekey) {
    settings.insert(
        {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"retention.bytes", "-1"}, {"segment.ms", "604800000"}});
  } else {
    settings.insert({{"cleanup.policy", "compact"}, {"segment.ms", "600000"}, {"delete.retention.ms", "259200000"},
                     {"min.cleanable.dirty.ratio", "0.3"}, {"retention.ms", "604800000"}});
  }
  return settings;
}

SettingsVerdict With(bool rekey, const std::string& name, const std::string& value) {
  TopicSettings settings = Made(rekey);
  settings[name] = value;
  return JudgeSettings(Main(), Example(rekey), settings);
}

}  // namespace

TEST_CASE("Topics as a start makes them are fine, and so are larger limits") {
  for (bool rekey : {false, true}) {
    SettingsVerdict verdict = JudgeSettings(Main(), Example(rekey), Made(rekey));
    CHECK(verdict.refusal + verdict.warning == "");
    CHECK(With(rekey, "max.message.bytes", "20000000").warning == "");
    // A broker that says nothing of a setting is no reason not to start.
    CHECK(JudgeSettings(Main(), Example(rekey), {}).warning == "");
  }
  CHECK(With(false, "delete.retention.ms", "604800000").warning == "");
  CHECK(With(false, "min.cleanable.dirty.ratio", "0.1").warning == "");
}

TEST_CASE("A setting by which state or rows are lost is refused, with the command that changes it") {
  struct Bad {
    bool rekey;
    const char *name, *value, *wanted;
  };
  for (const Bad& bad :
       {Bad{false, "cleanup.policy", "delete", "compact"}, Bad{false, "cleanup.policy", "compact,delete", "compact"},
        Bad{false, "delete.retention.ms", "599999", "259200000"}, Bad{true, "cleanup.policy", "compact", "delete"},
        Bad{true, "cleanup.policy", "delete,compact", "delete"}, Bad{true, "retention.ms", "604800000", "-1"},
        Bad{true, "retention.bytes", "1073741824", "-1"}}) {
    INFO(bad.name << "=" << bad.value);
    SettingsVerdict verdict = With(bad.rekey, bad.name, bad.value);
    CHECK(verdict.warning == "");
    CHECK_THAT(verdict.refusal,
               Contains(Example(bad.rekey).topic) && Contains("connection `main`") &&
                   Contains(Example(bad.rekey).stage) &&
                   Contains(std::string(bad.name) + "=" + bad.value + " instead of " + bad.wanted) &&
                   Contains("\n  kafka-configs.sh --bootstrap-server kafka-1:9092 --alter --entity-type topics "
                            "--entity-name " +
                            Example(bad.rekey).topic + " --add-config " + bad.name + "=" + bad.wanted));
  }
}

TEST_CASE("A setting that only costs something is a warning with both values and the command") {
  struct Costly {
    bool rekey;
    const char *name, *value, *wanted;
  };
  for (const Costly& costly :
       {Costly{false, "segment.bytes", "1073741824", "67108864"}, Costly{false, "segment.ms", "604800000", "600000"},
        Costly{false, "delete.retention.ms", "86400000", "259200000"},
        Costly{false, "min.cleanable.dirty.ratio", "0.5", "0.3"},
        Costly{false, "message.timestamp.type", "LogAppendTime", "CreateTime"},
        Costly{false, "max.message.bytes", "1048588", "8388608"},
        Costly{true, "segment.bytes", "1073741824", "67108864"},
        Costly{true, "max.message.bytes", "1048588", "8388608"},
        Costly{true, "message.timestamp.type", "LogAppendTime", "CreateTime"}}) {
    INFO(costly.name << "=" << costly.value);
    SettingsVerdict verdict = With(costly.rekey, costly.name, costly.value);
    CHECK(verdict.refusal == "");
    CHECK_THAT(verdict.warning,
               Contains(Example(costly.rekey).topic) &&
                   Contains(std::string(costly.name) + "=" + costly.value + " instead of " + costly.wanted) &&
                   Contains(std::string("--add-config ") + costly.name + "=" + costly.wanted));
  }
  // One command for all of them, and none for what is refused.
  TopicSettings settings = Made(false);
  settings["segment.ms"] = "604800000";
  settings["segment.bytes"] = "1073741824";
  settings["cleanup.policy"] = "delete";
  SettingsVerdict verdict = JudgeSettings(Main(), Example(false), settings);
  CHECK_THAT(verdict.warning, Catch::EndsWith("--add-config segment.bytes=67108864,segment.ms=600000"));
  CHECK_THAT(verdict.refusal, Catch::EndsWith("--add-config cleanup.policy=compact"));
}
