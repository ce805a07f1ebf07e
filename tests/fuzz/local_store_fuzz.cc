// The readers of a task's local store. A store whose files were changed at fed places is refused or is exactly what it
// was; runs and heads of fed bytes with checksums made right are read without a step outside of them; windows read from a
// store when they are wanted close like windows that were all loaded.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/core/crc32c.h"
#include "runtime/core/row.h"
#include "runtime/state/faulty_files.h"
#include "runtime/state/task_store.h"
#include "runtime/window/window_instance.h"
#include "tests/fuzz/fuzz.h"

namespace weir {
// WindowInstance only passes tasks on.
class Task {};
}  // namespace weir

using weir::Buffer;
using weir::FaultyDisk;
using weir::FaultyFiles;
using weir::RunSummary;
using weir::Status;
using weir::Str;
using weir::TaskStore;
using weir_fuzz::Bytes;

namespace {

using Model = std::map<std::string, std::string>;

Str S(const std::string& text) { return Str(std::string_view(text)); }

template <class T>
void Append(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::unique_ptr<FaultyFiles> FilesOf(FaultyDisk* disk) { return std::make_unique<FaultyFiles>(disk); }

// Each byte is read, so that one that is not there is noticed.
uint64_t Touch(Str bytes) {
  uint64_t sum = 0;
  for (char c : bytes) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum;
}

weir::TaskStore::How PutOff() {
  static const std::atomic<bool> hurry{true};
  return {true, &hurry};
}

// ---- Changed files ----

struct Sample {
  FaultyDisk disk;
  Model model;
  Sample() {
    TaskStore store(FilesOf(&disk));
    FUZZ_CHECK(store.Open().ok());
    for (int run = 1; run <= 3; ++run) {
      weir::StoreChanges changes;
      for (int i = run * 7; i < run * 20; ++i) {
        std::string key = "key" + std::to_string(i), value(static_cast<size_t>(i * 13 % 90), static_cast<char>('a' + run));
        Str bytes = S(value);
        bool remove = i % 9 == run;
        changes.Add(S(key), remove ? nullptr : &bytes);
        if (remove) model.erase(key);
        else model[key] = value;
      }
      FUZZ_CHECK(store.Apply(changes, {"topic", run, run}, PutOff()).ok());
    }
    FUZZ_CHECK(store.runs() == 3);
  }
};

void ChangedFiles(Bytes bytes) {
  static const Sample sample;
  FaultyDisk disk(sample.disk.files);
  std::vector<std::string> names;
  for (const auto& [name, file] : disk.files) names.push_back(name);
  while (!bytes.empty()) {
    uint32_t what = bytes.Pick(4);
    std::string& file = disk.files[names[bytes.Pick(4)]]->bytes;
    size_t at = bytes.Byte() << 8;
    at = (at | bytes.Byte()) % (file.size() + 1);
    switch (what) {
      case 0:
        if (at < file.size()) file[at] = static_cast<char>(file[at] ^ bytes.Byte());
        break;
      case 1: file.resize(at); break;
      case 2: file.insert(at, bytes.Text(bytes.Pick(9))); break;
      default: file = disk.files[names[bytes.Pick(4)]]->bytes; break;
    }
  }
  TaskStore store(FilesOf(&disk));
  if (!store.Open().ok()) return;
  Model found;
  weir::StoreCursor cursor(store.view());
  Status status = cursor.Seek(Str());
  for (; status.ok() && cursor.valid(); status = cursor.Next()) {
    found[std::string(cursor.key().view())] = cursor.value().view();
  }
  FUZZ_CHECK(!status.ok() || found == sample.model || (found.empty() && store.position().offset == 0));
}

// ---- Runs and heads behind their checksums ----

// The number that is right, and now and then another.
template <class T>
void AppendOrLie(std::string* out, Bytes* bytes, T right) {
  Append<T>(out, bytes->Pick(16) == 0 ? static_cast<T>(bytes->Word()) : right);
}

// A run whose blocks, index and footer are what the input says, and whose checksums are right.
std::string Run(Bytes* bytes, RunSummary* summary) {
  std::string file, index;
  const uint32_t blocks = bytes->Pick(4);
  for (uint32_t b = 0; b < blocks; ++b) {
    std::string block;
    for (uint32_t entries = bytes->Pick(5); entries > 0; --entries) {
      std::string key = bytes->Text(bytes->Pick(6)), value = bytes->Text(bytes->Pick(6));
      AppendOrLie<uint32_t>(&block, bytes, static_cast<uint32_t>(key.size()));
      AppendOrLie<uint32_t>(&block, bytes, static_cast<uint32_t>(value.size() + 1));
      block += key + value;
    }
    block += bytes->Text(bytes->Pick(10) == 0 ? bytes->Pick(20) : 0);
    std::string first = bytes->Text(bytes->Pick(6));
    AppendOrLie<uint64_t>(&index, bytes, file.size());
    AppendOrLie<uint32_t>(&index, bytes, static_cast<uint32_t>(block.size()));
    Append<uint32_t>(&index, weir::Crc32c(block.data(), block.size()));
    Append<uint32_t>(&index, bytes->Byte());
    AppendOrLie<uint32_t>(&index, bytes, static_cast<uint32_t>(first.size()));
    index += first;
    file += block;
  }
  index += bytes->Text(bytes->Pick(10) == 0 ? bytes->Pick(30) : 0);
  summary->entries = bytes->Byte();
  std::string footer = "WEIRRUN1";
  AppendOrLie<uint64_t>(&footer, bytes, file.size());
  AppendOrLie<uint32_t>(&footer, bytes, static_cast<uint32_t>(index.size()));
  Append<uint32_t>(&footer, weir::Crc32c(index.data(), index.size()));
  AppendOrLie<uint64_t>(&footer, bytes, summary->entries);
  Append<uint32_t>(&footer, 0);
  summary->check = weir::Crc32c(footer.data(), footer.size());
  Append<uint32_t>(&footer, summary->check);
  file += index + footer;
  summary->bytes = file.size();
  return file;
}

std::string Head(const std::string& body) {
  std::string head = "WEIRTSK1" + body;
  Append<uint32_t>(&head, weir::Crc32c(head.data(), head.size()));
  return head;
}

// Every question that a store can be asked. Keys may come in any order and more than once: these are not Weir's bytes.
void ReadAll(const std::shared_ptr<const weir::StoreView>& view, size_t size, const std::string& key,
             const std::string& to) {
  uint64_t sum = 0;
  size_t entries = 0;
  weir::StoreCursor cursor(view);
  Status status = cursor.Seek(Str());
  for (; status.ok() && cursor.valid(); status = cursor.Next()) {
    sum += Touch(cursor.key()) + Touch(cursor.value());
    FUZZ_CHECK(++entries <= size / 8);
  }
  for (const std::string& one : {key, to}) {
    bool found = false;
    Str value;
    status = cursor.Get(S(one), &found, &value);
    if (status.ok() && found) sum += Touch(value);
    status = cursor.Seek(S(one));
    if (status.ok() && cursor.valid()) sum += Touch(cursor.key());
  }
  bool found = false;
  std::string last;
  status = view->LastAtMost(S(key), S(to), &found, &last);
  FUZZ_CHECK(!status.ok() || !found || (last >= key && last < to));
  sum += view->CountAtMost(S(key), S(to));
  static volatile uint64_t kept;
  kept = sum;
}

void RightChecksums(Bytes bytes) {
  FaultyDisk disk;
  RunSummary summaries[2];
  std::string key = bytes.Text(bytes.Pick(6)), to = bytes.Text(bytes.Pick(6));
  Buffer body;
  weir::RowWriter out(&body);
  out.Str(Str("topic"));
  out.I64(7);
  out.I64(8);
  const bool own_head = bytes.Pick(4) != 0;
  const uint32_t runs = 1 + bytes.Pick(2);
  out.Count(runs);
  size_t size = 0;
  for (uint32_t i = 0; i < runs; ++i) {
    auto file = std::make_shared<FaultyDisk::File>();
    file->bytes = Run(&bytes, &summaries[i]);
    size += file->bytes.size();
    // Alone first: the head may not be read.
    FaultyDisk one;
    one.files["run"] = std::make_shared<FaultyDisk::File>(*file);
    std::unique_ptr<weir::StoreFiles::Reader> reader;
    FUZZ_CHECK(FaultyFiles(&one).Open("run", &reader).ok());
    std::shared_ptr<const weir::RunFile> run;
    if (weir::RunFile::Open(std::move(reader), summaries[i], &run).ok()) {
      ReadAll(std::make_shared<weir::StoreView>(std::vector<std::shared_ptr<const weir::RunFile>>{run}), file->bytes.size(),
              key, to);
    }
    disk.files[std::to_string(i + 1) + ".run"] = std::move(file);
    out.U64(i + 1);
    out.U64(summaries[i].bytes);
    out.U64(summaries[i].entries);
    out.U64(summaries[i].check);
  }
  auto head = std::make_shared<FaultyDisk::File>();
  head->bytes = Head(own_head ? std::string(body.str().view()) : bytes.Text(200));
  disk.files["store"] = std::move(head);
  TaskStore store(FilesOf(&disk));
  if (!store.Open().ok()) {
    FUZZ_CHECK(store.position().offset == 0 && store.runs() == 0);
    return;
  }
  ReadAll(store.view(), size, key, to);
  weir::StoreChanges changes;
  Str value = S(to);
  changes.Add(S(key), &value);
  changes.Add(S(to), nullptr);
  // The runs become one, or say that they are damaged.
  if (!store.Apply(changes, {"topic", 9, 9}).ok()) {
    FUZZ_CHECK(store.position().offset != 9);
    return;
  }
  TaskStore again(FilesOf(&disk));
  FUZZ_CHECK(again.Open().ok() && again.position().offset == 9);
  ReadAll(again.view(), size + 1024, key, to);
}

// ---- Windows ----

std::vector<std::string> fired;

weir::WindowSpec Spec() {
  weir::WindowSpec spec;
  spec.size_ns = 60;
  spec.value_size = 8;
  spec.save = [](const void* value, weir::RowWriter& out) { out.I64(*static_cast<const int64_t*>(value)); };
  spec.load = [](weir::RowReader& in, void* value, weir::Task&) {
    *static_cast<int64_t*>(value) = in.I64();
    return in.ok();
  };
  spec.fire = [](weir::Task&, Str key, int64_t start, const void* value) {
    fired.push_back(std::to_string(start) + " " + std::string(key.view()) + " " +
                    std::to_string(*static_cast<const int64_t*>(value)));
  };
  return spec;
}

void Windows(Bytes bytes) {
  static const weir::WindowSpec spec = Spec();
  const std::string prefix = "w\xff";
  weir::Task task;
  int64_t record_watermark = INT64_MIN, wake = INT64_MAX, wake_of_loaded = INT64_MAX;
  weir::WindowInstance loaded(spec, &task, 0, &record_watermark, &wake_of_loaded);
  weir::WindowInstance wanted(spec, &task, 0, &record_watermark, &wake);
  FaultyDisk disk;
  TaskStore store(FilesOf(&disk));
  FUZZ_CHECK(store.Open().ok());
  Model model;
  bool short_keys = false;  // ever: removed ones count, too, until they are forgotten
  std::vector<std::pair<std::string, int64_t>> asked;
  for (int64_t runs = 1 + bytes.Pick(3); runs > 0; --runs) {
    weir::StoreChanges changes;
    for (uint32_t n = bytes.Pick(8); n > 0; --n) {
      // Starts near each other, near the ends of time, and keys too short for a start.
      std::string key;
      if (bytes.Pick(16) == 0) {
        key = bytes.Text(bytes.Pick(20));
        short_keys = short_keys || key.size() < 8;
      } else {
        uint64_t start = (bytes.Pick(4) == 0 ? bytes.Word() : bytes.Byte() * uint64_t{60}) ^ (uint64_t{1} << 63);
        key = weir::OrderedKey(start).str().view();
        key += bytes.Text(bytes.Pick(4));
        asked.push_back({key.substr(8), static_cast<int64_t>(start ^ (uint64_t{1} << 63))});
      }
      std::string value(1, static_cast<char>(bytes.Byte()));
      bool remove = bytes.Pick(4) == 0;
      Str as = S(value);
      changes.Add(S(prefix + key), remove ? nullptr : &as);
      if (remove) model.erase(key);
      else model[key] = value;
    }
    FUZZ_CHECK(store.Apply(changes, {"topic", 100 - runs, 1}, PutOff()).ok());
  }
  bool all = true;
  for (const auto& [key, value] : model) all = all && loaded.Restore(S(key), S(value)).ok();
  Status status = wanted.RestoreFrom(store.view(), S(prefix));
  FUZZ_CHECK(!all || short_keys || status.ok());
  if (status.ok() && all) FUZZ_CHECK(wanted.next_fire() == loaded.next_fire() && wake == wake_of_loaded);
  if (!status.ok()) return;
  std::vector<std::string> of_loaded, of_wanted;
  while (!bytes.empty()) {
    if (bytes.Pick(2) == 0 && !asked.empty()) {
      const auto& [key, start] = asked[bytes.Pick(static_cast<uint32_t>(asked.size()))];
      if (wanted.Late(start) || loaded.Late(start)) continue;
      bool created = false, created_in_loaded = false;
      ++*static_cast<int64_t*>(wanted.FindOrAdd(S(key), start, &created));
      ++*static_cast<int64_t*>(loaded.FindOrAdd(S(key), start, &created_in_loaded));
      FUZZ_CHECK(!all || created == created_in_loaded);
    } else {
      int64_t watermark = bytes.Byte() * 60;
      fired.clear();
      wanted.Advance(watermark);
      of_wanted.insert(of_wanted.end(), fired.begin(), fired.end());
      fired.clear();
      loaded.Advance(watermark);
      of_loaded.insert(of_loaded.end(), fired.begin(), fired.end());
      FUZZ_CHECK(!all || wanted.next_fire() == loaded.next_fire());
    }
  }
  fired.clear();
  wanted.Advance(INT64_MAX);
  of_wanted.insert(of_wanted.end(), fired.begin(), fired.end());
  fired.clear();
  loaded.Advance(INT64_MAX);
  of_loaded.insert(of_loaded.end(), fired.begin(), fired.end());
  // What the one refuses at once the other refuses when it meets it.
  FUZZ_CHECK(all == wanted.base_status().ok());
  if (!all) return;
  FUZZ_CHECK(of_wanted == of_loaded && wanted.open() == 0);
  Buffer first, second;
  uint64_t hash = 7;
  weir::DeltaWriter one(&first, &hash), two(&second, &hash);
  wanted.AppendDelta(one);
  loaded.AppendDelta(two);
  FUZZ_CHECK(first.str() == second.str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  switch (data[0] % 3) {
    case 0: ChangedFiles(Bytes(data + 1, size - 1)); break;
    case 1: RightChecksums(Bytes(data + 1, size - 1)); break;
    default: Windows(Bytes(data + 1, size - 1)); break;
  }
  return 0;
}
