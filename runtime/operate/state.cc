#include "runtime/operate/state.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/hash.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/utf8.h"
#include "runtime/engine/commit_mode.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/operate/letter.h"
#include "runtime/operate/state_reader.h"
#include "runtime/operate/stored_key.h"
#include "runtime/operate/stored_value.h"
#include "runtime/program/setting_text.h"

namespace weir {
namespace {

constexpr size_t kShownText = 1024;  // of a value
constexpr size_t kCellText = 40;     // in a table

Str View(const std::string& text) { return Str(std::string_view(text)); }

// A step that keeps windows or rows.
struct Keeper {
  uint32_t step = 0;
  int stage = 0;
  const WindowSpec* window = nullptr;
  const LookupStepSpec* lookup = nullptr;

  // What its keys consist of.
  const List<Column>& key() const { return window != nullptr ? window->key : lookup->order_key; }
  const char* keeps() const { return window != nullptr ? "open windows" : "pending requests"; }
};

std::vector<Keeper> KeepersOf(const Program& program) {
  std::vector<Keeper> keepers;
  for (const WindowSpec& window : program.windows) keepers.push_back({window.step, window.stage, &window, nullptr});
  for (const LookupStepSpec& step : program.lookup_steps) keepers.push_back({step.step, step.stage, nullptr, &step});
  return keepers;
}

// Not ok: there is no state to look into, and why.
Status HasState(const Program& program) {
  if (CommitModeOf(program) != CommitMode::kOffsets) return Status();
  return Status::Invalid(program.name + " keeps no state: it commits offsets alone, and what waits in lookups is in memory");
}

Status FindKeeper(const Program& program, const std::string& step, Keeper* found) {
  std::vector<std::string> names;
  std::string all;
  for (const Keeper& keeper : KeepersOf(program)) {
    const std::string& name = program.steps[keeper.step].name;
    names.push_back(name);
    all += (all.empty() ? "`" : ", `") + name + "`";
    if (name == step) return *found = keeper, Status();
  }
  std::string meant = DidYouMean(step, names);
  return Status::Invalid("no step that keeps state is called `" + step + "`" +
                         (!meant.empty() ? "; did you mean `" + meant + "`?"
                          : all.empty()  ? "; " + program.file + " has none"
                                         : "; there are " + all));
}

// ---- What is kept, by the author's names ----------------------------------------------------------------------------

struct Kept {
  int32_t task = 0;

  // ---- A window ----
  int64_t start = 0, end = 0;
  bool ends = true;                      // the last of all time ends with the input
  std::vector<NamedValue> key;           // a row's order key too
  StoredWindow window;

  // ---- A row that waits ----
  uint64_t number = 0;
  std::string source, topic;             // empty: not the record of a source
  std::string window_step;               // or, of a window's result, whose it is
  int32_t partition = 0;
  int64_t offset = 0;                    // of a window's result: its start
  int64_t time = kNoTime, came = 0;
  uint32_t attempts = 0;
  bool has_own_key = false;
  std::string own_key;
  std::vector<NamedValue> arguments, fields;
};

Status Damaged(const std::string& what) {
  return Status::Corrupt(what + " cannot be read: its bytes are not of the declared types");
}

Status KeptWindow(const WindowSpec& spec, const DeltaEntry& entry, Kept* kept) {
  kept->task = entry.partition;
  kept->start = static_cast<int64_t>(OrderedKey::Read(entry.key) ^ (1ull << 63));
  kept->ends = !__builtin_add_overflow(kept->start, spec.size_ns, &kept->end);
  if (!ReadKeyColumns(spec.key, entry.key.Sub(8), &kept->key)) return Damaged("the key of a window");
  if (!ReadWindow(spec, entry.value, &kept->window)) return Damaged("a window");
  return Status();
}

Status KeptRow(const Program& program, const LookupStepSpec& spec, const DeltaEntry& entry, const PendingRow& row,
               Kept* kept) {
  kept->task = entry.partition;
  kept->number = row.seq;
  const Meta& meta = row.meta;
  if (meta.source < program.sources.size() && !(meta.source & kFromWindow)) {
    kept->source = program.sources[meta.source].name;
    kept->topic = program.sources[meta.source].address;
  } else if (size_t window = meta.source & ~kFromWindow; meta.source & kFromWindow && window < program.windows.size()) {
    kept->window_step = program.steps[program.windows[window].step].name;
  }
  kept->partition = meta.partition;
  kept->offset = meta.offset;
  kept->time = meta.time_ns;
  kept->came = meta.arrival_ns;
  kept->attempts = row.attempts;
  kept->has_own_key = meta.has_key;
  kept->own_key = meta.key.view();
  if (!ReadKeyColumns(spec.order_key, row.order_key, &kept->key)) return Damaged("the order key of a pending request");
  if (!ReadColumns(program.lookups[static_cast<size_t>(spec.lookup)].arguments, row.args, &kept->arguments)) {
    return Damaged("the arguments of a pending request");
  }
  if (!ReadColumns(spec.fields, row.row, &kept->fields)) return Damaged("the fields of a pending request");
  return Status();
}

// The entries of one kind that a keeper has in the state.
Status EachEntry(Operator& op, const Keeper& keeper, StateKind kind, const std::function<Status(const DeltaEntry& entry)>& visit) {
  const uint64_t hash = Hash(View(op.program().steps[keeper.step].name));
  return ReadState(op, keeper.stage, -1, StateRead::kBeside, [&](const DeltaEntry& entry) {
    return entry.step == hash && entry.kind == kind ? visit(entry) : Status();
  });
}

// Which entries of a step are wanted.
struct Wanted {
  bool all = true;
  bool is_key = false;        // `key` is one of the step's columns
  std::string key;            // as the state has it
  const std::string* own = nullptr;  // of rows: the record's own key
};

// Visits the open windows that are wanted, by task, start and key. `read_max`: only so many are taken apart (0: all); the
// others are counted by calls with null.
Status EachWindow(Operator& op, const Keeper& keeper, const Wanted& wanted, int64_t read_max,
                  const std::function<void(const Kept* kept)>& visit) {
  int64_t read = 0;
  return EachEntry(op, keeper, StateKind::kWindow, [&](const DeltaEntry& entry) {
    if (entry.key.size < 8) return Status::Corrupt("a window's key is shorter than its start");
    if (!wanted.all && entry.key.Sub(8) != View(wanted.key)) return Status();
    if (read_max != 0 && read++ >= read_max) return visit(nullptr), Status();
    Kept kept;
    Status status = KeptWindow(*keeper.window, entry, &kept);
    if (status.ok()) visit(&kept);
    return status;
  });
}

// The records that wait and are wanted, by task in the order in which they asked.
Status ReadRows(Operator& op, const Keeper& keeper, const Wanted& wanted, std::vector<Kept>* rows) {
  Status status = EachEntry(op, keeper, StateKind::kRow, [&](const DeltaEntry& entry) {
    BytePool pool;
    Arena arena;
    PendingRow row;
    if (entry.key.size != kSlotKeySize) return Status::Corrupt("a pending request has no slot");
    Status taken = LoadRow(pool, arena, entry.value, keeper.lookup->row_schema, &row);
    if (!taken.ok()) return taken;
    if (wanted.all || (wanted.is_key && row.order_key == View(wanted.key)) ||
        (wanted.own != nullptr && row.meta.has_key && row.meta.key == View(*wanted.own))) {
      rows->emplace_back();
      taken = KeptRow(op.program(), *keeper.lookup, entry, row, &rows->back());
    }
    FreeRowBytes(pool, &row);
    return taken;
  });
  std::sort(rows->begin(), rows->end(), [](const Kept& a, const Kept& b) {
    return std::pair(a.task, a.number) < std::pair(b.task, b.number);
  });
  return status;
}

Status EachKept(Operator& op, const Keeper& keeper, const Wanted& wanted, int64_t read_max,
                const std::function<void(const Kept* kept)>& visit) {
  Status status;
  if (keeper.window != nullptr) {
    status = EachWindow(op, keeper, wanted, read_max, visit);
  } else {
    std::vector<Kept> rows;
    status = ReadRows(op, keeper, wanted, &rows);
    for (size_t i = 0; status.ok() && i < rows.size(); ++i) {
      visit(read_max == 0 || i < static_cast<size_t>(read_max) ? &rows[i] : nullptr);
    }
  }
  return status.ok() ? status : status.Within("step `" + op.program().steps[keeper.step].name + "`");
}

// ---- For people -----------------------------------------------------------------------------------------------------

std::string EndText(const Kept& kept) { return kept.ends ? TimeText(kept.end) : "the end of the input"; }

std::string RecordText(const Kept& kept) {
  if (!kept.window_step.empty()) return kept.window_step + ", window from " + TimeText(kept.offset);
  if (kept.source.empty()) return "?";
  return kept.source + "/" + std::to_string(kept.partition) + "@" + std::to_string(kept.offset);
}

size_t WidthOf(const std::vector<NamedValue>& values) {
  size_t width = 0;
  for (const NamedValue& value : values) width = std::max<size_t>(width, CountCodePoints(View(value.name)));
  return width;
}

void PrintValues(Operator& op, const std::vector<NamedValue>& values, const char* indent, size_t width) {
  for (const NamedValue& value : values) {
    op.Print("%s%s%*s  %s\n", indent, value.name.c_str(), static_cast<int>(width - CountCodePoints(View(value.name))), "",
             SafeLine(View(value.json), kShownText).c_str());
  }
}

// "10.25", "null", or why there is none.
std::string ResultText(const StoredAggregate& aggregate) { return aggregate.overflow ? "overflow" : aggregate.json; }

void PrintWindow(Operator& op, const Kept& kept) {
  op.Print("window from %s to %s, task %d\n", TimeText(kept.start).c_str(), EndText(kept).c_str(), kept.task);
  size_t width = WidthOf(kept.key), result_width = 0;
  for (const StoredAggregate& aggregate : kept.window.aggregates) {
    width = std::max<size_t>(width, CountCodePoints(Str(std::string_view(aggregate.layout->name))));
    result_width = std::max<size_t>(result_width, CountCodePoints(View(SafeLine(View(ResultText(aggregate)), kCellText))));
  }
  PrintValues(op, kept.key, "  ", width);
  for (const StoredAggregate& aggregate : kept.window.aggregates) {
    const std::string name = aggregate.layout->name, text = aggregate.layout->text;
    std::string result = SafeLine(View(ResultText(aggregate)), kShownText);
    std::string more;
    for (const NamedValue& part : aggregate.parts) more += (more.empty() ? "" : ", ") + part.name + " " + part.json;
    if (name != text) more = text + (more.empty() ? "" : ": " + more);
    size_t wide = CountCodePoints(View(result));
    std::string gap = more.empty() ? "" : std::string(wide < result_width ? result_width - wide + 2 : 2, ' ');
    op.Print("  %s%*s  %s%s%s\n", name.c_str(), static_cast<int>(width - CountCodePoints(View(name))), "", result.c_str(),
             gap.c_str(), more.c_str());
  }
  if (kept.window.empty) op.Print("  publishes nothing: no record could be added\n");
}

void PrintRow(Operator& op, const Kept& kept) {
  op.Print("pending  %s %s, task %d, %s\n", kept.source.empty() ? "result" : "record", RecordText(kept).c_str(), kept.task,
           Counted(kept.attempts, "attempt").c_str());
  op.Print("  came %s, time %s\n", TimeText(kept.came).c_str(), TimeText(kept.time).c_str());
  if (kept.has_own_key) op.Print("  record key  %s\n", SafeLine(View(kept.own_key), kShownText).c_str());
  auto section = [&](const char* title, const std::vector<NamedValue>& values) {
    if (values.empty()) return;
    op.Print("  %s\n", title);
    PrintValues(op, values, "    ", WidthOf(values));
  };
  section("order key", kept.key);
  section("arguments", kept.arguments);
  section("fields", kept.fields);
}

std::string ObjectText(const std::vector<NamedValue>& values) {
  std::string text;
  for (const NamedValue& value : values) text += (text.empty() ? "" : ", ") + value.name + " " + value.json;
  return SafeLine(View(text), 2 * kCellText);
}

std::vector<std::string> Heads(const Keeper& keeper) {
  if (keeper.lookup != nullptr) return {"record", "task", "came", "attempts", "record key", "order key", "arguments"};
  std::vector<std::string> heads = {"start", "task"};
  for (const Column& column : keeper.window->key) heads.push_back(column.name);
  for (const AggregateLayout& aggregate : keeper.window->aggregates) heads.push_back(aggregate.name);
  return heads;
}

std::vector<std::string> Cells(const Keeper& keeper, const Kept& kept) {
  if (keeper.lookup != nullptr) {
    return {RecordText(kept), std::to_string(kept.task), TimeText(kept.came), std::to_string(kept.attempts),
            kept.has_own_key ? SafeLine(View(kept.own_key), kCellText) : "", ObjectText(kept.key), ObjectText(kept.arguments)};
  }
  std::vector<std::string> cells = {TimeText(kept.start), std::to_string(kept.task)};
  for (const NamedValue& column : kept.key) cells.push_back(SafeLine(View(column.json), kCellText));
  for (const StoredAggregate& aggregate : kept.window.aggregates) cells.push_back(SafeLine(View(ResultText(aggregate)), kCellText));
  return cells;
}

// ---- For programs ---------------------------------------------------------------------------------------------------

template <class Write>
void PrintJson(Operator& op, Write write) {
  Buffer out;
  JsonWriter json(&out);
  json.BeginObject();
  write(json);
  json.EndObject();
  op.Print("%.*s\n", static_cast<int>(out.size()), out.data());
}

void WindowJson(Operator& op, const std::string& step, const Kept& kept) {
  PrintJson(op, [&](JsonWriter& json) {
    json.Field("step");
    json.Str(View(step));
    json.Field("task");
    json.Int64(kept.task);
    json.Field("start");
    json.Timestamp(kept.start);
    if (kept.ends) {
      json.Field("end");
      json.Timestamp(kept.end);
    }
    json.Field("key");
    WriteObject(kept.key, json);
    json.Field("aggregates");
    std::vector<NamedValue> results;
    std::vector<const StoredAggregate*> with_parts, overflows;
    for (const StoredAggregate& aggregate : kept.window.aggregates) {
      results.push_back({aggregate.layout->name, aggregate.json});
      if (!aggregate.parts.empty()) with_parts.push_back(&aggregate);
      if (aggregate.overflow) overflows.push_back(&aggregate);
    }
    WriteObject(results, json);
    if (!with_parts.empty()) {
      json.Field("parts");
      json.BeginObject();
      for (const StoredAggregate* aggregate : with_parts) {
        json.Field(Str(std::string_view(aggregate->layout->name)));
        WriteObject(aggregate->parts, json);
      }
      json.EndObject();
    }
    if (!overflows.empty()) {
      json.Field("overflow");
      json.BeginArray();
      for (const StoredAggregate* aggregate : overflows) {
        json.Element();
        json.Str(Str(std::string_view(aggregate->layout->name)));
      }
      json.EndArray();
    }
    json.Field("publishes");
    json.Bool(!kept.window.empty);
  });
}

void RowJson(Operator& op, const std::string& step, const Kept& kept) {
  PrintJson(op, [&](JsonWriter& json) {
    json.Field("step");
    json.Str(View(step));
    json.Field("task");
    json.Int64(kept.task);
    if (!kept.source.empty()) {
      json.Field("source");
      json.Str(View(kept.source));
      json.Field("topic");
      json.Str(View(kept.topic));
      json.Field("partition");
      json.Int64(kept.partition);
      json.Field("offset");
      json.Int64(kept.offset);
    }
    if (!kept.window_step.empty()) {
      json.Field("window_step");
      json.Str(View(kept.window_step));
      json.Field("start");
      json.Timestamp(kept.offset);
    }
    json.Field("came");
    json.Timestamp(kept.came);
    if (kept.time != kNoTime) {
      json.Field("time");
      json.Timestamp(kept.time);
    }
    json.Field("attempts");
    json.Int64(kept.attempts);
    if (kept.has_own_key) {
      bool text = ValidUtf8(View(kept.own_key));
      json.Field(text ? Str("record_key") : Str("record_key_base64"));
      text ? json.Str(View(kept.own_key)) : json.Bytes(View(kept.own_key));
    }
    if (!kept.key.empty()) {
      json.Field("order_key");
      WriteObject(kept.key, json);
    }
    json.Field("arguments");
    WriteObject(kept.arguments, json);
    json.Field("fields");
    WriteObject(kept.fields, json);
  });
}

void KeptJson(Operator& op, const Keeper& keeper, const Kept& kept) {
  const std::string& step = op.program().steps[keeper.step].name;
  keeper.window != nullptr ? WindowJson(op, step, kept) : RowJson(op, step, kept);
}

// ---- list -----------------------------------------------------------------------------------------------------------

struct Sum {
  uint64_t entries = 0, bytes = 0;
  std::set<int32_t> tasks;
};

ExitCode ListSteps(Operator& op, const StateOptions& options) {
  const Program& program = op.program();
  std::map<uint64_t, Sum> sums;  // by hash of the step's name
  std::set<int> stages;
  for (const Keeper& keeper : KeepersOf(program)) stages.insert(keeper.stage);
  for (int stage : stages) {
    Status status = ReadState(op, stage, -1, StateRead::kBeside, [&](const DeltaEntry& entry) {
      if (entry.kind != StateKind::kWindow && entry.kind != StateKind::kRow) return Status();
      Sum& sum = sums[entry.step];
      ++sum.entries;
      sum.bytes += entry.key.size + entry.value.size;
      sum.tasks.insert(entry.partition);
      return Status();
    });
    if (!status.ok()) return op.Failed(status);
  }
  std::vector<std::vector<std::string>> rows = {{"step", "keeps", "entries", "bytes", "tasks", "line", "key"}};
  for (const Keeper& keeper : KeepersOf(program)) {
    const StepInfo& step = program.steps[keeper.step];
    const Sum& sum = sums[Hash(View(step.name))];
    if (!options.json) {
      rows.push_back({step.name, keeper.keeps(), std::to_string(sum.entries), std::to_string(sum.bytes),
                      std::to_string(sum.tasks.size()), op.At(step.line), ColumnsText(keeper.key())});
      continue;
    }
    PrintJson(op, [&](JsonWriter& json) {
      json.Field("step");
      json.Str(View(step.name));
      json.Field("keeps");
      json.Str(Str(std::string_view(keeper.keeps())));
      json.Field("entries");
      json.Int64(static_cast<int64_t>(sum.entries));
      json.Field("bytes");
      json.Int64(static_cast<int64_t>(sum.bytes));
      json.Field("tasks");
      json.Int64(static_cast<int64_t>(sum.tasks.size()));
      json.Field("line");
      json.Int64(step.line);
      json.Field("key");
      json.BeginArray();
      for (const Column& column : keeper.key()) {
        json.Element();
        json.BeginObject();
        json.Field("name");
        json.Str(Str(std::string_view(column.name)));
        json.Field("type");
        json.Str(Str(std::string_view(column.layout->type)));
        json.EndObject();
      }
      json.EndArray();
    });
  }
  if (!options.json) op.PrintTable(rows);
  return ExitCode::kOk;
}

ExitCode ListStep(Operator& op, const StateOptions& options) {
  Keeper keeper;
  Status status = FindKeeper(op.program(), options.step, &keeper);
  if (!status.ok()) return op.Failed(status);
  std::vector<std::vector<std::string>> rows = {Heads(keeper)};
  uint64_t all = 0, shown = 0;
  status = EachKept(op, keeper, {}, options.limit, [&](const Kept* kept) {
    ++all;
    if (kept == nullptr) return;
    ++shown;
    if (options.json) {
      KeptJson(op, keeper, *kept);
    } else {
      rows.push_back(Cells(keeper, *kept));
    }
  });
  if (!status.ok()) return op.Failed(status);
  if (options.json) return ExitCode::kOk;
  if (shown != 0) op.PrintTable(rows);
  std::string counted = Counted(all, keeper.window != nullptr ? "open window" : "pending request");
  if (shown < all) {
    op.Print("%llu of %s; --limit shows more\n", static_cast<unsigned long long>(shown), counted.c_str());
  } else {
    op.Print("%s\n", counted.c_str());
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode ListState(Operator& op, const StateOptions& options) {
  if (Status status = HasState(op.program()); !status.ok()) return op.Failed(status);
  return options.step.empty() ? ListSteps(op, options) : ListStep(op, options);
}

ExitCode GetState(Operator& op, const StateOptions& options) {
  const Program& program = op.program();
  Status status = HasState(program);
  Keeper keeper;
  if (status.ok()) status = FindKeeper(program, options.step, &keeper);
  if (!status.ok()) return op.Failed(status);
  Wanted wanted;
  wanted.all = false;
  const std::string at = "`" + options.step + "` (" + op.At(program.steps[keeper.step].line) + "): ";
  Status key;
  if (keeper.window != nullptr) {
    if (!options.has_key && keeper.key().size != 0) {
      return op.Failed(ExitCode::kUsage, at + "`get` takes a key: " + ColumnsText(keeper.key()));
    }
    key = ReadKey(keeper.key(), options.key, &wanted.key);
    if (!key.ok()) return op.Failed(ExitCode::kUsage, at + key.message());
  } else {
    if (!options.has_key) return op.Failed(ExitCode::kUsage, at + "`get` takes a key: the record's own, or that of `order key`");
    // Of a record that waits, its own key will do too.
    wanted.own = &options.key;
    if (keeper.key().size != 0) key = ReadKey(keeper.key(), options.key, &wanted.key);
    wanted.is_key = keeper.key().size != 0 && key.ok();
  }
  uint64_t found = 0;
  status = EachKept(op, keeper, wanted, 0, [&](const Kept* kept) {
    ++found;
    if (options.json) {
      KeptJson(op, keeper, *kept);
    } else {
      keeper.window != nullptr ? PrintWindow(op, *kept) : PrintRow(op, *kept);
    }
  });
  if (!status.ok()) return op.Failed(status);
  if (found == 0 && !key.ok()) {
    return op.Failed(ExitCode::kUsage, at + key.message() + "; and no pending request is of a record with that key");
  }
  if (found == 0 && !options.json) {
    op.Print("`%s` keeps nothing of the key %s\n", options.step.c_str(), SafeLine(View(options.key), 200).c_str());
  }
  return ExitCode::kOk;
}

}  // namespace weir
