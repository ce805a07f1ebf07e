#include "compiler/driver/pipeline_shape.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"

namespace weirc {
namespace {

using nlohmann::json;
using namespace typed;

json RecordShape(const RecordDef& record);

json TypeShape(const Type& type) {
  // In the order of TypeKind.
  static constexpr const char* kNames[] = {"error",  "null",  "bool",      "int32",    "int64", "float64",
                                           "decimal", "string", "bytes",    "timestamp", "duration", "date",
                                           "enum",   "record", "list",      "map",      "optional", "outcome"};
  json shape;
  shape["kind"] = kNames[static_cast<int>(type.kind)];
  switch (type.kind) {
    case TypeKind::kDecimal:
      shape["precision"] = type.precision;
      shape["scale"] = type.scale;
      break;
    case TypeKind::kEnum:
      shape["texts"] = json::array();
      for (const EnumValue& value : type.enum_def->values) shape["texts"].push_back(value.text);
      break;
    case TypeKind::kRecord: shape["fields"] = RecordShape(*type.record); break;
    case TypeKind::kList:
    case TypeKind::kMap:
    case TypeKind::kOptional: shape["element"] = TypeShape(*type.element); break;
    default: break;
  }
  return shape;
}

json RecordShape(const RecordDef& record) {
  json fields = json::array();
  for (const Field& field : record.fields) {
    json shape = TypeShape(*field.type);
    shape["name"] = field.json_name;
    if (field.default_value != nullptr || field.type->Is(TypeKind::kOptional)) shape["may_miss"] = true;
    fields.push_back(std::move(shape));
  }
  return fields;
}

// Where a key's parts are in a record as data has it: ["symbol"], ["venue", "id"]. Other keys are left out.
json KeyPaths(const std::vector<ExprPtr>& key) {
  json paths = json::array();
  for (const ExprPtr& part : key) {
    std::vector<std::string> path;
    const Expr* at = part.get();
    while (at->kind == ExprKind::kConvert) at = As<ConvertExpr>(*at).operand.get();
    for (; at->kind == ExprKind::kField; at = As<FieldExpr>(*at).base.get()) {
      const FieldExpr& field = As<FieldExpr>(*at);
      const Type* base = field.base->type->Is(TypeKind::kOptional) ? field.base->type->element : field.base->type;
      path.insert(path.begin(), base->record->fields[static_cast<size_t>(field.field)].json_name);
    }
    if (at->kind == ExprKind::kRow && !path.empty()) paths.push_back(path);
  }
  return paths;
}

bool ReadsArrival(const plan::Node& node) {
  bool reads = false;
  auto look = [&](const Expr& e) {
    reads = reads || plan::Any(e, [](const Expr& x) {
              return x.kind == ExprKind::kMeta && As<MetaExpr>(x).field == MetaField::kArrival;
            });
  };
  plan::ForEachInputExpr(node, look);
  if (node.Is<plan::WindowOp>()) {
    for (const ExprPtr& value : node.As<plan::WindowOp>().values) look(*value);
  }
  return reads;
}

// Whether a sink's key says which window key a result is of: then results with that key come from one task, in the order
// of their windows.
bool KeyNamesWindow(const plan::Node& sink, const plan::Node& window) {
  const plan::WindowOp& op = window.As<plan::WindowOp>();
  const auto& key = sink.As<plan::SinkOp>().key;
  if (key.empty()) return op.by.size() == 1 && op.by[0]->type->Is(TypeKind::kString);
  if (sink.input != window.id) return false;  // a step between may have made the fields anew
  std::set<int> named;
  for (const ExprPtr& part : key) {
    if (part->kind != ExprKind::kField || As<FieldExpr>(*part).base->kind != ExprKind::kRow) continue;
    const Expr& value = *op.values[static_cast<size_t>(As<FieldExpr>(*part).field)];
    const bool is_part = value.kind == ExprKind::kField && As<FieldExpr>(value).base->kind == ExprKind::kRow;
    if (is_part) named.insert(As<FieldExpr>(value).field);
  }
  return named.size() == op.by.size();
}

bool DependsOnArrivalOrder(const plan::WindowOp& window) {
  for (const Aggregate& aggregate : window.aggregates) {
    if (aggregate.kind == AggregateKind::kFirst || aggregate.kind == AggregateKind::kLast) return true;
  }
  return false;
}

// How a sink's records may be compared between two runs.
//   order     what keeps its order: "partition" of the source, "partition and key", "key", "all", "none"
//   compare   "whole" records; "key and time" where values rest on how partitions meet; "nothing", with `why`
json SinkShape(const plan::Plan& plan, const plan::Node& sink) {
  std::string order, compare = "whole", why;
  bool chosen_behind_window = false;  // what comes out behind the window depends on its values
  const plan::Node* window = nullptr;
  bool keyed = !sink.As<plan::SinkOp>().key.empty();
  for (int id = sink.id; id >= 0; id = plan.node(id).input) {
    const plan::Node& node = plan.node(id);
    if (ReadsArrival(node)) {
      compare = "nothing";
      why = "`" + node.name + "` reads meta.arrival, which is another time in every run";
    }
    if (node.Is<plan::WindowOp>() && window == nullptr) {
      window = &node;
      if (order.empty()) order = node.As<plan::WindowOp>().by.empty() ? "all" : KeyNamesWindow(sink, node) ? "key" : "none";
    } else if (node.Is<plan::LookupOp>() && !node.dead) {
      const plan::LookupOp& op = node.As<plan::LookupOp>();
      if (!plan.typed->lookups[static_cast<size_t>(op.lookup)].sync && order.empty()) {
        if (op.order == OrderMode::kNone) order = "none";
        if (op.order == OrderMode::kKey) order = keyed ? "partition and key" : "none";
      }
    }
    const bool chooses = node.Is<plan::WhereOp>() || node.Is<plan::LookupOp>() || node.Is<plan::TableJoinOp>();
    if (window == nullptr && chooses) chosen_behind_window = true;
    if (node.Is<plan::ExchangeOp>()) {
      if (window == nullptr) order = "none";
      if (window != nullptr && compare == "whole" && DependsOnArrivalOrder(window->As<plan::WindowOp>())) {
        compare = chosen_behind_window ? "nothing" : "key and time";
        why = "`" + window->name +
              "` takes `first` or `last` of records that are re-keyed, in whatever order partitions bring them";
      }
    }
  }
  // Order behind a lookup that stands behind a window is that of the lookup.
  if (window != nullptr && order == "partition and key") order = "none";
  if (order.empty()) order = "partition";
  return {{"order", order}, {"compare", compare}, {"why", why}};
}

std::string At(const Compilation& compilation, Span span) { return compilation.sources.Place(span) + ": "; }

}  // namespace

std::string PipelineShape(const Compilation& compilation) {
  const TypedPipeline& typed = compilation.typed;
  json shape;
  shape["sources"] = json::array();
  for (const SourceDef& source : typed.sources) {
    json one;
    one["name"] = source.name;
    one["raw"] = source.endpoint.format == Format::kRaw;
    one["key"] = KeyPaths(source.key);
    one["fields"] = RecordShape(*source.record);
    shape["sources"].push_back(std::move(one));
  }
  shape["tables"] = json::array();
  for (const TableDef& table : typed.tables) {
    json one;
    one["name"] = table.name;
    one["raw"] = table.endpoint.format == Format::kRaw;
    one["key"] = KeyPaths(table.key);
    one["fields"] = RecordShape(*table.record);
    shape["tables"].push_back(std::move(one));
  }
  shape["lookups"] = json::array();
  for (const LookupDef& lookup : typed.lookups) {
    json one;
    one["name"] = lookup.name;
    one["fields"] = RecordShape(*lookup.result);
    shape["lookups"].push_back(std::move(one));
  }
  shape["sinks"] = json::array();
  for (int id : compilation.plan.order) {
    const plan::Node& node = compilation.plan.node(id);
    if (!node.Is<plan::SinkOp>()) continue;
    json one = SinkShape(compilation.plan, node);
    one["name"] = typed.sinks[static_cast<size_t>(node.As<plan::SinkOp>().sink)].name;
    shape["sinks"].push_back(std::move(one));
  }
  return shape.dump();
}

std::string WhyNotSimulated(const Compilation& compilation) {
  const TypedPipeline& typed = compilation.typed;
  const plan::Plan& plan = compilation.plan;
  const bool reads = std::any_of(plan.order.begin(), plan.order.end(),
                                 [&](int id) { return plan.node(id).Is<plan::SourceOp>(); });
  if (reads && !plan.stateful) return "";
  const char* help =
      "\n  `weir simulate` runs copies of a pipeline that commit in Kafka: all sources are topics, of one connection where there"
      "\n  are windows or re-keying, and no sink is a file. `weir plan` says what other pipelines promise.";
  if (!reads) return compilation.path + ":1: no stream of it is read by a sink" + help;
  auto of_kafka = [&](const EndpointDef& endpoint) {
    const int connection = endpoint.connection;
    return connection >= 0 && typed.connections[static_cast<size_t>(connection)].kind == ConnectionKind::kKafka;
  };
  const char* one_process = ", so one process keeps positions and state in its own directory";
  for (const SourceDef& source : typed.sources) {
    if (of_kafka(source.endpoint)) continue;
    return At(compilation, source.span) + "`" + source.name + "` is no topic" + one_process + help;
  }
  for (const SinkDef& sink : typed.sinks) {
    if (of_kafka(sink.endpoint) || sink.endpoint.operation == "stdout") continue;
    return At(compilation, sink.span) + "`" + sink.name + "` is a file" + one_process + help;
  }
  const SourceDef& first = typed.sources.front();
  const auto other = std::find_if(typed.sources.begin(), typed.sources.end(), [&](const SourceDef& source) {
    return source.endpoint.connection != first.endpoint.connection;
  });
  return At(compilation, other->span) + "`" + other->name + "` is of another Kafka connection than `" + first.name + "`" +
         one_process + help;
}

}  // namespace weirc
