#include "runtime/engine/task.h"

#include <fmt/format.h>

#include "runtime/engine/dead_letter.h"
#include "runtime/engine/output.h"
#include "runtime/engine/stage_graph.h"
#include "runtime/engine/task_state.h"
#include "runtime/engine/worker.h"
#include "runtime/state/table_store.h"

namespace weir {

void Task::Advance() {
  const std::vector<int>& roots = graph_->roots;
  AdvanceChildren(roots.data(), roots.data() + roots.size(), watermark_);
  if (graph_->eager) {
    next_wake_ = INT64_MIN;
    return;
  }
  next_wake_ = INT64_MAX;
  for (const StageGraph::Node& node : graph_->nodes) {
    if (node.kind != StageGraph::kWindow || !node.direct) continue;
    int64_t at = windows_[node.index]->next_fire();
    if (at < next_wake_) next_wake_ = at;
  }
}

void Task::AdvanceChildren(const int* first, const int* last, int64_t watermark) {
  for (const int* at = first; at != last; ++at) {
    const StageGraph::Node& node = graph_->nodes[*at];
    switch (node.kind) {
      case StageGraph::kWindow: {
        WindowInstance& window = *windows_[node.index];
        // Results carry the watermark that stood before them: none of them can be late.
        int64_t record_watermark = record_watermark_;
        uint32_t touched = touched_;
        record_watermark_ = window.watermark();
        uint64_t fired = window.fired();
        window.Advance(watermark);
        fired = window.fired() - fired;
        if (fired != 0) {
          worker_->counters(worker_->program().windows[node.index].step).fired.Add(fired);
          worker_->MarkDirty();
        }
        if (!window.base_status().ok()) worker_->MarkDirty();  // what the next commit finds out
        record_watermark_ = record_watermark;
        touched_ = touched;
        AdvanceChildren(node.children.data(), node.children.data() + node.children.size(), watermark);
        break;
      }
      case StageGraph::kLookup:
        if (node.timed) ports_[node.index]->SetWatermark(watermark);
        break;
      case StageGraph::kExchange: {
        ExchangeSlot& slot = *exchanges_[node.index];
        if (watermark > slot.watermark) slot.watermark = watermark;
        break;
      }
    }
  }
}

void Task::LookupAdvanced(int lookup_step, int64_t watermark) {
  const StageGraph::Node& node = graph_->nodes[graph_->lookup_node[lookup_step]];
  AdvanceChildren(node.children.data(), node.children.data() + node.children.size(), watermark);
}

void Task::CopyHeaders(OutputBuffer& out, const Meta& meta) {
  OutputRecord& record = out.records.back();
  record.headers_begin = static_cast<uint32_t>(out.headers.size());
  record.headers_size = meta.headers.size;
  for (uint32_t i = 0; i < meta.headers.size; ++i) {
    const Header& header = meta.headers.data[i];
    OutputHeader copy;
    copy.name_begin = static_cast<uint32_t>(out.bytes.size());
    copy.name_size = header.name.size;
    out.bytes.Append(header.name);
    copy.value_begin = static_cast<uint32_t>(out.bytes.size());
    copy.value_size = header.value.size;
    copy.has_value = header.has_value;
    out.bytes.Append(header.value);
    out.headers.push_back(copy);
  }
}

void Task::HandOver(int sink) { worker_->output(sink).HandOver(); }

void Task::BadInput(int source, const Meta& meta, const JsonContext& in, int deadletter) {
  Buffer detail;
  in.Describe(&detail);
  BadInput(source, meta, detail.str(), deadletter);
}

void Task::BadInput(int source, const Meta& meta, Str detail, int deadletter) {
  uint32_t step = worker_->program().sources[source].step;
  if (deadletter >= 0) {
    SendDead(deadletter, step, DeadReason::kBadInput, detail, meta);
  } else if (deadletter == -1) {
    Drop(step, DeadReason::kBadInput);
  } else {
    Stop(step, DeadReason::kBadInput, detail, meta);
  }
  ++classes_[__builtin_ctz(touched_ | kFilteredBit)];
}

void Task::SendDead(int deadletter, uint32_t step, DeadReason reason, Str detail, const Meta& meta) {
  touched_ |= kDeadBit;
  DeadLetter letter;
  letter.step = step;
  letter.reason = reason;
  letter.detail = detail;
  letter.meta = &meta;
  worker_->EmitDead(deadletter, letter, epoch_ticket_ != nullptr ? epoch_ticket_ : meta.ticket);
}

void Task::Drop(uint32_t step, DeadReason reason) {
  touched_ |= kDroppedBit;
  StepCounters& counters = worker_->counters(step);
  if (reason == DeadReason::kLate) {
    counters.late.Add();
  } else {
    counters.dropped.Add();
  }
}

void Task::Stop(uint32_t step, DeadReason reason, Str detail, const Meta& meta) {
  touched_ |= kDroppedBit;
  Block();  // the loop that called this takes no further record
  const Program& program = worker_->program();
  const StepInfo& info = program.steps[step];
  std::string where;
  if (meta.source & kFromWindow) {
    where = fmt::format("a result of `{}`", program.steps[program.windows[meta.source & ~kFromWindow].step].name);
  } else {
    where = fmt::format("the record of `{}` at partition {}, offset {}", program.sources[meta.source].name,
                        meta.partition, meta.offset);
  }
  worker_->Fail(ExitCode::kStopped,
                fmt::format("`{}` stops the pipeline: {} ({}{}{})", info.name, where, DeadReasonName(reason),
                            detail.empty() ? "" : ": ", detail.view()),
                info.line);
}

const void* Task::FindRow(int table, Str key) const { return tables_[table]->Find(key); }

void Task::EndExchange(int exchange, Str key, const Meta& meta) {
  touched_ |= kStateBit;
  worker_->SendRow(exchange, partition_, key, meta, exchanges_[exchange]->row.str());
}

JsonWriter& Task::BeginTap(int tap) { return worker_->BeginTap(); }

void Task::EndTap(int tap, const Meta& meta) { worker_->EndTap(tap); }

// ---- TaskState ------------------------------------------------------------------------------------------------------

TaskState::TaskState(Worker& worker, const Program& program, const StageGraph& graph, LookupHost* host, int stage,
                     int32_t partition)
    : lookups(program.lookup_steps.size()),
      ports(program.lookup_steps.size()),
      windows(program.windows.size()),
      exchanges(program.exchanges.size()) {
  task.stage_ = stage;
  task.partition_ = partition;
  task.worker_ = &worker;
  task.arena_ = &worker.arena();
  task.json_ = &worker.json();
  task.graph_ = &graph;
  for (const StageGraph::Node& node : graph.nodes) {
    switch (node.kind) {
      case StageGraph::kWindow: {
        owned_windows.push_back(std::make_unique<WindowInstance>(program.windows[node.index], &task, partition,
                                                                 &task.record_watermark_,
                                                                 node.direct ? &task.next_wake_ : &no_wake));
        windows[node.index] = owned_windows.back().get();
        break;
      }
      case StageGraph::kLookup: {
        LookupHost::Made made = host->Make(&task, node.index);
        lookups[node.index] = made.instance;
        ports[node.index] = made.port.get();
        owned_ports.push_back(std::move(made.port));
        break;
      }
      case StageGraph::kExchange: {
        owned_exchanges.push_back(std::make_unique<ExchangeSlot>());
        exchanges[node.index] = owned_exchanges.back().get();
        exchange_indices.push_back(node.index);
        exchange_direct.push_back(node.direct);
        break;
      }
    }
  }
  task.lookups_ = lookups.data();
  task.ports_ = ports.data();
  task.windows_ = windows.data();
  task.exchanges_ = exchanges.data();
  if (graph.eager) task.next_wake_ = INT64_MIN;
}

uint64_t TaskState::Pending() const {
  uint64_t pending = 0;
  for (const auto& port : owned_ports) pending += port->pending();
  return pending;
}

int64_t TaskState::NextFire() const {
  int64_t next = INT64_MAX;
  for (const auto& window : owned_windows) next = std::min(next, window->next_fire());
  return next;
}

size_t TaskState::OpenWindows() const {
  size_t open = 0;
  for (const auto& window : owned_windows) open += window->open();
  return open;
}

size_t TaskState::WindowBytes() const {
  size_t bytes = 0;
  for (const auto& window : owned_windows) bytes += window->bytes();
  return bytes;
}

int64_t TaskState::ExchangeWatermark(int exchange) const {
  for (size_t i = 0; i < exchange_indices.size(); ++i) {
    if (exchange_indices[i] == exchange && exchange_direct[i]) return task.watermark_;
  }
  return exchanges[exchange]->watermark;
}

void TaskState::AppendDelta(DeltaWriter& delta) {
  for (const auto& window : owned_windows) window->AppendDelta(delta);
  for (const auto& port : owned_ports) port->AppendDelta(delta);
}

}  // namespace weir
