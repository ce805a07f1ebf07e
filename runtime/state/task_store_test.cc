// A task's store against a plain map, and against everything that may happen to a disk: whatever was damaged, cut, swapped,
// lost or not written, it gives what it was told or says that it cannot.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/state/faulty_files.h"
#include "runtime/state/task_store.h"

namespace weir {
namespace {

using Model = std::map<std::string, std::string>;

struct TempDir {
  TempDir() {
    char name[] = "/tmp/weir_task_store_test_XXXXXX";
    path = mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

Str S(const std::string& text) { return Str(std::string_view(text)); }

ChangelogPosition At(int64_t offset) { return {"topic-id", offset, offset * 10}; }

TaskStore::How PutOff() {
  static const std::atomic<bool> hurry{true};
  return TaskStore::How{true, &hurry};
}

// Changes, and the same to a map.
struct Changes {
  void Put(const std::string& key, const std::string& value) {
    Str bytes = S(value);
    changes.Add(S(key), &bytes);
    all.push_back({key, {true, value}});
  }
  void Remove(const std::string& key) {
    changes.Add(S(key), nullptr);
    all.push_back({key, {false, ""}});
  }
  void To(Model* model) const {
    for (const auto& [key, value] : all) {
      if (value.first) (*model)[key] = value.second;
      else model->erase(key);
    }
  }
  StoreChanges changes;
  std::vector<std::pair<std::string, std::pair<bool, std::string>>> all;
};

Status ReadAll(const std::shared_ptr<const StoreView>& view, Model* found) {
  found->clear();
  StoreCursor cursor(view);
  Status status = cursor.Seek(Str());
  std::string last;
  for (; status.ok() && cursor.valid(); status = cursor.Next()) {
    std::string key(cursor.key().view());
    if (!found->empty()) CHECK(last < key);  // ascending, each once
    (*found)[key] = cursor.value().view();
    last = std::move(key);
  }
  return status;
}

Model Contents(const std::shared_ptr<const StoreView>& view) {
  Model found;
  REQUIRE(ReadAll(view, &found).ToString() == "ok");
  return found;
}

// Not REQUIRE on the maps: Catch would print megabytes.
void CheckSame(const std::shared_ptr<const StoreView>& view, const Model& model) { REQUIRE((Contents(view) == model)); }

// Everything that a view can be asked, at places that `rng` chooses.
void CheckQuestions(const std::shared_ptr<const StoreView>& view, const Model& model, std::mt19937& rng,
                    const std::vector<std::string>& keys) {
  StoreCursor cursor(view);
  for (int i = 0; i < 20; ++i) {
    const std::string& key = keys[rng() % keys.size()];
    auto wanted = model.find(key);
    bool found = false;
    Str value;
    REQUIRE(cursor.Get(S(key), &found, &value).ok());
    REQUIRE(found == (wanted != model.end()));
    if (found) REQUIRE((value == S(wanted->second)));

    REQUIRE(cursor.Seek(S(key)).ok());
    auto at = model.lower_bound(key);
    for (int step = 0; step < 3; ++step) {
      REQUIRE(cursor.valid() == (at != model.end()));
      if (!cursor.valid()) break;
      REQUIRE((cursor.key() == S(at->first) && cursor.value() == S(at->second)));
      ++at;
      REQUIRE(cursor.Next().ok());
    }

    std::string from = keys[rng() % keys.size()], to = keys[rng() % keys.size()];
    if (to < from) std::swap(from, to);
    auto first = model.lower_bound(from), behind = model.lower_bound(to);
    REQUIRE(view->CountAtMost(S(from), S(to)) >= static_cast<uint64_t>(std::distance(first, behind)));
    bool any = false;
    std::string last;
    REQUIRE(view->LastAtMost(S(from), S(to), &any, &last).ok());
    if (any) REQUIRE((last >= from && last < to));
    if (first != behind) REQUIRE((any && last >= std::prev(behind)->first));
  }
}

// Keys of all sizes; many share beginnings, some are the end of all keys.
std::vector<std::string> ManyKeys(std::mt19937& rng) {
  std::vector<std::string> keys = {"", std::string(1, '\0'), "a", "b", "\xff", "\xff\xff", std::string(100'000, 'k'),
                                   std::string(100'000, 'k') + "1", std::string(100'000, '\xff')};
  for (int i = 0; i < 300; ++i) keys.push_back("window/" + std::to_string(rng() % 1000));
  for (int i = 0; i < 100; ++i) {
    std::string key(rng() % 40, '\0');
    for (char& c : key) c = static_cast<char>(rng());
    keys.push_back(key);
  }
  return keys;
}

std::string SomeValue(std::mt19937& rng) {
  switch (rng() % 20) {
    case 0: return "";
    case 1: return std::string(rng() % 50'000, static_cast<char>(rng()));
    case 2: return std::string(16 << 10, 'b');  // as large as a block
    default: return std::string(rng() % 300, static_cast<char>(rng()));
  }
}

void CompareWithMap(const std::function<std::unique_ptr<StoreFiles>()>& files, uint32_t seed, int rounds) {
  std::mt19937 rng(seed);
  const std::vector<std::string> keys = ManyKeys(rng);
  Model model;
  auto store = std::make_unique<TaskStore>(files());
  REQUIRE(store->Open().ok());
  REQUIRE(store->view()->empty());
  std::vector<std::pair<std::shared_ptr<const StoreView>, Model>> old;
  int64_t offset = 0;
  size_t runs_max = 0;
  for (int round = 0; round < rounds; ++round) {
    Changes changes;
    // Now and then nothing but the offset moves, and now and then everything goes.
    const uint32_t count = rng() % 10 == 0 ? 0 : rng() % 60;
    for (uint32_t i = 0; i < count; ++i) {
      const std::string& key = keys[rng() % keys.size()];
      if (rng() % 3 == 0) changes.Remove(key);
      else changes.Put(key, SomeValue(rng));
    }
    if (round % 40 == 39) {
      for (const auto& [key, value] : model) changes.Remove(key);
    }
    changes.To(&model);
    offset += 1 + rng() % 100;
    TaskStore::How how = rng() % 4 == 0 ? PutOff() : TaskStore::How{rng() % 2 == 0, nullptr};
    REQUIRE(store->Apply(changes.changes, At(offset), how).ToString() == "ok");
    if (rng() % 5 == 0) {
      store = std::make_unique<TaskStore>(files());
      REQUIRE(store->Open().ToString() == "ok");
    }
    REQUIRE(store->position().offset == offset);
    REQUIRE(store->position().topic == "topic-id");
    REQUIRE(store->position().written_ms == offset * 10);
    runs_max = std::max(runs_max, store->runs());
    CheckSame(store->view(), model);
    CheckQuestions(store->view(), model, rng, keys);
    if (round % 15 == 0) old.push_back({store->view(), model});
  }
  CHECK(runs_max <= 12);
  CHECK(runs_max > 1);
  // What was taken earlier is as it was, whatever was merged since, and even when all is gone.
  for (const auto& [view, then] : old) CheckSame(view, then);
  REQUIRE(store->Clear().ok());
  CHECK(store->view()->empty());
  CHECK(store->position().offset == 0);
  for (const auto& [view, then] : old) CheckSame(view, then);
  auto names = files();
  std::vector<std::string> left;
  REQUIRE(names->List(&left).ok());
  CHECK(left.empty());
}

TEST_CASE("a task's store is a map: in memory") {
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    FaultyDisk disk;
    CompareWithMap([&] { return std::make_unique<FaultyFiles>(&disk); }, seed, 120);
  }
}

TEST_CASE("a task's store is a map: in a directory") {
  TempDir dir;
  CompareWithMap([&] { return MakeDirectoryFiles(dir.path + "/step/store.0"); }, 7, 60);
}

TEST_CASE("the store of a process without a directory is lost with it, and works like others") {
  TaskStore store(MakeMemoryFiles());
  REQUIRE(store.Open().ok());
  Changes changes;
  changes.Put("a", "1");
  changes.Put("b", "2");
  changes.Remove("a");
  REQUIRE(store.Apply(changes.changes, At(3)).ok());
  CheckSame(store.view(), {{"b", "2"}});
  auto before = store.view();
  Changes more;
  more.Put("b", "3");
  REQUIRE(store.Apply(more.changes, At(4)).ok());
  CheckSame(store.view(), {{"b", "3"}});
  CheckSame(before, {{"b", "2"}});
}

TEST_CASE("removed keys do not stay on the disk for ever") {
  FaultyDisk disk;
  TaskStore store(std::make_unique<FaultyFiles>(&disk));
  REQUIRE(store.Open().ok());
  Changes put, remove;
  for (int i = 0; i < 1000; ++i) {
    put.Put("key" + std::to_string(i), std::string(100, 'v'));
    remove.Remove("key" + std::to_string(i));
  }
  REQUIRE(store.Apply(put.changes, At(1)).ok());
  CHECK(store.view()->CountAtMost(Str(), S("l")) == 1000);
  // An older run has them: each is remembered as removed, and then not any more.
  REQUIRE(store.Apply(remove.changes, At(2), PutOff()).ok());
  CHECK(store.runs() == 2);
  CheckSame(store.view(), {});
  Changes one;
  one.Put("z", "");
  REQUIRE(store.Apply(one.changes, At(3)).ok());
  CHECK(store.runs() == 1);
  CHECK(store.bytes() < 200);
  CheckSame(store.view(), {{"z", ""}});
}

TEST_CASE("each change is written a few times, in few files, however large the state") {
  FaultyDisk disk;
  TaskStore store(std::make_unique<FaultyFiles>(&disk));
  REQUIRE(store.Open().ok());
  std::mt19937 rng(1);
  uint64_t told = 0;
  size_t runs_max = 0;
  const std::string value(300, 'v');
  for (int round = 0; round < 80; ++round) {
    Changes changes;
    for (int i = 0; i < 1000; ++i) changes.Put("key" + std::to_string(rng() % 40'000), value);
    told += changes.changes.bytes();
    REQUIRE(store.Apply(changes.changes, At(round + 1)).ok());
    runs_max = std::max(runs_max, store.runs());
  }
  INFO("written " << disk.bytes_written << " bytes for " << told << ", in at most " << runs_max << " runs");
  CHECK(disk.bytes_written < 8 * told);
  CHECK(runs_max <= 6);
  // The files are those of the state and not much more, and one head.
  uint64_t on_disk = 0;
  for (const auto& [name, file] : disk.files) on_disk += file->bytes.size();
  CHECK(on_disk < store.bytes() + 4096);
  CHECK(disk.files.size() == store.runs() + 1);

  // Small changes cost what a small run costs, and not what the state does.
  for (int round = 0; round < 20; ++round) {
    Changes changes;
    changes.Put("key1", std::to_string(round));
    uint64_t before = disk.bytes_written;
    REQUIRE(store.Apply(changes.changes, At(1000 + round)).ok());
    CHECK(disk.bytes_written - before < (5u << 20));
  }
}

// ---- Damage ---------------------------------------------------------------------------------------------------------

// A store of several runs: some that are small, one of many blocks.
struct Sample {
  FaultyDisk disk;
  Model model;
  explicit Sample(char filler = 'v', bool large = true) {
    TaskStore store(std::make_unique<FaultyFiles>(&disk));
    REQUIRE(store.Open().ok());
    int64_t offset = 0;
    auto apply = [&](Changes& changes) {
      changes.To(&model);
      REQUIRE(store.Apply(changes.changes, At(++offset), PutOff()).ok());
    };
    Changes first, second, third, fourth;
    if (large) {
      for (int i = 0; i < 1500; ++i) first.Put("key" + std::to_string(i), std::string(100, filler) + std::to_string(i));
      apply(first);
    }
    for (int i = 100; i < 120; ++i) second.Put("key" + std::to_string(i), std::string(20, filler) + "second");
    second.Put("", "empty");
    apply(second);
    for (int i = 110; i < 130; ++i) third.Remove("key" + std::to_string(i));
    third.Put(std::string(300, 'x'), "");
    apply(third);
    fourth.Put("key115", std::string(5, filler));
    fourth.Remove("key101");
    apply(fourth);
    REQUIRE(store.runs() == (large ? 4 : 3));
  }
};

// What a damaged copy does when all of it is read: says so, or is exactly one of `allowed`. True: it said so.
bool SaysSo(const FaultyDisk::Names& files, const std::vector<Model>& allowed) {
  FaultyDisk disk(files);
  TaskStore store(std::make_unique<FaultyFiles>(&disk));
  if (Status status = store.Open(); !status.ok()) {
    CHECK(!status.message().empty());
    CHECK(store.position().offset == 0);
    // Clear is what helps.
    REQUIRE(store.Clear().ok());
    REQUIRE(disk.files.empty());
    REQUIRE(store.Open().ok());
    return true;
  }
  Model found;
  if (!ReadAll(store.view(), &found).ok()) return true;
  REQUIRE(std::find(allowed.begin(), allowed.end(), found) != allowed.end());
  return false;
}

TEST_CASE("a file of a store that was cut anywhere is never believed") {
  Sample sample, small('v', false);
  for (const Sample* of : {&sample, &small}) {
    for (const auto& [name, file] : of->disk.files) {
      const size_t step = file->bytes.size() > 8192 ? 4096 : 1;
      for (size_t size = 0; size < file->bytes.size(); size += step) {
        FaultyDisk copy(of->disk.files);
        copy.files[name]->bytes.resize(size);
        INFO(name << " cut to " << size);
        REQUIRE(SaysSo(copy.files, {}));
        // As a crash leaves what was never written: as long as it was, and zeros.
        copy.files[name]->bytes.resize(file->bytes.size());
        if (copy.files[name]->bytes != file->bytes) REQUIRE(SaysSo(copy.files, {}));
      }
      FaultyDisk copy(of->disk.files);
      copy.files[name]->bytes += '\0';
      REQUIRE(SaysSo(copy.files, {}));
    }
    REQUIRE(!SaysSo(of->disk.files, {of->model}));
  }
}

TEST_CASE("no changed byte of a store goes unnoticed") {
  Sample sample;
  std::vector<std::string> names;
  for (const auto& [name, file] : sample.disk.files) names.push_back(name);
  std::mt19937 rng(20261127);
  for (int i = 0; i < 1000; ++i) {
    FaultyDisk copy(sample.disk.files);
    const std::string& name = names[rng() % names.size()];
    std::string& bytes = copy.files[name]->bytes;
    const size_t at = rng() % bytes.size();
    const char change = static_cast<char>(1 + rng() % 255);
    bytes[at] = static_cast<char>(bytes[at] ^ change);
    INFO(name << " changed at " << at << " by " << static_cast<int>(change));
    REQUIRE(SaysSo(copy.files, {}));
  }
}

// A change of this size takes the small runs in front of it along.
const std::string kLargeEnoughToMerge(100'000, 'n');

TEST_CASE("one changed byte is noticed by whoever asks for a key beside it") {
  Sample sample;
  // In a block of the oldest run.
  FaultyDisk copy(sample.disk.files);
  std::string& bytes = copy.files["1.run"]->bytes;
  const size_t at = bytes.find("vvv777");
  REQUIRE(at != std::string::npos);
  bytes[at + 3] = '8';
  TaskStore store(std::make_unique<FaultyFiles>(&copy));
  REQUIRE(store.Open().ok());
  StoreCursor cursor(store.view());
  bool found = false;
  Str value;
  CHECK(cursor.Get(S("key777"), &found, &value).code() == StatusCode::kCorrupt);
  // Asking again gives the same answer, and other keys are still there.
  CHECK(cursor.Get(S("key777"), &found, &value).code() == StatusCode::kCorrupt);
  CHECK(cursor.Get(S("key1"), &found, &value).ok());
  CHECK(found);
  // It is not written on into a new file as if it were whole.
  Changes changes;
  changes.Put("new", kLargeEnoughToMerge);
  CHECK(store.Apply(changes.changes, At(100)).code() == StatusCode::kCorrupt);
  CHECK(store.position().offset < 100);
}

TEST_CASE("files of another moment or another store are not taken for those that are wanted") {
  Sample sample;
  Sample other('w');
  FaultyDisk older(sample.disk.files);
  Model older_model = sample.model, newer_model = sample.model;
  {
    TaskStore store(std::make_unique<FaultyFiles>(&sample.disk));
    REQUIRE(store.Open().ok());
    Changes changes;
    changes.Put("key3", kLargeEnoughToMerge);
    changes.To(&newer_model);
    REQUIRE(store.Apply(changes.changes, At(50)).ok());
    REQUIRE(store.runs() == 1);
  }
  FaultyDisk newer(sample.disk.files);
  CHECK(!SaysSo(newer.files, {newer_model}));

  // All files of the older moment are a store, as of then.
  CHECK(!SaysSo(older.files, {older_model}));
  // The older head without its runs is none, and neither is the newer one.
  FaultyDisk mixed(newer.files);
  mixed.files["store"] = std::make_shared<FaultyDisk::File>(*older.files["store"]);
  CHECK(SaysSo(mixed.files, {}));
  FaultyDisk mixed_too(older.files);
  mixed_too.files["store"] = std::make_shared<FaultyDisk::File>(*newer.files["store"]);
  CHECK(SaysSo(mixed_too.files, {}));

  int swaps = 0;
  auto swap = [&](const FaultyDisk::Names& into, const std::string& name, const FaultyDisk::File& file) {
    if (into.at(name)->bytes == file.bytes) return;
    FaultyDisk copy(into);
    copy.files[name] = std::make_shared<FaultyDisk::File>(file);
    INFO("another file as " << name);
    CHECK(SaysSo(copy.files, {}));
    ++swaps;
  };
  for (const auto& [name, file] : older.files) {
    // The other store's: of the same keys, and as large.
    if (name != "store") {
      REQUIRE(other.disk.files.at(name)->bytes.size() == file->bytes.size());
      swap(older.files, name, *other.disk.files.at(name));
    }
    for (const auto& [from, another] : older.files) {
      if (from != name) swap(older.files, name, *another);
    }
    for (const auto& [to, kept] : newer.files) {
      if (to != name) swap(newer.files, to, *file);
    }
  }
  CHECK(swaps > 20);
}

TEST_CASE("a store with a file missing says so, and one without a head is empty") {
  Sample sample;
  for (const auto& [name, file] : sample.disk.files) {
    FaultyDisk copy(sample.disk.files);
    copy.files.erase(name);
    if (name != "store") {
      CHECK(SaysSo(copy.files, {}));
      continue;
    }
    TaskStore store(std::make_unique<FaultyFiles>(&copy));
    REQUIRE(store.Open().ok());
    CHECK(store.position().offset == 0);
    CHECK(store.view()->empty());
    CHECK(copy.files.empty());  // runs that nobody names
  }
}

TEST_CASE("what a crash left is removed when the store is opened, and nothing else") {
  Sample sample;
  FaultyDisk copy(sample.disk.files);
  const std::vector<std::string> left = {"store.new", "777.run"}, others = {"notes.txt", ".run", "5.run.old", "x.run"};
  for (const auto& names : {left, others}) {
    for (const std::string& name : names) copy.files[name] = std::make_shared<FaultyDisk::File>();
  }
  TaskStore store(std::make_unique<FaultyFiles>(&copy));
  REQUIRE(store.Open().ok());
  CHECK(copy.files.size() == sample.disk.files.size() + others.size());
  CheckSame(store.view(), sample.model);
  // A folder of an operator's that only looks like a task's is emptied of nothing but a store.
  REQUIRE(store.Remove().ok());
  CHECK(copy.files.size() == others.size());
  for (const std::string& name : others) CHECK(copy.files.count(name) == 1);
}

TEST_CASE("a directory's store is damaged, cut and lost like another") {
  TempDir dir;
  const std::string path = dir.path + "/step.0";
  auto reopen = [&] {
    auto store = std::make_unique<TaskStore>(MakeDirectoryFiles(path));
    Status status = store->Open();
    Model found;
    if (status.ok()) status = ReadAll(store->view(), &found);
    return status;
  };
  auto write = [&] {
    std::filesystem::remove_all(path);
    TaskStore store(MakeDirectoryFiles(path));
    REQUIRE(store.Open().ok());
    Changes changes;
    for (int i = 0; i < 1000; ++i) changes.Put("key" + std::to_string(i), std::string(100, 'v'));
    REQUIRE(store.Apply(changes.changes, At(1)).ok());
    REQUIRE(reopen().ok());
  };
  write();
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_all) == std::filesystem::perms::none);
  for (uintmax_t size = 0; size < std::filesystem::file_size(path + "/1.run"); size += 4096) {
    if (size != 0) write();
    std::filesystem::resize_file(path + "/1.run", size);
    CHECK(!reopen().ok());
  }
  write();
  std::filesystem::resize_file(path + "/store", 0);
  CHECK(!reopen().ok());
  write();
  // Cut while it is open: no bus error, no old bytes.
  TaskStore store(MakeDirectoryFiles(path));
  REQUIRE(store.Open().ok());
  std::filesystem::resize_file(path + "/1.run", 100);
  Model found;
  CHECK(ReadAll(store.view(), &found).code() == StatusCode::kCorrupt);
  // A folder where a file should be.
  write();
  std::filesystem::remove(path + "/store");
  std::filesystem::create_directory(path + "/store");
  CHECK(!reopen().ok());
}

// ---- A disk that fails ----------------------------------------------------------------------------------------------

TEST_CASE("whichever call to the disk fails, the store has what it had, and its files are of one moment") {
  Sample sample;
  for (bool put_off : {false, true}) {
    for (bool after_the_fact : {false, true}) {
      bool done = false;
      int failures = 0;
      for (int64_t n = 0; !done; ++n) {
        REQUIRE(n < 10'000);
        FaultyDisk disk(sample.disk.files);
        TaskStore store(std::make_unique<FaultyFiles>(&disk));
        REQUIRE(store.Open().ok());
        const ChangelogPosition before = store.position();
        Changes changes;
        for (int i = 1000; i < 1100; ++i) changes.Put("key" + std::to_string(i), "changed");
        changes.Remove("key5");
        Model wanted = sample.model;
        changes.To(&wanted);
        disk.fail_at = disk.calls + n;
        disk.fails_after_the_fact = after_the_fact;
        Status status = store.Apply(changes.changes, At(99), put_off ? PutOff() : TaskStore::How());
        disk.fail_at = -1;
        if (status.ok()) {
          done = true;
          CheckSame(store.view(), wanted);
          continue;
        }
        INFO("call " << n << ": " << status.ToString());
        ++failures;
        CHECK_THAT(status.message(), Catch::Contains("the disk is broken"));
        CHECK(store.position().offset == before.offset);
        CheckSame(store.view(), sample.model);
        {
          // As the next start finds it.
          FaultyDisk copy(disk.files);
          TaskStore next(std::make_unique<FaultyFiles>(&copy));
          REQUIRE(next.Open().ToString() == "ok");
          CheckSame(next.view(), next.position().offset == 99 ? wanted : sample.model);
          CHECK((next.position().offset == 99 || next.position().offset == before.offset));
          CHECK(copy.files.size() == next.runs() + 1);
        }
        // And the disk recovers.
        REQUIRE(store.Apply(changes.changes, At(99)).ok());
        CheckSame(store.view(), wanted);
        TaskStore again(std::make_unique<FaultyFiles>(&disk));
        REQUIRE(again.Open().ok());
        CHECK(again.position().offset == 99);
        CheckSame(again.view(), wanted);
        CHECK(disk.files.size() == again.runs() + 1);
      }
      CHECK(failures >= 8);
    }
  }
}

TEST_CASE("a machine that crashes at any moment leaves the last changes or those before, and never a mixture") {
  Sample sample;
  std::mt19937 rng(5);
  int olds = 0, news = 0, lost = 0, ends = 0;
  for (int64_t n = 0; n < 400; ++n) {
    FaultyDisk disk(sample.disk.files);
    TaskStore store(std::make_unique<FaultyFiles>(&disk));
    REQUIRE(store.Open().ok());
    std::map<int64_t, Model> moments = {{store.position().offset, sample.model}};
    Model model = sample.model;
    disk.fail_at = disk.calls + n;  // nothing is written from here on
    disk.stays_broken = true;
    // With changes among them that need not survive, as while a task is brought back.
    int64_t durable = store.position().offset;
    bool ended = true;
    for (int64_t offset = 10; offset <= 30; offset += 10) {
      Changes changes;
      for (int i = 0; i < 50; ++i) changes.Put("key" + std::to_string(rng() % 2000), std::to_string(offset));
      changes.To(&model);
      moments[offset] = model;
      // Half of the time in files of their own, which the last of them has to see to.
      TaskStore::How how{n % 2 == 0 || offset == 30, n % 4 >= 2 ? PutOff().hurry : nullptr};
      ended = store.Apply(changes.changes, At(offset), how).ok();
      if (!ended) break;
      if (how.durable) durable = offset;
    }
    for (size_t moment = 0; moment < disk.moments(); ++moment) {
      FaultyDisk after(disk.Crash(moment));
      TaskStore next(std::make_unique<FaultyFiles>(&after));
      Status status = next.Open();
      Model found;
      if (status.ok()) status = ReadAll(next.view(), &found);
      INFO("crash at call " << n << ", directory " << moment << ": " << status.ToString());
      if (!status.ok()) {
        // Only what was not to be durable may be lost, and then it is known to be.
        CHECK((n % 2 == 1 && !ended));
        ++lost;
        continue;
      }
      REQUIRE(moments.count(next.position().offset) == 1);
      REQUIRE((found == moments[next.position().offset]));
      if (n % 2 == 0) CHECK(next.position().offset >= durable);
      next.position().offset == durable ? ++olds : ++news;
    }
    ends += ended ? 1 : 0;
    if (ends == 4) break;  // each of the four kinds of run came to its end
  }
  CHECK(ends == 4);
  CHECK(olds > 20);
  CHECK(news > 0);
  CHECK(lost > 0);
}

TEST_CASE("a disk that cannot be read is told from a store that is empty") {
  Sample sample;
  for (int64_t n = 0; n < 6; ++n) {
    FaultyDisk disk(sample.disk.files);
    disk.fail_at = n;
    TaskStore store(std::make_unique<FaultyFiles>(&disk));
    CHECK(store.Open().code() == StatusCode::kIo);
    CHECK(disk.files.size() == sample.disk.files.size());  // and nothing of it is removed
  }
}

}  // namespace
}  // namespace weir
