// What every store must do, tried on both, and what makes a state fit a program.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>

#include "runtime/core/hash.h"
#include "runtime/state/lmdb_store.h"
#include "runtime/state/memory_store.h"

namespace weir {
namespace {

uint64_t HashOf(const std::string& name) { return Hash(Str(std::string_view(name))); }

StoreIdentity IdentityOf(std::vector<std::pair<std::string, uint64_t>> steps) {
  StoreIdentity identity;
  identity.pipeline = "p";
  for (auto& [name, schema] : steps) identity.steps.push_back({name, "windows", HashOf(name), schema});
  return identity;
}

struct TempDir {
  TempDir() {
    char name[] = "/tmp/weir_state_test_XXXXXX";
    path = mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

// Makes a store on the same disk again and again.
using Reopen = std::function<std::unique_ptr<Store>()>;

struct Delta {
  explicit Delta(std::vector<std::string> steps) {
    for (auto& step : steps) hashes.push_back(HashOf(step));
  }
  Delta& Put(uint32_t step, StateKind kind, int32_t partition, const std::string& key, const std::string& value) {
    DeltaWriter(&bytes, hashes.data())
        .Put(step, kind, partition, Str(std::string_view(key)), Str(std::string_view(value)));
    return *this;
  }
  Delta& Delete(uint32_t step, StateKind kind, int32_t partition, const std::string& key) {
    DeltaWriter(&bytes, hashes.data()).Delete(step, kind, partition, Str(std::string_view(key)));
    return *this;
  }
  std::vector<uint64_t> hashes;
  Buffer bytes;
};

std::vector<std::string> All(Store& store, const std::string& step, StateKind kind) {
  std::vector<std::string> found;
  Status status = store.Load(HashOf(step), kind, [&](const DeltaEntry& entry) {
    CHECK(entry.step == HashOf(step));
    CHECK(entry.kind == kind);
    found.push_back(std::to_string(entry.partition) + ":" + std::string(entry.key.view()) + "=" +
                    std::string(entry.value.view()));
    return Status();
  });
  CHECK(status.ToString() == "ok");
  return found;
}

void CheckStore(const Reopen& reopen) {
  StoreIdentity identity = IdentityOf({{"a", 1}, {"b", 2}});
  std::string long_key(2000, 'k');
  {
    std::unique_ptr<Store> store = reopen();
    REQUIRE(store->Open(identity).ToString() == "ok");
    CHECK(store->epoch() == 0);
    Delta delta({"a", "b"});
    delta.Put(0, StateKind::kWindow, 1, "x", "1").Put(0, StateKind::kWindow, 0, "y", "2").Put(1, StateKind::kWindow, 0, "z", "3");
    delta.Put(0, StateKind::kRow, 0, "y", "row").Put(0, StateKind::kWindow, 0, long_key + "1", "long1");
    delta.Put(0, StateKind::kWindow, 0, long_key + "2", "long2").Put(0, StateKind::kWindow, -1, "", "");
    REQUIRE(store->Commit(1, {&delta.bytes}).ToString() == "ok");
    store->Close();
  }
  {
    std::unique_ptr<Store> store = reopen();
    REQUIRE(store->Open(identity).ToString() == "ok");
    CHECK(store->epoch() == 1);
    std::vector<std::string> windows = All(*store, "a", StateKind::kWindow);
    REQUIRE(windows.size() == 5);
    CHECK(windows.front() == "-1:=");
    CHECK(windows.back() == "1:x=1");
    CHECK(std::count(windows.begin(), windows.end(), "0:" + long_key + "1=long1") == 1);
    CHECK(std::count(windows.begin(), windows.end(), "0:" + long_key + "2=long2") == 1);
    CHECK(All(*store, "a", StateKind::kRow) == std::vector<std::string>{"0:y=row"});
    CHECK(All(*store, "b", StateKind::kWindow) == std::vector<std::string>{"0:z=3"});
    CHECK(All(*store, "b", StateKind::kRow).empty());

    // Several deltas apply in their order; removing what is not there is no error.
    Delta first({"a", "b"}), second({"a", "b"});
    first.Put(0, StateKind::kWindow, 1, "x", "4").Delete(0, StateKind::kWindow, 0, long_key + "1");
    second.Delete(0, StateKind::kWindow, 1, "x").Delete(0, StateKind::kWindow, 1, "never");
    REQUIRE(store->Commit(2, {&first.bytes, &second.bytes}).ToString() == "ok");
    CHECK(All(*store, "a", StateKind::kWindow).size() == 3);
    CHECK(store->Stats().entries == 5);
    store->Close();
  }
  {
    std::unique_ptr<Store> store = reopen();
    Status status = store->Open(IdentityOf({{"a", 1}, {"b", 3}}));
    CHECK(status.code() == StatusCode::kInvalid);
    CHECK_THAT(status.message(), Catch::Contains("`b`") && Catch::Contains("another layout"));
  }
  {
    std::unique_ptr<Store> store = reopen();
    Status status = store->Open(IdentityOf({{"b", 2}}));
    CHECK(status.code() == StatusCode::kInvalid);
    CHECK_THAT(status.message(), Catch::Contains("`a`") && Catch::Contains("no longer has"));
  }
  {
    // Steps may come, and go once nothing is stored for them.
    std::unique_ptr<Store> store = reopen();
    REQUIRE(store->Open(IdentityOf({{"a", 1}, {"b", 2}, {"c", 5}})).ok());
    store->Close();
    store = reopen();
    REQUIRE(store->Open(IdentityOf({{"a", 1}, {"b", 2}})).ok());
    store->Close();
  }
}

TEST_CASE("a store on disk keeps what was committed") {
  TempDir dir;
  CheckStore([&] { return std::make_unique<LmdbStore>(dir.path + "/state"); });
}

TEST_CASE("a store in memory keeps what was committed") {
  MemoryDisk disk;
  CheckStore([&] { return std::make_unique<MemoryStore>(&disk); });
}

TEST_CASE("the state of another pipeline is refused and both are named") {
  TempDir dir;
  MemoryDisk disk;
  const Reopen stores[] = {[&] { return std::make_unique<LmdbStore>(dir.path + "/state"); },
                           [&] { return std::make_unique<MemoryStore>(&disk); }};
  for (const Reopen& reopen : stores) {
    StoreIdentity other = IdentityOf({{"a", 1}});
    other.pipeline = "q";
    std::unique_ptr<Store> store = reopen();
    REQUIRE(store->Open(IdentityOf({{"a", 1}})).ToString() == "ok");
    store->Close();
    store = reopen();
    Status status = store->Open(other);
    CHECK(status.code() == StatusCode::kInvalid);
    CHECK_THAT(status.message(), Catch::Contains("`p`") && Catch::Contains("`q`"));
    // Nothing was changed by it.
    store = reopen();
    CHECK(store->Open(IdentityOf({{"a", 1}})).ToString() == "ok");
  }
}

TEST_CASE("both stores agree with a map, whatever is put and removed") {
  TempDir dir;
  MemoryDisk disk;
  StoreIdentity identity = IdentityOf({{"a", 1}, {"b", 2}});
  LmdbStore::Options small;
  small.map_bytes = 64 << 10;  // grows many times
  std::mt19937_64 random(7);
  std::map<std::string, std::string> model;
  for (int run = 0; run < 5; ++run) {
    LmdbStore lmdb(dir.path + "/state", small);
    MemoryStore memory(&disk);
    REQUIRE(lmdb.Open(identity).ToString() == "ok");
    REQUIRE(memory.Open(identity).ToString() == "ok");
    for (int epoch = 0; epoch < 20; ++epoch) {
      Delta delta({"a", "b"});
      for (int i = 0; i < 50; ++i) {
        std::string key(random() % 700, static_cast<char>('a' + random() % 3));
        if (random() % 3 == 0) {
          delta.Delete(0, StateKind::kWindow, 2, key);
          model.erase("2:" + key);
        } else {
          std::string value(random() % 3000, static_cast<char>('A' + random() % 26));
          delta.Put(0, StateKind::kWindow, 2, key, value);
          model["2:" + key] = value;
        }
      }
      REQUIRE(lmdb.Commit(static_cast<uint64_t>(run * 20 + epoch + 1), {&delta.bytes}).ToString() == "ok");
      REQUIRE(memory.Commit(static_cast<uint64_t>(run * 20 + epoch + 1), {&delta.bytes}).ToString() == "ok");
    }
    std::vector<std::string> expected;
    for (auto& [key, value] : model) expected.push_back(key + "=" + value);
    std::vector<std::string> on_disk = All(lmdb, "a", StateKind::kWindow), in_memory = All(memory, "a", StateKind::kWindow);
    std::sort(on_disk.begin(), on_disk.end());
    std::sort(in_memory.begin(), in_memory.end());
    std::sort(expected.begin(), expected.end());
    CHECK(on_disk == expected);
    CHECK(in_memory == expected);
  }
}

}  // namespace
}  // namespace weir
