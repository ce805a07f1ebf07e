#include "runtime/engine/input.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/engine/engine.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/start_policy.h"
#include "runtime/engine/topic_names.h"
#include "runtime/engine/worker.h"

namespace weir {

namespace {
// Batches taken in one turn, so that acknowledgements, answers and barriers get their turn too.
constexpr int kBatchesPerTurn = 8;
// How often an idle partition's clock is looked at when what waits for it is behind an exchange.
constexpr int64_t kIdleTickNs = 100'000'000;

uint64_t BytesOf(const Message& message) { return message.key.size + message.value.size; }
}  // namespace

void WriteStoredSource(const StoredSource& stored, RowWriter& out) {
  out.I64(stored.position.offset);
  out.Bool(stored.position.finished);
  out.Str(Str(std::string_view(stored.position.identity)));
  out.I64(stored.max_time);
  out.I64(stored.watermark);
}

bool ReadStoredSource(Str value, StoredSource* stored) {
  RowReader in(value);
  stored->position.offset = in.I64();
  stored->position.finished = in.Bool();
  stored->position.identity = in.Str().view();
  stored->max_time = in.I64();
  stored->watermark = in.I64();
  return in.AtEnd();
}

Input::Input(Worker& worker, int source, std::unique_ptr<Source> reader)
    : worker_(worker),
      source_(source),
      spec_(worker.program().sources[source]),
      reader_(std::move(reader)),
      offsets_mode_(!worker.store_mode() && !worker.transactions()),
      group_member_(!worker.store_mode()) {
  int64_t in_flight = 0;
  for (const LookupSpec& lookup : worker.program().lookups) in_flight = std::max<int64_t>(in_flight, lookup.in_flight);
  open_records_max_ = static_cast<uint64_t>(std::max<int64_t>(4 * in_flight, 10'000));
}

void Input::AddPartition(int32_t number, TaskState* task, const StoredSource& stored) {
  auto partition = std::make_unique<Partition>();
  partition->number = number;
  partition->task = task;
  partition->position = stored.position;
  partition->saved_watermark = stored.watermark;
  task->task.lateness_ = spec_.has_lateness ? spec_.lateness_ns : 0;
  task->task.max_time_ = stored.max_time;
  task->task.watermark_ = stored.watermark;
  if (stored.position.finished) {
    partition->finished = true;
    task->task.watermark_ = INT64_MAX;
  }
  auto gauges = std::make_unique<PartitionGauges>();
  gauges->source = source_;
  gauges->partition = number;
  gauges->position.Set(stored.position.offset);
  gauges->watermark.Set(task->task.watermark_);
  partition->gauges = gauges.get();
  {
    std::lock_guard<std::mutex> lock(gauges_mutex_);
    gauges_.push_back(std::move(gauges));
  }
  partitions_.push_back(std::move(partition));
}

Status Input::Open() {
  std::vector<int32_t> mine;
  if (!group_member_) {
    for (const auto& partition : partitions_) mine.push_back(partition->number);
    if (mine.empty()) return Status();
  }
  return reader_->Open(mine, this);
}

Input::Partition* Input::Find(int32_t number) {
  for (auto& partition : partitions_) {
    if (partition->number == number) return partition.get();
  }
  return nullptr;
}

void Input::Gauges(std::vector<PartitionMetrics>* out) const {
  std::lock_guard<std::mutex> lock(gauges_mutex_);
  for (const auto& gauges : gauges_) {
    PartitionMetrics metrics;
    metrics.source = gauges->source;
    metrics.partition = gauges->partition;
    metrics.position = gauges->position.Get();
    metrics.end_offset = gauges->end_offset.Get();
    metrics.watermark_ns = gauges->watermark.Get();
    metrics.blocked_ns = gauges->blocked_ns.Get();
    metrics.connected = gauges->connected.Get() != 0;
    metrics.recovering = gauges->recovering.Get() != 0;
    out->push_back(metrics);
  }
}

// ---- Records --------------------------------------------------------------------------------------------------------

bool Input::Turn(bool may_process, bool may_poll) {
  bool did = false;
  if (may_process) {
    const uint64_t first = worker_.epoch_limit().epochs() / worker_.program().sources.size();
    for (size_t i = 0; i < partitions_.size(); ++i) {
      Partition* partition = partitions_[(first + i) % partitions_.size()].get();
      while (!partition->waiting.empty() && !partition->task->task.blocked() && !worker_.epoch_limit().Full()) {
        if (!Work(*partition)) break;
        did = true;
        if (worker_.stopping()) return true;
      }
    }
  }
  holding_ = !may_poll;
  for (auto& partition : partitions_) {
    UpdateHold(*partition);
    partition->empty_poll = false;
  }
  if (!group_member_ && partitions_.empty()) return did;
  // Held back, it is still polled once: members of a group are asked to give partitions away there.
  for (int i = 0; i < (may_poll ? kBatchesPerTurn : 1); ++i) {
    std::unique_ptr<Batch> batch;
    Status status = reader_->Poll(&batch);
    if (!status.ok()) {
      if (LooksElsewhere()) return true;
      bool unsafe = status.code() == StatusCode::kExists || status.code() == StatusCode::kCorrupt;
      worker_.Fail(unsafe ? ExitCode::kRefused : ExitCode::kConnector,
                   fmt::format("source `{}`: {}", spec_.name, status.message()), worker_.program().steps[spec_.step].line);
      return true;
    }
    if (batch == nullptr) {
      for (auto& partition : partitions_) partition->empty_poll = may_poll;
      break;
    }
    did = true;
    Partition* partition = Find(batch->partition);
    // Given away in this very poll, or read before its task was to be brought back.
    if (partition == nullptr || partition->recovering || batch->size == 0) continue;
    Accept(*partition, std::move(batch));
    if (may_process && !partition->task->task.blocked()) {
      while (!partition->waiting.empty() && !worker_.epoch_limit().Full() && Work(*partition)) {
      }
    }
    UpdateHold(*partition);
    if (worker_.stopping() || (may_process && !worker_.MayRead(spec_.stage))) break;
  }
  return did;
}

// A worker that stood still reads on where others have read, committed and deleted long since, until the group tells it that
// its partitions are theirs. Where reading goes on is what the group has committed, so that is asked once more before
// records count as lost: committed offsets never go back. True: all tasks begin anew.
bool Input::LooksElsewhere() {
  if (!worker_.transactions()) return false;
  bool elsewhere = false;
  for (const auto& partition : partitions_) {
    const PartitionStatus told = reader_->Tell(partition->number);
    if (!told.gone) continue;
    int64_t& last = gone_.try_emplace(partition->number, -1).first->second;
    if (told.position <= last) return false;
    last = told.position;
    elsewhere = true;
    worker_.engine().Warn(
        fmt::format("source `{}`, partition {}: what stood at offset {} is not there any more. This worker asks the group "
                    "once more where reading goes on",
                    spec_.name, partition->number, told.position),
        worker_.program().steps[spec_.step].line);
  }
  if (elsewhere) worker_.BeginAnew();
  return elsewhere;
}

void Input::Accept(Partition& partition, std::unique_ptr<Batch> batch) {
  Waiting waiting;
  if (offsets_mode_) {
    std::unique_ptr<OpenBatch> open;
    if (!spare_.empty()) {
      open = std::move(spare_.back());
      spare_.pop_back();
    } else {
      open = std::make_unique<OpenBatch>();
    }
    open->end_offset = batch->messages[batch->size - 1].next_offset;
    open->records = batch->size;
    open->ticket.Raise();  // until the batch is read
    waiting.open = open.get();
    partition.open_records += batch->size;
    partition.open.push_back(std::move(open));
  }
  waiting.batch = std::move(batch);
  partition.waiting.push_back(std::move(waiting));
  partition.quiet_since = -1;
  partition.gauges->connected.Set(1);
  SetIdle(partition, false);
}

bool Input::Work(Partition& partition) {
  Waiting& waiting = partition.waiting.front();
  Batch& batch = *waiting.batch;
  Task& task = partition.task->task;
  task.ticket_ = waiting.open != nullptr ? &waiting.open->ticket : nullptr;
  uint64_t begun = task.begun_;
  uint32_t begin = waiting.begin;
  const uint32_t size = batch.size;
  if (EpochLimit& limit = worker_.epoch_limit(); limit.limited()) {
    batch.size = limit.EndThatFits(begin, size, [&](uint32_t i) { return BytesOf(batch.messages[i]); });
  }
  const bool rekeyed = spec_.exchange >= 0;
  Exchanges::Rekeyed found = Exchanges::Rekeyed::kReadable;
  uint32_t end = rekeyed
                     ? worker_.exchanges().ProcessRekeyed(*partition.task, spec_.exchange, batch, begin, &found)
                     : spec_.process(task, batch, begin);
  const bool in_bounds = end <= batch.size && end >= begin;
  batch.size = size;
  task.ticket_ = nullptr;
  worker_.arena().Reset();
  uint32_t taken = end - begin;
  if (found != Exchanges::Rekeyed::kReadable) {
    worker_.Fail(ExitCode::kStateMismatch,
                 fmt::format("topic `{}`, partition {}, offset {}: {}", spec_.address, partition.number,
                             batch.messages[end].offset,
                             found == Exchanges::Rekeyed::kForeign
                                 ? "the record is not one that this pipeline wrote; only its own copies may write to it"
                                 : "the row was written by a version of this pipeline whose re-keyed records have other "
                                   "fields. Stop all copies, run that version with --stop-at-end, which reads what is under "
                                   "way, then start this one"),
                 worker_.program().steps[spec_.step].line);
    return false;
  }
  if (!in_bounds || (!rekeyed && task.begun_ - begun != taken)) {
    worker_.Fail(ExitCode::kInternal,
                 fmt::format("source `{}`: {} records taken and {} begun", spec_.name, taken, task.begun_ - begun));
    return false;
  }
  if (taken != 0) {
    worker_.MarkDirty();
    Count(batch, begin, end);
    partition.position.offset = batch.messages[end - 1].next_offset;
    partition.position.earliest = false;
    partition.moved = true;
  }
  waiting.begin = end;
  if (end == batch.size) {
    if (waiting.open != nullptr) waiting.open->ticket.Lower();
    partition.waiting.pop_front();
  }
  return taken != 0;
}

void Input::Count(const Batch& batch, uint32_t begin, uint32_t end) {
  uint64_t bytes = 0;
  for (uint32_t i = begin; i < end; ++i) bytes += BytesOf(batch.messages[i]);
  worker_.epoch_limit().Take(end - begin, bytes);
  if (spec_.exchange >= 0) return;  // they were counted where they were read first
  worker_.ledger().read.Add(end - begin);
  StepCounters& counters = worker_.counters(spec_.step);
  counters.read.Add(end - begin);
  counters.read_bytes.Add(bytes);
}

void Input::UpdateHold(Partition& partition) {
  bool blocked = partition.task->task.blocked() && !partition.waiting.empty();
  if (blocked && partition.blocked_since < 0) {
    partition.blocked_since = worker_.mono_ns();
  } else if (!blocked && partition.blocked_since >= 0) {
    partition.gauges->blocked_ns.Add(static_cast<uint64_t>(worker_.mono_ns() - partition.blocked_since));
    partition.blocked_since = -1;
  }
  bool hold = holding_ || partition.recovering || !partition.waiting.empty() || (offsets_mode_ && partition.open_records > open_records_max_);
  if (hold == partition.held) return;
  partition.held = hold;
  reader_->Hold(partition.number, hold);
}

// ---- Ends and idleness ----------------------------------------------------------------------------------------------

void Input::Tick(bool counts) {
  int64_t now = worker_.mono_ns();
  for (auto& at : partitions_) {
    Partition& partition = *at;
    Task& task = partition.task->task;
    int64_t shown = partition.position.offset;
    if (partition.empty_poll && partition.waiting.empty()) {
      PartitionStatus status = reader_->Tell(partition.number);
      partition.gauges->end_offset.Set(status.end_offset);
      partition.gauges->connected.Set(status.connected || status.finished ? 1 : 0);
      // At the end there may be markers of transactions behind the last record, which nobody is behind with.
      if (shown < 0 || status.at_end) shown = std::max(shown, status.position);
      if (status.finished && !partition.finished) Finish(partition);
      bool quiet = counts && spec_.idle_ns >= 0 && !partition.finished && status.at_end && status.connected &&
                   partition.task->Pending() == 0;
      if (!quiet) {
        partition.quiet_since = -1;
        SetIdle(partition, false);
      } else {
        if (partition.quiet_since < 0) partition.quiet_since = now;
        if (now - partition.quiet_since >= spec_.idle_ns) {
          if (!partition.idle) {
            partition.idle_from = partition.quiet_since + spec_.idle_ns;
            SetIdle(partition, true);
          }
          // The watermark goes on with the clock, from where the last record left it.
          if (task.max_time_ != INT64_MIN) {
            int64_t watermark = task.max_time_ - task.lateness_ + (now - partition.idle_from);
            if (watermark > task.watermark_) {
              task.watermark_ = watermark;
              if (watermark >= task.next_wake_) task.Advance();
            }
          }
        }
      }
    } else if (spec_.exchange < 0 && (!partition.waiting.empty() || !counts)) {
      partition.quiet_since = -1;
      SetIdle(partition, false);
    }
    if (shown >= 0 || partition.position.offset < 0) partition.gauges->position.Set(shown);
    partition.gauges->watermark.Set(task.watermark_);
  }
}

void Input::SetIdle(Partition& partition, bool idle) {
  partition.idle = idle;
  // What an exchange feeds is idle when its upstream tasks are.
  if (spec_.exchange < 0) partition.task->idle = idle;
}

void Input::Finish(Partition& partition) {
  partition.finished = true;
  partition.position.finished = true;
  partition.moved = true;
  worker_.MarkDirty();
  Task& task = partition.task->task;
  task.watermark_ = INT64_MAX;
  task.Advance();
}

int64_t Input::NextTimerMonoNs() const {
  if (spec_.idle_ns < 0) return INT64_MAX;
  int64_t next = INT64_MAX;
  for (const auto& partition : partitions_) {
    if (partition->quiet_since < 0) continue;
    if (!partition->idle) {
      next = std::min(next, partition->quiet_since + spec_.idle_ns);
      continue;
    }
    const Task& task = partition->task->task;
    if (task.max_time_ == INT64_MIN) continue;
    int64_t fire = partition->task->NextFire();
    if (fire != INT64_MAX) next = std::min(next, partition->idle_from + (fire - (task.max_time_ - task.lateness_)));
    bool waited_for = worker_.transactions() ? worker_.exchanges().ClockMatters(*partition->task) : worker_.AnyWindowOpen();
    if (!partition->task->exchange_indices.empty() && waited_for) {
      next = std::min(next, worker_.mono_ns() + kIdleTickNs);
    }
  }
  return next;
}

bool Input::finished() const {
  for (const auto& partition : partitions_) {
    if (!partition->finished || !partition->waiting.empty()) return false;
  }
  return true;
}

bool Input::waiting() const {
  for (const auto& partition : partitions_) {
    if (!partition->waiting.empty()) return true;
  }
  return false;
}

// ---- Commit by epochs -----------------------------------------------------------------------------------------------

void Input::AppendDelta(DeltaWriter& delta) {
  for (auto& at : partitions_) {
    Partition& partition = *at;
    const Task& task = partition.task->task;
    partition.told = !partition.moved;
    if (!partition.moved && task.watermark_ == partition.saved_watermark) continue;
    if (partition.moved) partition.position.identity = reader_->Identity(partition.number);
    StoredSource stored;
    stored.position = partition.position;
    stored.max_time = task.max_time_;
    stored.watermark = task.watermark_;
    WriteStoredSource(stored, delta.BeginPut(spec_.step, StateKind::kSource, partition.number, Str()));
    delta.EndPut();
    partition.moved = false;
    partition.saved_watermark = task.watermark_;
    partition.collected_offset = partition.position.offset;
  }
}

void Input::TellCommitted() {
  std::vector<std::pair<int32_t, Position>> positions;
  for (auto& partition : partitions_) {
    if (partition->told) continue;
    partition->told = true;
    Position position;
    position.offset = partition->collected_offset;
    position.identity = partition->position.identity;
    positions.emplace_back(partition->number, std::move(position));
  }
  if (!positions.empty()) reader_->Commit(positions);
}

// ---- Transactions ---------------------------------------------------------------------------------------------------

void Input::AddRecoveries(std::vector<std::unique_ptr<TaskRecovery>>* tasks) const {
  StartPolicy policy;
  const bool later = StartPolicyOf(spec_, &policy) && policy.kind != StartPolicy::kEarliest;
  for (const auto& partition : partitions_) {
    if (!partition->recovering) continue;
    auto task = std::make_unique<TaskRecovery>();
    task->stage = spec_.stage;
    task->source = source_;
    task->partition = partition->number;
    task->has_changelog = worker_.engine().has_changelog(spec_.stage);
    task->start_later = later;
    tasks->push_back(std::move(task));
  }
}

bool Input::recovering() const {
  return std::any_of(partitions_.begin(), partitions_.end(), [](const auto& partition) { return partition->recovering; });
}

Status Input::BringBack(int32_t number, const StoredSource& stored, bool first) {
  Partition* partition = Find(number);
  if (partition == nullptr || !partition->recovering) return Status();
  if (Status status = reader_->Recognise(number, stored.position); !status.ok()) {
    return status.Within(fmt::format("source `{}`", spec_.name));
  }
  Task& task = partition->task->task;
  partition->recovering = false;
  partition->gauges->recovering.Set(0);
  partition->position = stored.position;
  partition->saved_watermark = stored.watermark;
  task.max_time_ = stored.max_time;
  // What an exchange feeds has its watermark from there.
  if (spec_.exchange < 0) task.watermark_ = stored.watermark;
  // Where the source begins is committed too, so that what `latest` came to stays.
  partition->moved = first;
  if (first) worker_.MarkDirty();
  partition->gauges->position.Set(stored.position.offset);
  partition->gauges->watermark.Set(stored.watermark);
  return reader_->Resume(number, stored.position.offset).Within(fmt::format("source `{}`", spec_.name));
}

void Input::AppendOffsets(std::vector<SourceOffset>* offsets) const {
  for (const auto& partition : partitions_) {
    if (partition->recovering || partition->position.offset < 0) continue;
    int64_t offset = partition->position.offset;
    const bool stateless = !worker_.engine().has_changelog(spec_.stage);
    // What waits and is kept nowhere is read again.
    if (stateless && !worker_.engine().Mutated("offset above rows that wait")) {
      for (const auto& port : partition->task->owned_ports) {
        if (int64_t oldest = port->oldest_offset(); oldest >= 0) offset = std::min(offset, oldest);
      }
    }
    offsets->push_back({source_, partition->number, offset, stateless ? OffsetState::kNone : OffsetState::kSome});
  }
}

void Input::Restart() {
  std::vector<int32_t> numbers;
  for (const auto& partition : partitions_) numbers.push_back(partition->number);
  Drop(numbers);
  std::vector<Position> positions;
  Assigned(numbers, &positions);
}

// ---- Offsets that follow delivery -----------------------------------------------------------------------------------

void Input::PopDone(Partition& partition) {
  while (!partition.open.empty() && partition.open.front()->ticket.Done()) {
    OpenBatch& open = *partition.open.front();
    partition.collected_offset = open.end_offset;
    partition.open_records -= open.records;
    spare_.push_back(std::move(partition.open.front()));
    partition.open.pop_front();
  }
}

void Input::Settle() {
  for (auto& partition : partitions_) PopDone(*partition);
}

void Input::CommitDone() {
  std::vector<std::pair<int32_t, Position>> positions;
  for (auto& partition : partitions_) {
    PopDone(*partition);
    if (worker_.engine().Mutated("outputs not acknowledged")) partition->collected_offset = partition->position.offset;
    if (partition->collected_offset == partition->committed_offset) continue;
    partition->committed_offset = partition->collected_offset;
    Position position;
    position.offset = partition->collected_offset;
    positions.emplace_back(partition->number, std::move(position));
  }
  // Killed at a step of another source, it sends nothing any more.
  if (!positions.empty() && !worker_.engine().killed()) {
    if (worker_.engine().StopAt("offsets.acknowledged")) return;
    reader_->Commit(positions);
    if (worker_.engine().StopAt("offsets.sent")) return;
  }
  orphans_.erase(std::remove_if(orphans_.begin(), orphans_.end(),
                                [](const std::unique_ptr<OpenBatch>& open) { return open->ticket.Done(); }),
                 orphans_.end());
}

bool Input::Settled() const {
  for (const auto& partition : partitions_) {
    for (const auto& open : partition->open) {
      if (!open->ticket.Done()) return false;
    }
  }
  return true;
}

// ---- SourceEvents ---------------------------------------------------------------------------------------------------

void Input::Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) {
  positions->clear();
  for (int32_t number : partitions) {
    Partition* partition = Find(number);
    if (partition == nullptr && worker_.transactions() && worker_.engine().has_changelog(spec_.stage) &&
        number >= worker_.engine().task_count(spec_.stage)) {
      worker_.Fail(ExitCode::kRefused,
                   fmt::format("source `{}` has got partition {} since the start, which has no place in `{}`: start again, "
                               "which makes one, or says why that is not possible",
                               spec_.name, number, ChangelogTopic(worker_.program(), spec_.stage)),
                   worker_.program().steps[spec_.step].line);
      positions->emplace_back();
      continue;
    }
    if (partition == nullptr && group_member_) {
      // The group's committed offset counts.
      AddPartition(number, worker_.AddTask(spec_.stage, number), StoredSource());
      partition = Find(number);
      partition->recovering = worker_.transactions();
      partition->gauges->recovering.Set(partition->recovering ? 1 : 0);
      if (partition->recovering) worker_.WantRecovery();
    }
    if (partition == nullptr) {
      worker_.Fail(ExitCode::kInternal, fmt::format("source `{}` was given partition {}", spec_.name, number));
      positions->emplace_back();
      continue;
    }
    positions->push_back(partition->position);
  }
}

bool Input::AllSettled(const std::vector<int32_t>& partitions) {
  for (int32_t number : partitions) {
    Partition* partition = Find(number);
    if (partition == nullptr) continue;
    for (size_t i = 0; i < partition->open.size(); ++i) {
      // What nobody began is not waited for: the next owner reads it.
      bool unread = !partition->waiting.empty() && partition->waiting.front().begin == 0 &&
                    partition->waiting.front().open == partition->open[i].get();
      if (unread) break;
      if (!partition->open[i]->ticket.Done() &&
          !(partition->open[i]->ticket.open() == 1 && !partition->waiting.empty() &&
            partition->waiting.front().open == partition->open[i].get())) {
        return false;
      }
    }
  }
  return true;
}

void Input::Revoked(const std::vector<int32_t>& partitions) {
  if (worker_.transactions()) {
    worker_.CommitBeforeRevoke();
    return Drop(partitions);
  }
  int64_t end = worker_.clock().MonoNs() + worker_.environment().revoke_wait_ns;
  worker_.HandOver();
  while (!AllSettled(partitions) && !worker_.stopping()) {
    if (!worker_.ServeOutputs()) {
      const int64_t now = worker_.clock().MonoNs();
      if (now >= end) break;
      worker_.loop().Run(std::min<int64_t>(end - now, 5'000'000));
      if (!worker_.engine().threaded() && worker_.clock().MonoNs() == now) break;  // nobody lets time pass
    }
  }
  CommitDone();
  Drop(partitions);
}

void Input::Lost(const std::vector<int32_t>& partitions) {
  if (worker_.transactions()) worker_.ForgetEpoch();
  Drop(partitions);
}

void Input::Drop(const std::vector<int32_t>& partitions) {
  for (int32_t number : partitions) {
    auto at = std::find_if(partitions_.begin(), partitions_.end(),
                           [number](const std::unique_ptr<Partition>& p) { return p->number == number; });
    if (at == partitions_.end()) continue;
    Partition& partition = **at;
    for (Waiting& waiting : partition.waiting) {
      if (waiting.open != nullptr) waiting.open->ticket.Lower();
    }
    for (auto& port : partition.task->owned_ports) port->ForgetAll();
    worker_.RemoveTask(partition.task);
    // Sinks may still hold what these tickets count.
    for (auto& open : partition.open) orphans_.push_back(std::move(open));
    {
      std::lock_guard<std::mutex> lock(gauges_mutex_);
      gauges_.erase(std::remove_if(gauges_.begin(), gauges_.end(),
                                   [&](const std::unique_ptr<PartitionGauges>& g) { return g.get() == partition.gauges; }),
                    gauges_.end());
    }
    partitions_.erase(at);
  }
}

void Input::Close() { reader_->Close(); }

}  // namespace weir
