// "1 DEVICE INODE READ HASH-OF-FRONT HASH-OF-BACK NAME", numbers in decimal, hashes in hex.
#include "runtime/connector/file/fingerprint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "runtime/core/hash.h"

namespace weir::file {
namespace {

constexpr int64_t kBlock = 4096;

bool HashOf(int fd, int64_t from, int64_t to, uint64_t* hash) {
  char block[kBlock];
  int64_t n = 0;
  while (n < to - from) {
    ssize_t got = pread(fd, block + n, static_cast<size_t>(to - from - n), from + n);
    if (got <= 0) return false;
    n += got;
  }
  *hash = Hash(Str(block, static_cast<size_t>(n)));
  return true;
}

bool Hashes(int fd, int64_t read, uint64_t* front, uint64_t* back) {
  return HashOf(fd, 0, std::min(read, kBlock), front) && HashOf(fd, std::max<int64_t>(read - kBlock, 0), read, back);
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string Fingerprint(int fd, const std::string& path, int64_t read) {
  struct stat info;
  uint64_t front = 0, back = 0;
  if (fstat(fd, &info) != 0 || !Hashes(fd, read, &front, &back)) return "";
  char text[256];
  snprintf(text, sizeof text, "1 %ju %ju %" PRId64 " %016" PRIx64 " %016" PRIx64 " ",
           static_cast<uintmax_t>(info.st_dev), static_cast<uintmax_t>(info.st_ino), read, front, back);
  return text + NameOf(path);
}

Status CheckFingerprint(int fd, const std::string& path, const std::string& fingerprint) {
  uintmax_t device = 0, inode = 0;
  int64_t read = 0;
  uint64_t front = 0, back = 0, front_now = 0, back_now = 0;
  int name_at = 0;
  if (sscanf(fingerprint.c_str(), "1 %ju %ju %" SCNd64 " %" SCNx64 " %" SCNx64 " %n", &device, &inode, &read, &front,
             &back, &name_at) != 5 || name_at == 0) {
    return Status::Corrupt("file `" + path + "`: what is stored about it cannot be read");
  }
  std::string name = fingerprint.substr(static_cast<size_t>(name_at));
  if (name != NameOf(path)) {
    return Status::Corrupt("`" + NameOf(path) + "` stands where `" + name +
                           "` was read before: files may only be added behind those that were there, by name");
  }
  struct stat info;
  if (fstat(fd, &info) != 0) return Status::Io("file `" + path + "` cannot be looked at");
  if (info.st_size < read) {
    return Status::Corrupt("file `" + path + "` has " + std::to_string(info.st_size) + " bytes, and " +
                           std::to_string(read) + " were read before: it was cut or replaced");
  }
  if (!Hashes(fd, read, &front_now, &back_now)) return Status::Io("file `" + path + "` cannot be read");
  if (front_now != front || back_now != back) {
    bool same_file = info.st_dev == device && info.st_ino == inode;
    return Status::Corrupt("file `" + path + "` no longer holds what was read of it: " +
                           (same_file ? "it was written over" : "it was replaced by another"));
  }
  return Status();
}

}  // namespace weir::file
