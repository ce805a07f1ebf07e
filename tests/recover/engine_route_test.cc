// Failure routes: dead letters and their forms, stops, refused records, writes that fail, state that does not fit.
#include <catch2/catch.hpp>

#include "runtime/engine/dead_letter.h"
#include "tests/recover/engine_rig.h"

namespace weir {
namespace {

SampleOptions Plain() {
  SampleOptions options;
  options.with_lookup = false;
  options.with_window = false;
  return options;
}

TEST_CASE("a dead letter says what, where and why, with the record's bytes") {
  EngineRig rig(Plain());
  MemoryRecord record;
  record.value = "{\"id\":1,\"key\":\"a\",";
  record.has_key = true;
  record.key = "k";
  record.headers = {{"trace", "7"}, {"bin", "\xff"}};
  rig.world.topic("events").partitions[0].records.push_back(record);
  rig.world.topic("events").Add(0, "\xff\x00z", "\xfe");
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  std::vector<MemoryRecord>& dead = rig.world.output("dead").records;
  REQUIRE(dead.size() == 2);
  CHECK(dead[0].value ==
        R"({"pipeline":"sample","step":"events","line":1,"reason":"bad_input","detail":"byte 18: field `key`: the text ends where a field's name in quotes is expected",)"
        R"("source":"events","path":"events","partition":0,"offset":0,"key":"k","headers":{"trace":"7"},"headers_base64":{"bin":"/w=="},)"
        R"("value":"{\"id\":1,\"key\":\"a\","})");
  CHECK(dead[0].key == "k");
  CHECK_THAT(dead[1].value, Catch::Contains(R"("key_base64":"/g==")") && Catch::Contains(R"("value_base64":"/w==")"));
}

TEST_CASE("a dead letter to a topic without a format keeps the record as it was") {
  Program program = BuildSample(Plain());
  program.sinks[2].operation = "topic";
  program.sinks[2].format = Format::kRaw;
  program.sources[0].operation = "topic";
  program.sources[0].address = "trades";
  Header headers[] = {{Str("trace"), Str("7"), true}};
  Meta meta;
  meta.partition = 3;
  meta.offset = 42;
  meta.has_key = true;
  meta.key = Str("k");
  meta.headers = Headers{headers, 1};
  meta.has_raw = true;
  std::string value(3000, 'v');
  meta.raw = Str(std::string_view(value));
  DeadLetter letter;
  letter.step = kSampleAccount;
  letter.reason = DeadReason::kLookupTimeout;
  letter.detail = Str("no answer in 100ms");
  letter.meta = &meta;
  auto write = [&](size_t bytes_max) {
    program.sinks[2].properties = {{"max_bytes", std::to_string(bytes_max)}};
    OutputBuffer out;
    out.records.emplace_back();
    WriteDeadLetter(program, DeadLetterFormOf(program.sinks[2]), letter, out);
    const OutputRecord& record = out.records[0];
    std::string text = "key " + std::string(out.bytes.data() + record.key_begin, record.key_size) + "\n";
    for (uint32_t i = 0; i < record.headers_size; ++i) {
      const OutputHeader& header = out.headers[record.headers_begin + i];
      text += std::string(out.bytes.data() + header.name_begin, header.name_size) + ": " +
              std::string(out.bytes.data() + header.value_begin, header.value_size) + "\n";
    }
    return std::make_pair(text, std::string(out.bytes.data() + record.value_begin, record.value_size));
  };
  std::string head =
      "key k\ntrace: 7\nweir.pipeline: sample\nweir.step: enriched.account\nweir.line: 4\nweir.reason: lookup_timeout\n"
      "weir.detail: no answer in 100ms\nweir.source: events\nweir.topic: trades\nweir.partition: 3\nweir.offset: 42\n";
  auto [text, bytes] = write(1'000'000);
  CHECK(text == head);
  CHECK(bytes == value);
  // Cut to fit, with length and hash of the whole.
  value.assign(100'000, 'v');
  meta.raw = Str(std::string_view(value));
  std::tie(text, bytes) = write(4096);
  CHECK_THAT(text, Catch::StartsWith(head) && Catch::Contains("weir.value_size: 100000\nweir.value_hash: "));
  CHECK(bytes.size() < 3200);
  CHECK(bytes.size() > 2000);
  CHECK(value.compare(0, bytes.size(), bytes) == 0);
}

TEST_CASE("a dead letter as JSON is cut to fit, whatever its bytes are") {
  Program program = BuildSample(Plain());
  Meta meta;
  meta.has_raw = true;
  DeadLetter letter;
  letter.meta = &meta;
  for (const std::string& piece : {std::string("v"), std::string("\n"), std::string("\xff"), std::string("é"), std::string("\"")}) {
    for (size_t bytes_max : {4096u, 5000u, 100'000u}) {
      std::string value;
      while (value.size() < 300'000) value += piece;
      meta.raw = Str(std::string_view(value));
      std::string detail(10'000, 'd');
      letter.detail = Str(std::string_view(detail));
      Buffer out;
      WriteDeadLetterJson(program, letter, bytes_max, &out);
      CHECK(out.size() <= std::max<size_t>(bytes_max, 6000));
      std::string text(out.str().view());
      CHECK(FieldOf(text, "value_size") == std::to_string(value.size()));
      CHECK(FieldOf(text, "value_hash").size() == 32);
    }
  }
}

TEST_CASE("`stop` ends with its own code, commits nothing of the epoch, and stops again at the same record") {
  SampleOptions options = Plain();
  options.bad_deadletter = -2;
  EngineRig rig(options);
  for (int i = 1; i <= 5; ++i) rig.Add(i, i);
  rig.world.topic("events").Add(0, "poison");
  rig.Add(6, 6);
  for (int life = 0; life < 3; ++life) {
    REQUIRE(rig.Start().ok());
    rig.For(kSecond);
    REQUIRE(rig.engine->ended());
    CHECK(rig.engine->exit_code() == ExitCode::kStopped);
    CHECK(rig.engine->message_line() == 1);
    CHECK_THAT(rig.engine->message(), Catch::StartsWith("`events` stops the pipeline: the record of `events` at partition "
                                                        "0, offset 5 (bad_input: "));
    CHECK(rig.rig.Values("out").empty());
  }
}

TEST_CASE("a record its sink can never take becomes a dead letter, is dropped or stops") {
  for (int route : {0, -1, -2}) {
    for (bool later : {false, true}) {
      for (bool dead_streams : {false, true}) {
        INFO(route << later << dead_streams);
        EngineRig rig(Plain());
        rig.world.MakeStreaming("out");
        if (dead_streams) rig.world.MakeStreaming("dead");
        rig.rig.program.sinks[0].on_refused_deadletter = route;
        auto refuse = [](const MemoryRecord& record) {
          return FieldOf(record.value, "id") == "2" ? std::string("too large") : std::string();
        };
        rig.world.output("out").ack_ns_max = 50 * kMs;
        (later ? rig.world.output("out").refuse_later : rig.world.output("out").refuse) = refuse;
        for (int i = 1; i <= 3; ++i) rig.Add(i, i);
        REQUIRE(rig.Start().ok());
        rig.For(kSecond);
        if (route == -2) {
          CHECK(rig.engine->exit_code() == ExitCode::kStopped);
          CHECK_THAT(rig.engine->message(), Catch::Contains("sink `out` cannot take a record: too large"));
          continue;
        }
        REQUIRE(!rig.engine->ended());
        CHECK(rig.Ids() == "1 3");
        CHECK(rig.rig.Values("dead").size() == (route == 0 ? 1 : 0));
        if (route == 0) {
          CHECK_THAT(rig.rig.Values("dead")[0], Catch::Contains("refused_by_sink") && Catch::Contains("too large") &&
                                                    Catch::Contains("\\\"id\\\":2"));
          if (!dead_streams) CHECK(rig.world.output("dead").durable == 1);
        }
        CHECK(rig.engine->Metrics().epochs_committed > 0);
      }
    }
  }
}

TEST_CASE("a write or sync that fails ends the process, and nothing is committed after it") {
  for (int which = 0; which < 4; ++which) {
    INFO(which);
    EngineRig rig(Plain());
    if (which == 3) rig.Streaming();
    rig.Add(1, 1);
    REQUIRE(rig.Start().ok());
    MemoryOutput& out = rig.world.output("out");
    if (which == 0 || which == 3) out.fail_write = Status::Io("no space left on device");
    if (which == 1) out.fail_prepare = Status::Io("input/output error");
    if (which == 2) static_cast<MemoryStore*>(rig.engine->environment().store)->FailNextCommit(Status::Io("disk on fire"));
    rig.For(kSecond);
    REQUIRE(rig.engine->ended());
    CHECK(rig.engine->exit_code() == ExitCode::kWriteFailed);
    out.fail_write = out.fail_prepare = Status();
    REQUIRE(rig.Start().ok());
    rig.For(kSecond);
    CHECK(rig.Ids() == "1");
  }
}

TEST_CASE("what an output held before the pipeline first wrote to it stays, also when the first commit was never made") {
  EngineRig rig(Plain());
  MemoryRecord old;
  old.value = "{\"id\":0}";
  rig.world.output("out").records.push_back(old);
  rig.world.output("out").durable = 1;
  rig.Add(1, 1);
  // Stopped at each point of the first commit, with whatever of the outputs reached the disk.
  for (uint64_t point = 1; point < 12; ++point) {
    rig.faults.count = 0;
    rig.faults.stop_at = point;
    REQUIRE(rig.Start().ok());
    rig.For(kSecond);
  }
  rig.faults.stop_at = 0;
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  CHECK(rig.Ids() == "0 1");
}

TEST_CASE("a sink that loses its target ends with the connector's code") {
  EngineRig rig(Plain());
  rig.Streaming();
  REQUIRE(rig.Start().ok());
  rig.world.output("out").fail_poll = Status::Unavailable("fenced");
  rig.For(kSecond);
  CHECK(rig.engine->exit_code() == ExitCode::kConnector);
  CHECK(rig.engine->message() == "sink `out`: fenced");
}

TEST_CASE("state of another shape is refused, and says whose") {
  SampleOptions options;
  options.timeout_ns = 3600 * kSecond;
  EngineRig rig(options, 2);
  rig.never = true;
  rig.Add(1, 1);
  REQUIRE(rig.Start().ok());
  rig.For(kSecond);
  rig.rig.program.lookup_steps[0].row_schema = 99;
  Status status = rig.Start();
  CHECK(rig.engine->exit_code() == ExitCode::kStateMismatch);
  CHECK_THAT(status.message(), Catch::Contains("`enriched.account`") && Catch::Contains("another layout"));
  rig.rig.program.lookup_steps[0].row_schema = 1;
  rig.rig.program.windows[0].size_ns *= 2;  // nothing is stored for it yet
  CHECK(rig.Start().ok());
  rig.rig.program.name = "other";
  status = rig.Start();
  CHECK(rig.engine->exit_code() == ExitCode::kStateMismatch);
  CHECK_THAT(status.message(), Catch::Contains("belongs to the pipeline `sample`"));
}

TEST_CASE("partitions added below keyed state are refused, others are read from their beginning") {
  for (bool window : {true, false}) {
    SampleOptions options = Plain();
    options.with_window = window;
    EngineRig rig(options, 2);
    rig.Add(1, 1);
    REQUIRE(rig.Start().ok());
    rig.For(kSecond);
    rig.Stop();
    rig.world.topic("events").partitions.resize(3);
    rig.Add(2, 2, "a", 2);
    Status status = rig.Start();
    if (window) {
      CHECK(rig.engine->exit_code() == ExitCode::kRefused);
      CHECK_THAT(status.message(), Catch::Contains("`events` has 3 partitions and had 2"));
    } else {
      REQUIRE(status.ok());
      rig.For(kSecond);
      CHECK(rig.Ids() == "1 2");
    }
    rig.Stop();
    rig.world.topic("events").partitions.resize(1);
    status = rig.Start();
    CHECK(rig.engine->exit_code() == ExitCode::kRefused);
    CHECK_THAT(status.message(), Catch::Contains("made anew"));
  }
}

TEST_CASE("tables are loaded before the streams that join them, and show their changes") {
  SampleOptions options = Plain();
  options.with_table = true;
  EngineRig rig(options);
  rig.Streaming();
  MemoryTopic& names = rig.world.topic("names");
  names.batch_max = 1;
  for (int i = 0; i < 200; ++i) names.Add(0, "{\"key\":\"n" + std::to_string(i) + "\"}");
  names.Add(0, "{\"no\":1}");
  names.partitions[0].hide_end = true;
  rig.Add(1, 1, "n199");
  rig.Add(2, 2, "new");
  REQUIRE(rig.Start(2).ok());
  CHECK(!rig.engine->ready());
  rig.Quiet();
  CHECK(rig.engine->ready());
  CHECK(rig.Ids() == "1");
  names.Add(0, "{\"key\":\"new\"}");
  rig.Quiet();
  rig.Add(3, 3, "new");
  rig.Quiet();
  CHECK(rig.Ids() == "1 3");
  std::vector<std::string> dead = rig.rig.Values("dead");
  REQUIRE(dead.size() == 2);
  CHECK_THAT(dead[0], Catch::Contains(R"("step":"names")") && Catch::Contains("no name") &&
                          Catch::Contains(R"("topic":"names","partition":0,"offset":200)"));
  CHECK_THAT(dead[1], Catch::Contains("missing_row"));
}

}  // namespace
}  // namespace weir
