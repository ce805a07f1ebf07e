// One worker's end of all exchanges; the batches and boxes themselves are in exchange.cc.
#include <algorithm>

#include "runtime/core/hash.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/task_state.h"
#include "runtime/engine/worker.h"
#include "runtime/state/changelog.h"

namespace weir {

namespace {
constexpr size_t kBatchBytes = 64 * 1024;
// Chooses the task of a key; kept for ever, since state lies where it says.
constexpr uint64_t kExchangeSeed = 0x7765697265786368;  // "weirexch"
}  // namespace

Exchanges::Exchanges(Worker& worker)
    : worker_(worker),
      outgoing_(worker.workers()),
      sent_(worker.program().exchanges.size()),
      collected_(worker.program().exchanges.size()) {
  for (const WindowSpec& window : worker.program().windows) windows_ns_ += window.size_ns;
}

// ---- Sending --------------------------------------------------------------------------------------------------------

void Exchanges::SendRow(int exchange, int32_t from, Str key, const Meta& meta, Str row) {
  const ExchangeSpec& spec = worker_.program().exchanges[exchange];
  uint32_t tasks = static_cast<uint32_t>(worker_.engine().task_count(spec.to_stage));
  uint32_t to = static_cast<uint32_t>(Hash64(key.data, key.size, kExchangeSeed) % tasks);
  item_.Clear();
  item_.Append(static_cast<char>(ExchangeBatch::kRow));
  RowWriter out(&item_);
  out.U64(static_cast<uint64_t>(exchange));
  out.U64(static_cast<uint64_t>(from));
  // Which task it is for. In a topic the partition says that, and the reader may be another version of the pipeline.
  out.U64(worker_.transactions() ? spec.row_schema : to);
  WriteMeta(meta, spec.keeps_raw, out);
  out.Str(row);
  if (worker_.transactions()) return AppendRekeyed(exchange, static_cast<int32_t>(to), item_.str());
  Append(static_cast<int>(to) % worker_.workers(), item_.str(), true);
}

void Exchanges::SendWatermarks(TaskState& task) {
  for (int exchange : task.exchange_indices) {
    ExchangeSlot& slot = *task.exchanges[exchange];
    int64_t watermark = task.ExchangeWatermark(exchange);
    const bool idle = IsIdle(task, exchange);
    if (watermark <= slot.told && idle == slot.idle_told) continue;
    // Readers' commits would otherwise move an idle task's clock, which would be told, read and committed, for ever.
    if (worker_.transactions() && idle && slot.idle_told && !ClockMatters(task)) continue;
    slot.told = std::max(slot.told, watermark);
    slot.idle_told = idle;
    item_.Clear();
    item_.Append(static_cast<char>(ExchangeBatch::kWatermark));
    RowWriter out(&item_);
    out.U64(static_cast<uint64_t>(exchange));
    out.U64(static_cast<uint64_t>(task.task.partition()));
    out.I64(slot.told);
    out.Bool(idle);
    int tasks = worker_.engine().task_count(worker_.program().exchanges[exchange].to_stage);
    if (worker_.transactions()) {
      for (int32_t to = 0; to < tasks; ++to) AppendRekeyed(exchange, to, item_.str());
      continue;
    }
    for (int to = 0; to < worker_.workers() && to < tasks; ++to) Append(to, item_.str(), false);
  }
}

void Exchanges::Append(int to_worker, Str item, bool row) {
  std::unique_ptr<ExchangeBatch>& batch = outgoing_[to_worker];
  if (batch == nullptr) batch = worker_.engine().inbox(to_worker).Spare();
  batch->bytes.Append(&item.size, sizeof item.size);
  batch->bytes.Append(item);
  if (row) ++batch->rows;
  if (batch->bytes.size() >= kBatchBytes) worker_.engine().SendBatch(to_worker, std::move(batch));
}

bool Exchanges::Flush() {
  bool did = false;
  for (int to = 0; to < worker_.workers(); ++to) {
    if (outgoing_[to] == nullptr || outgoing_[to]->bytes.size() == 0) continue;
    worker_.engine().SendBatch(to, std::move(outgoing_[to]));
    did = true;
  }
  return did;
}

// ---- Through topics -------------------------------------------------------------------------------------------------

void Exchanges::AppendRekeyed(int exchange, int32_t partition, Str item) {
  Buffer& bytes = sent_[static_cast<size_t>(exchange)].bytes;
  size_t head = bytes.size();
  uint32_t size = 0;
  bytes.Append(&size, sizeof size);
  bytes.Append(&partition, sizeof partition);
  SealChange(Str(), item, &bytes);
  size = static_cast<uint32_t>(bytes.size() - head - sizeof size - sizeof partition);
  std::memcpy(bytes.data() + head, &size, sizeof size);
}

// A window that is open in front of the exchange has a result to come: a reader that did not wait would find it late.
bool Exchanges::IsIdle(const TaskState& task, int exchange) const {
  if (!task.idle) return false;
  const Program& program = worker_.program();
  for (int at = program.exchanges[static_cast<size_t>(exchange)].upstream; at >= 0;) {
    if (at < kWindowNode) {
      at = program.lookup_steps[static_cast<size_t>(at)].upstream;
      continue;
    }
    const auto window = static_cast<size_t>(at - kWindowNode);
    if (task.windows[window]->open() != 0) return false;
    at = program.windows[window].upstream;
  }
  return true;
}

bool Exchanges::ClockMatters(const TaskState& task) const {
  int64_t last = task.task.max_time_;
  for (int exchange : task.exchange_indices) {
    int64_t told = task.exchanges[static_cast<size_t>(exchange)]->told;
    if (last == INT64_MIN || last > INT64_MAX - windows_ns_ || told <= last + windows_ns_) return true;
  }
  return false;
}

bool Exchanges::WantsTelling(const TaskState& task) const {
  for (int exchange : task.exchange_indices) {
    const ExchangeSlot& slot = *task.exchanges[static_cast<size_t>(exchange)];
    if (IsIdle(task, exchange) != slot.idle_told) return true;
    if (task.ExchangeWatermark(exchange) > slot.told && ClockMatters(task)) return true;
  }
  return false;
}

void Exchanges::CollectRekeyed() {
  auto tell = [this] {
    for (TaskState* task : worker_.Tasks()) {
      if (!task->exchange_indices.empty()) SendWatermarks(*task);
    }
  };
  bool early = worker_.engine().Mutated("watermark ahead of its data");
  std::vector<RekeyBuffer> rows;
  if (early) {
    rows = std::move(sent_);
    sent_ = std::vector<RekeyBuffer>(rows.size());
  }
  tell();
  for (size_t i = 0; i < collected_.size(); ++i) {
    collected_[i].bytes.Clear();
    collected_[i].bytes.Trim(16 << 20);
    std::swap(collected_[i].bytes, sent_[i].bytes);
  }
  if (early) sent_ = std::move(rows);  // in the next epoch
}

uint64_t Exchanges::rekeyed_bytes() const {
  uint64_t bytes = 0;
  for (const RekeyBuffer& sent : sent_) bytes += sent.bytes.size();
  return bytes;
}

void Exchanges::ForgetRekeyed() {
  for (RekeyBuffer& sent : sent_) sent.bytes.Clear();
}

uint32_t Exchanges::ProcessRekeyed(TaskState& task, int exchange, const Batch& batch, uint32_t begin, Rekeyed* what) {
  *what = Rekeyed::kReadable;
  const uint64_t row_schema = worker_.program().exchanges[exchange].row_schema;
  uint32_t at = begin;
  for (; at < batch.size && !task.task.blocked(); ++at) {
    Str item;
    bool ok = OpenChange(Str(), batch.messages[at].value, &item) && item.size != 0;
    if (!ok) {
      *what = Rekeyed::kForeign;
      break;
    }
    RowReader in(item.Sub(1));
    uint64_t of = in.U64();
    uint64_t from = in.U64();
    if (item[0] == ExchangeBatch::kRow) {
      uint64_t layout = in.U64();
      if (in.ok() && of == static_cast<uint64_t>(exchange) && layout != row_schema) {
        *what = Rekeyed::kOtherLayout;
        break;
      }
      ok = in.ok() && of == static_cast<uint64_t>(exchange) && DeliverRow(task, exchange, in);
    } else {
      int64_t watermark = in.I64();
      bool idle = in.Bool();
      ok = in.AtEnd() && of == static_cast<uint64_t>(exchange);
      if (ok) DeliverWatermark(task, from, watermark, idle);
    }
    if (!ok) {
      *what = Rekeyed::kForeign;
      break;
    }
  }
  return at;
}

// ---- Receiving ------------------------------------------------------------------------------------------------------

bool Exchanges::Receive(bool force) {
  bool did = ServeBacklogs(force);
  ExchangeInbox& inbox = worker_.engine().inbox(worker_.index());
  if (!inbox.Take(&incoming_)) return did;
  for (std::unique_ptr<ExchangeBatch>& batch : incoming_) {
    for (size_t at = 0; at < batch->bytes.size();) {
      uint32_t size;
      std::memcpy(&size, batch->bytes.data() + at, sizeof size);
      if (!TakeItem(Str(batch->bytes.data() + at + sizeof size, size), force)) {
        worker_.Fail(ExitCode::kInternal, "a batch between workers cannot be read");
        return true;
      }
      at += sizeof size + size;
    }
    worker_.arena().Reset();
    inbox.GiveBack(std::move(batch));
    ++taken_;
  }
  incoming_.clear();
  return true;
}

void Exchanges::Acknowledge() {
  if (taken_ == 0) return;
  worker_.engine().BatchesTaken(taken_);
  taken_ = 0;
}

bool Exchanges::TakeItem(Str item, bool force) {
  if (item.size == 0) return false;
  RowReader in(item.Sub(1));
  int exchange = static_cast<int>(in.U64());
  uint64_t from = in.U64();
  if (!in.ok() || exchange >= static_cast<int>(worker_.program().exchanges.size())) return false;
  int to_stage = worker_.program().exchanges[exchange].to_stage;
  if (item[0] == ExchangeBatch::kRow) {
    TaskState* task = worker_.FindTask(to_stage, static_cast<int32_t>(in.U64()));
    if (task == nullptr) return false;
    if (!force && (!task->backlog.empty() || task->task.blocked())) {
      Wait(*task, item);
      return true;
    }
    if (force) NoteForced(*task);
    return DeliverRow(*task, exchange, in);
  }
  int64_t watermark = in.I64();
  bool idle = in.Bool();
  if (!in.AtEnd()) return false;
  for (TaskState* task : worker_.TasksOf(to_stage)) {
    // It may not overtake rows that wait.
    if (task->backlog.empty()) {
      DeliverWatermark(*task, from, watermark, idle);
    } else {
      Wait(*task, item);
    }
  }
  return true;
}

void Exchanges::Wait(TaskState& task, Str item) {
  if (task.backlog.empty()) {
    task.backlog.bytes.Clear();
    task.backlog.at = 0;
    if (std::find(waiting_.begin(), waiting_.end(), &task) == waiting_.end()) waiting_.push_back(&task);
  }
  task.backlog.bytes.Append(&item.size, sizeof item.size);
  task.backlog.bytes.Append(item);
  backlog_bytes_ += sizeof item.size + item.size;
}

bool Exchanges::ServeBacklogs(bool force) {
  bool did = false;
  for (size_t i = 0; i < waiting_.size();) {
    TaskState& task = *waiting_[i];
    ExchangeBacklog& backlog = task.backlog;
    while (!backlog.empty() && (force || !task.task.blocked())) {
      uint32_t size;
      std::memcpy(&size, backlog.bytes.data() + backlog.at, sizeof size);
      Str item(backlog.bytes.data() + backlog.at + sizeof size, size);
      backlog.at += sizeof size + size;
      backlog_bytes_ -= sizeof size + size;
      RowReader in(item.Sub(1));
      int exchange = static_cast<int>(in.U64());
      uint64_t from = in.U64();
      if (item[0] == ExchangeBatch::kRow) {
        in.U64();
        NoteForced(task);
        DeliverRow(task, exchange, in);
      } else {
        int64_t watermark = in.I64();
        DeliverWatermark(task, from, watermark, in.Bool());
      }
      worker_.arena().Reset();
      did = true;
    }
    if (backlog.empty()) {
      backlog.bytes.Clear();
      backlog.at = 0;
      waiting_[i] = waiting_.back();
      waiting_.pop_back();
    } else {
      ++i;
    }
  }
  return did;
}

void Exchanges::NoteForced(TaskState& task) {
  if (!task.task.blocked()) return;
  if (std::find(overfull_.begin(), overfull_.end(), &task) == overfull_.end()) overfull_.push_back(&task);
}

bool Exchanges::Overfull() {
  overfull_.erase(std::remove_if(overfull_.begin(), overfull_.end(),
                                 [](const TaskState* task) { return !task->task.blocked(); }),
                  overfull_.end());
  return !overfull_.empty();
}

bool Exchanges::DeliverRow(TaskState& task, int exchange, RowReader& in) {
  const ExchangeSpec& spec = worker_.program().exchanges[exchange];
  Meta meta;
  if (!ReadMeta(in, worker_.arena(), &meta)) return false;
  Str row = in.Str();
  if (!in.AtEnd()) return false;
  worker_.counters(spec.step).read.Add();
  worker_.MarkDirty();
  task.task.BeginResume(meta);
  RowReader reader(row);
  spec.process(task.task, meta, reader);
  return true;
}

void Exchanges::DeliverWatermark(TaskState& task, uint64_t from, int64_t watermark, bool idle) {
  constexpr uint64_t kTasksMax = 1 << 20;
  if (from >= task.upstreams.size()) {
    if (!worker_.transactions() || from >= kTasksMax) return;
    task.upstreams.resize(from + 1);  // a partition that was added
  }
  task.upstreams_moved = true;
  ExchangeUpstream& upstream = task.upstreams[from];
  upstream.idle = idle;
  if (watermark > upstream.watermark) {
    upstream.watermark = watermark;
  }
  UpdateWatermark(task);
}

// The minimum of those not idle; when all are idle, the clock that the furthest of them follows. Finished ones no longer
// count.
void Exchanges::UpdateWatermark(TaskState& task) {
  int64_t least = INT64_MAX, furthest = INT64_MIN;
  bool open = false, all_idle = true;
  for (const ExchangeUpstream& upstream : task.upstreams) {
    if (upstream.watermark == INT64_MAX) continue;
    open = true;
    furthest = std::max(furthest, upstream.watermark);
    if (upstream.idle) continue;
    all_idle = false;
    least = std::min(least, upstream.watermark);
  }
  int64_t watermark = !open ? INT64_MAX : all_idle ? furthest : least;
  task.idle = open && all_idle && task.Pending() == 0;
  if (watermark > task.task.watermark_) {
    task.task.watermark_ = watermark;
    if (watermark >= task.task.next_wake_) task.task.Advance();
  }
}

// ---- State ----------------------------------------------------------------------------------------------------------

// What its upstream tasks told is told again after a restart; what is kept is how far the task itself had come, since
// that may be further than they say: idle ones did not count.
void Exchanges::AppendDelta(TaskState& task, uint32_t step, bool upstreams, DeltaWriter& delta) {
  bool moved = upstreams && task.upstreams_moved;
  if (task.task.watermark_ == task.saved_watermark && !moved) return;
  task.saved_watermark = task.task.watermark_;
  task.upstreams_moved = false;
  RowWriter& out = delta.BeginPut(step, StateKind::kExchange, task.task.partition(), Str());
  out.I64(task.saved_watermark);
  if (upstreams) {
    out.U64(task.upstreams.size());
    for (const ExchangeUpstream& upstream : task.upstreams) {
      out.I64(upstream.watermark);
      out.Bool(upstream.idle);
    }
  }
  delta.EndPut();
}

Status Exchanges::Restore(TaskState& task, Str value) {
  RowReader in(value);
  task.task.watermark_ = task.saved_watermark = in.I64();
  if (!in.AtEnd()) {
    uint64_t count = in.U64();
    if (count > value.size) return Status::Corrupt("its watermarks cannot be read");
    if (task.upstreams.size() < count) task.upstreams.resize(count);
    for (uint64_t i = 0; i < count; ++i) {
      task.upstreams[i].watermark = in.I64();
      task.upstreams[i].idle = in.Bool();
    }
  }
  return in.AtEnd() ? Status() : Status::Corrupt("its watermark cannot be read");
}

}  // namespace weir
