// The local stores of a process: what is taken back after a restart, what is thrown away and why, when they are written,
// and what becomes of them when their disk fails.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "runtime/state/faulty_files.h"
#include "runtime/state/local_stores.h"
#include "runtime/testing/virtual_time.h"

namespace weir {
namespace {

using Model = std::map<std::string, std::string>;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr uint64_t kWriteBytes = 100'000;

Str S(const std::string& text) { return Str(std::string_view(text)); }

StoreChanges Put(const std::string& key, const std::string& value) {
  StoreChanges changes;
  Str bytes = S(value);
  changes.Add(S(key), &bytes);
  return changes;
}

Model Contents(const std::shared_ptr<const StoreView>& view) {
  Model found;
  StoreCursor cursor(view);
  Status status = cursor.Seek(Str());
  for (; status.ok() && cursor.valid(); status = cursor.Next()) {
    found[std::string(cursor.key().view())] = cursor.value().view();
  }
  REQUIRE(status.ToString() == "ok");
  return found;
}

// A process that can be started anew on the same disk.
struct Rig {
  Rig() { Restart(); }
  void Restart() {
    LocalStores::Options options;
    options.files = [this](const std::string& name) -> std::unique_ptr<StoreFiles> {
      names.push_back(name);
      return std::make_unique<FaultyFiles>(&disk);
    };
    options.warn = [this](const std::string& message) { warnings.push_back(message); };
    options.clock = &clock;
    options.write_bytes = kWriteBytes;
    stores = std::make_unique<LocalStores>(std::move(options));
  }
  void Wait(int64_t ns) { clock.SetMono(clock.MonoNs() + ns); }
  void Commit(const std::string& key, const std::string& value, int64_t offset) {
    StoreChanges changes = Put(key, value);
    stores->Committed(task, &changes, offset);
  }
  Model Now() { return Contents(stores->View(task)); }
  // Of a task whose changelog has `end` changes.
  int64_t Begin(int64_t end) { return stores->Begin(task, {topic, end, 2 * kDayMs}); }
  // And all that is to be replayed is.
  int64_t Start(int64_t end) {
    int64_t at = Begin(end);
    (void)stores->View(task);
    return at;
  }
  int64_t Replayed(int64_t from, int64_t to, const std::string& key, const std::string& value) {
    return stores->Replayed(task, {topic, to, 2 * kDayMs}, from, to, Put(key, value));
  }

  FaultyDisk disk;
  VirtualClock clock;
  std::vector<std::string> names, warnings;
  bool pause_before_stop = false;
  LocalStores::TaskName task{1, 3, "totals"};
  std::string topic = "topic-1";
  std::unique_ptr<LocalStores> stores;
};

TEST_CASE("a task that was committed, written and started again replays only what came since") {
  Rig rig;
  CHECK(rig.Begin(100) == 0);
  CHECK(rig.names == std::vector<std::string>{"totals.3"});
  CHECK(rig.Replayed(0, 60, "a", "1") == 60);
  CHECK(rig.Replayed(60, 100, "b", "2") == 100);
  CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}});
  rig.Commit("a", "3", 110);
  CHECK(rig.stores->GetStats().waiting > 0);
  CHECK(rig.stores->Write(true));
  CHECK(rig.stores->GetStats().waiting == 0);
  rig.Commit("c", "lost with the process", 120);

  rig.Restart();
  CHECK(rig.Begin(120) == 110);
  CHECK(rig.Now() == Model{{"a", "3"}, {"b", "2"}});
  CHECK(rig.Replayed(110, 120, "c", "4") == 120);
  CHECK(rig.Now() == Model{{"a", "3"}, {"b", "2"}, {"c", "4"}});
  CHECK(rig.warnings.empty());
  LocalStores::Stats stats = rig.stores->GetStats();
  CHECK((stats.stores == 1 && stats.given_up == 0 && stats.bytes > 0));
}

TEST_CASE("a task that comes back to its process has what was committed and not written yet") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  StoreChanges more = Put("a", "2");
  rig.stores->Committed(rig.task, &more, 20);
  CHECK(more.empty());  // they were taken
  CHECK(rig.Begin(50) == 20);
  CHECK(rig.Now() == Model{{"a", "2"}});
  // What the other process did meanwhile.
  CHECK(rig.Replayed(20, 50, "a", "other") == 50);
  CHECK(rig.Now() == Model{{"a", "other"}});
  rig.Commit("b", "3", 60);
  CHECK(rig.Begin(60) == 60);
  CHECK(rig.Now() == Model{{"a", "other"}, {"b", "3"}});
  CHECK(rig.warnings.empty());
}

TEST_CASE("what is known already changes nothing, and neither does what nobody brought back") {
  Rig rig;
  rig.Commit("a", "early", 5);
  rig.Begin(10);
  rig.Commit("a", "of an earlier holder", 12);
  CHECK(rig.Replayed(0, 10, "a", "1") == 10);
  rig.Commit("a", "of an earlier holder", 14);
  CHECK(rig.Now() == Model{{"a", "1"}});  // brought back
  rig.Commit("a", "again", 10);
  rig.Commit("a", "before", 7);
  CHECK(!rig.stores->Write(true));
  CHECK(rig.Begin(10) == 10);
  CHECK(rig.Now() == Model{{"a", "1"}});
  // Replayed once more: where it stands is said, and nothing is taken.
  CHECK(rig.Replayed(2, 4, "a", "older") == 10);
  // And what lies between is not left out.
  CHECK(rig.Replayed(12, 14, "a", "newer") == 10);
  CHECK(rig.Now() == Model{{"a", "1"}});
}

TEST_CASE("a late commit of an earlier holder leaves no gap in what is replayed") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  CHECK(rig.Begin(30) == 10);
  rig.Commit("c", "3", 30);
  CHECK(rig.Replayed(10, 20, "b", "2") == 20);
  CHECK(rig.Replayed(20, 30, "c", "3") == 30);
  CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}, {"c", "3"}});
}

TEST_CASE("who stands by follows until the task is brought back") {
  Rig rig;
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, INT64_MAX}) == 0);
  CHECK(rig.Replayed(0, 30, "a", "1") == 30);
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, INT64_MAX}) == 30);
  CHECK(rig.Replayed(30, 50, "b", "2") == 50);
  CHECK(rig.Begin(60) == 50);
  // The follower has read the same: whoever is first writes it, and the other is told.
  CHECK(rig.Replayed(50, 60, "c", "3") == 60);
  CHECK(rig.Replayed(50, 55, "c", "older") == 60);
  CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}, {"c", "3"}});
  rig.Commit("a", "4", 70);
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 70, INT64_MAX}) == 70);
  rig.stores->Write(true);
  rig.Restart();
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 70, INT64_MAX}) == 70);
  CHECK(rig.names.size() == 2);
}

TEST_CASE("a late commit of an earlier holder leaves no gap in what is followed") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.Commit("b", "2", -1);  // from here on nobody knows
  // The task goes elsewhere, and its last commit here is told when others follow it already.
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 40, INT64_MAX}) == 0);
  rig.Commit("d", "4", 40);
  CHECK(rig.Replayed(0, 20, "a", "1") == 20);
  CHECK(rig.Replayed(20, 40, "c", "3") == 40);
  CHECK(rig.Begin(40) == 40);
  CHECK(rig.Now() == Model{{"a", "1"}, {"c", "3"}});
}

TEST_CASE("who stood by and was cut off for too long begins anew") {
  Rig rig;
  const LocalStores::Changelog longer{rig.topic, 90, 2 * kDayMs};
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, 2 * kDayMs}) == 0);
  CHECK(rig.Replayed(0, 50, "a", "1") == 50);
  // While nothing comes it is up to date, however long that is.
  for (int day = 0; day < 5; ++day) {
    rig.Wait(kDayMs * 1'000'000);
    CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, 2 * kDayMs}) == 50);
  }
  // Then more came than it has seen, and the changelog may have forgotten what was removed.
  rig.Wait(kDayMs * 1'000'000 + 1'000'000);
  CHECK(rig.stores->Follow(rig.task, longer) == 0);
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("older than what the changelog remembers"));
}

TEST_CASE("a disk that failed is not filled again and again by who stands by") {
  Rig rig;
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, INT64_MAX}) == 0);
  rig.disk.fail_at = rig.disk.calls;
  rig.disk.stays_broken = true;
  CHECK(rig.Replayed(0, 30, "a", "1") == 0);
  REQUIRE(rig.warnings.size() == 1);
  rig.disk.fail_at = -1;
  rig.Wait(60 * kSecond);
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, INT64_MAX}) == 50);  // nothing to follow
  rig.Wait(600 * kSecond);
  CHECK(rig.stores->Follow(rig.task, {rig.topic, 50, INT64_MAX}) == 0);
  CHECK(rig.Replayed(0, 50, "a", "2") == 50);
  // Whoever brings the task back never waits for that.
  CHECK(rig.Begin(50) == 50);
}

TEST_CASE("a store that was thrown away while its task was brought back is not taken for the whole") {
  Rig rig;
  CHECK(rig.Begin(50) == 0);
  CHECK(rig.Replayed(0, 50, "a", "1") == 50);
  CHECK(rig.Begin(20) == 0);  // somebody else, with an older end
  CHECK(rig.stores->View(rig.task, 50) == nullptr);
}

TEST_CASE("after a commit whose offset nobody knows the store stays as of before it") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  rig.Commit("a", "2", 20);
  StoreChanges unknown = Put("a", "3");
  rig.stores->Committed(rig.task, &unknown, -1);
  rig.Commit("b", "behind a gap", 40);
  CHECK(!rig.stores->Write(true));
  CHECK(rig.Begin(40) == 10);
  CHECK(rig.Now() == Model{{"a", "1"}});
}

TEST_CASE("a store of a changelog that was made anew is thrown away") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  rig.Restart();
  rig.topic = "topic-2";
  CHECK(rig.Begin(30) == 0);
  CHECK(rig.Now().empty());
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("deleted and made anew") && Catch::Contains("replayed from the changelog"));
  CHECK(rig.Replayed(0, 30, "b", "2") == 30);
  rig.Restart();
  CHECK(rig.Begin(30) == 30);  // of the new one
  CHECK(rig.Now() == Model{{"b", "2"}});
  CHECK(rig.warnings.size() == 1);
}

TEST_CASE("a store that knows more than its changelog has is thrown away") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  rig.Restart();
  CHECK(rig.Begin(10) == 10);
  rig.Restart();
  CHECK(rig.Begin(9) == 0);
  CHECK(rig.Now().empty());
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("up to offset 10, which ends at 9"));
}

TEST_CASE("a store is thrown away once the changelog may have forgotten what was removed") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  // Nothing came since: then it may be as old as it likes.
  rig.Wait(5 * kDayMs * 1'000'000);
  rig.Restart();
  CHECK(rig.Start(10) == 10);
  // Half of the time that removals are kept: just enough, and too much.
  rig.Commit("a", "2", 20);
  rig.stores->Write(true);
  rig.Wait(kDayMs * 1'000'000);
  rig.Restart();
  CHECK(rig.Begin(30) == 20);
  CHECK(rig.warnings.empty());
  rig.Wait(1'000'000);
  rig.Restart();
  CHECK(rig.Begin(30) == 0);
  CHECK(rig.Now().empty());
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("older than what the changelog remembers"));
}

TEST_CASE("how old a store is counts from the commit, not from when it was written") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  SECTION("the process slept") {}
  SECTION("and was told to stop when it woke up") { rig.pause_before_stop = true; }
  SECTION("nothing had changed, so nothing was due") {
    rig.stores->Write(true);
    StoreChanges none;
    rig.stores->Committed(rig.task, &none, 20);
    CHECK(!rig.stores->Write(true));
  }
  // Elsewhere `a` was removed meanwhile, and the changelog has forgotten it.
  rig.Wait(3 * kDayMs * 1'000'000);
  if (rig.pause_before_stop) {
    rig.stores->Write(true);
    rig.Restart();
  }
  CHECK(rig.Begin(100) == 0);
  CHECK(rig.Now().empty());
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("older than what the changelog remembers"));
}

TEST_CASE("commits are written when they have waited long enough, or are many") {
  Rig rig;
  rig.Start(0);
  CHECK(!rig.stores->Write(false));
  rig.Commit("a", "1", 10);
  rig.Wait(3 * kSecond);
  rig.Commit("b", "2", 20);
  rig.Wait(2 * kSecond - 1);
  CHECK(!rig.stores->Write(false));
  rig.Wait(1);  // five seconds after the first one
  CHECK(rig.stores->Write(false));
  CHECK(!rig.stores->Write(false));
  CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}});

  rig.Commit("c", std::string(kWriteBytes / 2, 'c'), 30);
  CHECK(!rig.stores->Write(false));
  rig.Commit("d", std::string(kWriteBytes / 2, 'd'), 40);
  rig.stores->WaitForWork(600 * kSecond);  // it was woken
  CHECK(rig.stores->Write(false));
  CHECK(rig.Now().size() == 4);
  CHECK(rig.stores->GetStats().waiting == 0);
}

TEST_CASE("a disk that does not keep up costs a replay and no memory") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 1);
  rig.stores->Write(true);
  int64_t offset = 1;
  for (int i = 0; i < 100; ++i) {
    rig.Commit("key" + std::to_string(i), std::string(kWriteBytes / 4, 'v'), ++offset);
    REQUIRE(rig.stores->GetStats().waiting < 5 * kWriteBytes);
  }
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("does not keep up") && Catch::Contains("`totals`, partition 3"));
  CHECK(!rig.stores->Write(true));
  CHECK(rig.Begin(offset) == 1);
  CHECK(rig.Now() == Model{{"a", "1"}});
}

// Tasks of one process, each with a disk of its own.
struct ManyTasks {
  explicit ManyTasks(int count) {
    for (int i = 0; i < count; ++i) tasks.push_back({0, i, "totals"});
    Restart();
  }
  void Restart() {
    LocalStores::Options options;
    options.files = [this](const std::string& name) { return std::make_unique<FaultyFiles>(&disks[name]); };
    options.warn = [this](const std::string& message) { warnings.push_back(message); };
    options.clock = &clock;
    options.write_bytes = kWriteBytes;
    stores = std::make_unique<LocalStores>(std::move(options));
  }
  int64_t Start(size_t task, int64_t end) {
    int64_t at = stores->Begin(tasks[task], {"topic", end, INT64_MAX});
    (void)stores->View(tasks[task]);
    return at;
  }
  void Commit(size_t task, uint64_t bytes, int64_t offset) {
    StoreChanges changes = Put("key" + std::to_string(offset), std::string(bytes, 'v'));
    stores->Committed(tasks[task], &changes, offset);
  }

  std::map<std::string, FaultyDisk> disks;
  VirtualClock clock;
  std::vector<std::string> warnings;
  std::vector<LocalStores::TaskName> tasks;
  std::unique_ptr<LocalStores> stores;
};

TEST_CASE("what waits for the disk is bounded over all tasks together, and the largest is left behind first") {
  constexpr size_t kTasks = 16, kLarge = 5;
  ManyTasks many(kTasks);
  for (size_t i = 0; i < kTasks; ++i) CHECK(many.Start(i, 0) == 0);
  int64_t offset = 0;
  std::vector<int64_t> known(kTasks);
  while (many.warnings.empty()) {
    ++offset;
    for (size_t i = 0; i < kTasks && many.warnings.empty(); ++i) {
      many.Commit(i, i == kLarge ? 2000 : 500, known[i] = offset);
      REQUIRE(many.stores->GetStats().waiting < 4 * kWriteBytes);
    }
  }
  REQUIRE(many.warnings.size() == 1);
  CHECK_THAT(many.warnings[0], Catch::Contains("does not keep up") && Catch::Contains("`totals`, partition 5:"));
  many.stores->Write(true);
  CHECK(many.stores->GetStats().waiting == 0);
  many.Restart();
  for (size_t i = 0; i < kTasks; ++i) CHECK(many.Start(i, offset) == (i == kLarge ? 0 : known[i]));
  CHECK(many.warnings.size() == 1);

  // However long the disk stands still: no more memory, and one warning for each task.
  for (int64_t n = 1; n < 1000; ++n) {
    for (size_t i = 0; i < kTasks; ++i) {
      many.Commit(i, 500, offset + n);
      REQUIRE(many.stores->GetStats().waiting < 4 * kWriteBytes);
    }
  }
  CHECK(many.warnings.size() == 1 + kTasks);
}

TEST_CASE("what is much of all tasks together is written at once, the largest first") {
  constexpr size_t kTasks = 16, kLarge = 11;
  ManyTasks many(kTasks);
  for (size_t i = 0; i < kTasks; ++i) many.Start(i, 0);
  for (size_t i = 0; i < kTasks; ++i) {
    CHECK(!many.stores->Write(false));
    many.Commit(i, i == kLarge ? kWriteBytes / 4 : kWriteBytes / 19, 1);
  }
  many.stores->WaitForWork(600 * kSecond);  // it was woken
  CHECK(many.stores->Write(false));
  CHECK(many.stores->GetStats().waiting < kWriteBytes);
  CHECK(many.stores->GetStats().waiting > kWriteBytes / 2);
  many.Restart();
  CHECK(many.Start(kLarge, 1) == 1);
}

TEST_CASE("while a sync of the disk hangs, commits go on and other tasks come and go") {
  ManyTasks many(3);
  for (size_t i = 0; i < 3; ++i) many.Start(i, 0);
  std::atomic<bool> hangs{false};
  std::mutex mutex;
  std::condition_variable well;
  bool is_well = false;
  many.disks["totals.0"].syncing = [&] {
    hangs = true;
    std::unique_lock<std::mutex> lock(mutex);
    well.wait(lock, [&] { return is_well; });
  };
  many.Commit(0, 100, 1);
  std::thread writer([&] { many.stores->Write(true); });
  while (!hangs) std::this_thread::yield();
  // All this returns, or the test never ends.
  const uint64_t on_its_way = many.stores->GetStats().waiting;
  CHECK(on_its_way > 100);
  for (int64_t n = 2; n <= 100; ++n) {
    for (size_t i = 0; i < 3; ++i) many.Commit(i, 100, n);
  }
  CHECK(many.stores->GetStats().waiting > 3 * 99 * 100 + on_its_way);
  many.stores->Hurry();
  CHECK(many.Start(1, 100) == 100);
  CHECK(Contents(many.stores->View(many.tasks[1])).size() == 99);
  CHECK(many.stores->Follow(many.tasks[2], {"topic", 100, INT64_MAX}) == 100);
  {
    std::lock_guard<std::mutex> lock(mutex);
    is_well = true;
  }
  well.notify_all();
  writer.join();
  many.stores->Write(true);
  many.Restart();
  CHECK(many.Start(0, 100) == 100);
  CHECK(Contents(many.stores->View(many.tasks[0])).size() == 100);
  CHECK(many.warnings.empty());
}

TEST_CASE("a disk that fails is given up with one warning, and the pipeline goes on") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  rig.disk.fail_at = rig.disk.calls;
  rig.disk.stays_broken = true;
  rig.Commit("a", "2", 20);
  rig.Wait(10 * kSecond);
  CHECK(rig.stores->Write(false));
  for (int i = 3; i < 10; ++i) {
    StoreChanges changes = Put("a", std::to_string(i));
    rig.stores->Committed(rig.task, &changes, i * 10);
    rig.Wait(10 * kSecond);
    rig.stores->Write(false);
  }
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("a faulty disk: writing it failed") && Catch::Contains("the disk is broken") &&
                                  Catch::Contains("replayed from the changelog"));
  LocalStores::Stats stats = rig.stores->GetStats();
  CHECK((stats.given_up == 1 && stats.stores == 0 && stats.waiting == 0 && stats.bytes == 0));
  CHECK(rig.disk.files.empty());  // room for others
  // The disk recovers: the next time it is used again.
  rig.disk.fail_at = -1;
  CHECK(rig.Begin(90) == 0);
  CHECK(rig.Replayed(0, 90, "a", "9") == 90);
  CHECK(rig.stores->GetStats().stores == 1);
  rig.Restart();
  CHECK(rig.Begin(90) == 90);
  CHECK(rig.Now() == Model{{"a", "9"}});
  CHECK(rig.warnings.size() == 1);
}

TEST_CASE("whatever call to the disk fails, a restart has what is right up to the offset it says") {
  for (int64_t n = 0; n < 60; ++n) {
    Rig rig;
    rig.disk.fail_at = n;
    Model by_offset;
    int64_t at = rig.Start(0);
    CHECK(at == 0);
    for (int64_t offset = 1; offset <= 6; ++offset) {
      StoreChanges changes = Put("key" + std::to_string(offset), "v");
      rig.stores->Committed(rig.task, &changes, offset);
      rig.stores->Write(true);
    }
    rig.disk.fail_at = -1;
    rig.Restart();
    at = rig.Begin(6);
    INFO("call " << n << " failed, the store is at " << at);
    Model wanted;
    for (int64_t offset = 1; offset <= at; ++offset) wanted["key" + std::to_string(offset)] = "v";
    CHECK(rig.Now() == wanted);
    CHECK(rig.warnings.size() <= 2);
  }
}

TEST_CASE("a disk that fails while a task is brought back: everything is replayed, into memory") {
  Rig rig;
  rig.Begin(100);
  CHECK(rig.Replayed(0, 50, "a", "1") == 50);
  rig.disk.fail_at = rig.disk.calls;
  rig.disk.stays_broken = true;
  CHECK(rig.Replayed(50, 100, "b", "2") == 0);  // from the beginning, please
  CHECK(rig.Replayed(0, 50, "a", "1") == 50);
  CHECK(rig.Replayed(50, 100, "b", "2") == 100);
  CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}});
  CHECK(rig.warnings.size() == 1);
  rig.Commit("c", "3", 110);
  CHECK(!rig.stores->Write(true));
  CHECK(rig.stores->GetStats().stores == 0);
  // Damage in what comes from memory is damage in the changelog.
  CHECK(!rig.stores->Discard(rig.task, "it is damaged"));
}

TEST_CASE("a store that was given up while its task is followed is not filled with half of it") {
  Rig rig;
  rig.Start(100);
  rig.Commit("a", "1", 50);
  rig.disk.fail_at = rig.disk.calls;
  CHECK(rig.stores->Write(true));  // fails, once
  REQUIRE(rig.warnings.size() == 1);
  CHECK(rig.Replayed(50, 100, "b", "2") == 0);
  CHECK(rig.Replayed(0, 50, "a", "1") == 50);
  CHECK(rig.Replayed(50, 100, "b", "2") == 100);
  CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}});
  rig.Restart();
  int64_t at = rig.Begin(100);
  if (at == 0) CHECK(rig.Now().empty());
  else CHECK(rig.Now() == Model{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("a damaged store is thrown away when somebody meets the damage, and left alone when that goes on") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  rig.Commit("a", "2", 20);
  CHECK(rig.stores->Discard(rig.task, "a file is damaged"));
  CHECK(rig.disk.files.empty());
  CHECK(rig.stores->GetStats().waiting == 0);
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("a file is damaged") && Catch::Contains("thrown away"));
  CHECK(rig.stores->Discard(rig.task, "once more, by another of its steps"));
  CHECK(rig.warnings.size() == 1);
  for (int i = 2; i <= 3; ++i) {
    CHECK(rig.Begin(20) == 0);
    CHECK(rig.Replayed(0, 20, "a", "2") == 20);
    CHECK(rig.Now() == Model{{"a", "2"}});
    CHECK(rig.stores->Discard(rig.task, "damaged again"));
  }
  // From memory now, where no disk can damage it.
  CHECK(rig.Begin(20) == 0);
  CHECK(rig.Replayed(0, 20, "a", "2") == 20);
  CHECK(rig.Now() == Model{{"a", "2"}});
  CHECK(rig.disk.files.empty());
  CHECK(!rig.stores->Discard(rig.task, "damaged in memory"));
}

TEST_CASE("bytes that are damaged at the start are thrown away with a warning") {
  Rig rig;
  rig.Start(0);
  rig.Commit("a", "1", 10);
  rig.stores->Write(true);
  rig.disk.files["store"]->bytes[9] ^= 1;
  rig.Restart();
  CHECK(rig.Begin(10) == 0);
  CHECK(rig.Now().empty());
  REQUIRE(rig.warnings.size() == 1);
  CHECK_THAT(rig.warnings[0], Catch::Contains("damaged"));
  CHECK(rig.stores->GetStats().stores == 1);  // and a new one begins
}

TEST_CASE("tasks have stores of their own") {
  std::string dir = "/tmp/weir_local_stores_test_XXXXXX";
  REQUIRE(mkdtemp(dir.data()) != nullptr);
  VirtualClock clock;
  LocalStores::Options options;
  options.clock = &clock;
  options.files = [&](const std::string& name) { return MakeDirectoryFiles(dir + "/" + name); };
  const std::vector<LocalStores::TaskName> tasks = {{0, 0, "a"}, {0, 1, "a"}, {1, 0, "b"}};
  for (int start = 0; start < 2; ++start) {
    LocalStores stores(options);
    for (size_t i = 0; i < tasks.size(); ++i) {
      const int64_t end = static_cast<int64_t>(i) + 1;
      CHECK(stores.Begin(tasks[i], {"topic", 100, INT64_MAX}) == (start == 0 ? 0 : end));
      (void)stores.View(tasks[i]);
      StoreChanges changes = Put("key", std::to_string(i));
      stores.Committed(tasks[i], &changes, end);
    }
    stores.Write(true);
    for (size_t i = 0; i < tasks.size(); ++i) {
      CHECK(Contents(stores.View(tasks[i])) == Model{{"key", std::to_string(i)}});
    }
    CHECK(stores.GetStats().stores == 3);
  }
  std::filesystem::remove_all(dir);
}

// Processes, one after the other, with one state directory, and tasks that come and go.
struct OnDirectory {
  OnDirectory() {
    REQUIRE(mkdtemp(dir.data()) != nullptr);
    Restart();
  }
  ~OnDirectory() { std::filesystem::remove_all(dir); }
  void Restart() {
    held.clear();
    LocalStores::Options options;
    options.clock = &clock;
    options.files = [this](const std::string& name) { return MakeDirectoryFiles(dir + "/tasks/" + name); };
    options.names = [this](std::vector<std::string>* names) { return ListDirectories(dir + "/tasks", names); };
    options.holds = [this](const LocalStores::TaskName& task) { return held.count({task.stage, task.partition}) != 0; };
    options.warn = [this](const std::string& message) { warnings.push_back(message); };
    options.inform = [this](const std::string& message) { told.push_back(message); };
    stores = std::make_unique<LocalStores>(std::move(options));
  }
  // A task that is brought back, does its work and has all of it on the disk.
  int64_t Hold(const LocalStores::TaskName& task, int64_t end) {
    held.insert({task.stage, task.partition});
    int64_t at = stores->Begin(task, {"topic", end, 2 * kDayMs});
    (void)stores->View(task);
    return at;
  }
  void Commit(const LocalStores::TaskName& task, int64_t offset) {
    StoreChanges changes = Put("key", std::to_string(offset));
    stores->Committed(task, &changes, offset);
    stores->Write(true);
  }
  void Wait(int64_t ms) { clock.SetMono(clock.MonoNs() + ms * 1'000'000); }
  std::vector<std::string> Directories() {
    std::vector<std::string> names;
    REQUIRE(ListDirectories(dir + "/tasks", &names).ok());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string dir = "/tmp/weir_local_stores_test_XXXXXX";
  VirtualClock clock;
  std::set<std::pair<int, int32_t>> held;
  std::vector<std::string> warnings, told;
  std::unique_ptr<LocalStores> stores;
};

using Names = std::vector<std::string>;
const LocalStores::TaskName kA0{0, 0, "a"}, kA1{0, 1, "a"}, kA10{0, 10, "a"}, kGone7{1, 7, "a.gone"};

TEST_CASE("what a task left that moved away for good is removed, and what its return would use is not") {
  OnDirectory on;
  for (const LocalStores::TaskName& task : {kA0, kA1, kA10, kGone7}) {
    CHECK(on.Hold(task, 0) == 0);
    on.Commit(task, 10);
  }
  std::filesystem::create_directories(on.dir + "/tasks/an operator's notes");
  std::filesystem::create_directories(on.dir + "/tasks/a.1.copy");
  // Another process on the directory gets one of the tasks, and knows nothing of one of the steps.
  on.Restart();
  CHECK(on.Hold(kA0, 10) == 10);
  on.stores->Write(false);
  on.Wait(kDayMs);
  on.stores->Write(false);
  const Names all{"a.0", "a.1", "a.1.copy", "a.10", "a.gone.7", "an operator's notes"};
  CHECK(on.Directories() == all);
  CHECK(on.Hold(kA10, 20) == 10);  // it comes back in time
  on.Wait(3'600'000);
  on.stores->Write(false);
  CHECK(on.Directories() == Names{"a.0", "a.1.copy", "a.10", "an operator's notes"});
  REQUIRE(on.told.size() == 1);
  CHECK_THAT(on.told[0], Catch::EndsWith(": `a.1` (older than what its changelog remembers), "
                                         "`a.gone.7` (older than what its changelog remembers)"));
  // What is gone would not have been used.
  CHECK(on.Hold(kA1, 20) == 0);
  CHECK(on.warnings.empty());
  on.Commit(kA1, 30);
  on.Restart();
  CHECK(on.Hold(kA1, 30) == 30);
  // Held for days without a change, it is as good as new.
  CHECK(on.Hold(kA0, 10) == 10);
}

TEST_CASE("a task that this process held and that moved away for good leaves nothing, neither files nor memory") {
  OnDirectory on;
  for (const LocalStores::TaskName& task : {kA0, kA1, kA10}) {
    CHECK(on.Hold(task, 0) == 0);
    on.Commit(task, 10);
  }
  on.held.erase({0, 1});   // to others
  on.held.erase({0, 10});  // but this process stands by for it
  for (int hour = 0; hour < 24; ++hour) {
    CHECK(on.stores->Follow(kA10, {"topic", 10, 2 * kDayMs}) == 10);
    on.stores->Write(false);
    CHECK(on.Directories() == Names{"a.0", "a.1", "a.10"});
    on.Wait(3'600'000);
  }
  on.Wait(1);
  CHECK(on.stores->Follow(kA10, {"topic", 10, 2 * kDayMs}) == 10);
  on.stores->Write(false);
  CHECK(on.Directories() == Names{"a.0", "a.10"});
  REQUIRE(on.told.size() == 1);
  CHECK_THAT(on.told[0], Catch::EndsWith(": `a.1` (older than what its changelog remembers)"));
  LocalStores::Stats stats = on.stores->GetStats();
  CHECK((stats.stores == 2 && stats.given_up == 0));
  CHECK(on.stores->View(kA1, 1) == nullptr);  // for whoever brings it back just now: begin again
  on.Commit(kA1, 15);                         // a last commit that is told late
  CHECK(on.Hold(kA1, 20) == 0);
  on.Commit(kA1, 30);
  CHECK(on.Directories() == Names{"a.0", "a.1", "a.10"});
  CHECK(on.Hold(kA1, 30) == 30);
  CHECK(on.warnings.empty());
}

TEST_CASE("after a start nothing is removed before tasks are shared out, however old it is") {
  OnDirectory on;
  for (const LocalStores::TaskName& task : {kA0, kA1}) {
    CHECK(on.Hold(task, 0) == 0);
    on.Commit(task, 10);
  }
  on.Wait(5 * kDayMs);
  // Nothing came since, so that both are as good as new.
  on.Restart();
  CHECK(on.Hold(kA0, 10) == 10);
  on.stores->Write(false);
  on.Wait(3'599'000);
  on.stores->Write(false);
  CHECK(on.Hold(kA1, 10) == 10);
  on.Wait(2'000);
  on.stores->Write(false);
  CHECK(on.Directories() == Names{"a.0", "a.1"});
  // And while a process knows no changelog it removes nothing.
  on.Restart();
  on.stores->Write(false);
  on.Wait(10 * kDayMs);
  on.stores->Write(false);
  CHECK(on.Directories() == Names{"a.0", "a.1"});
}

TEST_CASE("without a directory nothing is kept between starts, and everything is replayed") {
  VirtualClock clock;
  LocalStores::Options options;
  options.clock = &clock;
  LocalStores stores(options);
  LocalStores::TaskName task{0, 0, "a"};
  LocalStores::Changelog changelog{"topic", 10, INT64_MAX};
  for (int i = 0; i < 2; ++i) {
    CHECK(stores.Begin(task, changelog) == 0);
    CHECK(stores.Replayed(task, changelog, 0, 10, Put("a", "1")) == 10);
    CHECK(Contents(stores.View(task)) == Model{{"a", "1"}});
    StoreChanges changes = Put("a", "2");
    stores.Committed(task, &changes, 20);
    CHECK(!stores.Write(true));
    CHECK(stores.GetStats().stores == 0);
  }
}

// For the thread sanitizer, and for what is lost between the threads: one commits and brings back by turns, one writes, one
// looks at numbers, and the disk fails now and then.
TEST_CASE("commits, writing and bringing back at the same time") {
  Rig rig;
  std::mutex warnings_mutex;
  LocalStores::Options options;
  options.files = [&](const std::string&) { return std::make_unique<FaultyFiles>(&rig.disk); };
  options.warn = [&](const std::string& message) {
    std::lock_guard<std::mutex> lock(warnings_mutex);
    rig.warnings.push_back(message);
  };
  options.clock = &rig.clock;
  options.write_every_ns = 0;
  options.write_bytes = 1 << 20;
  rig.stores = std::make_unique<LocalStores>(std::move(options));
  LocalStores& stores = *rig.stores;

  // The changelog: change n is key n % 50 = n.
  constexpr int64_t kChanges = 4000, kWrites = 20;
  std::atomic<bool> stop{false};
  std::atomic<int64_t> written{0};
  std::thread writer([&] {
    while (!stop) {
      if (stores.Write(false)) ++written;
      stores.WaitForWork(10'000);
    }
  });
  std::thread looker([&] {
    while (!stop) {
      (void)stores.GetStats();
      StoreChanges late = Put("key0", "of an earlier holder");
      stores.Committed(rig.task, &late, 0);
      std::this_thread::yield();
    }
  });
  auto change = [](int64_t n) { return Put("key" + std::to_string(n % 50), std::to_string(n)); };
  int64_t end = 0;
  bool right = true;
  for (int round = 0; (end < kChanges || written < kWrites) && right; ++round) {
    if (round % 7 == 6) {
      std::lock_guard<std::mutex> lock(rig.disk.mutex);
      rig.disk.fail_at = rig.disk.calls + 20;
    }
    int64_t at = stores.Begin(rig.task, {"topic", end, INT64_MAX});
    while (at < end) {
      int64_t next = std::min(at + 100, end);
      StoreChanges changes;
      for (int64_t n = at; n < next; ++n) {
        change(n).Each([&](Str key, const Str* value) { changes.Add(key, value); });
      }
      at = stores.Replayed(rig.task, {"topic", end, INT64_MAX}, at, next, changes);
    }
    Model wanted;
    for (int64_t n = std::max<int64_t>(0, end - 50); n < end; ++n) {
      wanted["key" + std::to_string(n % 50)] = std::to_string(n);
    }
    std::shared_ptr<const StoreView> view = stores.View(rig.task);
    {
      std::lock_guard<std::mutex> lock(rig.disk.mutex);
      rig.disk.fail_at = -1;  // what is looked at next is what was written
    }
    right = Contents(view) == wanted;
    for (int i = 0; i < 100; ++i) {
      StoreChanges changes = change(end);
      stores.Committed(rig.task, &changes, ++end);
      if (i % 20 == 0) std::this_thread::yield();
    }
  }
  stop = true;
  stores.Wake();
  writer.join();
  looker.join();
  CHECK(right);
  // The disk is whole again: what is written now is there after a restart.
  rig.disk.fail_at = -1;
  int64_t at = stores.Begin(rig.task, {"topic", end, INT64_MAX});
  CHECK(at <= end);
  rig.Restart();
  CHECK(rig.stores->Begin(rig.task, {"topic", end, INT64_MAX}) == at);
}

}  // namespace
}  // namespace weir
