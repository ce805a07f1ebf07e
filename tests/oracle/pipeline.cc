// The slow evaluator's streams: one record after another, each through all steps before the next is looked at.
#include "tests/oracle/pipeline.h"

#include <algorithm>
#include <map>
#include <optional>

namespace oracle {

using namespace weirc::typed;

namespace {

constexpr long long kForever = INT64_MAX;

// A key as text that is equal exactly when the values are.
std::string KeyOf(const std::vector<Value>& values, const std::vector<const Type*>& types) {
  std::string key;
  for (size_t i = 0; i < values.size(); ++i) key += Encode(values[i], types[i]) + "\x1f";
  return key;
}


// Everything but letters, digits and `-._~` as %XX.
std::string PercentEncoded(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (isalnum(static_cast<unsigned char>(c)) || std::string("-._~").find(c) != std::string::npos) {
      out.push_back(c);
      continue;
    }
    char hex[4];
    snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
    out += hex;
  }
  return out;
}

const Reads& ReadsOf(const std::vector<Reads>& all, int index) {
  static const Reads everything;
  return all.empty() ? everything : all.at(static_cast<size_t>(index));
}

struct Stop {};

struct Accumulated {
  std::vector<Value> by;
  std::vector<std::vector<std::vector<Value>>> arguments;  // [aggregate][record][argument]
};

Value Fitting(Big n, const Type* type) {
  CheckRange(n, type);
  return Value::Number(n);
}

// Sums are kept in their result's type, those of averages in 38 digits.
void CheckSums(const Aggregate& aggregate, const std::vector<std::vector<Value>>& records) {
  static const Type widest = [] { Type t; t.kind = TypeKind::kDecimal; t.precision = 38; return t; }();
  bool sums = aggregate.kind == AggregateKind::kSum || aggregate.kind == AggregateKind::kAvg || aggregate.kind == AggregateKind::kVwap;
  if (!sums) return;
  const Type* result = aggregate.type->kind == TypeKind::kOptional ? aggregate.type->element : aggregate.type;
  const Type* kept = aggregate.kind == AggregateKind::kSum ? result : &widest;
  Big sum = 0, weights = 0;
  for (const auto& arguments : records) {
    if (std::any_of(arguments.begin(), arguments.end(), [](const Value& v) { return v.null() || v.kind == Value::kReal; })) continue;
    Big amount = arguments[0].number;
    if (aggregate.kind == AggregateKind::kVwap) {
      CheckRange(amount *= arguments[1].number, kept);
      CheckRange(weights += arguments[1].number, kept);
    }
    CheckRange(sum += amount, kept);
  }
}

// One aggregate over everything it saw: the definitions of docs/language.md, not an accumulator.
Value Aggregated(const Aggregate& aggregate, const std::vector<std::vector<Value>>& records) {
  auto present = [](const Type* t) { return t->kind == TypeKind::kOptional ? t->element : t; };
  std::vector<const std::vector<Value>*> given;
  for (const auto& arguments : records) {
    bool absent = std::any_of(arguments.begin(), arguments.end(), [](const Value& v) { return v.null(); });
    if (!absent) given.push_back(&arguments);
  }
  const Type* result = present(aggregate.type);
  const Type* type = aggregate.args.empty() ? nullptr : present(aggregate.args[0]->type);
  switch (aggregate.kind) {
    case AggregateKind::kCount: return Value::Number(static_cast<Big>(given.size()));
    case AggregateKind::kSum: {
      if (type->kind == TypeKind::kFloat64) {
        double sum = 0;
        for (auto* a : given) sum += (*a)[0].real;
        return Value::Real(sum);
      }
      Big sum = 0;
      for (auto* a : given) CheckRange(sum += (*a)[0].number, result);
      return Value::Number(sum);
    }
    case AggregateKind::kMin: case AggregateKind::kMax: {
      if (given.empty()) return Value::Null();
      Value best = (*given[0])[0];
      for (auto* a : given) {
        int order = Compare((*a)[0], type, best, type);
        if (aggregate.kind == AggregateKind::kMin ? order < 0 : order > 0) best = (*a)[0];
      }
      return best;
    }
    case AggregateKind::kFirst: return given.empty() ? Value::Null() : (*given.front())[0];
    case AggregateKind::kLast: return given.empty() ? Value::Null() : (*given.back())[0];
    case AggregateKind::kAvg: {
      if (given.empty()) return Value::Null();
      if (type->kind == TypeKind::kFloat64) {
        double sum = 0;
        for (auto* a : given) sum += (*a)[0].real;
        return Value::Real(sum / static_cast<double>(given.size()));
      }
      Big sum = 0;
      for (auto* a : given) sum += (*a)[0].number;
      return Fitting(DivideHalfEven(sum * Pow10(result->scale), static_cast<Big>(given.size()) * Pow10(type->scale)), result);
    }
    case AggregateKind::kVwap: {
      if (type->kind == TypeKind::kFloat64) {
        double amount = 0, total = 0;
        for (auto* a : given) { amount += (*a)[0].real * (*a)[1].real; total += (*a)[1].real; }
        return total == 0 ? Value::Null() : Value::Real(amount / total);
      }
      Big amount = 0, total = 0;
      for (auto* a : given) { amount += (*a)[0].number * (*a)[1].number; total += (*a)[1].number; }
      if (total == 0) return Value::Null();
      return Fitting(DivideHalfEven(amount * Pow10(result->scale), total * Pow10(type->scale)), result);
    }
  }
  return Value::Null();
}

class Runner {
 public:
  Runner(const TypedPipeline& pipeline, const Scenario& scenario) : pipeline_(pipeline), scenario_(scenario) {
    result_.streams.resize(pipeline.streams.size());
  }

  Result Run() {
    try {
      for (size_t t = 0; t < pipeline_.tables.size(); ++t) LoadTable(static_cast<int>(t));
      for (size_t s = 0; s < pipeline_.sources.size(); ++s) {
        partitions_ = static_cast<int>(scenario_.sources[s].size());
        for (int p = 0; p < partitions_; ++p) RunPartition(static_cast<int>(s), p);
        // Windows that several partitions fed close when all of them ended.
        partition_ = -1;
        watermark_.reset();
        AdvanceConsumers({StreamInput::kSource, static_cast<int>(s)}, kForever, true);
      }
    } catch (const Stop&) {
      result_.stopped = true;
    }
    return std::move(result_);
  }

 private:
  // State of a window step: by (start, key). Windows whose key is the source's own never meet a second partition.
  using Windows = std::map<std::pair<Big, std::string>, Accumulated>;

  Scope NewScope(const Value& row, const Meta& meta) {
    Scope scope;
    scope.pipeline = &pipeline_;
    scope.params = &scenario_.params;
    scope.row = &row;
    scope.meta = &meta;
    return scope;
  }

  Big Constant(const ExprPtr& e) {
    Value none;
    Meta meta;
    Scope scope = NewScope(none, meta);
    return Evaluate(*e, scope).number;
  }

  void LoadTable(int t) {
    const TableDef& table = pipeline_.tables[t];
    long long offset = 0;
    for (const InputRecord& input : scenario_.tables[t]) {
      Meta meta;
      meta.raw = input.value;
      meta.offset = offset++;
      meta.origin = table.name;
      try {
        if (!input.has_value) {
          // The record's key says which row is gone; that is defined for tables whose key is one string.
          rows_[t].erase(KeyOf({Value::Text(input.key)}, {table.key.at(0)->type}));
          continue;
        }
        Value row = ReadRecord(input.value, table.endpoint.format, table.record, ReadsOf(scenario_.table_reads, t));
        rows_[t][Keys(table.key, row, meta)] = row;
      } catch (const Failure&) {
        Follow(table.on_bad, table.name, "bad_input", meta);
      }
    }
  }

  static Value ReadRecord(const std::string& bytes, Format format, const RecordDef* record, const Reads& reads) {
    if (format == Format::kJson) return DecodeRecord(bytes, record, reads);
    if (record->fields[0].type->kind == TypeKind::kString && !ValidUtf8(bytes)) throw Failure("no valid UTF-8");
    Value row;
    row.kind = Value::kRecord;
    row.items = {Value::Text(bytes)};
    return row;
  }

  std::string Keys(const std::vector<ExprPtr>& exprs, const Value& row, const Meta& meta) {
    Scope scope = NewScope(row, meta);
    std::vector<Value> values;
    std::vector<const Type*> types;
    for (const ExprPtr& e : exprs) {
      values.push_back(Evaluate(*e, scope));
      types.push_back(e->type);
    }
    return KeyOf(values, types);
  }

  void RunPartition(int s, int p) {
    const SourceDef& source = pipeline_.sources[s];
    partition_ = p;
    Big lateness = source.lateness != nullptr ? Constant(source.lateness) : 0;
    std::optional<Big> watermark;
    long long offset = 0;
    Value address, none;
    if (source.endpoint.address != nullptr) {
      Meta no_meta;
      Scope scope = NewScope(none, no_meta);
      address = Evaluate(*source.endpoint.address, scope);
    }
    for (const InputRecord& input : scenario_.sources[s][p]) {
      Meta meta;
      meta.partition = p;
      meta.offset = offset++;
      meta.origin = source.name;
      meta.topic = address.text;
      meta.headers = input.headers;
      meta.sequence = source.name + "/" + std::to_string(p);
      meta.key = input.key;
      meta.has_key = input.has_key;
      meta.raw = input.value;
      Value row;
      try {
        row = ReadRecord(input.value, source.endpoint.format, source.record, ReadsOf(scenario_.source_reads, s));
        if (source.time != nullptr) {
          Scope scope = NewScope(row, meta);
          meta.time_ns = Evaluate(*source.time, scope).number;
          meta.has_time = true;
        } else if (input.has_timestamp) {
          meta.time_ns = input.timestamp_ns;
          meta.has_time = true;
        }
        if (meta.has_time && meta.time_ns > scenario_.time_max_ns) throw Failure("its time is out of range");
      } catch (const Failure&) {
        Follow(source.on_bad, source.name, "bad_input", meta);
        continue;
      }
      watermark_ = watermark;
      Consumers({StreamInput::kSource, s}, row, meta);
      if (meta.has_time && (!watermark || meta.time_ns - lateness > *watermark)) {
        watermark = meta.time_ns - lateness;
        AdvanceConsumers({StreamInput::kSource, s}, *watermark, false);
      }
    }
    AdvanceConsumers({StreamInput::kSource, s}, kForever, false);
  }

  // Everything that reads this source or stream, in the order of the text.
  void Consumers(StreamInput from, const Value& row, const Meta& meta) {
    for (size_t i = 0; i < pipeline_.streams.size(); ++i) {
      const StreamDef& stream = pipeline_.streams[i];
      if (stream.input.kind == from.kind && stream.input.index == from.index) RunSteps(static_cast<int>(i), 0, row, meta);
    }
    for (size_t i = 0; i < pipeline_.sinks.size(); ++i) {
      const SinkDef& sink = pipeline_.sinks[i];
      if (sink.from.kind == from.kind && sink.from.index == from.index) Write(static_cast<int>(i), from, row, meta);
    }
  }

  void Write(int sink_index, StreamInput from, const Value& row, const Meta& meta) {
    const SinkDef& sink = pipeline_.sinks[sink_index];
    const RecordDef* record =
        from.kind == StreamInput::kSource ? pipeline_.sources[from.index].record : pipeline_.streams[from.index].row;
    Output output;
    output.sink = sink_index;
    output.partition = partition_;
    output.has_key = meta.has_key;
    output.key = meta.key;
    output.has_time = meta.has_time;
    output.time_ns = meta.time_ns;
    output.sequence = meta.sequence;
    if (sink.endpoint.operation == "topic") output.headers = meta.headers;
    if (!sink.key.empty()) {
      output.has_key = true;
      output.key = SinkKey(sink, row, meta);
    }
    output.value = sink.endpoint.format == Format::kRaw ? row.items.at(0).text : EncodeRecord(row, record);
    result_.outputs.push_back(std::move(output));
  }

  // Text and enums as they are, other values as JSON, several as an array.
  std::string SinkKey(const SinkDef& sink, const Value& row, const Meta& meta) {
    Scope scope = NewScope(row, meta);
    std::string json;
    for (const ExprPtr& e : sink.key) {
      Value value = Evaluate(*e, scope);
      TypeKind kind = e->type->kind;
      if (sink.key.size() == 1 && (kind == TypeKind::kString || kind == TypeKind::kBytes || kind == TypeKind::kEnum))
        return Text(value, e->type);
      json += (json.empty() ? "" : ",") + Encode(value, e->type);
    }
    return sink.key.size() == 1 ? json : "[" + json + "]";
  }

  void Follow(const Route& route, const std::string& step, const std::string& reason, const Meta& meta) {
    switch (route.kind) {
      case Route::kSend:
        result_.dead.push_back(
            {route.deadletter, step, reason, meta.origin, meta.from_window, meta.partition, meta.offset, meta.raw});
        return;
      case Route::kStop: throw Stop();
      default: result_.dropped.emplace_back(step, reason); return;
    }
  }

  void RunSteps(int stream_index, size_t from, Value row, Meta meta) {
    const StreamDef& stream = pipeline_.streams[stream_index];
    for (size_t i = from; i < stream.steps.size(); ++i) {
      const Step& step = *stream.steps[i];
      try {
        if (!RunStep(step, row, meta)) return;
      } catch (const Failure&) {
        Follow(step.on_error, step.name, "expression", meta);
        return;
      }
    }
    result_.streams[stream_index].push_back(EncodeRecordOrEmpty(row, stream.row));
    Consumers({StreamInput::kStream, stream_index}, row, meta);
  }

  // Rows with an unlooked-at outcome in them have no JSON.
  static std::string EncodeRecordOrEmpty(const Value& row, const RecordDef* record) {
    for (const Value& v : row.items)
      if (v.kind == Value::kOutcome) return "";
    return EncodeRecord(row, record);
  }

  // False: the record ends here. Changes row and meta to what the next step sees.
  bool RunStep(const Step& step, Value& row, Meta& meta) {
    Scope scope = NewScope(row, meta);
    switch (step.kind) {
      case StepKind::kWhere: return Evaluate(*static_cast<const WhereStep&>(step).condition, scope).boolean;
      case StepKind::kSelect: {
        const auto& select = static_cast<const SelectStep&>(step);
        Value out;
        out.kind = Value::kRecord;
        for (const ExprPtr& e : select.values) out.items.push_back(Evaluate(*e, scope));
        if (select.with_time != nullptr) meta.time_ns = Evaluate(*select.with_time, scope).number;
        row = out;
        return true;
      }
      case StepKind::kLet: {
        Value added = Evaluate(*static_cast<const LetStep&>(step).value, scope);
        row.items.push_back(added);
        return true;
      }
      case StepKind::kTableJoin: {
        const auto& join = static_cast<const TableJoinStep&>(step);
        auto found = rows_[join.table].find(Keys(join.key, row, meta));
        if (found != rows_[join.table].end()) {
          row.items.push_back(found->second);
          return true;
        }
        return Use(join.on_missing, step, "missing_row", scope, row, meta);
      }
      case StepKind::kLookup: return RunLookup(static_cast<const LookupStep&>(step), scope, row, meta);
      case StepKind::kWindowAggregate: AddToWindow(static_cast<const WindowAggregateStep&>(step), scope, meta); return false;
    }
    return false;
  }

  bool Use(const Route& route, const Step& step, const std::string& reason, Scope& scope, Value& row, const Meta& meta) {
    if (route.kind == Route::kUse) {
      Value used = Evaluate(*route.use, scope);
      row.items.push_back(used);
      return true;
    }
    Follow(route, step.name, reason, meta);
    return false;
  }

  // Parts of a path are percent-encoded, the body is JSON.
  static Request Render(const LookupDef& lookup, Scope& scope) {
    Request request;
    request.verb = lookup.operation == "post" ? "POST" : "GET";
    for (const RequestPart& part : lookup.path)
      request.target += part.value == nullptr ? part.text : PercentEncoded(Evaluate(*part.value, scope).text);
    if (lookup.body != nullptr) request.body = Encode(Evaluate(*lookup.body, scope), lookup.body->type);
    return request;
  }

  bool RunLookup(const LookupStep& step, Scope& scope, Value& row, Meta& meta) {
    const LookupDef& lookup = pipeline_.lookups[step.lookup];
    std::string arguments = "[";
    Scope request_scope;
    request_scope.pipeline = &pipeline_;
    request_scope.params = &scenario_.params;
    for (size_t i = 0; i < step.args.size(); ++i) {
      request_scope.locals.push_back(Evaluate(*step.args[i], scope));
      arguments += (i != 0 ? "," : "") + Encode(request_scope.locals.back(), step.args[i]->type);
    }
    Answer answer;
    try {
      answer = scenario_.answer(step.lookup, arguments + "]", Render(lookup, request_scope));
    } catch (const Failure& failure) {
      answer.outcome = 4;
      answer.reason = std::string("the request cannot be made: ") + failure.what();
    }
    if (step.order == OrderMode::kKey) {
      std::vector<Value> key;
      std::vector<const Type*> types;
      for (const ExprPtr& e : step.order_key) {
        key.push_back(Evaluate(*e, scope));
        types.push_back(e->type);
      }
      meta.sequence += "/" + KeyOf(key, types);
    } else if (step.order == OrderMode::kNone) {
      meta.sequence += "#" + std::to_string(++unordered_);
    }
    Value found;
    if (answer.outcome == 0) {
      try {
        found = DecodeRecord(answer.json, lookup.result, ReadsOf(scenario_.lookup_reads, step.lookup));
      } catch (const Failure& failure) {
        answer.outcome = 4;
        answer.reason = std::string("the answer cannot be decoded: ") + failure.what();
      }
    }
    if (step.as_outcome) {
      Value outcome;
      outcome.kind = Value::kOutcome;
      outcome.number = answer.outcome;
      outcome.text = answer.reason;
      outcome.items = {found};
      row.items.push_back(outcome);
      return true;
    }
    switch (answer.outcome) {
      case 0: row.items.push_back(found); return true;
      case 1: return Use(step.on_missing, step, "lookup_missing", scope, row, meta);
      case 2: return Use(step.on_timeout, step, "lookup_timeout", scope, row, meta);
      case 3: return Use(step.on_rejected, step, "lookup_rejected", scope, row, meta);
      default: return Use(step.on_error_outcome, step, "lookup_error", scope, row, meta);
    }
  }

  void AddToWindow(const WindowAggregateStep& step, Scope& scope, const Meta& meta) {
    Big size = Constant(step.size);
    Big start = meta.time_ns / size * size;
    if (start > meta.time_ns) start -= size;
    if (watermark_ && start + size <= *watermark_) {
      Follow(step.on_late, step.name, "late", meta);
      return;
    }
    std::vector<Value> by;
    std::vector<const Type*> types;
    for (const ExprPtr& e : step.by) {
      by.push_back(Evaluate(*e, scope));
      types.push_back(e->type);
    }
    std::vector<std::vector<Value>> arguments;
    for (const Aggregate& aggregate : step.aggregates) {
      std::vector<Value> values;
      for (const ExprPtr& e : aggregate.args) values.push_back(Evaluate(*e, scope));
      arguments.push_back(std::move(values));
    }
    // A record whose sum would overflow leaves the window as it was, or unmade.
    Windows& windows = windows_[&step];
    auto before = windows.find({start, KeyOf(by, types)});
    for (size_t i = 0; i < arguments.size(); ++i) {
      std::vector<std::vector<Value>> with;
      if (before != windows.end()) with = before->second.arguments[i];
      with.push_back(arguments[i]);
      CheckSums(step.aggregates[i], with);
    }
    Accumulated& window = windows[{start, KeyOf(by, types)}];
    window.by = by;
    window.arguments.resize(step.aggregates.size());
    for (size_t i = 0; i < arguments.size(); ++i) window.arguments[i].push_back(std::move(arguments[i]));
  }

  // No record before `watermark` is expected any more. `all`: every partition ended.
  void AdvanceConsumers(StreamInput from, Big watermark, bool all) {
    for (size_t i = 0; i < pipeline_.streams.size(); ++i) {
      const StreamDef& stream = pipeline_.streams[i];
      if (stream.input.kind != from.kind || stream.input.index != from.index) continue;
      for (size_t s = 0; s < stream.steps.size(); ++s)
        if (stream.steps[s]->kind == StepKind::kWindowAggregate) Fire(static_cast<int>(i), s, watermark, all);
      AdvanceConsumers({StreamInput::kStream, static_cast<int>(i)}, watermark, all);
    }
  }

  void Fire(int stream_index, size_t step_index, Big watermark, bool all) {
    const auto& step = static_cast<const WindowAggregateStep&>(*pipeline_.streams[stream_index].steps[step_index]);
    // With several partitions, what one of them knows closes nothing.
    if (partitions_ > 1 && !all) return;
    Big size = Constant(step.size);
    Windows& windows = windows_[&step];
    while (!windows.empty() && windows.begin()->first.first + size <= watermark) {
      auto window = windows.extract(windows.begin());
      Big start = window.key().first;
      Meta meta;
      meta.time_ns = start + size - 1;
      meta.has_time = true;
      meta.partition = partition_;
      meta.origin = step.name;
      meta.from_window = true;
      meta.offset = static_cast<long long>(start);
      meta.sequence = step.name + "/" + window.key().second;
      if (step.by.size() == 1 && step.by[0]->type->kind == TypeKind::kString) {
        meta.has_key = true;
        meta.key = window.mapped().by[0].text;
      }
      try {
        std::vector<Value> aggregates;
        for (size_t i = 0; i < step.aggregates.size(); ++i)
          aggregates.push_back(Aggregated(step.aggregates[i], window.mapped().arguments[i]));
        Value key;
        key.kind = Value::kRecord;
        key.items = window.mapped().by;
        Scope scope = NewScope(key, meta);
        scope.window_start = start;
        scope.window_end = start + size;
        scope.aggregates = &aggregates;
        Value row;
        row.kind = Value::kRecord;
        for (const ExprPtr& e : step.values) row.items.push_back(Evaluate(*e, scope));
        RunSteps(stream_index, step_index + 1, row, meta);
      } catch (const Failure&) {
        Follow(step.on_error, step.name, "expression", meta);
      }
    }
  }

  const TypedPipeline& pipeline_;
  const Scenario& scenario_;
  Result result_;
  std::map<int, std::map<std::string, Value>> rows_;
  std::map<const Step*, Windows> windows_;
  std::optional<Big> watermark_;  // in force when the record now being worked on arrived
  long long unordered_ = 0;
  int partition_ = 0;
  int partitions_ = 1;
};

}  // namespace

Result Run(const TypedPipeline& pipeline, const Scenario& scenario) { return Runner(pipeline, scenario).Run(); }

}  // namespace oracle
