#include "runtime/testing/pipeline_shape.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "runtime/testing/json_value.h"

namespace weir {

namespace {

class Reader {
 public:
  bool Read(const JsonValue& json, PipelineShape* shape) {
    Records(json, "sources", &shape->sources);
    Records(json, "tables", &shape->tables);
    Records(json, "lookups", &shape->lookups);
    for (const JsonValue& item : Items(json, "sinks")) shape->sinks.push_back(Sink(item));
    return error.empty();
  }
  std::string error;

 private:
  void Wrong(const std::string& what) {
    if (error.empty()) error = "the description of the pipeline has no " + what;
  }
  std::string Text(const JsonValue& json, const char* name) {
    const JsonValue* found = json.Find(name);
    if (found != nullptr && found->kind == JsonValue::kString) return found->text;
    Wrong(name);
    return "";
  }
  int Number(const JsonValue& json, const char* name) {
    const JsonValue* found = json.Find(name);
    if (found != nullptr && found->kind == JsonValue::kNumber) return std::atoi(found->text.c_str());
    Wrong(name);
    return 0;
  }
  static bool Flag(const JsonValue& json, const char* name) {
    const JsonValue* found = json.Find(name);
    return found != nullptr && found->kind == JsonValue::kBool && found->boolean;
  }
  const std::vector<JsonValue>& Items(const JsonValue& json, const char* name) {
    static const std::vector<JsonValue> none;
    const JsonValue* found = json.Find(name);
    if (found != nullptr && found->kind == JsonValue::kArray) return found->items;
    Wrong(name);
    return none;
  }

  void Records(const JsonValue& json, const char* name, std::vector<RecordShape>* out) {
    for (const JsonValue& item : Items(json, name)) {
      RecordShape& shape = out->emplace_back();
      shape.name = Text(item, "name");
      shape.raw = Flag(item, "raw");
      shape.record.kind = ValueShape::kRecord;
      for (const JsonValue& field : Items(item, "fields")) shape.record.fields.push_back(Value(field));
      if (item.Find("key") == nullptr) continue;
      for (const JsonValue& part : Items(item, "key")) {
        std::vector<std::string>& path = shape.key.emplace_back();
        for (const JsonValue& step : part.items) path.push_back(step.text);
      }
    }
  }

  ValueShape Value(const JsonValue& json) {
    // In the order of ValueShape::Kind.
    static constexpr const char* kKinds[] = {"bool",  "int32",     "int64",    "float64", "decimal",
                                             "string", "bytes",    "timestamp", "duration", "date",
                                             "enum",  "record",    "list",     "map",     "optional"};
    ValueShape shape;
    const std::string kind = Text(json, "kind");
    auto known = std::find(std::begin(kKinds), std::end(kKinds), kind);
    if (known == std::end(kKinds)) {
      Wrong("known kind `" + kind + "`");
      return shape;
    }
    shape.kind = static_cast<ValueShape::Kind>(known - std::begin(kKinds));
    if (const JsonValue* name = json.Find("name"); name != nullptr) shape.name = name->text;
    shape.may_miss = Flag(json, "may_miss");
    switch (shape.kind) {
      case ValueShape::kDecimal:
        shape.precision = Number(json, "precision");
        shape.scale = Number(json, "scale");
        break;
      case ValueShape::kEnum:
        for (const JsonValue& text : Items(json, "texts")) shape.texts.push_back(text.text);
        if (shape.texts.empty()) Wrong("texts");
        break;
      case ValueShape::kRecord:
        for (const JsonValue& field : Items(json, "fields")) shape.fields.push_back(Value(field));
        break;
      case ValueShape::kList:
      case ValueShape::kMap:
      case ValueShape::kOptional:
        if (const JsonValue* element = json.Find("element"); element != nullptr) {
          shape.element = std::make_shared<ValueShape>(Value(*element));
        } else {
          Wrong("element");
        }
        break;
      default: break;
    }
    return shape;
  }

  SinkShape Sink(const JsonValue& json) {
    static constexpr const char* kOrders[] = {"none", "partition", "partition and key", "key", "all"};
    static constexpr const char* kCompares[] = {"whole", "key and time", "nothing"};
    SinkShape shape;
    shape.name = Text(json, "name");
    shape.why = Text(json, "why");
    auto order = std::find(std::begin(kOrders), std::end(kOrders), Text(json, "order"));
    auto compare = std::find(std::begin(kCompares), std::end(kCompares), Text(json, "compare"));
    if (order == std::end(kOrders) || compare == std::end(kCompares)) {
      Wrong("order or comparison for `" + shape.name + "`");
      return shape;
    }
    shape.order = static_cast<SinkShape::Order>(order - std::begin(kOrders));
    shape.compare = static_cast<SinkShape::Compare>(compare - std::begin(kCompares));
    return shape;
  }
};

}  // namespace

bool ParsePipelineShape(std::string_view text, PipelineShape* shape, std::string* error) {
  JsonValue json;
  if (!ParseJson(text, &json, error)) return false;
  Reader reader;
  bool good = reader.Read(json, shape);
  *error = reader.error;
  return good;
}

}  // namespace weir
