// What only a disk can do to a store: second processes, damage, foreign files.
#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/core/hash.h"
#include "runtime/state/lmdb_store.h"

namespace weir {
namespace {

struct TempDir {
  TempDir() {
    char name[] = "/tmp/weir_lmdb_test_XXXXXX";
    path = mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

StoreIdentity Identity() {
  StoreIdentity identity;
  identity.pipeline = "p";
  identity.steps.push_back({"a", "windows", Hash(Str("a")), 1});
  return identity;
}

void Fill(LmdbStore& store, int entries) {
  uint64_t hash = Hash(Str("a"));
  Buffer bytes;
  DeltaWriter delta(&bytes, &hash);
  for (int i = 0; i < entries; ++i) {
    std::string key = "key" + std::to_string(i), value(200, 'v');
    delta.Put(0, StateKind::kWindow, 0, Str(std::string_view(key)), Str(std::string_view(value)));
  }
  REQUIRE(store.Commit(store.epoch() + 1, {&bytes}).ToString() == "ok");
}

Status LoadAll(LmdbStore& store, int* count) {
  return store.Load(Hash(Str("a")), StateKind::kWindow, [&](const DeltaEntry&) {
    ++*count;
    return Status();
  });
}

TEST_CASE("a second process on a state directory is refused") {
  TempDir dir;
  LmdbStore store(dir.path + "/state");
  REQUIRE(store.Open(Identity()).ok());
  // The lock belongs to the open file, so another open one in this process meets it as another process would.
  LmdbStore second(dir.path + "/state");
  Status status = second.Open(Identity());
  CHECK(status.code() == StatusCode::kExists);
  CHECK_THAT(status.message(), Catch::Contains(std::to_string(getpid())) && Catch::Contains("stop it first"));
  store.Close();
  CHECK(second.Open(Identity()).ToString() == "ok");
}

TEST_CASE("a state directory is its owner's alone") {
  TempDir dir;
  std::string path = dir.path + "/state";
  mkdir(path.c_str(), 0755);
  LmdbStore store(path);
  REQUIRE(store.Open(Identity()).ok());
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  REQUIRE(stat((path + "/data.mdb").c_str(), &info) == 0);
  CHECK((info.st_mode & 077) == 0);
}

TEST_CASE("a directory with other files is no state directory") {
  TempDir dir;
  std::ofstream(dir.path + "/letter.txt") << "dear";
  LmdbStore store(dir.path);
  Status status = store.Open(Identity());
  CHECK(status.code() == StatusCode::kInvalid);
  CHECK_THAT(status.message(), Catch::Contains("holds other files"));
  LmdbStore nowhere(dir.path + "/no/such");
  CHECK(nowhere.Open(Identity()).code() == StatusCode::kNotFound);
}

TEST_CASE("a state keeps its name") {
  TempDir dir;
  LmdbStore store(dir.path + "/state");
  REQUIRE(store.Open(Identity()).ok());
  std::string uuid = store.uuid();
  CHECK(uuid.size() == 32);
  store.Close();
  LmdbStore again(dir.path + "/state");
  REQUIRE(again.Open(Identity()).ok());
  CHECK(again.uuid() == uuid);
}

TEST_CASE("damaged values are found, cut files refused, and neither crashes") {
  TempDir dir;
  std::string path = dir.path + "/state", data = path + "/data.mdb";
  {
    LmdbStore store(path);
    REQUIRE(store.Open(Identity()).ok());
    Fill(store, 2000);
  }
  std::string whole;
  {
    std::ifstream in(data, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto write = [&](const std::string& bytes) {
    std::ofstream(data, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  };
  int found = 0;
  for (size_t at = 0; (at = whole.find(std::string(200, 'v'), at)) != std::string::npos && found < 50; at += 5000) {
    std::string damaged = whole;
    damaged[at + 100] ^= 1;
    write(damaged);
    LmdbStore store(path);
    REQUIRE(store.Open(Identity()).ok());
    int count = 0;
    Status status = LoadAll(store, &count);
    // Pages that later commits replaced are no longer looked at.
    if (!status.ok()) {
      CHECK(status.code() == StatusCode::kCorrupt);
      ++found;
    }
  }
  CHECK(found > 20);

  write(whole.substr(0, whole.size() / 2));
  LmdbStore store(path);
  Status status = store.Open(Identity());
  CHECK(status.code() == StatusCode::kCorrupt);
  CHECK_THAT(status.message(), Catch::Contains("cut off"));
}

TEST_CASE("a state of a newer format is refused") {
  TempDir dir;
  std::string path = dir.path + "/state", data = path + "/data.mdb";
  {
    LmdbStore store(path);
    REQUIRE(store.Open(Identity()).ok());
    Fill(store, 1);
  }
  std::fstream file(data, std::ios::binary | std::ios::in | std::ios::out);
  std::string whole((std::istreambuf_iterator<char>(file)), {});
  // The node of "format" on the leaf page: its key, then its four bytes.
  size_t changed = 0;
  for (size_t at = 0; (at = whole.find("format", at)) != std::string::npos; at += 6) {
    if (whole.compare(at + 6, 4, std::string("\1\0\0\0", 4)) != 0) continue;
    file.seekp(static_cast<std::streamoff>(at + 6));
    file.put(2);
    ++changed;
  }
  file.close();
  REQUIRE(changed != 0);
  LmdbStore store(path);
  Status status = store.Open(Identity());
  CHECK(status.code() == StatusCode::kInvalid);
  CHECK_THAT(status.message(), Catch::Contains("newer Weir"));
}

TEST_CASE("what replaces a state is all there is, whatever was there before") {
  TempDir dir;
  std::string path = dir.path + "/state";
  const uint64_t hash = Hash(Str("a"));
  Buffer bytes;
  DeltaWriter(&bytes, &hash).Put(0, StateKind::kWindow, 0, "x", "1");
  auto replaced = [&] {
    REQUIRE(LmdbStore::Replace(path, Identity(), {&bytes}).ToString() == "ok");
    LmdbStore store(path);
    REQUIRE(store.Open(Identity()).ToString() == "ok");
    return store.Stats().entries;
  };
  CHECK(replaced() == 1);  // there was none
  {
    LmdbStore store(path);
    REQUIRE(store.Open(Identity()).ok());
    Fill(store, 100);
    CHECK(LmdbStore::Replace(path, Identity(), {&bytes}).code() == StatusCode::kExists);
  }
  CHECK(replaced() == 1);
  std::ofstream(path + "/data.mdb", std::ios::trunc) << "damaged";
  CHECK(replaced() == 1);
  // One that was killed left what it had made.
  std::filesystem::copy(path, path + "/made");
  CHECK(replaced() == 1);
  CHECK_FALSE(std::filesystem::exists(path + "/made"));
  std::filesystem::copy(path, path + "/made");
  REQUIRE(LmdbStore::Empty(path).ok());
  std::filesystem::create_directory(path + "/made");  // and somebody removed the rest
  LmdbStore store(path);
  REQUIRE(store.Open(Identity()).ToString() == "ok");
  CHECK(store.Stats().entries == 0);
}

TEST_CASE("what a killed process had committed is there, and nothing else") {
  TempDir dir;
  std::string path = dir.path + "/state";
  pid_t child = fork();
  if (child == 0) {
    LmdbStore store(path);
    if (!store.Open(Identity()).ok()) _exit(1);
    Fill(store, 100);
    kill(getpid(), SIGKILL);
  }
  int result = 0;
  waitpid(child, &result, 0);
  REQUIRE(WIFSIGNALED(result));
  LmdbStore store(path);
  REQUIRE(store.Open(Identity()).ToString() == "ok");
  int count = 0;
  CHECK(LoadAll(store, &count).ok());
  CHECK(count == 100);
  CHECK(store.epoch() == 1);
}

}  // namespace
}  // namespace weir
