// From the typed pipeline to the graph that says the same.
#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/passes/rekey.h"
#include "compiler/plan/plan.h"

namespace weirc::plan {

using namespace typed;

namespace {

class Builder {
 public:
  Builder(const TypedPipeline& typed, const PlanOptions& options) {
    plan_.typed = &typed;
    plan_.options = options;
  }

  Plan Build() {
    const TypedPipeline& typed = *plan_.typed;
    for (size_t i = 0; i < typed.sources.size(); ++i) {
      const SourceDef& source = typed.sources[i];
      Node& node = AddNode(plan_, source.name, SourceOp{static_cast<int>(i)}, -1);
      node.input_row = node.output_row = source.record;
      node.on_error = Clone(source.on_bad);
      node.span = source.span;
      sources_.push_back(node.id);
    }
    for (size_t i = 0; i < typed.streams.size(); ++i) AddStream(static_cast<int>(i));
    for (size_t i = 0; i < typed.sinks.size(); ++i) AddSink(static_cast<int>(i));
    plan_.tables.resize(typed.tables.size());
    for (size_t i = 0; i < typed.tables.size(); ++i) plan_.tables[i].table = static_cast<int>(i);
    MarkTaps();
    Renumber(plan_);
    return std::move(plan_);
  }

 private:
  // The node whose output a stream, source or sink reads; -1 for what comes from dead letters.
  int Origin(const StreamInput& input) const {
    switch (input.kind) {
      case StreamInput::kSource: return sources_[static_cast<size_t>(input.index)];
      case StreamInput::kStream: return plan_.streams[static_cast<size_t>(input.index)].node;
      case StreamInput::kDeadletter: return -1;
    }
    return -1;
  }

  void AddStream(int index) {
    const StreamDef& def = plan_.typed->streams[static_cast<size_t>(index)];
    Stream stream;
    stream.name = def.name;
    stream.typed = index;
    stream.node = Origin(def.input);
    if (stream.node >= 0) {
      for (const auto& step : def.steps) stream.node = AddStep(def, *step, stream.node);
    }
    plan_.streams.push_back(std::move(stream));
  }

  int AddStep(const StreamDef& stream, const Step& step, int input) {
    std::string name = step.name.find('.') == std::string::npos ? stream.name + "." + step.name : step.name;
    Node& node = AddNode(plan_, std::move(name), OpOf(step), input);
    node.stream = stream.name;
    node.input_row = step.input;
    node.output_row = step.output;
    node.on_error = Clone(step.on_error);
    node.span = step.span;
    plan_.node(input).outputs.push_back(node.id);
    return node.id;
  }

  static Op OpOf(const Step& step) {
    switch (step.kind) {
      case StepKind::kWhere: return WhereOp{Clone(static_cast<const WhereStep&>(step).condition)};
      case StepKind::kSelect: {
        const auto& s = static_cast<const SelectStep&>(step);
        return SelectOp{Clone(s.values), Clone(s.with_time)};
      }
      case StepKind::kLet: return LetOp{Clone(static_cast<const LetStep&>(step).value)};
      case StepKind::kTableJoin: {
        const auto& s = static_cast<const TableJoinStep&>(step);
        return TableJoinOp{s.table, Clone(s.key), Clone(s.on_missing)};
      }
      case StepKind::kLookup: {
        const auto& s = static_cast<const LookupStep&>(step);
        LookupOp op;
        op.lookup = s.lookup;
        op.args = Clone(s.args);
        op.as_outcome = s.as_outcome;
        op.order = s.order;
        op.order_key = Clone(s.order_key);
        op.on_missing = Clone(s.on_missing);
        op.on_timeout = Clone(s.on_timeout);
        op.on_rejected = Clone(s.on_rejected);
        op.on_error_outcome = Clone(s.on_error_outcome);
        return op;
      }
      case StepKind::kWindowAggregate: {
        const auto& s = static_cast<const WindowAggregateStep&>(step);
        WindowOp op;
        op.size = Clone(s.size);
        op.by = Clone(s.by);
        op.key_record = s.key_record;
        op.on_late = Clone(s.on_late);
        for (const Aggregate& aggregate : s.aggregates) op.aggregates.push_back(Clone(aggregate));
        op.values = Clone(s.values);
        return op;
      }
    }
    return WhereOp{};
  }

  void AddSink(int index) {
    const SinkDef& sink = plan_.typed->sinks[static_cast<size_t>(index)];
    int input = Origin(sink.from);
    if (input < 0) return;  // dead letters reach their sinks through Program::deadletters
    Node& node = AddNode(plan_, sink.name, SinkOp{index, Clone(sink.key)}, input);
    node.span = sink.span;
    if (sink.from.kind == StreamInput::kStream) {
      node.on_error = Clone(plan_.typed->streams[static_cast<size_t>(sink.from.index)].on_unhandled);
    }
    if (node.on_error.kind == Route::kNone) {
      int source = input;
      while (plan_.node(source).input >= 0) source = plan_.node(source).input;
      node.on_error = Clone(plan_.node(source).on_error);
    }
    plan_.node(input).outputs.push_back(node.id);
  }

  void MarkTaps() {
    if (!plan_.options.tests) return;
    for (const TestDef& test : plan_.typed->tests) {
      for (const TestItem& item : test.items) {
        if (item.kind != TestItem::kContains && item.kind != TestItem::kExactly) continue;
        size_t index = static_cast<size_t>(item.stream.index);
        if (item.stream.kind == StreamInput::kStream) plan_.streams[index].tapped = true;
        if (item.stream.kind != StreamInput::kSource) continue;
        bool known = false;
        for (const Stream& stream : plan_.streams) known = known || stream.source == item.stream.index;
        if (known) continue;
        Stream source;
        source.name = plan_.typed->sources[index].name;
        source.source = item.stream.index;
        source.node = sources_[index];
        source.tapped = true;
        plan_.streams.push_back(std::move(source));
      }
    }
  }

  Plan plan_;
  std::vector<int> sources_;
};

}  // namespace

Plan BuildPlan(const TypedPipeline& typed, const PlanOptions& options) {
  return Rekey(Builder(typed, options).Build());
}

}  // namespace weirc::plan
