#include "runtime/testing/memory_world.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/lookup/lookup_flight.h"

namespace weir {

namespace {

class MemorySource : public Source {
 public:
  MemorySource(MemoryTopic* topic, MemoryWorld* world, const ConnectorContext& context)
      : topic_(topic), context_(context), random_(world->random()) {}

  Status Partitions(int64_t, int32_t* count) override {
    *count = static_cast<int32_t>(topic_->partitions.size());
    return Status();
  }

  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override {
    events_ = events;
    group_ = mine.empty();
    if (!group_) Assign(mine);
    return Status();
  }

  Status Poll(std::unique_ptr<Batch>* batch) override {
    batch->reset();
    if (group_) Rebalance();
    for (size_t tried = 0; tried < mine_.size(); ++tried) {
      Reader& reader = mine_[next_++ % mine_.size()];
      MemoryTopic::Partition& partition = topic_->partitions[reader.number];
      size_t at = static_cast<size_t>(reader.position);
      if (reader.held || !partition.connected || at >= partition.records.size()) continue;
      size_t most = std::min<size_t>(partition.records.size() - at, topic_->batch_max);
      size_t size = most <= 1 ? most : 1 + random_() % most;
      auto made = std::make_unique<MemoryBatch>();
      made->partition = reader.number;
      // Records of a topic never move.
      for (size_t i = 0; i < size; ++i) made->Show(partition.records[at + i], static_cast<int64_t>(at + i));
      reader.position += static_cast<int64_t>(size);
      *batch = std::move(made);
      return Status();
    }
    return Status();
  }

  void Hold(int32_t partition, bool held) override {
    for (Reader& reader : mine_) {
      if (reader.number == partition) reader.held = held;
    }
  }

  PartitionStatus Tell(int32_t number) override {
    PartitionStatus status;
    const MemoryTopic::Partition& partition = topic_->partitions[number];
    for (const Reader& reader : mine_) {
      if (reader.number != number) continue;
      status.position = reader.position;
      bool at_end = reader.position >= static_cast<int64_t>(partition.records.size());
      status.at_end = at_end && !partition.hide_end;
      status.finished = at_end && partition.finished;
    }
    status.connected = partition.connected;
    status.end_offset = static_cast<int64_t>(partition.records.size());
    return status;
  }

  std::string Identity(int32_t partition) override { return fmt::format("memory {}", partition); }

  void Commit(const std::vector<std::pair<int32_t, Position>>& positions) override {
    for (auto& [number, position] : positions) topic_->partitions[number].committed = position.offset;
  }

  Status Ends(int64_t, std::vector<int64_t>* ends) override {
    ends->clear();
    for (auto& partition : topic_->partitions) ends->push_back(static_cast<int64_t>(partition.records.size()));
    return Status();
  }

  void Close() override {}

 private:
  struct Reader {
    int32_t number;
    int64_t position;
    bool held = false;
  };

  void Assign(const std::vector<int32_t>& partitions) {
    std::vector<Position> positions;
    events_->Assigned(partitions, &positions);
    for (size_t i = 0; i < partitions.size(); ++i) {
      int64_t start = positions[i].offset;
      if (start < 0 && group_) start = topic_->partitions[partitions[i]].committed;
      mine_.push_back(Reader{partitions[i], std::max<int64_t>(start, 0)});
    }
  }

  void Rebalance() {
    std::vector<int32_t> wanted, gone;
    for (size_t p = 0; p < topic_->partitions.size(); ++p) {
      int owner = topic_->owners.empty() ? static_cast<int>(p) % context_.workers : topic_->owners[p];
      bool have = std::any_of(mine_.begin(), mine_.end(),
                              [p](const Reader& r) { return r.number == static_cast<int32_t>(p); });
      if (owner == context_.worker && !have) wanted.push_back(static_cast<int32_t>(p));
      if (owner != context_.worker && have) gone.push_back(static_cast<int32_t>(p));
    }
    if (!gone.empty()) {
      events_->Revoked(gone);
      mine_.erase(std::remove_if(mine_.begin(), mine_.end(),
                                 [&](const Reader& r) {
                                   return std::find(gone.begin(), gone.end(), r.number) != gone.end();
                                 }),
                  mine_.end());
    }
    if (!wanted.empty()) Assign(wanted);
  }

  MemoryTopic* topic_;
  ConnectorContext context_;
  std::mt19937_64 random_;
  SourceEvents* events_ = nullptr;
  bool group_ = false;
  std::vector<Reader> mine_;
  size_t next_ = 0;
};

// A file, with records for lines.
class MemoryFileSink : public Sink {
 public:
  explicit MemoryFileSink(MemoryOutput* output) : output_(output) {}
  Status Open(const SinkPosition& committed) override {
    if (committed.length < 0) return Status();  // what is there stays, and is written behind
    size_t length = static_cast<size_t>(committed.length);
    if (length > output_->records.size()) {
      return Status::Corrupt(fmt::format("the output has {} records and {} were committed", output_->records.size(), length));
    }
    output_->records.resize(length);
    output_->durable = length;
    return Status();
  }
  Status Write(const OutputBuffer& outputs, std::vector<Refused>* refused) override {
    if (!output_->fail_write.ok()) return output_->fail_write;
    for (uint32_t i = 0; i < outputs.records.size(); ++i) {
      output_->records.push_back(RecordOf(outputs, outputs.records[i]));
    }
    return Status();
  }
  bool Full() override { return false; }
  Status Poll() override { return Status(); }
  void Flush() override {}
  bool store_backed() const override { return true; }
  Status Prepare(SinkPosition* position) override {
    if (!output_->fail_prepare.ok()) return output_->fail_prepare;
    output_->durable = output_->records.size();
    position->length = static_cast<int64_t>(output_->records.size());
    return Status();
  }
  void Close() override {}

 private:
  MemoryOutput* output_;
};

}  // namespace

// A topic: visible at once, acknowledged later.
class MemoryStreamSink : public Sink {
 public:
  MemoryStreamSink(MemoryOutput* output, MemoryWorld* world) : output_(output), world_(world) {
    world_->sinks_.push_back(this);
  }
  ~MemoryStreamSink() override {
    auto at = std::find(world_->sinks_.begin(), world_->sinks_.end(), this);
    if (at != world_->sinks_.end()) world_->sinks_.erase(at);
  }
  Status Open(const SinkPosition&) override { return Status(); }
  Status Write(const OutputBuffer& outputs, std::vector<Refused>* refused) override {
    if (!output_->fail_write.ok()) return output_->fail_write;
    for (uint32_t i = 0; i < outputs.records.size(); ++i) {
      MemoryRecord record = RecordOf(outputs, outputs.records[i]);
      if (output_->refuse) {
        std::string why = output_->refuse(record);
        if (!why.empty()) {
          refused->push_back(Refused{i, why});
          continue;
        }
      }
      Ack ack;
      ack.ticket = outputs.records[i].ticket;
      ack.due = world_->clock.MonoNs();
      if (output_->ack_ns_max > 0) ack.due += static_cast<int64_t>(world_->random() % static_cast<uint64_t>(output_->ack_ns_max));
      // Arrivals keep their order, as those of an idempotent producer do.
      if (output_->lose_unacknowledged) ack.due = last_due_ = std::max(last_due_, ack.due);
      if (output_->refuse_later) ack.refused = output_->refuse_later(record);
      if (!ack.refused.empty() || output_->lose_unacknowledged) {
        ack.record = std::move(record);
        ack.arrives = ack.refused.empty();
      } else {
        std::lock_guard<std::mutex> lock(world_->mutex_);
        output_->records.push_back(std::move(record));
      }
      acks_.push_back(std::move(ack));
    }
    return Status();
  }
  bool Full() override { return output_->full; }
  Status Poll() override {
    if (!output_->fail_poll.ok()) return output_->fail_poll;
    int64_t now = world_->clock.MonoNs();
    size_t kept = 0;
    for (size_t i = 0; i < acks_.size(); ++i) {
      Ack& ack = acks_[i];
      if (ack.due > now) {
        if (kept != i) acks_[kept] = std::move(ack);
        ++kept;
        continue;
      }
      if (ack.arrives) {
        std::lock_guard<std::mutex> lock(world_->mutex_);
        output_->records.push_back(std::move(ack.record));
      }
      if (!ack.refused.empty()) {
        RefusedLater later;
        later.key = ack.record.key;
        later.has_key = ack.record.has_key;
        later.value = ack.record.value;
        later.ticket = ack.ticket;
        later.reason = ack.refused;
        refused_.push_back(std::move(later));
      } else if (ack.ticket != nullptr) {
        ack.ticket->Lower();
      }
    }
    acks_.resize(kept);
    return Status();
  }
  void TakeRefused(std::vector<RefusedLater>* refused) override {
    for (RefusedLater& one : refused_) refused->push_back(std::move(one));
    refused_.clear();
  }
  void Flush() override {}
  bool store_backed() const override { return false; }
  void Close() override {}

  // Those that are due wait for their process alone, which may stand still.
  int64_t NextAck() const {
    int64_t next = INT64_MAX;
    for (const Ack& ack : acks_) {
      if (ack.due > world_->clock.MonoNs()) next = std::min(next, ack.due);
    }
    return next;
  }

 private:
  struct Ack {
    Ticket* ticket = nullptr;
    int64_t due = 0;
    std::string refused;
    MemoryRecord record;
    bool arrives = false;
  };
  MemoryOutput* output_;
  MemoryWorld* world_;
  std::vector<Ack> acks_;
  int64_t last_due_ = 0;
  std::vector<RefusedLater> refused_;
};

// Answers requests as the script says, when their time has come.
class MemoryLookup : public LookupConnector {
 public:
  explicit MemoryLookup(MemoryWorld* world) : world_(world) { world_->lookups_.push_back(this); }
  ~MemoryLookup() override {
    auto at = std::find(world_->lookups_.begin(), world_->lookups_.end(), this);
    if (at != world_->lookups_.end()) world_->lookups_.erase(at);
    world_->requests_open -= asked_.size();
  }
  Status Open(LookupAnswers* answers) override {
    answers_ = answers;
    return Status();
  }
  void Ask(std::span<const LookupRequest> requests) override {
    for (const LookupRequest& request : requests) {
      ++world_->requests;
      ScriptedAnswer scripted =
          world_->lookup_script ? world_->lookup_script(LookupOf(request.request_id), request) : ScriptedAnswer();
      Asked asked;
      asked.number = world_->requests;
      asked.request_id = request.request_id;
      asked.attempt = request.attempt;
      asked.never = scripted.kind == ScriptedAnswer::kNever;
      asked.due = world_->clock.MonoNs() + scripted.delay_ns;
      asked.stubborn = scripted.stubborn;
      asked.times = scripted.times;
      asked.answer = std::move(scripted.answer);
      asked.answer.request_id = request.request_id;
      asked.answer.incarnation = request.incarnation;
      asked.answer.attempt = request.attempt;
      asked_.push_back(std::move(asked));
      ++world_->requests_open;
    }
  }
  void Forget(RequestId request_id, uint16_t attempt) override {
    for (size_t i = 0; i < asked_.size(); ++i) {
      if (asked_[i].request_id != request_id || asked_[i].attempt != attempt || asked_[i].stubborn) continue;
      asked_[i] = std::move(asked_.back());
      asked_.pop_back();
      --world_->requests_open;
      return;
    }
  }
  Status Check(int64_t) override { return Status(); }
  void Close() override {}

  int64_t NextAnswer() const {
    int64_t next = INT64_MAX;
    for (const Asked& asked : asked_) {
      if (!asked.never) next = std::min(next, asked.due);
    }
    return next;
  }
  // Pushes the answers that are due; in the order of their times.
  bool Deliver() {
    int64_t now = world_->clock.MonoNs();
    std::vector<Asked> due;
    for (size_t i = 0; i < asked_.size();) {
      if (asked_[i].never || asked_[i].due > now) {
        ++i;
        continue;
      }
      due.push_back(std::move(asked_[i]));
      asked_[i] = std::move(asked_.back());
      asked_.pop_back();
      --world_->requests_open;
    }
    std::sort(due.begin(), due.end(), [](const Asked& a, const Asked& b) { return a.due != b.due ? a.due < b.due : a.number < b.number; });
    for (Asked& asked : due) {
      for (int i = 1; i < asked.times; ++i) answers_->Push(asked.answer);
      answers_->Push(std::move(asked.answer));
    }
    return !due.empty();
  }

 private:
  struct Asked {
    uint64_t number = 0;
    RequestId request_id = 0;
    uint16_t attempt = 0;
    bool never = false;
    int64_t due = 0;
    int times = 1;
    bool stubborn = false;
    LookupAnswer answer;
  };
  MemoryWorld* world_;
  LookupAnswers* answers_ = nullptr;
  std::vector<Asked> asked_;
};

MemoryWorld::MemoryWorld(uint64_t seed) : random(seed) {}
MemoryWorld::~MemoryWorld() = default;

MemoryTopic& MemoryWorld::AddTopic(const std::string& name, int partitions) {
  topics_[name] = std::make_unique<MemoryTopic>(partitions);
  return *topics_[name];
}

int64_t MemoryWorld::NextEventMonoNs() {
  int64_t next = INT64_MAX;
  for (MemoryLookup* lookup : lookups_) next = std::min(next, lookup->NextAnswer());
  for (MemoryStreamSink* sink : sinks_) next = std::min(next, sink->NextAck());
  return next;
}

bool MemoryWorld::DeliverAnswers() {
  bool any = false;
  for (MemoryLookup* lookup : lookups_) any = lookup->Deliver() || any;
  return any;
}

void MemoryWorld::Crash() {
  for (auto& [name, output] : outputs_) {
    if (!store_backed_[name] || output.records.size() <= output.durable) continue;
    output.records.resize(output.durable + random() % (output.records.size() - output.durable + 1));
  }
}

Status MemoryWorld::MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out) {
  auto at = topics_.find("source " + source.name);
  if (at == topics_.end()) at = topics_.find(source.address);
  if (at == topics_.end()) return Status::NotFound(fmt::format("no topic {}", source.address));
  *out = std::make_unique<MemorySource>(at->second.get(), this, context);
  return Status();
}

Status MemoryWorld::MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out) {
  auto at = topics_.find("table " + table.name);
  if (at == topics_.end()) at = topics_.find(table.address);
  if (at == topics_.end()) return Status::NotFound(fmt::format("no topic {}", table.address));
  *out = std::make_unique<MemorySource>(at->second.get(), this, context);
  return Status();
}

bool MemoryWorld::StoreBacked(const Program&, const SinkSpec& sink) { return store_backed_[sink.address]; }

Status MemoryWorld::MakeSink(const SinkSpec& sink, const ConnectorContext&, std::unique_ptr<Sink>* out) {
  MemoryOutput& output = outputs_[sink.address];
  if (store_backed_[sink.address]) {
    *out = std::make_unique<MemoryFileSink>(&output);
  } else {
    *out = std::make_unique<MemoryStreamSink>(&output, this);
  }
  return Status();
}

Status MemoryWorld::MakeLookup(const ConnectionSpec&, const ConnectorContext&, std::unique_ptr<LookupConnector>* out) {
  *out = std::make_unique<MemoryLookup>(this);
  return Status();
}

}  // namespace weir
