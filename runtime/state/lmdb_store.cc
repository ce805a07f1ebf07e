#include "runtime/state/lmdb_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "runtime/core/crc32c.h"
#include "runtime/core/hash.h"

namespace weir {

namespace {

constexpr uint8_t kCutKey = 1;
// Where a state is made that is to replace another one. A process that was killed may have left some of it.
constexpr const char* kMade = "made";

MDB_val Val(Str bytes) { return MDB_val{bytes.size, const_cast<char*>(bytes.data)}; }
Str View(const MDB_val& val) { return Str(static_cast<const char*>(val.mv_data), val.mv_size); }

uint32_t Checksum(Str key, Str rest) { return Crc32c(rest.data, rest.size, Crc32c(key.data, key.size)); }

// Only the lock, what LMDB makes and what a killed process left may be there.
bool HoldsOtherFiles(const std::string& directory) {
  const std::set<std::string_view> ours = {".", "..", "lock", "data.mdb", kMade};
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) return false;
  bool other = false;
  while (dirent* entry = readdir(dir)) {
    if (ours.count(entry->d_name) == 0) other = true;
  }
  closedir(dir);
  return other;
}

Status SyncDirectory(const std::string& directory) {
  int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Status::FromErrno(errno, "opening " + directory);
  Status status;
  if (fsync(fd) != 0) status = Status::FromErrno(errno, "syncing " + directory);
  close(fd);
  return status;
}

std::string MadeIn(const std::string& directory) { return directory + "/" + kMade; }

Status RemoveMade(const std::string& directory) {
  const std::string made = MadeIn(directory);
  for (const char* file : {"/data.mdb", "/lock"}) {
    if (unlink((made + file).c_str()) != 0 && errno != ENOENT) return Status::FromErrno(errno, "removing " + made + file);
  }
  if (rmdir(made.c_str()) != 0 && errno != ENOENT) return Status::FromErrno(errno, "removing " + made);
  return Status();
}

}  // namespace

LmdbStore::LmdbStore(std::string directory, Options options) : directory_(std::move(directory)), options_(options) {}

LmdbStore::~LmdbStore() { Close(); }

void LmdbStore::Close() {
  if (env_ != nullptr) mdb_env_close(env_);
  env_ = nullptr;
  if (lock_fd_ >= 0) close(lock_fd_);
  lock_fd_ = -1;
}

Status LmdbStore::Failed(int error, const char* doing) const {
  std::string message = fmt::format("state directory {}: {}: {}", directory_, doing, mdb_strerror(error));
  switch (error) {
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
    case MDB_PANIC: return Status::Corrupt(message);
    default: return Status::Io(message);
  }
}

Status LmdbStore::Open(const StoreIdentity& identity) {
  Status status = TakeDirectory();
  if (status.ok()) status = OpenEnvironment();
  if (status.ok()) status = ReadMeta(identity);
  if (!status.ok()) Close();
  return status;
}

Status LmdbStore::TakeDirectory() {
  struct stat info;
  if (mkdir(directory_.c_str(), 0700) != 0) {
    if (errno == ENOENT) {
      return Status::NotFound(fmt::format("state directory {}: its parent directory does not exist", directory_));
    }
    if (errno != EEXIST) return Status::FromErrno(errno, "making the state directory " + directory_);
  }
  if (stat(directory_.c_str(), &info) != 0) return Status::FromErrno(errno, "state directory " + directory_);
  if (!S_ISDIR(info.st_mode)) return Status::Invalid(fmt::format("state directory {} is no directory", directory_));
  std::string data = directory_ + "/data.mdb";
  if (access(data.c_str(), F_OK) != 0 && HoldsOtherFiles(directory_)) {
    return Status::Invalid(fmt::format(
        "{} holds other files and no state: name an empty or new directory for the state", directory_));
  }
  // What is stored is as confidential as the topics it came from.
  if ((info.st_mode & 077) != 0 && chmod(directory_.c_str(), 0700) != 0) {
    return Status::FromErrno(errno, "closing the state directory " + directory_ + " to others");
  }
  std::string lock = directory_ + "/lock";
  lock_fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return Status::FromErrno(errno, "opening " + lock);
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Status::FromErrno(errno, "locking " + lock);
    char pid[32] = {};
    ssize_t n = pread(lock_fd_, pid, sizeof pid - 1, 0);
    std::string who = n > 0 ? fmt::format(" (process {})", std::string_view(pid, static_cast<size_t>(n))) : "";
    return Status::Exists(fmt::format(
        "another process{} runs on the state directory {}: stop it first, or name another directory", who, directory_));
  }
  std::string pid = std::to_string(getpid());
  if (ftruncate(lock_fd_, 0) != 0 || pwrite(lock_fd_, pid.data(), pid.size(), 0) < 0) {
    return Status::FromErrno(errno, "writing " + lock);
  }
  return Status();
}

bool LmdbStore::Exists(const std::string& directory) { return access((directory + "/data.mdb").c_str(), F_OK) == 0; }

Status LmdbStore::Empty(const std::string& directory) {
  std::string data = directory + "/data.mdb";
  if (access(data.c_str(), F_OK) != 0) return Status();
  LmdbStore store(directory);
  Status status = store.TakeDirectory();
  if (status.ok()) status = RemoveMade(directory);
  if (status.ok() && unlink(data.c_str()) != 0) status = Status::FromErrno(errno, "removing " + data);
  if (status.ok()) status = SyncDirectory(directory);
  store.Close();
  return status;
}

Status LmdbStore::Replace(const std::string& directory, const StoreIdentity& identity,
                          const std::vector<const Buffer*>& deltas) {
  auto make = [&](const std::string& where) {
    LmdbStore made(where);
    Status status = made.Open(identity);
    if (status.ok()) status = made.Commit(made.epoch() + 1, deltas);
    made.Close();
    return status;
  };
  const std::string data = directory + "/data.mdb", made = MadeIn(directory) + "/data.mdb";
  if (access(data.c_str(), F_OK) != 0) return make(directory);
  LmdbStore old(directory);
  Status status = old.TakeDirectory();
  if (status.ok()) status = RemoveMade(directory);
  if (status.ok()) status = make(MadeIn(directory));
  if (status.ok() && rename(made.c_str(), data.c_str()) != 0) status = Status::FromErrno(errno, "replacing " + data);
  if (status.ok()) status = SyncDirectory(directory);
  if (status.ok()) status = RemoveMade(directory);
  old.Close();
  return status;
}

Status LmdbStore::OpenEnvironment() {
  std::string data = directory_ + "/data.mdb";
  struct stat info;
  bool fresh = stat(data.c_str(), &info) != 0;
  size_t map = options_.map_bytes;
  if (!fresh) {
    while (map < static_cast<size_t>(info.st_size) * 2) map *= 2;
  }
  int error = mdb_env_create(&env_);
  if (error == 0) error = mdb_env_set_maxdbs(env_, 4);
  if (error == 0) error = mdb_env_set_mapsize(env_, map);
  // One process (flock) and one transaction at a time, so LMDB's own lock file is not needed. Never NOSYNC or WRITEMAP.
  if (error == 0) error = mdb_env_open(env_, directory_.c_str(), MDB_NOTLS | MDB_NOLOCK, 0600);
  if (error != 0) return Failed(error, "opening the store");
  key_max_ = static_cast<size_t>(mdb_env_get_maxkeysize(env_));
  // LMDB's own sanity checks: a damaged tree ends the process with a sentence and a code, not with an abort.
  mdb_env_set_assert(env_, [](MDB_env*, const char* what) {
    fmt::print(stderr, "the local state is damaged ({}): restore it, or start with a new state directory\n", what);
    _exit(3);
  });
  std::string cut_off;
  Status length = CheckLength(&cut_off);
  if (!length.ok()) return length;

  MDB_txn* txn = nullptr;
  error = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (error == 0) error = mdb_dbi_open(txn, "meta", MDB_CREATE, &meta_);
  if (error == 0) error = mdb_dbi_open(txn, "state", MDB_CREATE, &state_);
  if (error == 0) {
    error = mdb_txn_commit(txn);
  } else if (txn != nullptr) {
    mdb_txn_abort(txn);
  }
  if (!cut_off.empty()) {
    bool whole = error == 0 && Walk().ok();
    if (!whole) return Status::Corrupt(cut_off);
  }
  if (error != 0) return Failed(error, "opening the store");
  return fresh ? SyncDirectory(directory_) : Status();
}

// A file that lost its end would kill the process on the first read through the map, so this comes before any. It may
// also be short and whole: LMDB does not write pages at the end that a transaction took and gave back. So the missing
// pages are made, empty, and Walk then says whether one of them was in use.
Status LmdbStore::CheckLength(std::string* cut_off) {
  MDB_envinfo info;
  MDB_stat stat_of;
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat_of);
  mdb_filehandle_t fd;
  mdb_env_get_fd(env_, &fd);
  struct stat file;
  if (fstat(fd, &file) != 0) return Status::FromErrno(errno, "state directory " + directory_);
  uint64_t needed = (static_cast<uint64_t>(info.me_last_pgno) + 1) * stat_of.ms_psize;
  if (static_cast<uint64_t>(file.st_size) >= needed) return Status();
  if (ftruncate(fd, static_cast<off_t>(needed)) != 0) return Status::FromErrno(errno, "state directory " + directory_);
  *cut_off = fmt::format("state directory {}: data.mdb has {} bytes and should have {}: it was cut off", directory_,
                         file.st_size, needed);
  return Status();
}

// Reads every page of the tree: the list of free pages, the heads and the state.
Status LmdbStore::Walk() {
  MDB_txn* txn = nullptr;
  int error = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (error != 0) return Failed(error, "reading the store");
  constexpr MDB_dbi kFreePages = 0;
  Status status;
  for (MDB_dbi dbi : {kFreePages, meta_, state_}) {
    MDB_cursor* cursor = nullptr;
    error = mdb_cursor_open(txn, dbi, &cursor);
    MDB_val key, val;
    if (error == 0) error = mdb_cursor_get(cursor, &key, &val, MDB_FIRST);
    while (error == 0) {
      if (dbi == state_) {
        Str bytes = View(val);
        uint32_t crc = 0;
        if (bytes.size >= 5) std::memcpy(&crc, bytes.data, 4);
        if (bytes.size < 5 || crc != Checksum(View(key), bytes.Sub(4))) error = MDB_CORRUPTED;
      }
      if (error == 0) error = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    if (cursor != nullptr) mdb_cursor_close(cursor);
    if (error != MDB_NOTFOUND) {
      status = Failed(error, "reading the store");
      break;
    }
  }
  mdb_txn_abort(txn);
  return status;
}

Status LmdbStore::ReadMeta(const StoreIdentity& identity) {
  MDB_txn* txn = nullptr;
  int error = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (error != 0) return Failed(error, "reading the store");
  auto get = [&](Str name, MDB_val* out) {
    MDB_val key = Val(name);
    return mdb_get(txn, meta_, &key, out);
  };
  auto put = [&](Str name, Str value) {
    MDB_val key = Val(name), val = Val(value);
    return mdb_put(txn, meta_, &key, &val, 0);
  };
  auto give_up = [&](Status status) {
    mdb_txn_abort(txn);
    return status;
  };

  MDB_val val;
  error = get("format", &val);
  if (error == MDB_NOTFOUND) {
    char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return give_up(Status::Io("no random bytes for a new state"));
    uint32_t format = kStoreFormat;
    error = put("format", Str(reinterpret_cast<char*>(&format), 4));
    if (error == 0) error = put("uuid", Str(bytes, sizeof bytes));
    if (error != 0) return give_up(Failed(error, "writing the store"));
    uuid_.assign(bytes, sizeof bytes);
  } else if (error != 0) {
    return give_up(Failed(error, "reading the store"));
  } else {
    uint32_t format = 0;
    if (val.mv_size == 4) std::memcpy(&format, val.mv_data, 4);
    if (format > kStoreFormat) {
      return give_up(Status::Invalid(fmt::format(
          "the state in {} was written by a newer Weir (format {}, this one reads up to {}): run the newer program",
          directory_, format, kStoreFormat)));
    }
    if (format == 0 || get("uuid", &val) != 0 || val.mv_size != 16) {
      return give_up(Status::Corrupt(fmt::format("state directory {}: its head cannot be read", directory_)));
    }
    uuid_ = View(val).view();
    if (get("epoch", &val) == 0 && val.mv_size == 8) std::memcpy(&epoch_, val.mv_data, 8);
    if (get("identity", &val) == 0) {
      StoreIdentity stored;
      if (!ReadIdentity(View(val), &stored)) {
        return give_up(Status::Corrupt(fmt::format("state directory {}: its head cannot be read", directory_)));
      }
      MDB_cursor* cursor = nullptr;
      error = mdb_cursor_open(txn, state_, &cursor);
      if (error != 0) return give_up(Failed(error, "reading the store"));
      Status fits = CheckIdentity(directory_, kAfreshDirectory, stored, identity, [&](uint64_t hash) {
        uint64_t big = __builtin_bswap64(hash);
        MDB_val key{8, &big}, ignored;
        if (mdb_cursor_get(cursor, &key, &ignored, MDB_SET_RANGE) != 0) return false;
        return key.mv_size >= 8 && std::memcmp(key.mv_data, &big, 8) == 0;
      });
      mdb_cursor_close(cursor);
      if (!fits.ok()) return give_up(fits);
    }
  }
  Buffer head;
  WriteIdentity(identity, &head);
  error = put("identity", head.str());
  if (error != 0) return give_up(Failed(error, "writing the store"));
  MDB_stat stat_of;
  mdb_stat(txn, state_, &stat_of);
  entries_ = stat_of.ms_entries;
  error = mdb_txn_commit(txn);
  if (error != 0) return Failed(error, "writing the store");
  std::string hex;
  for (unsigned char c : uuid_) hex += fmt::format("{:02x}", c);
  uuid_ = hex;
  return Status();
}

Status LmdbStore::Load(uint64_t step, StateKind kind, const Visitor& visitor) {
  MDB_txn* txn = nullptr;
  int error = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (error != 0) return Failed(error, "reading the store");
  MDB_cursor* cursor = nullptr;
  error = mdb_cursor_open(txn, state_, &cursor);
  Status status;
  if (error != 0) status = Failed(error, "reading the store");
  Buffer prefix;
  AppendStoreKey(step, kind, INT32_MIN, Str(), &prefix);
  prefix.Truncate(9);
  MDB_val key = Val(prefix.str()), val;
  MDB_cursor_op op = MDB_SET_RANGE;
  while (status.ok() && (error = mdb_cursor_get(cursor, &key, &val, op)) == 0) {
    op = MDB_NEXT;
    if (key.mv_size < 9 || std::memcmp(key.mv_data, prefix.data(), 9) != 0) {
      error = MDB_NOTFOUND;
      break;
    }
    Str bytes = View(val);
    uint32_t crc = 0;
    if (bytes.size >= 5) std::memcpy(&crc, bytes.data, 4);
    DeltaEntry entry;
    if (bytes.size < 5 || crc != Checksum(View(key), bytes.Sub(4)) || !ReadStoreKey(View(key), &entry)) {
      status = Status::Corrupt(fmt::format("state directory {}: an entry's checksum is wrong", directory_));
      break;
    }
    uint8_t flags = static_cast<uint8_t>(bytes[4]);
    entry.value = bytes.Sub(5);
    if (flags & kCutKey) {
      uint32_t size = 0;
      if (entry.value.size >= 4) std::memcpy(&size, entry.value.data, 4);
      if (entry.value.size < 4 || size > entry.value.size - 4) {
        status = Status::Corrupt(fmt::format("state directory {}: an entry's key cannot be read", directory_));
        break;
      }
      entry.key = entry.value.Sub(4, size);
      entry.value = entry.value.Sub(4 + size);
    }
    status = visitor(entry);
  }
  if (status.ok() && error != MDB_NOTFOUND) status = Failed(error, "reading the store");
  if (cursor != nullptr) mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  return status;
}

Status LmdbStore::Commit(uint64_t epoch, const std::vector<const Buffer*>& deltas) {
  if (failed_) return Status::Io(fmt::format("state directory {}: an earlier write failed", directory_));
  for (;;) {
    bool full = false;
    Status status = TryCommit(epoch, deltas, &full);
    if (full) {
      MDB_envinfo info;
      mdb_env_info(env_, &info);
      int error = mdb_env_set_mapsize(env_, info.me_mapsize * 2);
      if (error == 0) continue;
      status = Failed(error, "growing the store");
    }
    if (!status.ok()) failed_ = true;  // an fsync that failed is never tried again
    if (status.ok()) epoch_ = epoch;
    return status;
  }
}

Status LmdbStore::TryCommit(uint64_t epoch, const std::vector<const Buffer*>& deltas, bool* full) {
  MDB_txn* txn = nullptr;
  int error = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (error != 0) return Failed(error, "beginning a commit");
  for (const Buffer* delta : deltas) {
    DeltaReader reader(*delta);
    DeltaEntry entry;
    while (error == 0 && reader.Next(&entry)) {
      key_.Clear();
      AppendStoreKey(entry.step, entry.kind, entry.partition, entry.key, &key_);
      bool cut = key_.size() > key_max_;
      if (cut) {
        H128 hash = Hash128(entry.key);
        key_.Truncate(key_max_ - sizeof hash);
        key_.Append(&hash, sizeof hash);
      }
      MDB_val key = Val(key_.str());
      if (entry.remove) {
        error = mdb_del(txn, state_, &key, nullptr);
        if (error == MDB_NOTFOUND) error = 0;
        continue;
      }
      value_.Clear();
      char head[5] = {0, 0, 0, 0, static_cast<char>(cut ? kCutKey : 0)};
      value_.Append(head, sizeof head);
      if (cut) {
        value_.Append(&entry.key.size, 4);
        value_.Append(entry.key);
      }
      value_.Append(entry.value);
      uint32_t crc = Checksum(key_.str(), value_.From(4));
      std::memcpy(value_.data(), &crc, 4);
      MDB_val val = Val(value_.str());
      error = mdb_put(txn, state_, &key, &val, 0);
    }
  }
  if (error == 0) {
    MDB_val key = Val("epoch");
    MDB_val val{8, &epoch};
    error = mdb_put(txn, meta_, &key, &val, 0);
  }
  MDB_stat stat_of{};
  if (error == 0) {
    mdb_stat(txn, state_, &stat_of);
    error = mdb_txn_commit(txn);
  } else {
    mdb_txn_abort(txn);
  }
  if (error == MDB_MAP_FULL) {
    *full = true;
    return Status();
  }
  if (error != 0) return Failed(error, "committing");
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  entries_ = stat_of.ms_entries;
  bytes_ = (static_cast<uint64_t>(info.me_last_pgno) + 1) * stat_of.ms_psize;
  return Status();
}

StoreStats LmdbStore::Stats() const { return StoreStats{entries_.load(), bytes_.load()}; }

}  // namespace weir
