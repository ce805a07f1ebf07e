// How stored values lie and what the author called them: constant tables in generated code, for whoever shows the state to
// people. Nothing that a record meets reads them.
#pragma once

#include <cstdint>

#include "runtime/core/list.h"
#include "runtime/core/str.h"

namespace weir {

enum class ValueKind : uint8_t {
  kBool,
  kInt32,
  kInt64,
  kFloat64,
  kDecimal,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kDate,
  kEnum,
  kRecord,
  kOptional,
  kList,
  kMap,
  kOutcome,
};

struct Layout;

// A field of a row, a column of a key, an argument of a lookup.
struct Column {
  const char* name;
  const Layout* layout;
};

// One type, as rows hold it (runtime/core/row.h).
struct Layout {
  ValueKind kind;
  const char* type;                 // as the author writes it: "decimal(18, 4)?"
  int precision = 0, scale = 0;     // of decimals
  const Layout* element = nullptr;  // optional: the value; list, map: each value; outcome: what was found
  List<Column> fields = {};         // of a record: those that are stored
  List<Str> names = {};             // of an enum, as data says them; the index is stored
};

// Types without parts.
inline constexpr Layout kBoolLayout{ValueKind::kBool, "bool"};
inline constexpr Layout kInt32Layout{ValueKind::kInt32, "int32"};
inline constexpr Layout kInt64Layout{ValueKind::kInt64, "int64"};
inline constexpr Layout kFloat64Layout{ValueKind::kFloat64, "float64"};
inline constexpr Layout kStringLayout{ValueKind::kString, "string"};
inline constexpr Layout kBytesLayout{ValueKind::kBytes, "bytes"};
inline constexpr Layout kTimestampLayout{ValueKind::kTimestamp, "timestamp"};
inline constexpr Layout kDurationLayout{ValueKind::kDuration, "duration"};
inline constexpr Layout kDateLayout{ValueKind::kDate, "date"};

enum class AggregateKind : uint8_t { kCount, kSum, kMin, kMax, kFirst, kLast, kAvg, kVwap };

// One accumulator of a window (runtime/window/aggregate.h).
struct AggregateLayout {
  const char* name;  // of the result's field that is this aggregate and nothing else; where there is none, as `text`
  const char* text;  // "vwap(price, qty)"
  AggregateKind kind;
  // Without their `?`.
  const Layout* result;
  const Layout* first = nullptr;   // its arguments
  const Layout* second = nullptr;
};

}  // namespace weir
