#include "runtime/engine/output.h"

#include <fmt/format.h>

#include "runtime/engine/dead_letter.h"
#include "runtime/engine/worker.h"

namespace weir {

namespace {
// Streaming: enough for large writes, little enough for the processor's cache.
constexpr size_t kHandOverBytes = 1 << 20;
// Kept until the commit: offsets into a buffer have 32 bits.
constexpr size_t kBufferBytes = 64 << 20;
constexpr size_t kSpareMax = 4;
}  // namespace

Output::Output(Worker& worker, int index, OutputSlot* slot, std::unique_ptr<Sink> sink)
    : worker_(worker), index_(index), slot_(slot), sink_(std::move(sink)), current_(std::make_unique<OutputBuffer>()) {
  const SinkSpec& spec = worker.program().sinks[index];
  slot->buffer = current_.get();
  slot->counters = &worker.counters(spec.step);
  slot->step = spec.step;
  slot->kept_until_commit = kept_until_commit();
  slot->headers = spec.operation == "topic";
  slot->hand_over_bytes = kept_until_commit() ? kBufferBytes : kHandOverBytes;
}

std::unique_ptr<OutputBuffer> Output::NewBuffer() {
  if (spare_.empty()) return std::make_unique<OutputBuffer>();
  std::unique_ptr<OutputBuffer> buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void Output::HandOver() {
  OutputBuffer& buffer = *current_;
  if (buffer.records.empty()) return;
  slot_->counters->written.Add(buffer.records.size());
  slot_->counters->written_bytes.Add(buffer.bytes.size());
  worker_.MarkDirty();
  if (worker_.transactions() && kept_until_commit()) {
    refused_.clear();
    worker_.commit().transactions().Check(index_, buffer, &refused_);
    if (!refused_.empty()) {
      Refuse(refused_);
      LeaveOut(refused_);
    }
  }
  if (kept_until_commit()) {
    kept_bytes_ += buffer.bytes.size();
    kept_.push_back(std::move(current_));
    current_ = NewBuffer();
    slot_->buffer = current_.get();
    return;
  }
  // One locked addition per run of records of the same ticket.
  for (size_t i = 0; i < buffer.records.size();) {
    Ticket* ticket = buffer.records[i].ticket;
    size_t from = i;
    while (i < buffer.records.size() && buffer.records[i].ticket == ticket) ++i;
    if (ticket != nullptr) ticket->Raise(static_cast<uint32_t>(i - from));
  }
  refused_.clear();
  Status status = sink_->Write(buffer, &refused_);
  if (!status.ok()) {
    worker_.FailSink(index_, status);
    return;
  }
  if (!refused_.empty()) Refuse(refused_);
  buffer.Clear();
  buffer.bytes.Trim(4 * kHandOverBytes);
}

// Records that the target can never take.
void Output::Refuse(const std::vector<Sink::Refused>& refused) {
  for (const Sink::Refused& one : refused) {
    const OutputRecord& record = current_->records[one.record];
    Meta meta;
    meta.time_ns = record.time_ns;
    meta.source = kNoSource;
    meta.has_key = record.has_key;
    meta.key = Str(current_->bytes.data() + record.key_begin, record.key_size);
    meta.has_raw = record.has_value;
    meta.raw = Str(current_->bytes.data() + record.value_begin, record.value_size);
    Route(meta, record.step, one.reason, record.ticket);
    // Its dead letter counts in the same ticket, from the next hand-over in this turn on.
    if (record.ticket != nullptr) record.ticket->Lower();
  }
}

Status Output::Poll() {
  Status status = sink_->Poll();
  if (!status.ok()) return status;
  refused_later_.clear();
  sink_->TakeRefused(&refused_later_);
  if (refused_later_.empty()) return status;
  for (const Sink::RefusedLater& one : refused_later_) {
    Meta meta;
    meta.source = kNoSource;
    meta.has_key = one.has_key;
    meta.key = Str(std::string_view(one.key));
    meta.has_raw = one.has_value;
    meta.raw = Str(std::string_view(one.value));
    Route(meta, slot_->step, one.reason, one.ticket);
  }
  // Only when the dead letters are on their way do the tickets fall: no epoch commits without them.
  worker_.HandOver();
  for (const Sink::RefusedLater& one : refused_later_) {
    if (one.ticket != nullptr) one.ticket->Lower();
  }
  return status;
}

void Output::Route(const Meta& meta, uint32_t step, const std::string& reason, Ticket* ticket) {
  const Program& program = worker_.program();
  const SinkSpec& spec = program.sinks[index_];
  if (spec.on_refused_deadletter >= 0 && !spec.of_deadletter) {
    DeadLetter letter;
    letter.step = step;
    letter.reason = DeadReason::kRefusedBySink;
    letter.detail = Str(std::string_view(reason));
    letter.meta = &meta;
    worker_.EmitDead(spec.on_refused_deadletter, letter, ticket);
  } else if (spec.on_refused_deadletter == -1) {
    worker_.counters(spec.step).dropped.Add();
  } else {
    worker_.Fail(ExitCode::kStopped, fmt::format("sink `{}` cannot take a record: {}", spec.name, reason),
                 program.steps[spec.step].line);
  }
}

void Output::LeaveOut(const std::vector<Sink::Refused>& refused) {
  std::vector<OutputRecord>& records = current_->records;
  size_t kept = 0, next = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    if (next < refused.size() && refused[next].record == i) {
      ++next;
    } else {
      records[kept++] = records[i];
    }
  }
  records.resize(kept);
}

void Output::Forget() {
  current_->Clear();
  for (auto& buffer : kept_) {
    if (spare_.size() >= kSpareMax) break;
    buffer->Clear();
    spare_.push_back(std::move(buffer));
  }
  kept_.clear();
  kept_bytes_ = 0;
}

OutputBuffer& Output::AddToCollected() {
  collected_.push_back(NewBuffer());
  return *collected_.back();
}

void Output::Collect() {
  if (!kept_until_commit()) return;
  HandOver();
  for (auto& buffer : collected_) {
    if (spare_.size() >= kSpareMax) break;
    buffer->Clear();
    spare_.push_back(std::move(buffer));
  }
  collected_.clear();
  collected_.swap(kept_);
  kept_bytes_ = 0;
}

}  // namespace weir
