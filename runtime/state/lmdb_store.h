// The store on disk: one LMDB environment in one directory.
//
// In the directory: `lock`, held with flock for the life of the process; `data.mdb`, the environment. It has two
// databases. `meta` holds "format" (u32, little endian), "uuid" (16 bytes), "identity" (see WriteIdentity) and "epoch"
// (u64, little endian). `state` holds an entry per key of AppendStoreKey; a key longer than LMDB takes is cut and ends in
// the 16 bytes of its hash. A value is
//
//   crc32c    4 bytes, little endian, of the database's key and of everything behind these 4 bytes
//   flags     1 byte; 1: the key was cut, and its size (4 bytes, little endian) and its bytes follow
//   payload
//
// A commit is one synced write transaction. LMDB writes copies of pages and switches between two roots, so a torn
// commit is none; it has no checksums of its own, hence ours.
#pragma once

#include <atomic>
#include <string>

#include "runtime/state/store.h"

struct MDB_env;
struct MDB_txn;

namespace weir {

class LmdbStore : public Store {
 public:
  struct Options {
    size_t map_bytes = 256 << 20;  // to begin with; it grows as needed
  };
  explicit LmdbStore(std::string directory) : LmdbStore(std::move(directory), Options()) {}
  LmdbStore(std::string directory, Options options);
  ~LmdbStore() override;

  Status Open(const StoreIdentity& identity) override;
  Status Load(uint64_t step, StateKind kind, const Visitor& visitor) override;
  Status Commit(uint64_t epoch, const std::vector<const Buffer*>& deltas) override;
  uint64_t epoch() const override { return epoch_; }
  StoreStats Stats() const override;
  void Close() override;

  // Whether a state is stored in a directory.
  static bool Exists(const std::string& directory);
  // Removes what is stored in a directory, be it damaged or of another pipeline. Nothing happens where there is none.
  // kExists: a process uses it.
  static Status Empty(const std::string& directory);
  // The same, and puts a state of `identity` with these deltas in its place: a process that dies has done both or neither.
  static Status Replace(const std::string& directory, const StoreIdentity& identity, const std::vector<const Buffer*>& deltas);

  // Names this state for ever, in hex. After Open.
  const std::string& uuid() const { return uuid_; }

 private:
  Status TakeDirectory();
  Status OpenEnvironment();
  Status CheckLength(std::string* cut_off);
  Status Walk();
  Status ReadMeta(const StoreIdentity& identity);
  // The deltas in one transaction; *full when the map is too small, and nothing happened.
  Status TryCommit(uint64_t epoch, const std::vector<const Buffer*>& deltas, bool* full);
  Status Failed(int error, const char* doing) const;

  std::string directory_;
  Options options_;
  int lock_fd_ = -1;
  MDB_env* env_ = nullptr;
  unsigned meta_ = 0, state_ = 0;
  size_t key_max_ = 0;
  uint64_t epoch_ = 0;
  std::string uuid_;
  bool failed_ = false;
  Buffer key_, value_;
  std::atomic<uint64_t> entries_{0}, bytes_{0};
};

}  // namespace weir
