#include "runtime/operate/stored_value.h"

#include <utility>

#include "runtime/core/utf8.h"
#include "runtime/program/values.h"
#include "runtime/window/aggregate.h"

namespace weir {
namespace {

// A decimal of up to 18 digits lies in 64 bits.
bool IsWide(const Layout& layout) { return layout.kind == ValueKind::kDecimal && layout.precision > kDecimal64DigitsMax; }

bool IsTextKey(const List<Column>& columns) {
  if (columns.size != 1) return false;
  ValueKind kind = columns[0].layout->kind;
  return kind == ValueKind::kString || kind == ValueKind::kBytes;
}

bool WriteText(Str text, JsonWriter& out) {
  if (!ValidUtf8(text)) return false;
  out.Str(text);
  return true;
}

// What `write` writes.
template <class Write>
std::string Json(Write write) {
  Buffer buffer;
  JsonWriter out(&buffer);
  write(out);
  return std::string(buffer.str().view());
}

std::string DecimalJson(i128 value, int scale) {
  return Json([&](JsonWriter& out) { out.Decimal(value, scale); });
}
std::string IntJson(int64_t value) {
  return Json([&](JsonWriter& out) { out.Int64(value); });
}
std::string FloatJson(double value) {
  return Json([&](JsonWriter& out) { out.F64(value); });
}

bool IsFloat(const AggregateLayout& aggregate) {
  return aggregate.first != nullptr && aggregate.first->kind == ValueKind::kFloat64;
}

// Adding a record may be refused: its sum would not fit.
bool AddFails(const AggregateLayout& aggregate) {
  switch (aggregate.kind) {
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
    case AggregateKind::kVwap: return !IsFloat(aggregate);
    default: return false;
  }
}

template <class T>
T Loaded(RowReader& in) {
  T accumulator{};
  accumulator.Load(in);
  return accumulator;
}

void Average(RowReader& in, StoredAggregate* out) {
  const AggregateLayout& layout = *out->layout;
  if (IsFloat(layout)) {
    auto avg = Loaded<AvgFloat64>(in);
    out->parts = {{"sum", FloatJson(avg.sum)}, {"count", IntJson(avg.count)}};
    if (avg.has()) out->json = FloatJson(avg.Result());
    return;
  }
  auto avg = Loaded<AvgDecimal>(in);
  out->parts = {{"sum", DecimalJson(avg.sum, layout.first->scale)}, {"count", IntJson(avg.count)}};
  i128 result;
  if (!avg.has()) return;
  out->overflow = !avg.Result(layout.first->scale, layout.result->scale, &result);
  if (!out->overflow) out->json = DecimalJson(result, layout.result->scale);
}

void WeightedAverage(RowReader& in, StoredAggregate* out) {
  const AggregateLayout& layout = *out->layout;
  if (IsFloat(layout)) {
    auto vwap = Loaded<VwapFloat64>(in);
    out->parts = {{"amount", FloatJson(vwap.amount)}, {"quantity", FloatJson(vwap.quantity)}};
    if (vwap.has()) out->json = FloatJson(vwap.Result());
    return;
  }
  auto vwap = Loaded<VwapDecimal>(in);
  const int price = layout.first->scale, quantity = layout.second->scale;
  // Amounts have the digits of both, which may be more than a decimal has.
  if (price + quantity <= kDecimalDigitsMax) out->parts.push_back({"amount", DecimalJson(vwap.amount, price + quantity)});
  out->parts.push_back({"quantity", DecimalJson(vwap.quantity, quantity)});
  i128 result;
  if (!vwap.has()) return;
  out->overflow = !vwap.Result(price, quantity, layout.result->scale, &result);
  if (!out->overflow) out->json = DecimalJson(result, layout.result->scale);
}

// min, max, first, last.
bool ExtremeValue(RowReader& in, StoredAggregate* out) {
  const Layout& layout = *out->layout->first;
  if (!in.OptTag()) return in.ok();
  bool good = true;
  out->json = Json([&](JsonWriter& json) {
    switch (layout.kind) {
      case ValueKind::kRecord:
      case ValueKind::kList:
      case ValueKind::kMap: {
        // A row in a string.
        RowReader row(in.Str());
        good = WriteStored(layout, row, json) && row.AtEnd();
        break;
      }
      default: good = WriteStored(layout, in, json);
    }
  });
  return good;
}

}  // namespace

bool WriteStored(const Layout& layout, RowReader& in, JsonWriter& out) {
  switch (layout.kind) {
    case ValueKind::kBool: out.Bool(in.Bool()); break;
    case ValueKind::kInt32: out.Int32(in.I32()); break;
    case ValueKind::kInt64: out.Int64(in.I64()); break;
    case ValueKind::kFloat64: out.F64(in.F64()); break;
    case ValueKind::kDecimal:
      if (IsWide(layout)) {
        out.Decimal(in.I128(), layout.scale);
      } else {
        out.Decimal(in.I64(), layout.scale);
      }
      break;
    case ValueKind::kString: return WriteText(in.Str(), out) && in.ok();
    case ValueKind::kBytes: out.Bytes(in.Str()); break;
    case ValueKind::kTimestamp: out.Timestamp(in.I64()); break;
    case ValueKind::kDuration: out.Duration(in.I64()); break;
    case ValueKind::kDate: out.Date(in.I32()); break;
    case ValueKind::kEnum: {
      int32_t value = in.I32();
      if (value < 0 || value >= static_cast<int64_t>(layout.names.size)) return false;
      out.Str(layout.names[static_cast<uint32_t>(value)]);
      break;
    }
    case ValueKind::kRecord: {
      std::vector<NamedValue> fields;
      for (const Column& field : layout.fields) {
        bool good = false;
        std::string json = Json([&](JsonWriter& value) { good = WriteStored(*field.layout, in, value); });
        if (!good) return false;
        fields.push_back({field.name, std::move(json)});
      }
      WriteObject(fields, out);
      break;
    }
    case ValueKind::kOptional:
      if (in.OptTag()) return WriteStored(*layout.element, in, out);
      out.Null();
      break;
    case ValueKind::kList:
      out.BeginArray();
      for (uint32_t n = in.Count(); n != 0; --n) {
        out.Element();
        if (!WriteStored(*layout.element, in, out)) return false;
      }
      out.EndArray();
      break;
    case ValueKind::kMap:
      out.BeginObject();
      for (uint32_t n = in.Count(); n != 0; --n) {
        Str key = in.Str();
        if (!in.ok() || !ValidUtf8(key)) return false;
        out.Field(key);
        if (!WriteStored(*layout.element, in, out)) return false;
      }
      out.EndObject();
      break;
    case ValueKind::kOutcome: {
      int32_t outcome = in.I32();
      Str reason = in.Str();
      if (!in.ok() || outcome < 0 || outcome > static_cast<int32_t>(Outcome::kError)) return false;
      out.BeginObject();
      out.Field("outcome");
      out.Str(OutcomeName(static_cast<Outcome>(outcome)));
      if (outcome == static_cast<int32_t>(Outcome::kFound)) {
        out.Field("value");
        if (!WriteStored(*layout.element, in, out)) return false;
      } else {
        out.Field("reason");
        if (!WriteText(reason, out)) return false;
      }
      out.EndObject();
      break;
    }
  }
  return in.ok();
}

bool ReadColumns(const List<Column>& columns, Str bytes, std::vector<NamedValue>* out) {
  RowReader in(bytes);
  for (const Column& column : columns) {
    bool good = false;
    std::string json = Json([&](JsonWriter& value) { good = WriteStored(*column.layout, in, value); });
    if (!good) return false;
    out->push_back({column.name, std::move(json)});
  }
  return in.AtEnd();
}

bool ReadKeyColumns(const List<Column>& columns, Str key, std::vector<NamedValue>* out) {
  if (!IsTextKey(columns)) return ReadColumns(columns, key, out);
  bool text = columns[0].layout->kind == ValueKind::kString;
  if (text && !ValidUtf8(key)) return false;
  out->push_back({columns[0].name, Json([&](JsonWriter& json) { text ? json.Str(key) : json.Bytes(key); })});
  return true;
}

void WriteObject(const std::vector<NamedValue>& values, JsonWriter& out) {
  out.BeginObject();
  for (const NamedValue& value : values) {
    out.Field(Str(std::string_view(value.name)));
    out.Raw(Str(std::string_view(value.json)));
  }
  out.EndObject();
}

bool ReadWindow(const WindowSpec& window, Str value, StoredWindow* out) {
  RowReader in(value);
  bool fails = false;
  int64_t records = -1;
  for (const AggregateLayout& layout : window.aggregates) {
    StoredAggregate aggregate;
    aggregate.layout = &layout;
    aggregate.json = "null";
    fails = fails || AddFails(layout);
    switch (layout.kind) {
      case AggregateKind::kCount: {
        int64_t count = Loaded<Count>(in).count;
        if (layout.first == nullptr) records = count;
        aggregate.json = IntJson(count);
        break;
      }
      case AggregateKind::kSum:
        if (IsFloat(layout)) {
          aggregate.json = FloatJson(Loaded<SumFloat64>(in).sum);
        } else if (layout.first->kind == ValueKind::kDecimal) {
          aggregate.json = DecimalJson(Loaded<SumDecimal>(in).sum, layout.result->scale);
        } else {
          aggregate.json = IntJson(Loaded<SumInt64>(in).sum);
        }
        break;
      case AggregateKind::kAvg: Average(in, &aggregate); break;
      case AggregateKind::kVwap: WeightedAverage(in, &aggregate); break;
      default:
        if (!ExtremeValue(in, &aggregate)) return false;
    }
    out->aggregates.push_back(std::move(aggregate));
  }
  if (window.counts_records) records = Loaded<Count>(in).count;
  out->empty = fails && records == 0;
  return in.AtEnd();
}

}  // namespace weir
