// The Kafka connector against a real broker: what is read, written, committed, refused, and survived.
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <set>

#include "runtime/connector/kafka/kafka.h"
#include "runtime/core/hash.h"
#include "tests/integration/connector_harness.h"
#include "tests/servers/broker.h"
#include "tests/servers/kafka_probe.h"

using namespace weir;
using weir_test::Append;
using weir_test::Fresh;
using weir_test::KafkaProbe;
using weir_test::kSecond;
using weir_test::ProbeRecord;
using weir_test::TheBroker;

namespace {

struct Pipeline : weir_test::KafkaProcess {
  explicit Pipeline(const std::string& name, Properties settings = {}, const std::string& instance_id = "",
                    const std::string& brokers = TheBroker().bootstrap())
      : KafkaProcess(name, std::move(settings), instance_id, brokers) {}

  Status Make(const std::string& topic, bool group_member, std::unique_ptr<Source>* out, Properties properties = {},
              bool keyed = false, int worker = 0) {
    SourceSpec spec = weir_test::TopicSource(topic);
    spec.properties = properties;
    spec.keyed = keyed;
    ConnectorContext context = Context(group_member);
    context.worker = worker;
    return connector->MakeSource(spec, context, out);
  }

  std::unique_ptr<Source> MakeTable(const std::string& topic) {
    TableSpec spec;
    spec.name = "instruments";
    spec.connection = 0;
    spec.address = topic;
    std::unique_ptr<Source> out;
    REQUIRE(connector->MakeTable(spec, Context(false), &out).ok());
    return out;
  }

  std::unique_ptr<Sink> MakeSink(const std::string& topic) {
    std::unique_ptr<Sink> out;
    REQUIRE(connector->MakeSink(weir_test::TopicSink(topic), Context(false), &out).ok());
    return out;
  }
};

// A message that outlives its batch.
struct Kept {
  int32_t partition;
  int64_t offset;
  std::string key, value;
  bool has_key, has_value;
  int64_t timestamp_ns;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A source with the engine's answers, polled until something is so.
struct Reading {
  std::unique_ptr<Source> source;
  weir_test::KeptEvents events;
  std::vector<Kept> records;
  std::map<int32_t, int64_t> next;
  Status failed;

  bool Poll() {
    std::unique_ptr<Batch> batch;
    if (Status status = source->Poll(&batch); !status.ok()) {
      failed = status;
      return false;
    }
    if (!batch) return false;
    for (uint32_t i = 0; i < batch->size; ++i) {
      const Message& m = batch->messages[i];
      Kept kept{batch->partition, m.offset, std::string(m.key.view()), std::string(m.value.view()), m.has_key,
                m.has_value, m.timestamp_ns, {}};
      for (uint32_t h = 0; h < m.headers.size; ++h) {
        kept.headers.push_back({std::string(m.headers.data[h].name.view()), std::string(m.headers.data[h].value.view())});
      }
      records.push_back(std::move(kept));
      next[batch->partition] = m.next_offset;
    }
    return true;
  }

  void CommitAll() {
    std::vector<std::pair<int32_t, Position>> positions;
    for (const auto& [partition, offset] : next) {
      Position position;
      position.offset = offset;
      positions.push_back({partition, position});
    }
    source->Commit(positions);
  }
};

bool Until(const std::vector<Reading*>& readings, Pipeline& pipeline, const std::function<bool()>& done, int seconds = 30) {
  return pipeline.PollUntil(readings, done, seconds);
}

std::vector<ProbeRecord> Numbered(const std::string& topic, int from, int to, int keys = 7) {
  std::vector<ProbeRecord> out;
  for (int i = from; i < to; ++i) {
    ProbeRecord r;
    r.topic = topic;
    r.key = "key" + std::to_string(i % keys);
    r.value = std::to_string(i);
    out.push_back(r);
  }
  return out;
}

std::vector<int32_t> All(int partitions) {
  std::vector<int32_t> out;
  for (int p = 0; p < partitions; ++p) out.push_back(p);
  return out;
}

// Opens a source of a pipeline with state: it reads all partitions.
void OpenAll(Pipeline& pipeline, const std::string& topic, Reading* reading, Properties properties = {},
             bool keyed = false) {
  REQUIRE(pipeline.Make(topic, false, &reading->source, properties, keyed).ok());
  int32_t count = 0;
  Status status = reading->source->Partitions(30 * kSecond, &count);
  INFO(status.ToString());
  REQUIRE(status.ok());
  REQUIRE(reading->source->Open(All(count), &reading->events).ok());
}

void OpenMember(Pipeline& pipeline, const std::string& topic, Reading* reading, Properties properties = {},
                int worker = 0) {
  REQUIRE(pipeline.Make(topic, true, &reading->source, properties, false, worker).ok());
  int32_t count = 0;
  REQUIRE(reading->source->Partitions(30 * kSecond, &count).ok());
  REQUIRE(reading->source->Open({}, &reading->events).ok());
}

struct Writing {
  std::unique_ptr<Sink> sink;
  OutputBuffer buffer;
  Ticket ticket;
  std::vector<Sink::Refused> refused;

  void Add(const std::string& key, const std::string& value, int64_t time_ns = kNoTime,
           const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    OutputRecord r;
    r.has_key = true;
    Append(&buffer, key, &r.key_begin, &r.key_size);
    Append(&buffer, value, &r.value_begin, &r.value_size);
    r.headers_begin = static_cast<uint32_t>(buffer.headers.size());
    for (const auto& [name, text] : headers) {
      OutputHeader h;
      Append(&buffer, name, &h.name_begin, &h.name_size);
      Append(&buffer, text, &h.value_begin, &h.value_size);
      buffer.headers.push_back(h);
    }
    r.headers_size = static_cast<uint32_t>(headers.size());
    r.time_ns = time_ns;
    r.ticket = &ticket;
    ticket.Raise();
    buffer.records.push_back(r);
  }
  Status Send() {
    Status status = sink->Write(buffer, &refused);
    buffer.Clear();
    return status;
  }
  bool Acknowledged(Pipeline& pipeline, int seconds = 30) {
    int64_t end = pipeline.clock.MonoNs() + seconds * kSecond;
    while (!ticket.Done()) {
      if (pipeline.clock.MonoNs() > end || !sink->Poll().ok()) return false;
      pipeline.loop.Run(10'000'000);
    }
    return true;
  }
};

}  // namespace

TEST_CASE("A topic is read with keys, tombstones, headers and timestamps, each partition in order") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("read");
  probe.CreateTopic(topic, 3);
  auto written = Numbered(topic, 0, 5000);
  written[10].headers = {{"trace", "abc"}, {"empty", ""}};
  written[11].value.reset();
  written[12].key.reset();
  written[13].timestamp_ms = 1'700'000'000'123;
  probe.Write(written);

  Pipeline pipeline(Fresh("p"));
  Reading reading;
  OpenAll(pipeline, topic, &reading);
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.records.size() == 5000; }));
  CHECK(reading.events.assignments == 1);
  std::map<int32_t, int64_t> next;
  std::set<std::string> values;
  for (const Kept& r : reading.records) {
    CHECK(r.offset == next[r.partition]++);
    values.insert(r.has_value ? r.value : "none");
  }
  CHECK(values.size() == 5000);
  CHECK(values.count("none") == 1);
  for (const Kept& r : reading.records) {
    if (r.value == "10") {
      REQUIRE(r.headers.size() == 2);
      CHECK(r.headers[0] == std::make_pair(std::string("trace"), std::string("abc")));
      CHECK(r.headers[1].first == "empty");
    }
    if (r.value == "12") CHECK_FALSE(r.has_key);
    if (r.value == "13") CHECK(r.timestamp_ns == 1'700'000'000'123 * 1'000'000);
  }
  // It stands at the end of each partition, and knows it.
  CHECK(Until({&reading}, pipeline, [&] {
    for (int32_t p : All(3)) {
      PartitionStatus status = reading.source->Tell(p);
      if (!status.at_end || !status.connected || status.position != status.end_offset) return false;
    }
    return true;
  }));
  probe.Write(Numbered(topic, 5000, 5001));
  CHECK(Until({&reading}, pipeline, [&] { return reading.records.size() == 5001; }));
}

TEST_CASE("Reading goes on at the position the engine gives") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("position");
  probe.CreateTopic(topic, 1);
  probe.Write(Numbered(topic, 0, 100));
  Pipeline pipeline(Fresh("p"));
  Reading reading;
  reading.events.starts[0].offset = 60;
  OpenAll(pipeline, topic, &reading);
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.records.size() == 40; }));
  CHECK(reading.records[0].value == "60");
}

TEST_CASE("A position that retention has overtaken, or a topic made anew has not reached, stops the source") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("retention");
  probe.CreateTopic(topic, 1);
  probe.Write(Numbered(topic, 0, 100));
  probe.DeleteBefore(topic, 0, 50);
  for (int64_t offset : {49, 1000}) {
    Pipeline pipeline(Fresh("p"));
    Reading beyond;
    beyond.events.starts[0].offset = offset;
    OpenAll(pipeline, topic, &beyond);
    CHECK(Until({&beyond}, pipeline, [&] { return !beyond.failed.ok(); }));
    CHECK(beyond.records.empty());
    CHECK(beyond.failed.code() == StatusCode::kCorrupt);
    CHECK_THAT(beyond.failed.message(), Catch::Contains("offset " + std::to_string(offset)) && Catch::Contains("reset"));
  }
}

TEST_CASE("A position in a topic that was deleted and made anew since stops the source") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("anew");
  std::string id;
  auto read_from_60 = [&](Reading* reading) {
    Pipeline pipeline(Fresh("p"));
    reading->events.starts[0].offset = 60;
    reading->events.starts[0].identity = id;
    OpenAll(pipeline, topic, reading);
    REQUIRE(Until({reading}, pipeline, [&] { return reading->records.size() == 40 || !reading->failed.ok(); }));
    id = reading->source->Identity(0);
    reading->source->Close();
  };
  probe.CreateTopic(topic, 1);
  probe.Write(Numbered(topic, 0, 100));
  for (int i = 0; i < 2; ++i) {  // without an id, as earlier versions stored it, and with the topic's
    Reading same;
    read_from_60(&same);
    CHECK(same.failed.ok());
    CHECK_FALSE(id.empty());
  }
  probe.DeleteTopic(topic);
  probe.CreateTopic(topic, 1);
  probe.Write(Numbered(topic, 0, 100));
  Reading anew;
  read_from_60(&anew);
  CHECK(anew.records.empty());
  CHECK(anew.failed.code() == StatusCode::kCorrupt);
  CHECK_THAT(anew.failed.message(), Catch::Contains("made anew") && Catch::Contains("`reset`"));
}

TEST_CASE("A held partition hands out nothing, and the others go on") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("hold");
  probe.CreateTopic(topic, 2);
  Pipeline pipeline(Fresh("p"));
  Reading reading;
  OpenAll(pipeline, topic, &reading);
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.source->Tell(0).at_end && reading.source->Tell(1).at_end; }));
  reading.source->Hold(0, true);
  auto both = Numbered(topic, 0, 2000);
  for (size_t i = 0; i < both.size(); ++i) both[i].partition = static_cast<int32_t>(i % 2);
  probe.Write(both);
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.records.size() == 1000; }));
  for (const Kept& r : reading.records) REQUIRE(r.partition == 1);
  CHECK(Until({&reading}, pipeline, [&] { return reading.source->Tell(1).at_end; }));
  CHECK_FALSE(reading.source->Tell(0).at_end);
  reading.source->Hold(0, false);
  CHECK(Until({&reading}, pipeline, [&] { return reading.records.size() == 2000; }));
}

TEST_CASE("start: latest reads only what comes later, and says where that was") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("latest");
  probe.CreateTopic(topic, 1);
  probe.Write(Numbered(topic, 0, 50));
  Pipeline pipeline(Fresh("p"));
  Reading reading;
  OpenAll(pipeline, topic, &reading, {{"start", "latest"}});
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.source->Tell(0).position == 50; }));
  probe.Write(Numbered(topic, 50, 60));
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.records.size() == 10; }));
  CHECK(reading.records[0].value == "50");
}

TEST_CASE("Aborted records are never seen, and the position passes them and the markers") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("aborted");
  probe.CreateTopic(topic, 1);
  probe.WriteTransaction(Numbered(topic, 0, 10), KafkaProbe::End::kCommit);
  probe.WriteTransaction(Numbered(topic, 10, 20), KafkaProbe::End::kAbort);
  Pipeline pipeline(Fresh("p"));
  Reading table;
  table.source = pipeline.MakeTable(topic);
  int32_t count = 0;
  REQUIRE(table.source->Partitions(30 * kSecond, &count).ok());
  std::vector<int64_t> ends;
  REQUIRE(table.source->Ends(30 * kSecond, &ends).ok());
  CHECK(ends == std::vector<int64_t>{22});  // 20 records and two markers
  REQUIRE(table.source->Open(All(count), &table.events).ok());
  CHECK(Until({&table}, pipeline, [&] { return table.source->Tell(0).position >= ends[0]; }));
  CHECK(table.records.size() == 10);
  CHECK(table.source->Tell(0).at_end);

  SECTION("While a transaction is open the reader is not at the end, and tables do not wait for it") {
    probe.WriteTransaction(Numbered(topic, 20, 30), KafkaProbe::End::kHang, 3000);
    REQUIRE(table.source->Ends(30 * kSecond, &ends).ok());
    CHECK(ends == std::vector<int64_t>{22});
    CHECK(Until({&table}, pipeline, [&] { return table.source->Tell(0).end_offset == 32 || table.source->Tell(0).end_offset == 32 - 2; }));
    CHECK_FALSE(table.source->Tell(0).at_end);
    // The broker ends it after its time-out; then the reader stands at the end again.
    CHECK(Until({&table}, pipeline, [&] { return table.source->Tell(0).at_end; }));
    CHECK(table.records.size() == 10);
  }
}

TEST_CASE("Members of a group share partitions; what was committed is not read again") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("group");
  std::string name = Fresh("p");
  probe.CreateTopic(topic, 4);
  probe.Write(Numbered(topic, 0, 4000, 97));
  {
    Pipeline first(name);
    Reading a;
    OpenMember(first, topic, &a);
    REQUIRE(Until({&a}, first, [&] { return a.records.size() == 4000; }));
    a.CommitAll();
    // A second worker joins: both give up everything for an instant, then each has half.
    a.events.before_revoke = [&](const std::vector<int32_t>&) { a.CommitAll(); };
    Reading b;
    OpenMember(first, topic, &b, {}, 1);
    REQUIRE(Until({&a, &b}, first, [&] { return a.events.mine.size() == 2 && b.events.mine.size() == 2; }));
    CHECK(a.events.revocations == 1);
    CHECK(a.events.losses == 0);
    probe.Write(Numbered(topic, 4000, 5000, 97));
    REQUIRE(Until({&a, &b}, first, [&] { return a.records.size() + b.records.size() >= 5000; }));
    CHECK(a.records.size() + b.records.size() == 5000);
    CHECK(b.records.size() > 0);
    a.CommitAll();
    b.CommitAll();
    a.source->Close();
    b.source->Close();
  }
  auto committed = probe.Committed(name, topic, 4);
  int64_t sum = 0;
  for (int64_t offset : committed) sum += offset;
  CHECK(sum == 5000);
  probe.Write(Numbered(topic, 5000, 5100, 97));
  Pipeline second(name);
  Reading c;
  OpenMember(second, topic, &c);
  REQUIRE(Until({&c}, second, [&] { return c.records.size() >= 100; }));
  CHECK(c.records.size() == 100);
  for (const Kept& r : c.records) CHECK(std::stoi(r.value) >= 5000);
}

TEST_CASE("A member with start: latest commits where it started") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("group-latest");
  std::string name = Fresh("p");
  probe.CreateTopic(topic, 1);
  probe.Write(Numbered(topic, 0, 20));
  {
    Pipeline pipeline(name);
    Reading reading;
    OpenMember(pipeline, topic, &reading, {{"start", "latest"}});
    REQUIRE(Until({&reading}, pipeline, [&] { return reading.events.mine.size() == 1; }));
    CHECK(Until({&reading}, pipeline, [&] { return probe.Committed(name, topic, 1)[0] == 20; }));
    CHECK(reading.records.empty());
  }
  // What arrived while nothing ran is read: the start was decided once.
  probe.Write(Numbered(topic, 20, 30));
  Pipeline pipeline(name);
  Reading reading;
  OpenMember(pipeline, topic, &reading, {{"start", "latest"}});
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.records.size() == 10; }));
  CHECK(reading.records[0].value == "20");
}

TEST_CASE("A pipeline with state runs once: a second copy is refused, and may start when the first has gone") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("sole");
  std::string name = Fresh("p");
  probe.CreateTopic(topic, 4);
  probe.Write(Numbered(topic, 0, 100));
  auto first = std::make_unique<Pipeline>(name);
  Reading a;
  OpenAll(*first, topic, &a);
  REQUIRE(Until({&a}, *first, [&] { return a.records.size() == 100; }));
  {
    Pipeline second(name);
    Reading b;
    OpenAll(second, topic, &b);
    // The first is polled, too: its membership lives on that.
    REQUIRE(Until({&a, &b}, second, [&] { return !b.failed.ok(); }));
    CHECK(b.failed.code() == StatusCode::kExists);
    CHECK_THAT(b.failed.message(), Catch::Contains("another copy of this pipeline runs"));
    CHECK(b.records.empty());
  }
  probe.Write(Numbered(topic, 100, 200));
  REQUIRE(Until({&a}, *first, [&] { return a.records.size() == 200; }));
  CHECK(a.failed.ok());
  a.CommitAll();
  CHECK(Until({&a}, *first, [&] {
    int64_t sum = 0;
    for (int64_t offset : probe.Committed(name, topic, 4)) sum += offset;
    return sum == 200;
  }));
  a.source->Close();
  first.reset();

  Pipeline third(name);
  Reading c;
  OpenAll(third, topic, &c);
  CHECK(Until({&c}, third, [&] { return c.records.size() == 200; }));
}

// Two copies of one pipeline with state, started in the same instant, and 100 records to read.
struct TwoCopies {
  explicit TwoCopies(const char* word) : topic(Fresh(word)) {
    probe.CreateTopic(topic, 3);
    probe.Write(Numbered(topic, 0, 100));
    OpenAll(first, topic, &a);
    OpenAll(second, topic, &b);
  }
  KafkaProbe probe{TheBroker().bootstrap()};
  std::string topic, name = Fresh("p");
  Pipeline first{name}, second{name};
  Reading a, b;
};

TEST_CASE("Of two copies that start together one runs") {
  TwoCopies copies("race");
  auto& [probe, topic, name, first, second, a, b] = copies;
  REQUIRE(Until({&a, &b}, first, [&] { return (a.failed.ok() ? a : b).records.size() == 100 && a.failed.ok() != b.failed.ok(); }));
  CHECK((a.failed.ok() ? b : a).failed.code() == StatusCode::kExists);
}

TEST_CASE("A copy that started earlier but joined later does not wait for ever for the one that runs") {
  TwoCopies copies("late");
  auto& [probe, topic, name, first, second, a, b] = copies;
  REQUIRE(Until({&b}, second, [&] { return b.records.size() == 100; }));
  REQUIRE(Until({&a, &b}, second, [&] { return !a.failed.ok(); }));
  CHECK(a.failed.code() == StatusCode::kExists);
  CHECK_THAT(a.failed.message(), Catch::Contains("another copy"));
  probe.Write(Numbered(topic, 100, 200));
  CHECK(Until({&b}, second, [&] { return b.records.size() == 200; }));
  CHECK(b.failed.ok());
}

TEST_CASE("After a crash the next start takes over at once from its own state directory") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("crash");
  probe.CreateTopic(topic, 2);
  probe.Write(Numbered(topic, 0, 10));
  std::string name = Fresh("p");
  pid_t child = fork();
  if (child == 0) {  // a process that dies holding the lock
    Pipeline pipeline(name, {}, "directory-1");
    Reading reading;
    std::unique_ptr<Source> source;
    int32_t count = 0;
    if (!pipeline.Make(topic, false, &reading.source).ok() ||
        !reading.source->Partitions(30 * kSecond, &count).ok() ||
        !reading.source->Open(All(count), &reading.events).ok()) {
      _exit(1);
    }
    bool read = Until({&reading}, pipeline, [&] { return reading.records.size() == 10; });
    _exit(read ? 7 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WEXITSTATUS(status) == 7);
  Pipeline pipeline(name, {}, "directory-1");
  Reading reading;
  OpenAll(pipeline, topic, &reading);
  // The old session lasts 6 s; a static member does not wait for it.
  CHECK(Until({&reading}, pipeline, [&] { return reading.records.size() == 10; }, 4));
}

TEST_CASE("Partitions added below a pipeline with state stop it") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("grow");
  probe.CreateTopic(topic, 2);
  Pipeline pipeline(Fresh("p"), {{"kafka.topic.metadata.refresh.interval.ms", "200"}});
  Reading reading;
  OpenAll(pipeline, topic, &reading);
  REQUIRE(Until({&reading}, pipeline, [&] { return reading.events.assignments == 1; }));
  probe.AddPartitions(topic, 4);
  CHECK(Until({&reading}, pipeline, [&] { return !reading.failed.ok(); }));
  CHECK(reading.failed.code() == StatusCode::kCorrupt);
  CHECK_THAT(reading.failed.message(), Catch::Contains("4 partitions now and had 2"));
}

TEST_CASE("A key that another partitioner placed stops a source whose state rests on keys") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("partitioner");
  probe.CreateTopic(topic, 4);
  auto records = Numbered(topic, 0, 20);
  records[15].partition = (KafkaPartition(Str(std::string_view(*records[15].key)), 4) + 1) % 4;
  probe.Write(records);
  Pipeline pipeline(Fresh("p"));
  Reading reading;
  OpenAll(pipeline, topic, &reading, {}, true);
  CHECK(Until({&reading}, pipeline, [&] { return !reading.failed.ok(); }));
  // The engine says which source it is.
  CHECK_THAT(reading.failed.message(),
             Catch::StartsWith("topic `" + topic + "`, partition ") && Catch::Contains("leave `key:` out"));

  Pipeline tolerant(Fresh("p"));
  Reading all;
  OpenAll(tolerant, topic, &all, {{"partitioner", "other"}}, true);
  CHECK(Until({&all}, tolerant, [&] { return all.records.size() == 20; }));
}

TEST_CASE("What is missing is named, with the command that makes it") {
  std::string topic = Fresh("missing");
  Pipeline pipeline(Fresh("p"));
  std::unique_ptr<Source> source;
  REQUIRE(pipeline.Make(topic, true, &source).ok());
  int32_t count = 0;
  Status status = source->Partitions(10 * kSecond, &count);
  CHECK(status.code() == StatusCode::kNotFound);
  CHECK_THAT(status.message(), Catch::Contains("--create --topic " + topic));
  auto sink = pipeline.MakeSink(topic);
  status = sink->Open({});
  CHECK(status.code() == StatusCode::kNotFound);
  CHECK_THAT(status.message(), Catch::Contains("sink `out`"));

  Pipeline nowhere(Fresh("p"), {}, "", "127.0.0.1:1");
  std::unique_ptr<Source> unreachable;
  REQUIRE(nowhere.Make(topic, true, &unreachable).ok());
  status = unreachable->Partitions(kSecond, &count);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK_THAT(status.message(), Catch::Contains("127.0.0.1:1") && Catch::Contains("setting `brokers`") &&
                                   Catch::Contains("refused"));
}

TEST_CASE("Records are written with key, headers and event time, and acknowledged") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("write");
  probe.CreateTopic(topic, 4);
  Pipeline pipeline(Fresh("p"));
  Writing writing;
  writing.sink = pipeline.MakeSink(topic);
  REQUIRE(writing.sink->Open({}).ok());
  int64_t time_ns = 1'767'225'600'123'000'000;
  for (int i = 0; i < 1000; ++i) {
    writing.Add("key" + std::to_string(i % 13), std::to_string(i), time_ns + i * 1'000'000,
                i == 5 ? std::vector<std::pair<std::string, std::string>>{{"trace", "t5"}}
                       : std::vector<std::pair<std::string, std::string>>{});
  }
  REQUIRE(writing.Send().ok());
  CHECK(writing.ticket.open() > 0);
  REQUIRE(writing.Acknowledged(pipeline));
  auto read = probe.ReadAll(topic);
  REQUIRE(read.size() == 1000);
  std::map<std::string, int> last;
  for (const ProbeRecord& r : read) {
    CHECK(r.partition == KafkaPartition(Str(std::string_view(*r.key)), 4));
    int value = std::stoi(*r.value);
    CHECK((!last.count(*r.key) || last[*r.key] < value));
    last[*r.key] = value;
    CHECK(r.timestamp_ms == 1'767'225'600'123 + value);
    CHECK(r.headers.size() == (value == 5 ? 1 : 0));
  }
}

TEST_CASE("A record the topic cannot take is refused alone, and a time it does not take goes into a header") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("limits");
  probe.CreateTopic(topic, 1, {{"max.message.bytes", "5000"}, {"message.timestamp.after.max.ms", "1000"}});
  Pipeline pipeline(Fresh("p"));
  Writing writing;
  writing.sink = pipeline.MakeSink(topic);
  REQUIRE(writing.sink->Open({}).ok());
  int64_t ahead = pipeline.clock.WallNs() + 3600 * kSecond;
  writing.Add("a", "small");
  writing.Add("b", std::string(6000, 'x'));
  writing.Add("c", "early", ahead);
  writing.Add("d", "old", -5'000'000);
  for (int i = 0; i < 300; ++i) writing.Add("e", std::string(100, 'y'));  // more than one batch of 5000 bytes
  REQUIRE(writing.Send().ok());
  REQUIRE(writing.refused.size() == 1);
  CHECK(writing.refused[0].record == 1);
  CHECK_THAT(writing.refused[0].reason, Catch::Contains("5000 bytes (max.message.bytes)"));
  writing.ticket.Lower();  // as the engine does for a refused record
  REQUIRE(writing.Acknowledged(pipeline));
  auto read = probe.ReadAll(topic);
  REQUIRE(read.size() == 303);
  REQUIRE(read[1].headers.size() == 1);
  CHECK(read[1].headers[0] == std::make_pair(std::string("weir.event_time"), std::to_string(ahead / 1'000'000)));
  REQUIRE(read[2].headers.size() == 1);
  CHECK(read[2].headers[0].second == "-5");
  CHECK(read[0].headers.empty());
}

TEST_CASE("Records that share a batch with one that is refused are written all the same") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("tightened");
  probe.CreateTopic(topic, 1);
  Pipeline pipeline(Fresh("p"));
  Writing writing;
  writing.sink = pipeline.MakeSink(topic);
  REQUIRE(writing.sink->Open({}).ok());
  // What it takes changes under way: only the broker can tell.
  size_t before = probe.MakeCompacted(topic);
  writing.Add("a", "1");
  writing.Add("", "no key");
  writing.buffer.records[1].has_key = false;
  writing.Add("b", "2");
  REQUIRE(writing.Send().ok());
  std::vector<Sink::RefusedLater> refused;
  writing.sink->Flush();
  for (int64_t end = pipeline.clock.MonoNs() + 60 * kSecond; refused.empty() || !writing.ticket.Done();) {
    INFO(refused.size() << " refused, " << writing.ticket.open() << " open\n" << pipeline.log.text());
    REQUIRE(pipeline.clock.MonoNs() < end);
    pipeline.loop.Run(10'000'000);
    Status status = writing.sink->Poll();
    INFO(status.message());
    REQUIRE(status.ok());
    size_t before_these = refused.size();
    writing.sink->TakeRefused(&refused);
    for (; before_these < refused.size(); ++before_these) writing.ticket.Lower();  // as the engine does with its dead letter
  }
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].value == "no key");
  auto read = probe.ReadAll(topic);
  REQUIRE(read.size() == before + 2);
  CHECK(read[before].value == "1");
  CHECK(read[before + 1].value == "2");
}

TEST_CASE("A compacted topic is not offered a record without a key") {
  KafkaProbe probe(TheBroker().bootstrap());
  std::string topic = Fresh("compacted");
  probe.CreateTopic(topic, 1, {{"cleanup.policy", "compact"}});
  Pipeline pipeline(Fresh("p"));
  Writing writing;
  writing.sink = pipeline.MakeSink(topic);
  REQUIRE(writing.sink->Open({}).ok());
  writing.Add("", "no key");
  writing.buffer.records[0].has_key = false;
  writing.Add("", "an empty key is a key");
  REQUIRE(writing.Send().ok());
  REQUIRE(writing.refused.size() == 1);
  CHECK_THAT(writing.refused[0].reason, Catch::Contains("without a key"));
  writing.ticket.Lower();
  CHECK(writing.Acknowledged(pipeline));
  auto read = probe.ReadAll(topic);
  REQUIRE(read.size() == 1);
  CHECK(read[0].key == "");
}

TEST_CASE("A sink that is closed while records are on their way drops them and says nothing") {
  weir_test::Broker broker;
  KafkaProbe probe(broker.bootstrap());
  std::string topic = Fresh("dropped");
  probe.CreateTopic(topic, 1);
  Pipeline pipeline(Fresh("p"), {}, "", broker.bootstrap());
  Writing writing;
  writing.sink = pipeline.MakeSink(topic);
  REQUIRE(writing.sink->Open({}).ok());
  broker.Kill();
  for (int i = 0; i < 100; ++i) writing.Add("k", std::to_string(i));
  REQUIRE(writing.Send().ok());
  REQUIRE(writing.sink->Poll().ok());
  writing.sink->Close();
  writing.sink.reset();
  pipeline.connector.reset();
  CHECK(writing.ticket.open() == 100);  // never acknowledged, so never committed
}

TEST_CASE("Reading and writing go on over a broker that is killed and started again") {
  weir_test::Broker broker;  // one of its own: other tests keep theirs
  KafkaProbe probe(broker.bootstrap());
  std::string in = Fresh("in"), out = Fresh("out");
  probe.CreateTopic(in, 2);
  probe.CreateTopic(out, 2);
  probe.Write(Numbered(in, 0, 20'000, 50));
  Pipeline pipeline(Fresh("p"), {}, "", broker.bootstrap());
  Reading reading;
  OpenAll(pipeline, in, &reading);
  Writing writing;
  writing.sink = pipeline.MakeSink(out);
  REQUIRE(writing.sink->Open({}).ok());
  size_t copied = 0;
  auto copy = [&] {
    for (; copied < reading.records.size(); ++copied) writing.Add(reading.records[copied].key, reading.records[copied].value);
    if (!writing.buffer.records.empty()) REQUIRE(writing.Send().ok());
    REQUIRE(writing.sink->Poll().ok());
    writing.sink->Flush();
    return copied;
  };
  REQUIRE(Until({&reading}, pipeline, [&] { return copy() >= 5000; }));
  broker.Kill();
  // What was fetched goes on being written while the broker is away.
  int64_t end = pipeline.clock.MonoNs() + kSecond;
  Until({&reading}, pipeline, [&] { copy(); return pipeline.clock.MonoNs() > end; });
  CHECK(reading.failed.ok());
  CHECK_FALSE(reading.source->Tell(0).connected);
  CHECK_THAT(pipeline.log.text(), Catch::Contains("connection `main`") && Catch::Contains(broker.bootstrap()));
  broker.Start();
  REQUIRE(Until({&reading}, pipeline, [&] { return copy() >= 20'000; }, 60));
  REQUIRE(writing.Acknowledged(pipeline, 60));
  CHECK(reading.failed.ok());
  reading.CommitAll();
  CHECK(Until({&reading}, pipeline, [&] {
    auto offsets = probe.Committed(pipeline.program.name, in, 2);
    return offsets[0] + offsets[1] == 20'000;
  }));
  // Retries wrote nothing twice and swapped nothing.
  auto read = probe.ReadAll(out);
  CHECK(read.size() == 20'000);
  std::map<std::string, int> last;
  for (const ProbeRecord& r : read) {
    int value = std::stoi(*r.value);
    bool in_order = !last.count(*r.key) || last[*r.key] < value;
    if (!in_order) FAIL_CHECK("key " << *r.key << ": " << value << " after " << last[*r.key]);
    last[*r.key] = value;
  }
  CHECK(Until({&reading}, pipeline, [&] { return reading.source->Tell(0).connected; }));
}
