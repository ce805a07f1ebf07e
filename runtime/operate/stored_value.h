// Stored bytes by the author's names: rows, keys and accumulators as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/json_writer.h"
#include "runtime/core/row.h"
#include "runtime/core/status.h"
#include "runtime/program/layout.h"
#include "runtime/program/program.h"

namespace weir {

// "symbol" and "\"ACME\"".
struct NamedValue {
  std::string name;
  std::string json;
};

// Writes the value that comes next in `in` as an output would hold it, a record by the author's field names, `lookup … as
// outcome` as {"outcome":"timeout","reason":"…"} or {"outcome":"found","value":…}. False: the bytes are not of this layout.
bool WriteStored(const Layout& layout, RowReader& in, JsonWriter& out);
// One after the other, as they lie in a row. False: the bytes are not these columns.
bool ReadColumns(const List<Column>& columns, Str bytes, std::vector<NamedValue>* out);
// The columns of a key: a single string is itself, anything else a row.
bool ReadKeyColumns(const List<Column>& columns, Str key, std::vector<NamedValue>* out);
// {"symbol":"ACME","account":"a1"}
void WriteObject(const std::vector<NamedValue>& values, JsonWriter& out);

// ---- Accumulators ----

struct StoredAggregate {
  const AggregateLayout* layout = nullptr;
  std::string json;               // what the window would publish now; null: absent
  bool overflow = false;          // or nothing, because the result does not fit its type
  std::vector<NamedValue> parts;  // what an average is made of: sum, count; amount, quantity
};
struct StoredWindow {
  std::vector<StoredAggregate> aggregates;
  // None of its records could be added, so that it publishes nothing.
  bool empty = false;
};
bool ReadWindow(const WindowSpec& window, Str value, StoredWindow* out);

}  // namespace weir
