#include "runtime/operate/letter.h"

#include <catch2/catch.hpp>

#include "runtime/engine/dead_letter.h"

namespace weir {
namespace {

using Catch::Matchers::Contains;

// Trades with a table, a window, and dead letters that go to a topic, as headers and as JSON, and to a file.
Program Trades() {
  Program program;
  program.name = "trades";
  program.file = "trades.weir";
  program.steps = {{"trades", "source", 10}, {"names", "table", 20}, {"bars", "window", 30}, {"out", "sink", 40}};
  program.sources.resize(1);
  program.sources[0].name = "trades";
  program.sources[0].operation = "topic";
  program.sources[0].address = "in.trades";
  program.tables.resize(1);
  program.tables[0].name = "names";
  program.tables[0].address = "in.names";
  program.tables[0].step = 1;
  program.windows.resize(1);
  program.windows[0].step = 2;
  for (const char* address : {"dead", "dead.json", "dead.ndjson"}) {
    SinkSpec sink;
    sink.name = address;
    sink.address = address;
    sink.operation = program.sinks.size() < 2 ? "topic" : "ndjson";
    sink.format = program.sinks.empty() ? Format::kRaw : Format::kJson;
    sink.of_deadletter = true;
    program.sinks.push_back(sink);
  }
  program.deadletters = {{"dead", {0}}};
  return program;
}

// A record as a dead letter carries it.
struct Sample {
  std::string key = "ACME", value = "{\"qty\": x}";
  std::vector<Header> headers = {{Str("trace"), Str("t1")}, {Str("bin"), Str("\xff\x00", 2)}, {Str("none"), Str(), false}};
  size_t bytes_max = 100'000;
  uint16_t source = 0;
  uint32_t step = 0;
  DeadReason reason = DeadReason::kBadInput;
};

// Written by the runtime in one form and read back.
Letter ThroughSink(const Program& program, const Sample& sample, bool json) {
  Meta meta;
  meta.key = Str(std::string_view(sample.key));
  meta.has_key = true;
  meta.raw = Str(std::string_view(sample.value));
  meta.has_raw = true;
  meta.source = sample.source;
  meta.partition = 3;
  meta.offset = 42;
  meta.time_ns = 1'767'344'400'000'000'000;
  meta.headers = {sample.headers.data(), static_cast<uint32_t>(sample.headers.size())};
  DeadLetter dead;
  dead.step = sample.step;
  dead.reason = sample.reason;
  dead.detail = Str("no number");
  dead.meta = &meta;
  OutputBuffer out;
  out.records.emplace_back();
  WriteDeadLetter(program, {json, sample.bytes_max}, dead, out);
  const OutputRecord& record = out.records[0];
  const char* bytes = out.bytes.data();
  Message message;
  message.has_key = record.has_key;
  message.key = Str(bytes + record.key_begin, record.key_size);
  message.has_value = record.has_value;
  message.value = Str(bytes + record.value_begin, record.value_size);
  message.timestamp_ns = meta.time_ns;
  std::vector<Header> headers;
  for (const OutputHeader& h : out.headers) {
    headers.push_back({Str(bytes + h.name_begin, h.name_size), Str(bytes + h.value_begin, h.value_size), h.has_value});
  }
  message.headers = {headers.data(), static_cast<uint32_t>(headers.size())};
  Letter letter;
  REQUIRE((json ? ReadLetter(message.value, &letter) : ReadLetter(message, &letter)));
  return letter;
}

TEST_CASE("A letter is read back whole, as headers and as JSON") {
  Program program = Trades();
  for (bool json : {false, true}) {
    Sample sample;
    Letter letter = ThroughSink(program, sample, json);
    CHECK(letter.pipeline == "trades");
    CHECK(letter.step == "trades");
    CHECK(letter.line == 10);
    CHECK(letter.reason == "bad_input");
    CHECK(letter.detail == "no number");
    CHECK(OriginText(letter) == "in.trades/3@42");
    CHECK(letter.time_ns == 1'767'344'400'000'000'000);
    CHECK(letter.key == sample.key);
    CHECK(letter.value == sample.value);
    REQUIRE(letter.headers.size() == 3);
    auto find = [&](const std::string& name) {
      for (const LetterHeader& h : letter.headers) {
        if (h.name == name) return h;
      }
      return LetterHeader{"missing", "", false};
    };
    CHECK(find("trace").value == "t1");
    CHECK(find("bin").value == std::string("\xff\x00", 2));
    CHECK((find("none").name == "none" && !find("none").has_value));
    int source = -1;
    CHECK(WhyNotReplay(program, letter, &source).empty());
    CHECK(source == 0);
  }
}

TEST_CASE("Both forms of one letter are known to be the same record") {
  Program program = Trades();
  Sample sample, other;
  other.key = "ACM";
  other.value = "E" + sample.value;
  CHECK(RecordHash(ThroughSink(program, sample, false)) == RecordHash(ThroughSink(program, sample, true)));
  CHECK(RecordHash(ThroughSink(program, sample, false)) != RecordHash(ThroughSink(program, other, false)));
}

TEST_CASE("What was cut is refused by name") {
  Program program = Trades();
  int source = -1;
  for (bool json : {false, true}) {
    Sample sample;
    sample.value = std::string(20'000, 'v');
    sample.bytes_max = 10'000;
    Letter letter = ThroughSink(program, sample, json);
    CHECK(letter.value_size == 20'000);
    CHECK_THAT(WhyNotReplay(program, letter, &source), Contains("its value was cut") && Contains("of 20000 bytes"));
    CHECK(source == -1);

    Sample headers;
    std::string large(9'000, 'h');
    headers.headers = {{Str("trace"), Str("t1")}, {Str("large"), Str(std::string_view(large))}};
    headers.bytes_max = 10'000;
    letter = ThroughSink(program, headers, json);
    CHECK(letter.headers_left_out == 1);
    CHECK_THAT(WhyNotReplay(program, letter, &source), Contains("1 of its headers were cut"));
  }
  Sample key;
  key.key = std::string(20'000, 'k');
  key.bytes_max = 10'000;
  Letter letter = ThroughSink(program, key, true);
  CHECK_THAT(WhyNotReplay(program, letter, &source), Contains("its key was cut") && Contains("of 20000 bytes"));
}

TEST_CASE("What is no record of a source's topic is not sent again") {
  Program program = Trades();
  int source = -1;
  Sample window;
  window.source = kFromWindow;
  CHECK_THAT(WhyNotReplay(program, ThroughSink(program, window, false), &source), Contains("result of the window `bars`"));
  Sample refused;
  refused.source = kNoSource;
  refused.step = 3;
  CHECK_THAT(WhyNotReplay(program, ThroughSink(program, refused, false), &source), Contains("does not say which record"));
  Letter row = ThroughSink(program, Sample(), false);
  row.source = "names";
  CHECK_THAT(WhyNotReplay(program, row, &source), Contains("a row of the table `names`") && Contains("in.names"));
  Letter gone = ThroughSink(program, Sample(), false);
  gone.source = "orders";
  CHECK_THAT(WhyNotReplay(program, gone, &source), Contains("no source `orders` any more"));
  Letter moved = ThroughSink(program, Sample(), false);
  program.sources[0].address = "in.trades.v2";
  CHECK_THAT(WhyNotReplay(program, moved, &source), Contains("came from topic in.trades") && Contains("in.trades.v2"));
  program.sources[0].operation = "lines";
  CHECK_THAT(WhyNotReplay(program, moved, &source), Contains("nothing can be sent to"));
}

TEST_CASE("A record that was sent again and died again is told from the first one, and its own headers stay") {
  Program program = Trades();
  for (bool json : {false, true}) {
    Sample sample;
    sample.headers.push_back({Str("weir.replay_of"), Str("in.trades/3@7")});
    // Another pipeline's dead letter that this one read: its headers are the record's own.
    sample.headers.push_back({Str("weir.pipeline"), Str("other")});
    Letter letter = ThroughSink(program, sample, json);
    CHECK(letter.pipeline == "trades");
    CHECK(letter.replay_of == "in.trades/3@7");
    CHECK(letter.headers.size() == 4);
  }
}

TEST_CASE("Records that are no dead letters are told") {
  Letter letter;
  Message message;
  CHECK_FALSE(ReadLetter(message, &letter));
  for (const char* text : {"", "{}", "[1]", "{\"pipeline\":\"p\"}", "{\"pipeline\":\"p\",\"reason\":7}",
                           "{\"pipeline\":\"p\",\"reason\":\"late\"} x", "{\"pipeline\":\"p\",\"reason\":\"late\",\"value_base64\":\"?\"}"}) {
    INFO(text);
    CHECK_FALSE(ReadLetter(Str(std::string_view(text)), &letter));
  }
}

TEST_CASE("A letter is called by its place, which is read back") {
  Program program = Trades();
  LetterPlace place;
  CHECK(PlaceText(program, {0, 2, 17}) == "2@17");
  REQUIRE(ParsePlace(program, "2@17", &place).ok());
  CHECK((place.sink == 0 && place.partition == 2 && place.offset == 17));
  REQUIRE(ParsePlace(program, "dead/2@17", &place).ok());
  CHECK((place.sink == 0 && place.partition == 2 && place.offset == 17));
  for (const char* wrong : {"", "17", "2@", "@17", "x@17", "2@x", "dead.json/2@17", "2@-1", "-1@2"}) {
    INFO(wrong);
    CHECK_THAT(ParsePlace(program, wrong, &place).message(), Contains("dead/0@17"));
  }
  program.deadletters = {{"dead", {0}}, {"file", {2}}};
  CHECK(PlaceText(program, {0, 2, 17}) == "dead/2@17");
  CHECK(PlaceText(program, {2, 0, 12}) == "dead.ndjson@12");
  REQUIRE(ParsePlace(program, "dead.ndjson@12", &place).ok());
  CHECK((place.sink == 2 && place.offset == 12));
  CHECK_FALSE(ParsePlace(program, "2@17", &place).ok());
}

TEST_CASE("Of the sinks of one stream the first topic is looked into, and stdout never") {
  Program program = Trades();
  program.deadletters = {{"dead", {2, 1, 0}}};
  CHECK(LetterSinks(program) == std::vector<int>{1});
  program.deadletters = {{"dead", {2}}, {"more", {2}}};
  CHECK(LetterSinks(program) == std::vector<int>{2});
  program.sinks[2].operation = "stdout";
  CHECK(LetterSinks(program).empty());
}

TEST_CASE("Bytes are shown so that no terminal acts on them") {
  CHECK(SafeBytes(Str("a\tb\x1b[31m\nc"), 100, "  ") == "  a\\tb\\x1b[31m\n  c\n");
  CHECK(SafeBytes(Str("\xff" "A"), 100, " ") ==
        " 000000  ff 41                                            .A\n");
  CHECK(SafeBytes(Str("h\xc3\xa9llo"), 2, "") == "h\n… 5 more bytes\n");
  CHECK(SafeLine(Str("two\nlines"), 100) == "two\\nlines");
  CHECK(SafeLine(Str("h\xc3\xa9llo"), 3) == "h\xc3\xa9…");
  CHECK(SafeLine(Str("\xe2\x80\xae"), 10) == "\\u202e");
  CHECK(SafeLine(Str("\xff\xfe"), 10) == "(2 bytes)");
}

}  // namespace
}  // namespace weir
