#include "runtime/state/task_store.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/crc32c.h"
#include "runtime/core/row.h"

namespace weir {

namespace {

constexpr char kMagic[8] = {'W', 'E', 'I', 'R', 'T', 'S', 'K', '1'};
constexpr const char* kHead = "store";
constexpr const char* kNewHead = "store.new";
constexpr size_t kHeadBytesMax = 1 << 20;
// An older run that is not more than so many times as large as what is written anyway is written together with it: a
// state is in few files then, and a change is written a few times on its way to the oldest.
constexpr uint64_t kMergeRatio = 4;
constexpr uint64_t kSmallBytes = 32 << 10;
constexpr uint64_t kLookUpEvery = 1024;

std::string NameOf(uint64_t number) { return std::to_string(number) + ".run"; }

// Whatever else lies in the directory is somebody's and stays.
bool IsOurs(const std::string& name) {
  if (name == kHead || name == kNewHead) return true;
  const size_t dot = name.find_first_not_of("0123456789");
  return dot != 0 && dot != std::string::npos && name.compare(dot, std::string::npos, ".run") == 0;
}

Status Damaged() { return Status::Corrupt("the head of the local state is damaged"); }

}  // namespace

// ---- Changes --------------------------------------------------------------------------------------------------------

void StoreChanges::Add(Str key, const Str* value) {
  at_.push_back(bytes_.size());
  uint32_t sizes[2] = {key.size, value == nullptr ? 0 : value->size + 1};
  bytes_.Append(sizes, sizeof sizes);
  bytes_.Append(key);
  if (value != nullptr) bytes_.Append(*value);
}

void StoreChanges::Clear() {
  bytes_.Clear();
  at_.clear();
}

void StoreChanges::Swap(StoreChanges& other) {
  std::swap(bytes_, other.bytes_);
  at_.swap(other.at_);
}

StoreChanges::Entry StoreChanges::Read(size_t at) const {
  uint32_t sizes[2];
  std::memcpy(sizes, bytes_.data() + at, sizeof sizes);
  const char* key = bytes_.data() + at + sizeof sizes;
  bool removed = sizes[1] == 0;
  return Entry{Str(key, sizes[0]), removed ? Str() : Str(key + sizes[0], sizes[1] - 1), removed};
}

std::vector<StoreChanges::Entry> StoreChanges::Sorted() const {
  std::vector<Entry> entries;
  entries.reserve(at_.size());
  for (size_t at : at_) entries.push_back(Read(at));
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  size_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].key == entries[i].key) continue;
    entries[kept++] = entries[i];
  }
  entries.resize(kept);
  return entries;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

uint64_t StoreView::CountAtMost(Str from, Str to) const {
  uint64_t count = 0;
  for (const auto& run : runs_) count += run->CountAtMost(from, to);
  return count;
}

Status StoreView::LastAtMost(Str from, Str to, bool* found, std::string* key) const {
  *found = false;
  for (const auto& run : runs_) {
    RunCursor cursor(run);
    if (Status status = cursor.SeekBefore(to); !status.ok()) return status;
    if (!cursor.valid() || cursor.key() < from) continue;
    if (*found && cursor.key() <= Str(std::string_view(*key))) continue;
    *found = true;
    *key = cursor.key().view();
  }
  return Status();
}

StoreCursor::StoreCursor(std::shared_ptr<const StoreView> view) : view_(std::move(view)) {
  runs_.reserve(view_->runs_.size());
  for (const auto& run : view_->runs_) runs_.emplace_back(run);
}

Status StoreCursor::Get(Str key, bool* found, Str* value) {
  *found = false;
  at_ = nullptr;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (Status status = run->Seek(key); !status.ok()) return status;
    if (!run->valid() || !(run->key() == key)) continue;
    *found = !run->removed();
    *value = run->value();
    return Status();
  }
  return Status();
}

Status StoreCursor::Seek(Str key) {
  for (RunCursor& run : runs_) {
    if (Status status = run.Seek(key); !status.ok()) return status;
  }
  return Settle();
}

Status StoreCursor::Next() {
  RunCursor* now = at_;
  for (RunCursor& run : runs_) {
    if (&run == now || !run.valid() || !(run.key() == now->key())) continue;
    if (Status status = run.Next(); !status.ok()) return status;
  }
  if (Status status = now->Next(); !status.ok()) return status;
  return Settle();
}

// The newest of the entries with the smallest key, unless it is removed.
Status StoreCursor::Settle() {
  for (;;) {
    at_ = nullptr;
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
      if (run->valid() && (at_ == nullptr || run->key() < at_->key())) at_ = &*run;
    }
    if (at_ == nullptr || !at_->removed()) return Status();
    RunCursor* now = at_;
    for (RunCursor& run : runs_) {
      if (&run == now || !run.valid() || !(run.key() == now->key())) continue;
      if (Status status = run.Next(); !status.ok()) return status;
    }
    if (Status status = now->Next(); !status.ok()) return status;
  }
}

// ---- The head -------------------------------------------------------------------------------------------------------

Status TaskStore::WriteHead(const std::vector<uint64_t>& numbers, const std::vector<RunSummary>& summaries,
                            const ChangelogPosition& position, bool durable, bool* named) {
  Buffer bytes;
  bytes.Append(kMagic, sizeof kMagic);
  RowWriter out(&bytes);
  out.Str(Str(std::string_view(position.topic)));
  out.I64(position.offset);
  out.I64(position.written_ms);
  out.Count(static_cast<uint32_t>(numbers.size()));
  for (size_t i = 0; i < numbers.size(); ++i) {
    out.U64(numbers[i]);
    out.U64(summaries[i].bytes);
    out.U64(summaries[i].entries);
    out.U64(summaries[i].check);
  }
  uint32_t crc = Crc32c(bytes.data(), bytes.size());
  bytes.Append(&crc, sizeof crc);
  std::unique_ptr<StoreFiles::Writer> file;
  Status status = files_->Create(kNewHead, &file);
  if (status.ok()) status = file->Append(bytes.str());
  if (status.ok() && durable) status = file->Sync();
  file.reset();
  if (!status.ok()) return status;
  *named = true;
  status = files_->Rename(kNewHead, kHead);
  return status.ok() && durable ? files_->SyncNames() : status;
}

Status TaskStore::SyncRuns(const std::vector<uint64_t>& numbers) {
  for (uint64_t number : numbers) {
    if (not_synced_.count(number) == 0) continue;
    if (Status status = files_->Sync(NameOf(number)); !status.ok()) return status;
  }
  return Status();
}

Status TaskStore::ReadHead(Str bytes, std::vector<uint64_t>* numbers, std::vector<RunSummary>* summaries) {
  if (bytes.size < sizeof kMagic + 4 || std::memcmp(bytes.data, kMagic, sizeof kMagic) != 0) return Damaged();
  uint32_t crc;
  std::memcpy(&crc, bytes.data + bytes.size - 4, 4);
  if (crc != Crc32c(bytes.data, bytes.size - 4)) return Damaged();
  RowReader in(bytes.Sub(sizeof kMagic, bytes.size - 4 - sizeof kMagic));
  position_.topic = in.Str().view();
  position_.offset = in.I64();
  position_.written_ms = in.I64();
  uint32_t count = in.Count();
  for (uint32_t i = 0; in.ok() && i < count; ++i) {
    numbers->push_back(in.U64());
    RunSummary summary;
    summary.bytes = in.U64();
    summary.entries = in.U64();
    summary.check = static_cast<uint32_t>(in.U64());
    summaries->push_back(summary);
  }
  return in.AtEnd() ? Status() : Damaged();
}

Status TaskStore::Open() {
  runs_.clear();
  numbers_.clear();
  position_ = ChangelogPosition();
  std::unique_ptr<StoreFiles::Reader> file;
  Status status = files_->Open(kHead, &file);
  if (status.code() == StatusCode::kNotFound) {
    RemoveOthers();
    return Status();
  }
  if (!status.ok()) return status;
  if (file->size() > kHeadBytesMax) return Damaged();
  Buffer bytes;
  bytes.Reserve(file->size());
  status = file->Read(0, static_cast<uint32_t>(file->size()), bytes.data());
  if (!status.ok()) return status;
  bytes.Advance(file->size());
  std::vector<uint64_t> numbers;
  std::vector<RunSummary> summaries;
  status = ReadHead(bytes.str(), &numbers, &summaries);
  std::vector<std::shared_ptr<const RunFile>> runs;
  for (size_t i = 0; status.ok() && i < numbers.size(); ++i) {
    std::unique_ptr<StoreFiles::Reader> run;
    status = files_->Open(NameOf(numbers[i]), &run);
    if (status.code() == StatusCode::kNotFound) status = Status::Corrupt("a file of the local state is missing");
    runs.emplace_back();
    if (status.ok()) status = RunFile::Open(std::move(run), summaries[i], &runs.back());
  }
  if (!status.ok()) {
    position_ = ChangelogPosition();
    return status;
  }
  runs_ = std::move(runs);
  numbers_ = std::move(numbers);
  for (uint64_t number : numbers_) next_number_ = std::max(next_number_, number + 1);
  RemoveOthers();
  return Status();
}

// What a crash left, and runs that were merged. That something stays is no failure: the next start tries again.
void TaskStore::RemoveOthers() {
  std::vector<std::string> names;
  if (!files_->List(&names).ok()) return;
  std::set<std::string> wanted;
  if (!numbers_.empty() || position_.offset > 0) wanted.insert(kHead);
  for (uint64_t number : numbers_) wanted.insert(NameOf(number));
  for (const std::string& name : names) {
    if (IsOurs(name) && wanted.count(name) == 0) (void)files_->Remove(name);
  }
}

Status TaskStore::Clear() {
  runs_.clear();
  not_synced_.clear();
  numbers_.clear();
  position_ = ChangelogPosition();
  // The head first: without it the rest counts for nothing.
  Status status = files_->Remove(kHead);
  std::vector<std::string> names;
  if (status.ok()) status = files_->List(&names);
  for (const std::string& name : names) {
    if (status.ok() && IsOurs(name)) status = files_->Remove(name);
  }
  return status;
}

Status TaskStore::Remove() {
  Status status = Clear();
  return status.ok() ? files_->RemoveDirectory() : status;
}

uint64_t TaskStore::bytes() const {
  uint64_t bytes = 0;
  for (const auto& run : runs_) bytes += run->summary().bytes;
  return bytes;
}

// ---- Changing -------------------------------------------------------------------------------------------------------

Status TaskStore::Merge(const std::vector<StoreChanges::Entry>& changes, size_t first, uint64_t number,
                        const How& how, Merged* out) {
  std::unique_ptr<StoreFiles::Writer> file;
  Status status = files_->Create(NameOf(number), &file);
  if (!status.ok()) return status;
  RunWriter writer(file.get());
  // What was removed has to be remembered only while an older run may have it.
  const bool oldest = first == 0;
  std::vector<RunCursor> runs;
  for (size_t i = first; status.ok() && i < runs_.size(); ++i) {
    runs.emplace_back(runs_[i]);
    status = runs.back().Seek(Str());
  }
  auto change = changes.begin();
  for (uint64_t n = 0; status.ok(); ++n) {
    if (how.hurry != nullptr && n % kLookUpEvery == 0 && !runs.empty() && how.hurry->load(std::memory_order_relaxed)) {
      out->stopped = true;
      return Status();
    }
    // The newest of those with the smallest key.
    RunCursor* from = nullptr;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
      if (run->valid() && (from == nullptr || run->key() < from->key())) from = &*run;
    }
    const bool changed = change != changes.end() && (from == nullptr || change->key <= from->key());
    if (from == nullptr && !changed) break;
    const Str key = changed ? change->key : from->key();
    const bool removed = changed ? change->removed : from->removed();
    const Str value = changed ? change->value : from->value();
    if (!removed || !oldest) status = writer.Add(key, removed ? nullptr : &value);
    for (RunCursor& run : runs) {
      if (&run != from && status.ok() && run.valid() && run.key() == key) status = run.Next();
    }
    if (from != nullptr && status.ok() && from->key() == key) status = from->Next();
    if (changed) ++change;
  }
  return status.ok() ? writer.Finish(how.durable, &out->summary) : status;
}

Status TaskStore::Apply(const StoreChanges& changes, const ChangelogPosition& to, const How& how) {
  const std::vector<StoreChanges::Entry> sorted = changes.Sorted();
  size_t first = runs_.size();
  for (uint64_t bytes = std::max<uint64_t>(changes.bytes(), kSmallBytes); first > 0 && !sorted.empty(); --first) {
    uint64_t older = runs_[first - 1]->summary().bytes;
    if (older > bytes * kMergeRatio) break;
    bytes += older;
  }
  const uint64_t number = next_number_++;
  Merged merged;
  Status status = Merge(sorted, first, number, how, &merged);
  if (status.ok() && merged.stopped) {
    first = runs_.size();
    merged = Merged();
    status = Merge(sorted, first, number, How{how.durable, nullptr}, &merged);
  }
  std::vector<uint64_t> numbers(numbers_.begin(), numbers_.begin() + static_cast<std::ptrdiff_t>(first));
  std::vector<std::shared_ptr<const RunFile>> runs(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(first));
  if (status.ok() && merged.summary.entries != 0) {
    std::unique_ptr<StoreFiles::Reader> file;
    status = files_->Open(NameOf(number), &file);
    numbers.push_back(number);
    runs.emplace_back();
    if (status.ok()) status = RunFile::Open(std::move(file), merged.summary, &runs.back());
  }
  std::vector<RunSummary> summaries;
  for (size_t i = 0; status.ok() && i < runs.size(); ++i) summaries.push_back(runs[i]->summary());
  if (status.ok() && how.durable) status = SyncRuns(numbers);
  bool named = false;
  if (status.ok()) status = WriteHead(numbers, summaries, to, how.durable, &named);
  if (!status.ok()) {
    // A change of name that is said to have failed may be on the disk all the same, and needs the run.
    if (!named) (void)files_->Remove(NameOf(number));
    return status;
  }
  std::vector<uint64_t> gone(numbers_.begin() + static_cast<std::ptrdiff_t>(first), numbers_.end());
  if (merged.summary.entries == 0) gone.push_back(number);
  runs_ = std::move(runs);
  numbers_ = std::move(numbers);
  position_ = to;
  if (how.durable) not_synced_.clear();
  else not_synced_.insert(number);
  for (uint64_t old : gone) (void)files_->Remove(NameOf(old));
  return Status();
}

}  // namespace weir
