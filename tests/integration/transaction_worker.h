// A worker's transactions on a real broker, called one by one as the commit protocol calls them.
#pragma once

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/connector_harness.h"
#include "tests/servers/broker.h"
#include "tests/servers/kafka_probe.h"

namespace weir_test {

// One worker of a pipeline that reads `in` and writes `out`, with one stage that has state.
struct Worker : KafkaProcess {
  Worker(const std::string& name, const std::string& in, const std::string& out, const std::string& instance_id,
         const std::string& brokers = TheBroker().bootstrap())
      : KafkaProcess(name, {{"kafka.topic.metadata.refresh.interval.ms", "1000"}}, instance_id, brokers) {
    program.steps = {{"trades", "source", 1}, {"out", "sink", 2}};
    program.sources.push_back(TopicSource(in));
    program.sinks.push_back(TopicSink(out));
    program.sinks[0].step = 1;
    weir::StageSpec stage;
    stage.name = "trades/1m";
    stage.source = 0;
    program.stages.push_back(stage);
  }
  ~Worker() {
    if (transactions) transactions->Close();
    if (source) source->Close();
  }

  weir::ConnectorContext Context() {
    weir::ConnectorContext context = KafkaProcess::Context(true);
    context.resumed = true;
    return context;
  }

  void Make() {
    REQUIRE(connector->MakeSource(program.sources[0], Context(), &source).ok());
    weir::Status status = connector->MakeTransactions(Context(), &transactions);
    INFO(status.ToString());
    REQUIRE(status.ok());
  }
  weir::Status Open(int32_t partitions) {
    if (!transactions) Make();
    return transactions->Open({{0, partitions}}, 30 * kSecond);
  }
  // Also joins the group and starts transactions.
  void Start(int32_t partitions) {
    weir::Status status = Open(partitions);
    INFO(status.ToString());
    REQUIRE(status.ok());
    int32_t count = 0;
    REQUIRE(source->Partitions(30 * kSecond, &count).ok());
    REQUIRE(source->Open({}, &events).ok());
    Ok([&] { return transactions->Fence(); });
  }

  bool Poll() {
    std::unique_ptr<weir::Batch> batch;
    if (weir::Status status = source->Poll(&batch); !status.ok()) {
      failed = status;
      return false;
    }
    for (uint32_t i = 0; batch && i < batch->size; ++i) {
      read.push_back({batch->partition, batch->messages[i].offset});
    }
    return batch != nullptr;
  }

  // The same call until it is over.
  weir::TransactionResult Call(const std::function<weir::TransactionResult()>& call, int seconds = 60) {
    int64_t end = clock.MonoNs() + seconds * kSecond;
    weir::TransactionResult result;
    do {
      result = call();
      if (source) Poll();
    } while (result.outcome == weir::TransactionOutcome::kAgain && clock.MonoNs() < end);
    return result;
  }
  void Ok(const std::function<weir::TransactionResult()>& call) {
    weir::TransactionResult result = Call(call);
    INFO(static_cast<int>(result.outcome) << " " << result.status.ToString());
    REQUIRE(result.ok());
  }

  void Begin() {
    Ok([&] { return transactions->Begin(); });
  }
  void Write(const std::vector<std::pair<std::string, std::string>>& records) {
    weir::OutputBuffer buffer = Buffered(records);
    Ok([&] { return transactions->Write(0, buffer); });
  }
  void Change(int32_t partition, const std::string& key, std::optional<std::string> value) {
    weir::Str text = value ? weir::Str(*value) : weir::Str();
    Ok([&] { return transactions->WriteChange(0, partition, weir::Str(key), value ? &text : nullptr); });
  }
  void Flush() {
    Ok([&] { return transactions->Flush(); });
  }
  void Commit() {
    Ok([&] { return transactions->Commit(); });
  }
  void CommitAll() {
    Flush();
    Commit();
  }
  void Abort() {
    Ok([&] { return transactions->Abort(); });
  }
  int32_t then = 0;
  std::vector<weir::OffsetState> states;
  std::vector<int64_t> Committed() {
    std::vector<int64_t> offsets;
    Ok([&] { return transactions->Committed(0, &offsets, &states, &then); });
    return offsets;
  }
  int64_t End(int32_t partition, weir::Isolation isolation) {
    int64_t end = -1;
    Ok([&] { return transactions->ChangelogEnd(0, partition, isolation, &end); });
    return end;
  }

  static weir::OutputBuffer Buffered(const std::vector<std::pair<std::string, std::string>>& records) {
    weir::OutputBuffer buffer;
    for (const auto& [key, value] : records) {
      weir::OutputRecord r;
      r.has_key = key != "(none)";
      Append(&buffer, r.has_key ? key : "", &r.key_begin, &r.key_size);
      Append(&buffer, value, &r.value_begin, &r.value_size);
      buffer.records.push_back(r);
    }
    return buffer;
  }

  KeptEvents events;
  std::unique_ptr<weir::Source> source;
  std::unique_ptr<weir::Transactions> transactions;
  std::vector<std::pair<int32_t, int64_t>> read;
  weir::Status failed;
};

inline std::set<std::string> Values(KafkaProbe& probe, const std::string& topic) {
  std::set<std::string> out;
  for (const ProbeRecord& r : probe.ReadAll(topic)) out.insert(r.value.value_or("(none)"));
  return out;
}

// What readers see is this, or comes to be: the broker answers a commit before it has written its markers.
inline bool Shows(KafkaProbe& probe, const std::string& topic, const std::set<std::string>& values) {
  SystemClock clock;
  for (int64_t end = clock.MonoNs() + 30 * kSecond; clock.MonoNs() < end;) {
    if (Values(probe, topic) == values) return true;
  }
  return false;
}

// A pipeline with its topics.
struct Setting {
  explicit Setting(int partitions = 1, const std::string& brokers = TheBroker().bootstrap())
      : probe(brokers), name(Fresh("p")), in(Fresh("in")), out(Fresh("out")) {
    probe.CreateTopic(in, partitions);
    probe.CreateTopic(out, partitions);
  }
  KafkaProbe probe;
  std::string name, in, out;
};

}  // namespace weir_test
