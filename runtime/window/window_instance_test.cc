// Open windows against a plain map: what closes when, in which order, and what a checkpoint carries.
#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

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
  void Checkpoint() {
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
  rig.Checkpoint();
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
  rig.Checkpoint();
  rig.Restart();
  rig.instance->Advance(INT64_MAX);
  CHECK(fired == std::vector<Fired>{{"b", 0, 1, "b"}, {"a", kLast, 1, "a"}});
}

TEST_CASE("a checkpoint carries what changed and nothing else") {
  Rig rig;
  for (int i = 0; i < 100; ++i) rig.Add("key" + std::to_string(i), 5);
  rig.Checkpoint();
  CHECK(rig.entries == 100);
  rig.entries = 0;
  rig.Checkpoint();
  CHECK(rig.entries == 0);
  rig.Add("key7", 6);
  rig.Add("key7", 6);
  rig.Checkpoint();
  CHECK(rig.entries == 1);
  // Opened and closed within one epoch: the store never hears of it.
  rig.entries = 0;
  rig.instance->Advance(10);
  rig.Checkpoint();
  CHECK(rig.entries == 100);
  CHECK(rig.stored.empty());
  rig.entries = 0;
  rig.Add("short", 11);
  rig.instance->Advance(20);
  rig.Checkpoint();
  CHECK(rig.entries == 0);
}

TEST_CASE("damaged entries are refused") {
  Rig rig;
  CHECK(rig.instance->Restore(Str("short"), Str("")).code() == StatusCode::kCorrupt);
  rig.Add("a", 5);
  rig.Checkpoint();
  auto [key, value] = *rig.stored.begin();
  rig.stored.clear();
  rig.Restart();
  CHECK(rig.instance->Restore(Str(std::string_view(key)), Str(std::string_view(value).substr(0, 1))).code() ==
        StatusCode::kCorrupt);
}

TEST_CASE("windows agree with a map across checkpoints and restarts") {
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
      if (random() % 20 == 0) rig.Checkpoint();
      if (random() % 200 == 0) {
        rig.Checkpoint();
        rig.Restart();
        rig.instance->Advance(now);
        REQUIRE(rig.instance->open() == model.size());
        REQUIRE(fired == expected);
      }
    }
  }
}

}  // namespace
}  // namespace weir
