// One worker's outputs for one sink: collected while records are worked on, handed over between batches.
#pragma once

#include <memory>
#include <vector>

#include "runtime/engine/sink.h"
#include "runtime/engine/task.h"
#include "runtime/program/program.h"

namespace weir {

class Worker;

// What a sink gets at once and what the commit writes depends on how the pipeline commits (CommitMode):
//  - offsets: all sinks are streaming, and get their outputs with each hand-over.
//  - the local store: streaming sinks do as well; outputs for store-backed ones (files) are kept until the epoch's barrier,
//    and Epochs writes them.
//  - transactions: there are no sinks; outputs are kept until the commit, and Transactions::Write writes them. Where outputs
//    leave at once, all sinks are streaming.
class Output {
 public:
  // `sink` is null where outputs are kept until the commit. `slot` is what tasks write to.
  Output(Worker& worker, int index, OutputSlot* slot, std::unique_ptr<Sink> sink);

  Sink* sink() { return sink_.get(); }
  // No sink of this worker takes them: they are part of the commit.
  bool kept_until_commit() const { return sink_ == nullptr; }
  // Streaming: gives what was collected to the sink. Kept: puts the buffer by and begins a new one.
  void HandOver();
  // Streaming: serves acknowledgements, and makes dead letters of what the target refused meanwhile.
  Status Poll();
  bool empty() const { return slot_->buffer->records.empty(); }

  // ---- Kept until the commit ----
  // At the barrier, or when a transaction is begun: what was kept becomes the epoch's, to be written by the commit; the last epoch's buffers serve again.
  void Collect();
  // The buffers of the epoch that is being committed.
  const std::vector<std::unique_ptr<OutputBuffer>>& collected() const { return collected_; }
  // A buffer that is added to the epoch being committed, whose tickets are not at zero yet.
  OutputBuffer& AddToCollected();
  // What was kept is nothing any more; the epoch being committed stays.
  void Forget();
  uint64_t kept_bytes() const { return kept_bytes_ + slot_->buffer->bytes.size(); }

 private:
  void Refuse(const std::vector<Sink::Refused>& refused);
  // `refused` in the order of the records.
  void LeaveOut(const std::vector<Sink::Refused>& refused);
  // What the sink's route says of one refused record.
  void Route(const Meta& meta, uint32_t step, const std::string& reason, Ticket* ticket);
  std::unique_ptr<OutputBuffer> NewBuffer();

  Worker& worker_;
  int index_;
  OutputSlot* slot_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<OutputBuffer> current_;
  std::vector<std::unique_ptr<OutputBuffer>> kept_, collected_, spare_;
  uint64_t kept_bytes_ = 0;
  std::vector<Sink::Refused> refused_;
  std::vector<Sink::RefusedLater> refused_later_;
};

}  // namespace weir
