#include "tests/run/stored_names.h"

#include "runtime/core/hash.h"
#include "runtime/engine/topic_names.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/operate/stored_key.h"
#include "runtime/operate/stored_value.h"
#include "runtime/state/changelog.h"
#include "runtime/state/store.h"

namespace run {

using namespace weir;

namespace {

Str View(const std::string& text) { return Str(std::string_view(text)); }

// A key that is shown as JSON leads back to its bytes.
std::string KeyProblem(const List<Column>& columns, Str key) {
  std::vector<NamedValue> values;
  if (!ReadKeyColumns(columns, key, &values)) return "its key cannot be read";
  if (columns.size == 0) return "";
  Buffer json;
  JsonWriter out(&json);
  WriteObject(values, out);
  std::string again;
  Status status = ReadKey(columns, std::string(json.str().view()), &again);
  if (!status.ok()) return status.message();
  return View(again) == key ? "" : "its key " + std::string(json.str().view()) + " leads to other bytes";
}

std::string WindowProblem(const WindowSpec& spec, const DeltaEntry& entry) {
  StoredWindow window;
  if (!ReadWindow(spec, entry.value, &window)) return "its accumulators cannot be read";
  return KeyProblem(spec.key, entry.key.Sub(8));
}

std::string RowProblem(const Program& program, const LookupStepSpec& spec, const DeltaEntry& entry) {
  BytePool pool;
  Arena arena;
  PendingRow row;
  Status status = LoadRow(pool, arena, entry.value, spec.row_schema, &row);
  if (!status.ok()) return status.message();
  std::vector<NamedValue> arguments, fields;
  std::string problem = KeyProblem(spec.order_key, row.order_key);
  if (!ReadColumns(program.lookups[static_cast<size_t>(spec.lookup)].arguments, row.args, &arguments)) {
    problem = "its arguments cannot be read";
  }
  if (!ReadColumns(spec.fields, row.row, &fields)) problem = "its fields cannot be read";
  FreeRowBytes(pool, &row);
  return problem;
}

}  // namespace

StoredNames ReadStoredNames(const Program& program, const MemoryCluster& cluster) {
  StoredNames names;
  for (size_t stage = 0; stage < program.stages.size(); ++stage) {
    const std::string topic = ChangelogTopic(program, static_cast<int>(stage));
    for (int32_t partition = 0; partition < cluster.Partitions(topic); ++partition) {
      for (const LogEntry& logged : cluster.log({topic, partition}).entries()) {
        const MemoryRecord& record = logged.record;
        DeltaEntry entry;
        bool removed = false;
        const Str value = View(record.value);
        if (logged.kind != LogEntry::kRecord || !record.has_value) continue;
        if (!ReadChange(View(record.key), &value, &entry.value, &removed) || removed) continue;
        if (!ReadStoreKey(View(record.key), &entry)) continue;
        entry.key = View(record.key).Sub(kStoreKeyHead);
        auto note = [&](uint32_t step, size_t* count, const std::string& problem) {
          ++*count;
          if (problem.empty() || !names.problem.empty()) return;
          names.problem = "what `" + program.steps[step].name + "` stored cannot be shown: " + problem;
        };
        for (const WindowSpec& window : program.windows) {
          if (entry.kind != StateKind::kWindow || entry.step != Hash(View(program.steps[window.step].name))) continue;
          note(window.step, &names.windows, WindowProblem(window, entry));
        }
        for (const LookupStepSpec& step : program.lookup_steps) {
          if (entry.kind != StateKind::kRow || entry.step != Hash(View(program.steps[step.step].name))) continue;
          note(step.step, &names.rows, RowProblem(program, step, entry));
        }
      }
    }
  }
  return names;
}

}  // namespace run
