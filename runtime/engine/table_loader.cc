#include "runtime/engine/table_loader.h"

#include <fmt/format.h>

#include "runtime/engine/dead_letter.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/table_lock.h"
#include "runtime/engine/worker.h"

namespace weir {

namespace {
constexpr int kBatchesPerTurn = 16;
}  // namespace

struct TableLoader::Table : public SourceEvents {
  int index = 0;
  const TableSpec* spec = nullptr;
  TableStore* store = nullptr;
  std::unique_ptr<Source> reader;
  std::vector<int64_t> ends;       // to be reached before streams start, by partition
  std::vector<int64_t> positions;
  bool loaded = false;

  void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* out) override {
    out->assign(partitions.size(), Position());
    for (Position& position : *out) position.earliest = true;
  }
  void Revoked(const std::vector<int32_t>&) override {}
  void Lost(const std::vector<int32_t>&) override {}
};

// A row that cannot be decoded, with bytes of its own.
struct TableLoader::Letter {
  const TableSpec* spec = nullptr;
  int32_t partition = 0;
  int64_t offset = 0;
  bool has_key = false, has_value = false;
  std::string key, value, error;
  std::vector<std::pair<std::string, std::string>> headers;
};

TableLoader::TableLoader(Worker& worker, const std::vector<TableStore*>& stores) : worker_(worker) {
  for (size_t i = 0; i < stores.size(); ++i) {
    auto table = std::make_unique<Table>();
    table->index = static_cast<int>(i);
    table->spec = &worker.program().tables[i];
    table->store = stores[i];
    tables_.push_back(std::move(table));
  }
}

TableLoader::~TableLoader() = default;

Status TableLoader::Open() {
  const Environment& environment = worker_.environment();
  ConnectorContext context;
  context.program = &worker_.program();
  context.clock = environment.clock;
  context.loop = &worker_.loop();
  context.log = environment.log;
  context.workers = worker_.workers();
  for (auto& table : tables_) {
    Status status = environment.connectors->MakeTable(*table->spec, context, &table->reader);
    int32_t partitions = 0;
    if (status.ok()) status = table->reader->Partitions(environment.start_wait_ns, &partitions);
    if (status.ok()) status = table->reader->Ends(environment.start_wait_ns, &table->ends);
    if (status.ok()) {
      std::vector<int32_t> all;
      for (int32_t i = 0; i < partitions; ++i) all.push_back(i);
      table->ends.resize(all.size(), -1);
      table->positions.resize(all.size(), 0);
      status = table->reader->Open(all, table.get());
    }
    if (!status.ok()) return worker_.engine().Within("table", table->spec->name, table->spec->step, status);
  }
  return Status();
}

bool TableLoader::AtEnd(Table& table) {
  for (size_t p = 0; p < table.ends.size(); ++p) {
    if (table.ends[p] >= 0 && table.positions[p] >= table.ends[p]) continue;
    PartitionStatus status = table.reader->Tell(static_cast<int32_t>(p));
    if (table.ends[p] >= 0 && status.position >= table.ends[p]) continue;
    if (!status.at_end && !status.finished) return false;
  }
  return true;
}

bool TableLoader::Turn() {
  bool did = tell_again_;
  if (tell_again_) {
    for (const Letter& letter : letters_) Tell(letter);
    tell_again_ = false;
  }
  bool all = true;
  for (auto& table : tables_) {
    bool empty = false;
    for (int i = 0; i < kBatchesPerTurn && !empty; ++i) {
      std::unique_ptr<Batch> batch;
      Status status = table->reader->Poll(&batch);
      if (!status.ok()) {
        worker_.Fail(ExitCode::kConnector, fmt::format("table `{}`: {}", table->spec->name, status.message()),
                     worker_.program().steps[table->spec->step].line);
        return true;
      }
      if (batch == nullptr) {
        empty = true;
        break;
      }
      did = true;
      std::string error;
      for (uint32_t m = 0; m < batch->size; ++m) {
        if (!table->store->Stage(batch->messages[m], &error)) Bad(*table, batch->messages[m], batch->partition, error);
      }
      if (batch->size != 0) {
        worker_.counters(table->spec->step).read.Add(batch->size);
        table->positions[batch->partition] = batch->messages[batch->size - 1].next_offset;
      }
      if (worker_.stopping()) return true;
    }
    if (table->store->staged() != 0) {
      TableLock& lock = worker_.engine().table_lock();
      lock.Lock();
      table->store->Apply();
      lock.Unlock();
    }
    if (!table->loaded && empty && AtEnd(*table)) {
      table->loaded = true;
      did = true;
      worker_.log().Write(LogLevel::kInfo, worker_.program().steps[table->spec->step].line,
                          fmt::format("table `{}` is loaded: {} rows", table->spec->name, table->store->size()));
    }
    all = all && table->loaded;
  }
  loaded_ = all;
  return did;
}

void TableLoader::Bad(Table& table, const Message& message, int32_t partition, const std::string& error) {
  const TableSpec& spec = *table.spec;
  if (spec.on_bad_deadletter == -1) {
    worker_.counters(spec.step).dropped.Add();
    return;
  }
  if (spec.on_bad_deadletter < 0) {
    worker_.Fail(ExitCode::kStopped,
                 fmt::format("table `{}` stops the pipeline: the record at partition {}, offset {}: {}", spec.name,
                             partition, message.offset, error),
                 worker_.program().steps[spec.step].line);
    return;
  }
  Letter letter;
  letter.spec = &spec;
  letter.partition = partition;
  letter.offset = message.offset;
  letter.has_key = message.has_key;
  letter.has_value = message.has_value;
  letter.key = std::string(message.key.view());
  letter.value = std::string(message.value.view());
  letter.error = error;
  for (uint32_t i = 0; i < message.headers.size; ++i) {
    const Header& header = message.headers.data[i];
    letter.headers.emplace_back(header.name.view(), header.value.view());
  }
  Tell(letter);
  if (worker_.transactions()) letters_.push_back(std::move(letter));
}

void TableLoader::Tell(const Letter& letter) {
  std::vector<Header> headers;
  for (const auto& [name, value] : letter.headers) {
    headers.push_back(Header{Str(std::string_view(name)), Str(std::string_view(value))});
  }
  Meta meta;
  meta.source = kNoSource;
  meta.partition = letter.partition;
  meta.offset = letter.offset;
  meta.key = Str(std::string_view(letter.key));
  meta.has_key = letter.has_key;
  meta.headers = Headers{headers.data(), static_cast<uint32_t>(headers.size())};
  meta.raw = Str(std::string_view(letter.value));
  meta.has_raw = letter.has_value;
  DeadLetter dead;
  dead.step = letter.spec->step;
  dead.reason = DeadReason::kBadInput;
  dead.detail = Str(std::string_view(letter.error));
  dead.meta = &meta;
  dead.topic = Str(std::string_view(letter.spec->address));
  dead.is_topic = letter.spec->operation == "topic";
  worker_.EmitDead(letter.spec->on_bad_deadletter, dead, nullptr);
}

void TableLoader::EpochEnds() { in_epoch_ = letters_.size(); }

void TableLoader::EpochCommitted() {
  letters_.erase(letters_.begin(), letters_.begin() + static_cast<std::ptrdiff_t>(in_epoch_));
  in_epoch_ = 0;
}

void TableLoader::EpochForgotten() {
  in_epoch_ = 0;
  tell_again_ = !letters_.empty();
}

void TableLoader::Close() {
  for (auto& table : tables_) {
    if (table->reader != nullptr) table->reader->Close();
  }
}

}  // namespace weir
