// compiler/check/print.cc — The typed pipeline as text.
#include "compiler/check/print.h"

#include "compiler/check/constant_json.h"
#include "compiler/check/number_text.h"

namespace weirc {

using namespace typed;

namespace {

class Printer {
 public:
  explicit Printer(const TypedPipeline& pipeline) : p_(pipeline) {}

  std::string Print() {
    Line(0, "pipeline " + p_.name + " version " + std::to_string(p_.version));
    if (p_.delivery != Delivery::kDefault)
      Line(1, p_.delivery == Delivery::kExactlyOnce ? "deliver exactly_once"
                                                    : "deliver at_least_once");
    if (p_.commit) Line(1, "commit " + E(p_.commit));
    for (const auto& def : p_.enums) PrintEnum(*def);
    for (const auto& def : p_.records) {
      if (!def->synthetic) PrintRecord(*def);
    }
    for (const ParamDef& def : p_.params) {
      Line(0, (def.secret ? "secret " : "param ") + def.name + ": " + ToString(def.type) +
                  (def.default_value ? " = " + E(def.default_value) : ""));
    }
    for (const FnDef& def : p_.fns) PrintFn(def);
    for (const ConnectionDef& def : p_.connections) {
      Line(0, "connection " + def.name + " = " + std::string(NameOf(def.kind)));
      Properties(def.properties);
    }
    for (const DeadletterDef& def : p_.deadletters) Line(0, "deadletter " + def.name);
    for (const SourceDef& def : p_.sources) PrintSource(def);
    for (const TableDef& def : p_.tables) {
      Line(0, "table " + def.name + ": " + Name(def.record) + " = " + Endpoint(def.endpoint));
      Properties(def.endpoint.properties);
      Line(1, "key " + List(def.key));
      PrintRoute("bad", def.on_bad);
    }
    for (const LookupDef& def : p_.lookups) PrintLookup(def);
    for (const StreamDef& def : p_.streams) PrintStream(def);
    for (const SinkDef& def : p_.sinks) {
      Line(0, "sink " + def.name + " from " + Input(def.from) + " = " + Endpoint(def.endpoint));
      Properties(def.endpoint.properties);
      if (!def.key.empty()) Line(1, "key " + List(def.key));
    }
    for (const TestDef& def : p_.tests) PrintTest(def);
    return std::move(out_);
  }

 private:
  void Line(int indent, const std::string& text) {
    out_ += std::string(static_cast<size_t>(indent) * 2, ' ') + text + "\n";
  }
  std::string E(const ExprPtr& e) const { return e ? PrintExpr(p_, *e) : "?"; }
  std::string List(const std::vector<ExprPtr>& values) const {
    std::string text;
    for (const ExprPtr& value : values) text += (text.empty() ? "" : ", ") + E(value);
    return "(" + text + ")";
  }
  static std::string Name(const RecordDef* record) {
    return record == nullptr ? "?" : record->name;
  }

  void PrintEnum(const EnumDef& def) {
    std::string text;
    for (const EnumValue& value : def.values) {
      text += (text.empty() ? "" : ", ") + value.name +
              (value.text == value.name ? "" : " from " + check::JsonString(value.text));
    }
    Line(0, "enum " + def.name + " { " + text + " }");
  }

  void PrintRecord(const RecordDef& def) {
    Line(0, "record " + def.name);
    for (const Field& field : def.fields) {
      Line(1, field.name + ": " + ToString(field.type) +
                  (field.json_name == field.name ? ""
                                                 : " from " + check::JsonString(field.json_name)) +
                  (field.default_value ? " = " + PrintExpr(p_, *field.default_value) : ""));
    }
  }

  void PrintFn(const FnDef& def) {
    std::string params;
    for (int i = 0; i < def.param_count; ++i) {
      const auto& [name, type] = def.locals[static_cast<size_t>(i)];
      params +=
          (i == 0 ? "" : ", ") + ("%" + std::to_string(i)) + " " + name + ": " + ToString(type);
    }
    Line(0, "fn " + def.name + "(" + params + ") -> " + ToString(def.result_type) +
                (def.fallible ? def.overflow_only ? " ^" : " !" : ""));
    for (const auto& [local, value] : def.lets) {
      Line(1, "%" + std::to_string(local) + " " + def.locals[static_cast<size_t>(local)].first +
                  " = " + E(value));
    }
    Line(1, "return " + E(def.result));
  }

  void Properties(const std::vector<PropertyDef>& properties) {
    for (const PropertyDef& property : properties)
      Line(1, property.name + ": " + E(property.value));
  }

  std::string Endpoint(const EndpointDef& e) const {
    std::string owner =
        e.connection < 0 ? "" : p_.connections[static_cast<size_t>(e.connection)].name + ".";
    return owner + e.operation + (e.address ? "(" + E(e.address) + ")" : "") +
           (e.format == Format::kRaw ? " raw" : " json");
  }

  std::string Input(const StreamInput& input) const {
    auto i = static_cast<size_t>(input.index);
    if (input.index < 0) return "?";
    switch (input.kind) {
      case StreamInput::kSource: return "source " + p_.sources[i].name;
      case StreamInput::kStream: return "stream " + p_.streams[i].name;
      case StreamInput::kDeadletter: return "deadletter " + p_.deadletters[i].name;
    }
    return "?";
  }

  void PrintRoute(const std::string& event, const Route& route, int indent = 1) {
    switch (route.kind) {
      case Route::kNone: return;
      case Route::kDrop: return Line(indent, "on " + event + " drop");
      case Route::kStop: return Line(indent, "on " + event + " stop");
      case Route::kSend:
        return Line(indent, "on " + event + " send " +
                                p_.deadletters[static_cast<size_t>(route.deadletter)].name);
      case Route::kUse: return Line(indent, "on " + event + " use " + E(route.use));
    }
  }

  void PrintSource(const SourceDef& def) {
    Line(0, "source " + def.name + ": " + Name(def.record) + " = " + Endpoint(def.endpoint));
    Properties(def.endpoint.properties);
    if (!def.key.empty()) Line(1, "key " + List(def.key));
    if (def.time) Line(1, "time " + E(def.time));
    if (def.lateness) Line(1, "lateness " + E(def.lateness));
    if (def.idle) Line(1, "idle " + E(def.idle));
    PrintRoute("bad", def.on_bad);
  }

  void PrintLookup(const LookupDef& def) {
    std::string params, path;
    for (size_t i = 0; i < def.params.size(); ++i) {
      params += (i == 0 ? "" : ", ") + ("%" + std::to_string(i)) + " " + def.params[i].first +
                ": " + ToString(def.params[i].second);
    }
    for (const RequestPart& part : def.path)
      path += part.value ? "{" + E(part.value) + "}" : part.text;
    Line(0, "lookup " + def.name + "(" + params + ") -> " + Name(def.result));
    Line(1, (def.connection < 0 ? "?" : p_.connections[static_cast<size_t>(def.connection)].name) +
                "." + def.operation + " " + path);
    if (def.body) Line(1, "body " + E(def.body));
    if (def.sync) Line(1, "sync");
    auto entry = [&](const char* name, const ExprPtr& value) {
      if (value) Line(1, std::string(name) + " " + E(value));
    };
    entry("in_flight", def.in_flight);
    entry("timeout", def.timeout);
    entry("deadline", def.deadline);
    entry("retries", def.retries);
    entry("backoff from", def.backoff_min);
    entry("backoff to", def.backoff_max);
    if (!def.jitter_full) Line(1, "jitter none");
    entry("cache entries", def.cache_entries);
    entry("cache for", def.cache_ttl);
    entry("cache missing for", def.cache_missing_ttl);
    if (!def.coalesce) Line(1, "coalesce false");
  }

  void Row(const RecordDef* row) {
    if (row == nullptr || !row->synthetic) return Line(2, "-> " + Name(row));
    std::string text;
    for (const Field& field : row->fields)
      text += (text.empty() ? "" : ", ") + field.name + ": " + ToString(field.type);
    Line(2, "-> " + row->name + " { " + text + " }");
  }

  void Values(const std::vector<ExprPtr>& values, const RecordDef* row) {
    for (size_t i = 0; i < values.size(); ++i) {
      Line(2, (row != nullptr && i < row->fields.size() ? row->fields[i].name : "?") + " = " +
                  E(values[i]));
    }
  }

  void PrintStep(const typed::Step& step) {
    switch (step.kind) {
      case StepKind::kWhere:
        Line(1, "where " + E(static_cast<const WhereStep&>(step).condition));
        break;
      case StepKind::kSelect: {
        const auto& select = static_cast<const SelectStep&>(step);
        Line(1, "select");
        Values(select.values, select.output);
        if (select.with_time) Line(2, "with time " + E(select.with_time));
        break;
      }
      case StepKind::kLet:
        Line(1, "let " + step.output->fields.back().name + " = " +
                    E(static_cast<const LetStep&>(step).value));
        break;
      case StepKind::kTableJoin: {
        const auto& join = static_cast<const TableJoinStep&>(step);
        Line(1, "join " + p_.tables[static_cast<size_t>(join.table)].name + " as " + join.alias +
                    " on " + List(join.key));
        PrintRoute("missing", join.on_missing, 2);
        break;
      }
      case StepKind::kLookup: {
        const auto& lookup = static_cast<const LookupStep&>(step);
        Line(1, "lookup " + p_.lookups[static_cast<size_t>(lookup.lookup)].name +
                    List(lookup.args) + " as " + (lookup.as_outcome ? "outcome " : "") +
                    lookup.alias);
        Line(2, lookup.order == OrderMode::kInput  ? "order input"
                : lookup.order == OrderMode::kNone ? "order none"
                                                   : "order key " + List(lookup.order_key));
        PrintRoute("missing", lookup.on_missing, 2);
        PrintRoute("timeout", lookup.on_timeout, 2);
        PrintRoute("rejected", lookup.on_rejected, 2);
        PrintRoute("error", lookup.on_error_outcome, 2);
        break;
      }
      case StepKind::kWindowAggregate: {
        const auto& window = static_cast<const WindowAggregateStep&>(step);
        Line(1, "window tumbling " + E(window.size) + " by " + List(window.by));
        PrintRoute("late", window.on_late, 2);
        constexpr const char* kKinds[] = {"count", "sum",  "min", "max",
                                          "first", "last", "avg", "vwap"};
        for (size_t i = 0; i < window.aggregates.size(); ++i) {
          const Aggregate& a = window.aggregates[i];
          Line(2, "aggregate " + std::to_string(i) + " = " + kKinds[static_cast<size_t>(a.kind)] +
                      List(a.args) + ": " + ToString(a.type));
        }
        Values(window.values, window.output);
        break;
      }
    }
    Line(2, "name " + step.name);
    PrintRoute("error", step.on_error, 2);
    if (step.output != step.input) Row(step.output);
  }

  void PrintStream(const StreamDef& def) {
    Line(0, "stream " + def.name + " from " + Input(def.input));
    PrintRoute("unhandled", def.on_unhandled);
    for (const auto& step : def.steps) PrintStep(*step);
  }

  void PrintTest(const TestDef& def) {
    Line(0, "test " + check::JsonString(def.name));
    for (const TestItem& item : def.items) {
      auto target = static_cast<size_t>(item.target);
      switch (item.kind) {
        case TestItem::kFeedSource:
          Line(1, "feed source " + (item.target < 0 ? "?" : p_.sources[target].name) + " " +
                      item.json);
          break;
        case TestItem::kFeedTable:
          Line(1, "feed table " + p_.tables[target].name + " " + item.json);
          break;
        case TestItem::kStub:
          Line(1, "stub " + (item.target < 0 ? "?" : p_.lookups[target].name) + item.args_json +
                      " " + item.json +
                      (item.duration_ns == 0 ? ""
                                             : " after " + check::DurationText(item.duration_ns)));
          break;
        case TestItem::kWait: Line(1, "wait " + check::DurationText(item.duration_ns)); break;
        case TestItem::kContains:
          Line(1, "expect " + Input(item.stream) + " contains " + item.json);
          break;
        case TestItem::kExactly:
          Line(1, "expect " + Input(item.stream) + " exactly " + item.json);
          break;
      }
    }
  }

  const TypedPipeline& p_;
  std::string out_;
};

}  // namespace

std::string PrintTyped(const TypedPipeline& pipeline) { return Printer(pipeline).Print(); }

}  // namespace weirc
