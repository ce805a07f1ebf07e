#include "runtime/testing/workload.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <random>
#include <set>

#include <fmt/format.h>

#include "runtime/core/hash.h"
#include "runtime/testing/json_value.h"
#include "runtime/testing/virtual_time.h"

namespace weir {

namespace {

constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs;

std::string Quoted(const std::string& text) {
  JsonValue value;
  value.kind = JsonValue::kString;
  value.text = text;
  return FormatJson(value);
}

// Of anything that the answer of a service may rest on.
uint64_t HashOf(std::initializer_list<std::string_view> parts) {
  uint64_t hash = 14695981039346656037u;
  for (std::string_view part : parts) {
    for (char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    hash = (hash ^ 0xff) * 1099511628211u;
  }
  return hash;
}

}  // namespace

std::string TopicOf(const std::string& address, const std::string& name) { return address.empty() ? name : address; }

std::string OriginOf(const MemoryRecord& record) {
  for (const auto& [name, value] : record.headers) {
    if (name == kOriginHeader) return value;
  }
  return "";
}

// Values of few kinds, so that keys meet, and of such sizes that sums neither overflow nor round: what comes out must not
// rest on the order in which partitions meet.
struct Workload::Maker {
  // By field: values that tests feed to fields of this name.
  using Pools = std::map<std::string, std::vector<JsonValue>>;

  Maker(std::shared_ptr<const Pools> fed, uint64_t seed) : random(seed), pools(std::move(fed)) {}

  static std::shared_ptr<const Pools> PoolsOf(const Program& program) {
    auto pools = std::make_shared<Pools>();
    for (const TestSpec& test : program.tests) {
      for (const TestItem& item : test.items) {
        JsonValue records;
        std::string error;
        if (item.kind != TestItem::kFeed || !ParseJson(item.text, &records, &error)) continue;
        for (const JsonValue& record : records.items) Collect(record, pools.get());
      }
    }
    return pools;
  }

  static void Collect(const JsonValue& record, Pools* pools) {
    for (const JsonMember& field : record.fields) {
      std::vector<JsonValue>& pool = (*pools)[field.name];
      bool known = std::any_of(pool.begin(), pool.end(), [&](const JsonValue& one) { return SameJson(one, field.value); });
      if (!known && pool.size() < 8) pool.push_back(field.value);
      Collect(field.value, pools);
    }
  }

  uint64_t Below(uint64_t n) { return random() % n; }
  bool Percent(uint64_t n) { return Below(100) < n; }

  // One that a test feeds to a field of this name, where it is of this kind.
  const JsonValue* Fed(const ValueShape& shape, JsonValue::Kind kind) {
    auto pool = pools->find(shape.name);
    if (pool == pools->end() || !Percent(30)) return nullptr;
    const JsonValue& value = pool->second[Below(pool->second.size())];
    return value.kind == kind ? &value : nullptr;
  }

  std::string Integer(const ValueShape& shape) {
    const JsonValue* fed = Fed(shape, JsonValue::kNumber);
    const bool fits = fed != nullptr && fed->text.size() < 7 && fed->text.find_first_not_of("-0123456789") == std::string::npos;
    if (fits) return fed->text;
    switch (Below(10)) {
      case 0: return "-" + std::to_string(1 + Below(50));
      case 1:
      case 2: return std::to_string(Below(1'000'000));
      case 3:
      case 4:
      case 5: return std::to_string(Below(1000));
      default: return std::to_string(Below(5));
    }
  }

  std::string Decimal(const ValueShape& shape) {
    int whole_max = std::clamp(shape.precision - shape.scale, 0, 4);
    uint64_t whole = 0;
    for (int i = static_cast<int>(Below(static_cast<uint64_t>(whole_max) + 1)); i > 0; --i) whole = whole * 10 + Below(10);
    std::string text = (Percent(5) ? "-" : "") + std::to_string(whole);
    if (int digits = static_cast<int>(Below(static_cast<uint64_t>(std::min(shape.scale, 4)) + 1)); digits > 0) {
      text += ".";
      for (int i = 0; i < digits; ++i) text += static_cast<char>('0' + Below(10));
    }
    return text;
  }

  std::string Text(const ValueShape& shape) {
    const JsonValue* fed = Fed(shape, JsonValue::kString);
    return fed != nullptr ? fed->text : texts[Below(texts.size())];
  }

  std::string Value(const ValueShape& shape) {
    static constexpr const char* kBytes[] = {"", "aGk=", "AAH/", "d2Vpcg=="};
    static constexpr const char* kDurations[] = {"0s", "250ms", "1.5s", "1h30m"};
    switch (shape.kind) {
      case ValueShape::kBool: return Percent(50) ? "true" : "false";
      case ValueShape::kInt32:
      case ValueShape::kInt64: return Integer(shape);
      case ValueShape::kFloat64: return fmt::format("{}", (static_cast<double>(Below(8000)) - 400) / 8);
      case ValueShape::kDecimal: return Decimal(shape);
      case ValueShape::kString: return Quoted(Text(shape));
      case ValueShape::kBytes: return Quoted(kBytes[Below(std::size(kBytes))]);
      case ValueShape::kTimestamp: return std::to_string(time_ns / kMs);
      case ValueShape::kDuration: return Quoted(kDurations[Below(std::size(kDurations))]);
      case ValueShape::kDate: return fmt::format("\"2026-01-{:02}\"", 1 + Below(28));
      case ValueShape::kEnum: return Quoted(shape.texts[Below(shape.texts.size())]);
      case ValueShape::kRecord: return Record(shape);
      case ValueShape::kOptional: {
        if (Percent(25)) return "null";
        ValueShape inner = *shape.element;
        inner.name = shape.name;
        return Value(inner);
      }
      case ValueShape::kList: {
        std::string out = "[";
        for (uint64_t i = 0, n = Below(4); i < n; ++i) out += (i != 0 ? "," : "") + Value(*shape.element);
        return out + "]";
      }
      case ValueShape::kMap: {
        std::string out = "{";
        for (uint64_t i = 0, n = Below(4); i < n; ++i) {
          out += (i != 0 ? "," : "") + Quoted(texts[i]) + ":" + Value(*shape.element);
        }
        return out + "}";
      }
    }
    return "null";
  }

  std::string Record(const ValueShape& shape) {
    std::string out = "{";
    for (const ValueShape& field : shape.fields) {
      if (field.may_miss && Percent(15)) continue;
      out += (out.size() > 1 ? "," : "") + Quoted(field.name) + ":" + Value(field);
    }
    return out + "}";
  }

  // The bytes of a record of a topic.
  std::string Whole(const RecordShape& shape) {
    return shape.raw && !shape.record.fields.empty() ? Text(shape.record.fields[0]) : Record(shape.record);
  }

  std::string Broken(std::string value) {
    switch (Below(4)) {
      case 0: return value.substr(0, Below(value.size() + 1));
      case 1: return "\xff\xfe not text";
      case 2: return value + "}";
      default: return "";
    }
  }

  std::mt19937_64 random;
  std::vector<std::string> texts = {"a", "b", "c", "d", "e"};
  std::shared_ptr<const Pools> pools;
  int64_t time_ns = VirtualClock::kWallStart;           // what timestamps say
};

namespace {

// The key that a record has in its topic: a text as it is, anything else as JSON, several as an array.
std::string KeyOf(const RecordShape& shape, const std::string& value) {
  JsonValue record;
  std::string error;
  if (!ParseJson(value, &record, &error)) return "";
  std::vector<const JsonValue*> parts;
  for (const std::vector<std::string>& path : shape.key) {
    const JsonValue* at = &record;
    for (const std::string& step : path) at = at == nullptr ? nullptr : at->Find(step);
    if (at != nullptr) parts.push_back(at);
  }
  if (parts.size() == 1) return parts[0]->kind == JsonValue::kString ? parts[0]->text : FormatJson(*parts[0]);
  std::string text = "[";
  for (const JsonValue* part : parts) text += (text.size() > 1 ? "," : "") + FormatJson(*part);
  return text + "]";
}

const RecordShape* Find(const std::vector<RecordShape>& shapes, const std::string& name) {
  for (const RecordShape& shape : shapes) {
    if (shape.name == name) return &shape;
  }
  return nullptr;
}

}  // namespace

Workload::Workload(const Program& program, const PipelineShape& shape, const WorkloadOptions& options)
    : program_(program), shape_(shape), options_(options) {
  fed_ = Maker::PoolsOf(program);
  Maker maker(fed_, options.seed * 6364136223846793005u + 1442695040888963407u);
  // Event times walk through the windows: many records in one, or hardly one in each.
  std::vector<int64_t> sizes = {kSecond};
  if (!program.windows.empty()) sizes.clear();
  for (const WindowSpec& window : program.windows) sizes.push_back(window.size_ns);
  const int64_t size_max = *std::max_element(sizes.begin(), sizes.end());
  const int64_t step_max = std::max<int64_t>(kMs, sizes[maker.Below(sizes.size())] / (maker.Percent(50) ? 4 : 1));

  for (const TableSpec& table : program.tables) {
    std::vector<MemoryRecord>& rows = tables_[table.name];
    const RecordShape* of = Find(shape.tables, table.name);
    if (of == nullptr) continue;
    for (uint64_t i = 0, n = 4 + maker.Below(10); i < n; ++i) {
      MemoryRecord row;
      row.value = maker.Whole(*of);
      row.has_key = true;
      row.key = KeyOf(*of, row.value);
      if (table.tombstone_key != nullptr && maker.Percent(10)) {
        row.has_value = false;
        row.value.clear();
      }
      rows.push_back(std::move(row));
    }
  }

  std::set<std::string> filled;  // two sources may read one topic
  for (const SourceSpec& source : program.sources) {
    const RecordShape* of = Find(shape.sources, source.name);
    const std::string topic = TopicOf(source.address, source.name);
    if (source.exchange >= 0 || of == nullptr || !filled.insert(topic).second) continue;
    Input& input = inputs_.emplace_back();
    input.source = source.name;
    input.topic = topic;
    input.partitions.resize(1 + maker.Below(4));
    const auto partitions = static_cast<int32_t>(input.partitions.size());
    int64_t newest = VirtualClock::kWallStart;
    const auto about = static_cast<uint64_t>(options.records);
    const uint64_t count = 1 + about / 2 + maker.Below(about);
    for (uint64_t i = 0; i < count; ++i) {
      newest += static_cast<int64_t>(maker.Below(static_cast<uint64_t>(step_max)));
      int64_t time = newest;
      if (source.lateness_ns > 0 && maker.Percent(30)) {
        time -= static_cast<int64_t>(maker.Below(static_cast<uint64_t>(source.lateness_ns)));
      }
      if (!options.mild && maker.Percent(3)) {
        time -= source.lateness_ns + size_max + static_cast<int64_t>(maker.Below(static_cast<uint64_t>(size_max)));
      }
      time = time / kMs * kMs;
      maker.time_ns = time;
      MemoryRecord record;
      record.value = maker.Whole(*of);
      record.time_ns = time;
      size_t p = maker.Below(input.partitions.size());
      if (!of->key.empty()) {
        record.has_key = true;
        record.key = KeyOf(*of, record.value);
        p = static_cast<size_t>(KafkaPartition(Str(std::string_view(record.key)), partitions));
      } else if (maker.Percent(50)) {
        record.has_key = true;
        record.key = maker.texts[maker.Below(maker.texts.size())];
      }
      if (!options.mild && maker.Percent(3)) record.value = maker.Broken(std::move(record.value));
      record.headers.emplace_back(kOriginHeader, fmt::format("{}/{}/{}", input.source, p, input.partitions[p].size()));
      input.partitions[p].push_back(std::move(record));
    }
  }
}

ScriptedAnswer Workload::Answer(int lookup, const LookupRequest& request) const {
  const LookupSpec& spec = program_.lookups[static_cast<size_t>(lookup)];
  ScriptedAnswer scripted;
  LookupAnswer& answer = scripted.answer;
  Maker maker(fed_, HashOf({spec.name, request.verb.view(), request.target.view(), request.body.view()}) + options_.seed);
  const uint64_t how = options_.mild ? 0 : maker.Below(100);
  // The first attempts of some fail in a way that passes.
  const auto failing = static_cast<uint16_t>(how >= 88 ? 1 + maker.Below(static_cast<uint64_t>(spec.retries) + 2) : 0);
  if (request.attempt <= failing) {
    if (how % 2 == 0 && options_.hanging_answers) {
      scripted.kind = ScriptedAnswer::kNever;
    } else {
      answer.outcome = Outcome::kError;
      answer.transient = true;
      answer.reason = "HTTP 503";
    }
    return scripted;
  }
  if (how < 70 || how >= 88) {
    const RecordShape* of = Find(shape_.lookups, spec.name);
    answer.outcome = Outcome::kFound;
    answer.body = of != nullptr ? maker.Record(of->record) : "{}";
  } else if (how < 80) {
    answer.outcome = Outcome::kMissing;
  } else if (how < 84) {
    answer.outcome = Outcome::kRejected;
    answer.reason = "HTTP 403";
  } else if (how < 86) {
    answer.outcome = Outcome::kError;
    answer.reason = "HTTP 501";
  } else {
    answer.outcome = Outcome::kFound;
    answer.body = "{\"cut off";
  }
  return scripted;
}

const MemoryRecord* Workload::Origin(const MemoryRecord& output) const {
  const std::string origin = OriginOf(output);
  for (const Input& input : inputs_) {
    if (!origin.starts_with(input.source + "/")) continue;
    size_t partition = 0, at = 0;
    if (std::sscanf(origin.c_str() + input.source.size(), "/%zu/%zu", &partition, &at) != 2) continue;
    const bool known = partition < input.partitions.size() && at < input.partitions[partition].size();
    if (known) return &input.partitions[partition][at];
  }
  return nullptr;
}

size_t Workload::records() const {
  size_t count = 0;
  for (const Input& input : inputs_) {
    for (const auto& partition : input.partitions) count += partition.size();
  }
  return count;
}

}  // namespace weir
