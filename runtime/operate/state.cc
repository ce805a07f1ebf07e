#include "runtime/operate/state.h"

#include <map>
#include <set>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/hash.h"
#include "runtime/core/json_reader.h"
#include "runtime/engine/engine.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/operate/letter.h"
#include "runtime/operate/state_reader.h"
#include "runtime/program/setting_text.h"

namespace weir {
namespace {

constexpr size_t kShownBytes = 1024;

// A step that keeps windows or rows.
struct Keeper {
  uint32_t step = 0;
  int stage = 0;
  const WindowSpec* window = nullptr;
  const LookupStepSpec* lookup = nullptr;
};

std::vector<Keeper> KeepersOf(const Program& program) {
  std::vector<Keeper> keepers;
  for (const WindowSpec& window : program.windows) keepers.push_back({window.step, window.stage, &window, nullptr});
  for (const LookupStepSpec& step : program.lookup_steps) keepers.push_back({step.step, step.stage, nullptr, &step});
  return keepers;
}

// Empty, or why there is no state to look into.
std::string WhyNone(const Program& program) {
  if (CommitModeOf(program) != CommitMode::kOffsets) return "";
  return program.name + " keeps no state: it commits offsets alone, and what waits in lookups is in memory";
}

Str View(const std::string& text) { return Str(std::string_view(text)); }

// A JSON string as what it says; anything else as it stands.
std::string KeyText(const std::string& text) {
  if (text.size() < 2 || text.front() != '"') return text;
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(View(text), &context);
  Str value;
  return in.String(&value) && in.End() ? std::string(value.view()) : text;
}

void PrintBytes(Operator& op, const char* name, Str bytes) {
  op.Print("  %s, %u bytes\n%s", name, bytes.size, SafeBytes(bytes, kShownBytes, "    ").c_str());
}

void PrintWindow(Operator& op, const WindowSpec& window, const DeltaEntry& entry) {
  int64_t start = static_cast<int64_t>(OrderedKey::Read(entry.key) ^ (1ull << 63)), end = 0;
  bool ends = !__builtin_add_overflow(start, window.size_ns, &end);
  op.Print("window from %s to %s, task %d\n", TimeText(start).c_str(), ends ? TimeText(end).c_str() : "the end of the input",
           entry.partition);
  PrintBytes(op, "accumulators", entry.value);
}

// True when it was printed.
Status PrintRow(Operator& op, const LookupStepSpec& step, const DeltaEntry& entry, const std::string& key, bool* printed) {
  BytePool pool;
  Arena arena;
  PendingRow row;
  if (entry.key.size != 8) return Status::Corrupt("a pending row has no number");
  Status status = LoadRow(pool, arena, entry.value, step.row_schema, &row);
  if (!status.ok()) return status;
  *printed = row.order_key == View(key) || (row.meta.has_key && row.meta.key == View(key));
  if (*printed) {
    const Program& program = op.program();
    const uint16_t source = row.meta.source;
    std::string from = source < program.sources.size() && !(source & kFromWindow)
                           ? program.sources[source].name + "/" + std::to_string(row.meta.partition) + "@" +
                                 std::to_string(row.meta.offset)
                           : "a result of a window";
    op.Print("waits  number %llu, task %d, record %s, time %s, %s\n",
             static_cast<unsigned long long>(OrderedKey::Read(entry.key)), entry.partition, from.c_str(),
             TimeText(row.meta.time_ns).c_str(), Counted(row.attempts, "attempt").c_str());
    if (row.meta.has_key) PrintBytes(op, "key", row.meta.key);
    PrintBytes(op, "arguments", row.args);
  }
  FreeRowBytes(pool, &row);
  return Status();
}

}  // namespace

ExitCode ListState(Operator& op) {
  const Program& program = op.program();
  if (std::string why = WhyNone(program); !why.empty()) return op.Failed(ExitCode::kUsage, why);
  struct Sum {
    uint64_t entries = 0, bytes = 0;
    std::set<int32_t> tasks;
  };
  std::map<uint64_t, Sum> sums;  // by hash of the step's name
  std::set<int> stages;
  for (const Keeper& keeper : KeepersOf(program)) stages.insert(keeper.stage);
  for (int stage : stages) {
    Status status = ReadState(op, stage, -1, false, [&](const DeltaEntry& entry) {
      if (entry.kind != StateKind::kWindow && entry.kind != StateKind::kRow) return Status();
      Sum& sum = sums[entry.step];
      ++sum.entries;
      sum.bytes += entry.key.size + entry.value.size;
      sum.tasks.insert(entry.partition);
      return Status();
    });
    if (!status.ok()) return op.Failed(status);
  }
  size_t width = 4;
  for (const Keeper& keeper : KeepersOf(program)) width = std::max(width, program.steps[keeper.step].name.size());
  op.Print("%-*s  %-14s  %10s  %12s  %5s  line\n", static_cast<int>(width), "step", "keeps", "entries", "bytes", "tasks");
  for (const Keeper& keeper : KeepersOf(program)) {
    const StepInfo& step = program.steps[keeper.step];
    const Sum& sum = sums[Hash(View(step.name))];
    op.Print("%-*s  %-14s  %10llu  %12llu  %5zu  %s\n", static_cast<int>(width), step.name.c_str(),
             keeper.window != nullptr ? "open windows" : "waiting rows", static_cast<unsigned long long>(sum.entries),
             static_cast<unsigned long long>(sum.bytes), sum.tasks.size(), op.At(step.line).c_str());
  }
  return ExitCode::kOk;
}

ExitCode GetState(Operator& op, const std::string& step, const std::string& key_text) {
  const Program& program = op.program();
  if (std::string why = WhyNone(program); !why.empty()) return op.Failed(ExitCode::kUsage, why);
  std::vector<std::string> names;
  std::string all;
  const std::string key = KeyText(key_text);
  uint64_t found = 0;
  bool known = false;
  for (const Keeper& keeper : KeepersOf(program)) {
    const std::string& name = program.steps[keeper.step].name;
    names.push_back(name);
    all += (all.empty() ? "`" : ", `") + name + "`";
    if (name != step) continue;
    known = true;
    const uint64_t hash = Hash(View(name));
    Status status = ReadState(op, keeper.stage, -1, false, [&](const DeltaEntry& entry) -> Status {
      if (entry.step != hash) return Status();
      bool printed = false;
      if (entry.kind == StateKind::kWindow && keeper.window != nullptr) {
        if (entry.key.size < 8) return Status::Corrupt("a window's key is shorter than its start");
        printed = entry.key.Sub(8) == View(key);
        if (printed) PrintWindow(op, *keeper.window, entry);
      } else if (entry.kind == StateKind::kRow && keeper.lookup != nullptr) {
        if (Status row = PrintRow(op, *keeper.lookup, entry, key, &printed); !row.ok()) return row;
      }
      found += printed ? 1 : 0;
      return Status();
    });
    if (!status.ok()) return op.Failed(status.Within("step `" + name + "`"));
  }
  if (!known) {
    std::string meant = DidYouMean(step, names);
    return op.Failed(ExitCode::kUsage, "no step that keeps state is called `" + step + "`" +
                                           (!meant.empty() ? "; did you mean `" + meant + "`?"
                                            : all.empty()  ? "; " + program.file + " has none"
                                                           : "; there are " + all));
  }
  if (found == 0) op.Print("`%s` keeps nothing of the key %s\n", step.c_str(), SafeLine(View(key), 200).c_str());
  return ExitCode::kOk;
}

}  // namespace weir
