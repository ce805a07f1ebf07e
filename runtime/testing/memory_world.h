// Sources, sinks, tables and lookups in memory, and a store: all that a pipeline under test touches. The world outlives
// the engine; Crash leaves what a kill would have left.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "runtime/engine/connectors.h"
#include "runtime/state/memory_store.h"
#include "runtime/testing/memory_record.h"
#include "runtime/testing/virtual_time.h"

namespace weir {

// What a source or table reads. Records may be added while it is read; offsets are their indices.
struct MemoryTopic {
  struct Partition {
    std::deque<MemoryRecord> records;
    bool finished = false;     // nothing will follow
    bool connected = true;
    int64_t committed = -1;    // group offset
    bool hide_end = false;     // the reader does not know that it stands at the end
  };
  explicit MemoryTopic(int partitions = 1) : partitions(partitions) {}
  void Add(int partition, std::string value, std::string key = "") {
    MemoryRecord record;
    record.value = std::move(value);
    record.has_key = !key.empty();
    record.key = std::move(key);
    partitions[partition].records.push_back(std::move(record));
  }
  void FinishAll() {
    for (Partition& partition : partitions) partition.finished = true;
  }
  std::vector<Partition> partitions;
  uint32_t batch_max = 100;            // records of a batch; drawn from 1 to this
  std::vector<int> owners;             // group members: worker by partition; empty: partition % workers
};

// What a sink wrote. A store-backed one keeps what a disk would: records up to `durable` survive a crash for certain,
// any part of the rest may.
struct MemoryOutput {
  std::vector<MemoryRecord> records;
  size_t durable = 0;
  bool full = false;                   // the sink wants no more for now
  int64_t ack_ns_max = 0;              // streaming: acknowledgements come after up to this long
  bool lose_unacknowledged = false;    // streaming: a record arrives with its acknowledgement, and is lost by a crash before
  Status fail_write, fail_prepare, fail_poll;
  std::function<std::string(const MemoryRecord&)> refuse;        // at Write: why, or empty
  std::function<std::string(const MemoryRecord&)> refuse_later;  // with its acknowledgement
};

// How a request is answered.
struct ScriptedAnswer {
  enum Kind : uint8_t { kAnswer, kNever } kind = kAnswer;
  LookupAnswer answer;     // request_id, incarnation and attempt are filled in
  int64_t delay_ns = 0;
  int times = 1;           // 2: it comes twice
  bool stubborn = false;   // it comes although the request was forgotten, as one that is on its way already does
};
// `lookup` is an index into Program::lookups.
using LookupScript = std::function<ScriptedAnswer(int lookup, const LookupRequest& request)>;

// Any connection kind is taken for memory: addresses of sources, tables and sinks are names in the world. A topic called
// "source <name>" or "table <name>" is that source's or table's, whatever its address is.
class MemoryWorld : public Connectors {
 public:
  explicit MemoryWorld(uint64_t seed = 1);
  ~MemoryWorld() override;

  MemoryTopic& topic(const std::string& name) { return *topics_.at(name); }
  MemoryTopic& AddTopic(const std::string& name, int partitions = 1);
  MemoryOutput& output(const std::string& name) { return outputs_[name]; }
  // Sinks with these names are store-backed; all others stream.
  void MakeStoreBacked(const std::string& name) { store_backed_[name] = true; }
  void MakeStreaming(const std::string& name) { store_backed_[name] = false; }
  // Streaming, and what was not acknowledged, after up to `ack_ns_max`, is lost by a crash.
  void LoseUnacknowledged(const std::string& name, int64_t ack_ns_max) {
    MakeStreaming(name);
    outputs_[name].lose_unacknowledged = true;
    outputs_[name].ack_ns_max = ack_ns_max;
  }

  VirtualClock clock;
  MemoryDisk disk;
  LookupScript lookup_script;
  uint64_t requests = 0;           // asked so far
  uint64_t requests_open = 0;      // without an answer yet, forgotten ones not counted
  std::mt19937_64 random;

  // When something in the world happens by itself: an answer, an acknowledgement. INT64_MAX: nothing.
  int64_t NextEventMonoNs();
  // Hands out the answers whose time has come. True: there were some.
  bool DeliverAnswers();
  // A process died: requests and acknowledgements under way are gone, unsynced parts of store-backed outputs are cut at
  // a place chosen by chance.
  void Crash();

  // ---- Connectors ----
  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out) override;
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) override;
  bool StoreBacked(const Program& program, const SinkSpec& sink) override;
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) override;
  Status MakeLookup(const ConnectionSpec& connection, const ConnectorContext& context,
                    std::unique_ptr<LookupConnector>* out) override;

 private:
  friend class MemoryLookup;
  friend class MemoryStreamSink;

  std::mutex mutex_;  // tests with threads
  std::map<std::string, std::unique_ptr<MemoryTopic>> topics_;
  std::map<std::string, MemoryOutput> outputs_;
  std::map<std::string, bool> store_backed_;
  std::vector<class MemoryLookup*> lookups_;
  std::vector<class MemoryStreamSink*> sinks_;
};

}  // namespace weir
