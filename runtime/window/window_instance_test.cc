// Open windows against a plain map: what closes when, in which order, and what a commit carries.
#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/state/faulty_files.h"
#include "runtime/state/task_store.h"
#include "runtime/window/aggregate.h"
#include "runtime/window/window_instance.h"

namespace weir {

// WindowInstance only passes tasks on; these tests need none.
class Task {};

namespace {

constexpr int64_t kSize = 10;

struct Acc {
  int64_t count;
  ExtremeStr last;
};

struct Fired {
  std::string key;
  int64_t start;
  int64_t count;
  std::string last;
  bool operator==(const Fired&) const = default;
};
std::vector<Fired> fired;
int dropped = 0;

void Save(const void* value, RowWriter& row) {
  const Acc* acc = static_cast<const Acc*>(value);
  row.I64(acc->count);
  acc->last.Save(row);
}
bool Load(RowReader& row, void* value, Task&) {
  Acc* acc = static_cast<Acc*>(value);
  acc->count = row.I64();
  acc->last.Load(row);
  return row.ok();
}
void Drop(void* value) {
  static_cast<Acc*>(value)->last.Drop();
  ++dropped;
}
void Fire(Task&, Str key, int64_t start, const void* value) {
  const Acc* acc = static_cast<const Acc*>(value);
  fired.push_back({std::string(key.view()), start, acc->count, std::string(acc->last.value.str().view())});
}

WindowSpec Spec() {
  WindowSpec spec;
  spec.size_ns = kSize;
  spec.value_size = sizeof(Acc);
  spec.save = &Save;
  spec.load = &Load;
  spec.drop = &Drop;
  spec.fire = &Fire;
  return spec;
}

struct Rig {
  Rig() : instance(std::make_unique<WindowInstance>(spec, &task, 3, &record_watermark, &wake)) {
    fired.clear();
    dropped = 0;
  }
  bool Add(const std::string& key, int64_t time) {
    int64_t start = time / kSize * kSize;
    if (instance->Late(start)) return false;
    bool created;
    Acc* acc = static_cast<Acc*>(instance->FindOrAdd(Str(std::string_view(key)), start, &created));
    CHECK(created == (acc->count == 0));
    ++acc->count;
    acc->last.AddLast(Str(std::string_view(key)));
    return true;
  }
  // Applies a delta to `stored`, as a store would.
  void Commit() {
    Buffer bytes;
    uint64_t hash = 1;
    DeltaWriter delta(&bytes, &hash);
    instance->AppendDelta(delta);
    DeltaReader reader(bytes);
    DeltaEntry entry;
    while (reader.Next(&entry)) {
      CHECK(entry.partition == 3);
      std::string key(entry.key.view());
      if (entry.remove) {
        CHECK(stored.erase(key) == 1);  // nothing is removed that is not there
      } else {
        stored[key] = entry.value.view();
      }
      ++entries;
    }
  }
  void Restart() {
    instance = std::make_unique<WindowInstance>(spec, &task, 3, &record_watermark, &wake);
    wake = INT64_MAX;
    for (auto& [key, value] : stored) {
      REQUIRE(instance->Restore(Str(std::string_view(key)), Str(std::string_view(value))).ok());
    }
  }
  WindowSpec spec = Spec();
  Task task;
  int64_t record_watermark = INT64_MIN;
  int64_t wake = INT64_MAX;
  std::unique_ptr<WindowInstance> instance;
  std::map<std::string, std::string> stored;
  int entries = 0;
};

TEST_CASE("windows close in the order of start and key") {
  Rig rig;
  CHECK(rig.instance->next_fire() == INT64_MAX);
  CHECK(rig.Add("b", 12));
  CHECK(rig.Add("a", 15));
  CHECK(rig.Add("z", 3));
  CHECK(rig.Add("a", 19));
  CHECK(rig.wake == 10);
  CHECK(rig.instance->next_fire() == 10);
  rig.instance->Advance(9);
  CHECK(fired.empty());
  rig.instance->Advance(10);
  CHECK(fired == std::vector<Fired>{{"z", 0, 1, "z"}});
  CHECK(rig.instance->next_fire() == 20);
  rig.instance->Advance(1000);
  CHECK(fired == std::vector<Fired>{{"z", 0, 1, "z"}, {"a", 10, 2, "a"}, {"b", 10, 1, "b"}});
  CHECK(rig.instance->open() == 0);
  CHECK(dropped == 3);
}

TEST_CASE("a record is late when its window is closed, for its partition or altogether") {
  Rig rig;
  rig.instance->Advance(20);
  CHECK(!rig.Add("a", 19));
  CHECK(rig.Add("a", 20));
  rig.record_watermark = 30;  // the record's own partition was further
  CHECK(!rig.Add("a", 29));
  CHECK(rig.Add("a", 30));
}

TEST_CASE("starts before 1970 are windows like others") {
  Rig rig;
  bool created;
  rig.instance->FindOrAdd(Str("k"), -20, &created);
  rig.instance->FindOrAdd(Str("k"), -10, &created);
  rig.Commit();
  rig.Restart();
  CHECK(rig.instance->next_fire() == -10);
  rig.instance->Advance(0);
  REQUIRE(fired.size() == 2);
  CHECK(fired[0].start == -20);
}

TEST_CASE("the last window of all time closes with the input (found by fuzzing)") {
  Rig rig;
  constexpr int64_t kLast = INT64_MAX - INT64_MAX % kSize;
  CHECK(rig.Add("a", INT64_MAX - 1));
  CHECK(rig.Add("b", 5));
  CHECK(rig.wake == 10);
  rig.instance->Advance(INT64_MAX - 1);
  CHECK(fired == std::vector<Fired>{{"b", 0, 1, "b"}});
  CHECK(rig.instance->next_fire() == INT64_MAX);
  rig.Commit();
  rig.Restart();
  rig.instance->Advance(INT64_MAX);
  CHECK(fired == std::vector<Fired>{{"b", 0, 1, "b"}, {"a", kLast, 1, "a"}});
}

TEST_CASE("a commit carries what changed and nothing else") {
  Rig rig;
  for (int i = 0; i < 100; ++i) rig.Add("key" + std::to_string(i), 5);
  rig.Commit();
  CHECK(rig.entries == 100);
  rig.entries = 0;
  rig.Commit();
  CHECK(rig.entries == 0);
  rig.Add("key7", 6);
  rig.Add("key7", 6);
  rig.Commit();
  CHECK(rig.entries == 1);
  // Opened and closed within one epoch: the store never hears of it.
  rig.entries = 0;
  rig.instance->Advance(10);
  rig.Commit();
  CHECK(rig.entries == 100);
  CHECK(rig.stored.empty());
  rig.entries = 0;
  rig.Add("short", 11);
  rig.instance->Advance(20);
  rig.Commit();
  CHECK(rig.entries == 0);
}

TEST_CASE("damaged entries are refused") {
  Rig rig;
  CHECK(rig.instance->Restore(Str("short"), Str("")).code() == StatusCode::kCorrupt);
  rig.Add("a", 5);
  rig.Commit();
  auto [key, value] = *rig.stored.begin();
  rig.stored.clear();
  rig.Restart();
  CHECK(rig.instance->Restore(Str(std::string_view(key)), Str(std::string_view(value).substr(0, 1))).code() ==
        StatusCode::kCorrupt);
}

TEST_CASE("windows agree with a map across commits and restarts") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 30; ++round) {
    Rig rig;
    std::map<std::pair<int64_t, std::string>, int64_t> model;
    std::vector<Fired> expected;
    int64_t now = 0;
    for (int step = 0; step < 2000; ++step) {
      int64_t time = now + static_cast<int64_t>(random() % 60);
      // Long keys live outside of their entries.
      std::string key(random() % 3 == 0 ? 40 + random() % 100 : random() % 4, static_cast<char>('a' + random() % 5));
      int64_t start = time / kSize * kSize;
      bool late = start + kSize <= rig.instance->watermark();
      CHECK(rig.Add(key, time) == !late);
      if (!late) ++model[{start, key}];
      if (random() % 10 == 0) {
        now += static_cast<int64_t>(random() % 40);
        rig.instance->Advance(now);
        while (!model.empty() && model.begin()->first.first + kSize <= now) {
          expected.push_back({model.begin()->first.second, model.begin()->first.first, model.begin()->second,
                              model.begin()->first.second});
          model.erase(model.begin());
        }
        REQUIRE(fired == expected);
      }
      if (random() % 20 == 0) rig.Commit();
      if (random() % 200 == 0) {
        rig.Commit();
        rig.Restart();
        rig.instance->Advance(now);
        REQUIRE(rig.instance->open() == model.size());
        REQUIRE(fired == expected);
      }
    }
  }
}

// ---- Windows read from a store when they are wanted -----------------------------------------------------------------

// Its last byte is the largest there is: the first key behind it is not of the same length.
const std::string kPrefix = "step\x01\xff";

// A window step whose commits go to a task's store, among what other steps have there.
struct StoreRig : Rig {
  explicit StoreRig(bool from_store = true) : from_store(from_store), store(std::make_unique<FaultyFiles>(&disk)) {
    REQUIRE(store.Open().ok());
    Apply({{"step\x01\xfe", "another's"}, {"step\x01", "another's"}, {"step\x02", "another's"}, {"a", ""}, {"z", ""}}, {});
  }
  void Apply(const std::map<std::string, std::string>& put, const std::vector<std::string>& remove) {
    static const std::atomic<bool> hurry{true};
    StoreChanges changes;
    for (const std::string& key : remove) changes.Add(Str(std::string_view(key)), nullptr);
    for (const auto& [key, value] : put) {
      Str bytes = Str(std::string_view(value));
      changes.Add(Str(std::string_view(key)), &bytes);
    }
    // Most of the time older files stay as they are.
    TaskStore::How how{true, ++applied % 4 == 0 ? nullptr : &hurry};
    REQUIRE(store.Apply(changes, {"topic", applied, 0}, how).ToString() == "ok");
  }
  void Commit() {
    const std::map<std::string, std::string> before = stored;
    Rig::Commit();
    std::map<std::string, std::string> put;
    std::vector<std::string> remove;
    for (const auto& [key, value] : stored) {
      auto was = before.find(key);
      if (was == before.end() || was->second != value) put[kPrefix + key] = value;
    }
    for (const auto& [key, value] : before) {
      if (stored.count(key) == 0) remove.push_back(kPrefix + key);
    }
    Apply(put, remove);
  }
  void Restart() {
    if (!from_store) return Rig::Restart();
    NewInstance();
    REQUIRE(instance->RestoreFrom(store.view(), Str(std::string_view(kPrefix))).ToString() == "ok");
  }
  void NewInstance() {
    instance = std::make_unique<WindowInstance>(spec, &task, 3, &record_watermark, &wake);
    wake = INT64_MAX;
  }
  bool from_store;
  FaultyDisk disk;
  TaskStore store;
  int64_t applied = 0;
};

TEST_CASE("a window in the store is found by its record and goes on where it was") {
  StoreRig rig;
  for (const char* key : {"a", "b", "c"}) rig.Add(key, 5), rig.Add(key, 15);
  rig.Add("a", 6);
  rig.Commit();
  rig.Restart();
  CHECK(rig.instance->open() >= 6);
  CHECK(rig.wake == 10);
  CHECK(rig.instance->next_fire() == 10);
  bool created = true;
  auto* acc = static_cast<Acc*>(rig.instance->FindOrAdd(Str("a"), 0, &created));
  CHECK(!created);
  CHECK(acc->count == 2);
  ++acc->count;
  // Once more, from memory; and those that the store does not have, before its last one and behind it.
  acc = static_cast<Acc*>(rig.instance->FindOrAdd(Str("a"), 0, &created));
  CHECK(!created);
  CHECK(acc->count == 3);
  CHECK(rig.Add("d", 5));
  CHECK(rig.Add("a", 25));
  // What was read counts as changed, and nothing else does.
  rig.entries = 0;
  rig.Commit();
  CHECK(rig.entries == 3);
  rig.instance->Advance(20);
  CHECK(fired == std::vector<Fired>{{"a", 0, 3, "a"}, {"b", 0, 1, "b"}, {"c", 0, 1, "c"}, {"d", 0, 1, "d"},
                                    {"a", 10, 1, "a"}, {"b", 10, 1, "b"}, {"c", 10, 1, "c"}});
  CHECK(rig.instance->next_fire() == 30);
  rig.Commit();
  CHECK(rig.stored.size() == 1);
  rig.Restart();
  rig.instance->Advance(INT64_MAX);
  CHECK(fired.size() == 8);
  CHECK(rig.instance->base_status().ok());
}

TEST_CASE("windows that nobody asks for close from the store, and leave it") {
  StoreRig rig;
  for (int i = 0; i < 2000; ++i) rig.Add("key" + std::to_string(i), i % 40);
  rig.Commit();
  const size_t all_loaded = rig.instance->bytes();
  rig.Restart();
  const size_t empty = WindowInstance(rig.spec, &rig.task, 3, &rig.record_watermark, &rig.wake).bytes();
  CHECK(rig.instance->bytes() == empty);  // nothing was loaded
  CHECK(rig.instance->open() >= 2000);
  for (int64_t watermark = 0; watermark <= 40; ++watermark) {
    rig.instance->Advance(watermark);
    REQUIRE(fired.size() == static_cast<size_t>(watermark / kSize * 500));
    REQUIRE(rig.instance->next_fire() == (watermark == 40 ? INT64_MAX : (watermark / kSize + 1) * kSize));
  }
  CHECK(rig.instance->bytes() < all_loaded / 2);  // not more at a time than what closes
  CHECK(rig.instance->open() == 0);
  CHECK(rig.instance->base_status().ok());
  rig.Commit();
  CHECK(rig.stored.empty());
  rig.Restart();
  CHECK(rig.instance->open() == 0);
  CHECK(rig.wake == INT64_MAX);
}

TEST_CASE("keys at the end of all keys are windows of the store like others") {
  StoreRig rig;
  const std::vector<std::string> keys = {"", std::string(1, '\0'), "\xff", "\xff\xff", std::string(200, '\xff')};
  for (const std::string& key : keys) rig.Add(key, 5), rig.Add(key, INT64_MAX - 1);
  rig.Commit();
  rig.Restart();
  for (const std::string& key : keys) {
    bool created = true;
    rig.instance->FindOrAdd(Str(std::string_view(key)), 0, &created);
    CHECK(!created);
  }
  rig.instance->Advance(10);
  CHECK(fired.size() == keys.size());
  CHECK(rig.instance->next_fire() == INT64_MAX);
  rig.instance->Advance(INT64_MAX);
  REQUIRE(fired.size() == 2 * keys.size());
  for (size_t i = 0; i < keys.size(); ++i) CHECK((fired[i].key == keys[i] && fired[keys.size() + i].key == keys[i]));
  CHECK(rig.instance->open() == 0);
}

TEST_CASE("windows that left the store are not there any more") {
  StoreRig rig;
  rig.Add("a", 5), rig.Add("b", 15), rig.Add("c", 25);
  rig.Commit();
  rig.instance->Advance(20);
  rig.Commit();
  rig.Restart();
  CHECK(rig.instance->next_fire() == 30);
  bool created = false;
  rig.instance->FindOrAdd(Str("b"), 10, &created);
  CHECK(created);
  rig.Restart();
  fired.clear();
  rig.instance->Advance(INT64_MAX);
  CHECK(fired == std::vector<Fired>{{"c", 20, 1, "c"}});
  rig.Commit();
  rig.Restart();
  CHECK(rig.instance->open() == 0);
  CHECK(rig.instance->next_fire() == INT64_MAX);
}

TEST_CASE("windows of an empty store, and of one that has only other steps") {
  Rig rig;
  CHECK(rig.instance->RestoreFrom(std::make_shared<StoreView>(), Str("step")).ok());
  CHECK(rig.instance->open() == 0);
  StoreRig other;
  other.Restart();
  CHECK(other.instance->open() == 0);
  CHECK(other.wake == INT64_MAX);
  CHECK(other.Add("a", 5));
}

// What a run of records, restarts and commits gives.
struct Outcome {
  std::vector<Fired> fired;
  std::vector<int64_t> next;
  std::vector<std::map<std::string, std::string>> commits;
  bool operator==(const Outcome&) const = default;
};

Outcome Drive(uint64_t seed, bool from_store) {
  std::mt19937_64 random(seed);
  StoreRig rig(from_store);
  Outcome outcome;
  int64_t now = 0;
  for (int step = 0; step < 1500; ++step) {
    int64_t time = now + static_cast<int64_t>(random() % 100);
    std::string key(random() % 3 == 0 ? 40 + random() % 100 : random() % 4, static_cast<char>('a' + random() % 30));
    if (random() % 20 == 0) key += '\xff';
    rig.Add(key, time);
    if (random() % 10 == 0) {
      now += static_cast<int64_t>(random() % 25);
      rig.instance->Advance(now);
      outcome.next.push_back(rig.instance->next_fire());
    }
    if (random() % 50 == 0) {
      rig.Commit();
      outcome.commits.push_back(rig.stored);
    }
    if (random() % 150 == 0) {
      // With what was not committed lost, and with all of it kept.
      if (random() % 2 == 0) rig.Commit();
      rig.Restart();
      outcome.next.push_back(rig.instance->next_fire());
      rig.instance->Advance(now);
    }
  }
  rig.instance->Advance(INT64_MAX);
  CHECK(rig.instance->open() == 0);
  CHECK(rig.instance->next_fire() == INT64_MAX);
  CHECK(rig.instance->base_status().ok());
  rig.Commit();
  CHECK(rig.stored.empty());
  outcome.fired = fired;
  return outcome;
}

TEST_CASE("windows read when they are wanted close like windows that were all loaded") {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    Outcome loaded = Drive(seed, false), wanted = Drive(seed, true);
    CHECK(loaded.fired.size() > 500);
    REQUIRE((loaded.fired == wanted.fired));
    REQUIRE((loaded.next == wanted.next));
    REQUIRE((loaded.commits == wanted.commits));
  }
}

TEST_CASE("a damaged block of the store is told, and not taken for windows") {
  StoreRig rig;
  const std::string filler(100, 'k');
  for (int i = 1000; i < 3000; ++i) rig.Add(filler + std::to_string(i), 5);
  rig.Commit();
  size_t damaged = 0;
  for (auto& [name, file] : rig.disk.files) {
    size_t at = file->bytes.find(filler + "2000");
    if (name == "store" || at == std::string::npos) continue;
    file->bytes[at + filler.size()] = '4';
    ++damaged;
  }
  REQUIRE(damaged == 1);

  SECTION("asked for by its key") {
    rig.Restart();
    bool created;
    rig.instance->FindOrAdd(Str(std::string_view(filler + "1000")), 0, &created);
    CHECK(!created);
    CHECK(rig.instance->base_status().ok());
    CHECK(rig.instance->FindOrAdd(Str(std::string_view(filler + "2000")), 0, &created) != nullptr);
    CHECK(rig.instance->base_status().code() == StatusCode::kCorrupt);
    // It stays so, whatever is read afterwards.
    rig.instance->FindOrAdd(Str(std::string_view(filler + "1001")), 0, &created);
    CHECK(rig.instance->base_status().code() == StatusCode::kCorrupt);
    // And nothing comes of what is not all there.
    rig.instance->Advance(INT64_MAX);
    CHECK(fired.empty());
  }
  SECTION("when it closes") {
    rig.Restart();
    rig.instance->Advance(9);
    CHECK(rig.instance->base_status().ok());
    rig.instance->Advance(10);
    CHECK(rig.instance->base_status().code() == StatusCode::kCorrupt);
  }
}

TEST_CASE("a store whose disk cannot be read is told") {
  StoreRig rig;
  rig.Add("a", 5);
  rig.Commit();
  rig.Restart();
  rig.disk.fail_at = rig.disk.calls;
  rig.disk.stays_broken = true;
  bool created;
  rig.instance->FindOrAdd(Str("a"), 0, &created);
  CHECK(rig.instance->base_status().code() == StatusCode::kIo);
  rig.NewInstance();
  CHECK(rig.instance->RestoreFrom(rig.store.view(), Str(std::string_view(kPrefix))).code() == StatusCode::kIo);
}

TEST_CASE("stored windows that cannot be windows are refused") {
  const std::string start = std::string("\x80\0\0\0\0\0\0\0", 8);
  SECTION("a key shorter than its start") {
    StoreRig rig;
    rig.Apply({{kPrefix + "short", ""}}, {});
    rig.NewInstance();
    CHECK(rig.instance->RestoreFrom(rig.store.view(), Str(std::string_view(kPrefix))).code() == StatusCode::kCorrupt);
  }
  SECTION("one in their middle") {
    StoreRig rig;
    rig.Add("a", 5), rig.Add("a", 25);
    rig.Commit();
    rig.Apply({{kPrefix + start.substr(0, 7), ""}}, {});
    rig.NewInstance();
    Status status = rig.instance->RestoreFrom(rig.store.view(), Str(std::string_view(kPrefix)));
    rig.instance->Advance(INT64_MAX);
    CHECK((!status.ok() || !rig.instance->base_status().ok()));
  }
  SECTION("an accumulator that cannot be read") {
    for (bool asked : {false, true}) {
      StoreRig rig;
      rig.Apply({{kPrefix + start + "a", "\x80"}}, {});
      rig.Restart();
      bool created;
      if (asked) rig.instance->FindOrAdd(Str("a"), 0, &created);
      else rig.instance->Advance(10);
      CHECK(rig.instance->base_status().code() == StatusCode::kCorrupt);
    }
  }
}

}  // namespace
}  // namespace weir
