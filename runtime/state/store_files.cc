#include "runtime/state/store_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace weir {

namespace {

Status Failed(const char* doing, const std::string& path) { return Status::FromErrno(errno, doing + (" " + path)); }

class FileReader final : public StoreFiles::Reader {
 public:
  FileReader(int fd, uint64_t size, std::string path) : fd_(fd), size_(size), path_(std::move(path)) {}
  ~FileReader() override { close(fd_); }
  uint64_t size() const override { return size_; }
  Status Read(uint64_t at, uint32_t size, char* to) const override {
    while (size > 0) {
      ssize_t n = pread(fd_, to, size, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failed("reading", path_);
      if (n == 0) return Status::Corrupt(path_ + " was cut off");
      at += static_cast<uint64_t>(n);
      to += n;
      size -= static_cast<uint32_t>(n);
    }
    return Status();
  }

 private:
  int fd_;
  uint64_t size_;
  std::string path_;
};

class FileWriter final : public StoreFiles::Writer {
 public:
  FileWriter(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~FileWriter() override { close(fd_); }
  Status Append(Str bytes) override {
    const char* at = bytes.data;
    for (size_t left = bytes.size; left > 0;) {
      ssize_t n = write(fd_, at, left);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failed("writing", path_);
      at += n;
      left -= static_cast<size_t>(n);
    }
    return Status();
  }
  Status Sync() override { return fdatasync(fd_) == 0 ? Status() : Failed("syncing", path_); }

 private:
  int fd_;
  std::string path_;
};

Status ListNames(const std::string& directory, std::vector<std::string>* names) {
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) return errno == ENOENT ? Status() : Failed("reading", directory);
  while (dirent* entry = readdir(dir)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names->push_back(std::move(name));
  }
  closedir(dir);
  return Status();
}

class DirectoryFiles final : public StoreFiles {
 public:
  explicit DirectoryFiles(std::string directory) : directory_(std::move(directory)) {}
  const std::string& where() const override { return directory_; }

  Status List(std::vector<std::string>* names) override { return ListNames(directory_, names); }

  Status Create(const std::string& name, std::unique_ptr<Writer>* out) override {
    if (Status status = MakeDirectory(directory_); !status.ok()) return status;
    std::string path = PathOf(name);
    // Another file, not the same one emptied: whoever reads the old one goes on reading it.
    (void)unlink(path.c_str());
    // What is stored is as confidential as the topics it came from.
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return Failed("making", path);
    *out = std::make_unique<FileWriter>(fd, std::move(path));
    return Status();
  }

  Status Open(const std::string& name, std::unique_ptr<Reader>* out) override {
    std::string path = PathOf(name);
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Failed("opening", path);
    struct stat info;
    Status status;
    if (fstat(fd, &info) != 0) status = Failed("opening", path);
    if (status.ok() && !S_ISREG(info.st_mode)) status = Status::Corrupt(path + " is no file");
    if (!status.ok()) {
      close(fd);
      return status;
    }
    *out = std::make_unique<FileReader>(fd, static_cast<uint64_t>(info.st_size), std::move(path));
    return status;
  }

  Status Rename(const std::string& from, const std::string& to) override {
    return rename(PathOf(from).c_str(), PathOf(to).c_str()) == 0 ? Status() : Failed("renaming", PathOf(from));
  }

  Status Sync(const std::string& name) override { return SyncPath(PathOf(name), 0); }
  Status SyncNames() override { return SyncPath(directory_, O_DIRECTORY); }

  Status Remove(const std::string& name) override {
    return unlink(PathOf(name).c_str()) == 0 || errno == ENOENT ? Status() : Failed("removing", PathOf(name));
  }

  Status RemoveDirectory() override {
    made_ = false;
    return rmdir(directory_.c_str()) == 0 || errno == ENOENT || errno == ENOTEMPTY ? Status() : Failed("removing", directory_);
  }

 private:
  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }

  static Status SyncPath(const std::string& path, int flags) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0) return Failed("opening", path);
    Status status = fsync(fd) == 0 ? Status() : Failed("syncing", path);
    close(fd);
    return status;
  }

  Status MakeDirectory(const std::string& path) {
    if (made_) return Status();
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      if (errno != ENOENT) return Failed("making", path);
      size_t slash = path.rfind('/');
      if (slash == std::string::npos || slash == 0) return Failed("making", path);
      if (Status status = MakeDirectory(path.substr(0, slash)); !status.ok()) return status;
      if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("making", path);
    }
    made_ = path == directory_;
    return Status();
  }

  std::string directory_;
  bool made_ = false;
};

using Bytes = std::shared_ptr<std::string>;

class MemoryReader final : public StoreFiles::Reader {
 public:
  explicit MemoryReader(Bytes bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_->size(); }
  Status Read(uint64_t at, uint32_t size, char* to) const override {
    if (at > bytes_->size() || size > bytes_->size() - at) return Status::Corrupt("a file in memory was cut off");
    if (size != 0) std::memcpy(to, bytes_->data() + at, size);
    return Status();
  }

 private:
  Bytes bytes_;
};

class MemoryWriter final : public StoreFiles::Writer {
 public:
  explicit MemoryWriter(Bytes bytes) : bytes_(std::move(bytes)) {}
  Status Append(Str bytes) override {
    bytes_->append(bytes.data, bytes.size);
    return Status();
  }
  Status Sync() override { return Status(); }

 private:
  Bytes bytes_;
};

class MemoryFiles final : public StoreFiles {
 public:
  const std::string& where() const override {
    static const std::string kWhere = "memory";
    return kWhere;
  }
  Status List(std::vector<std::string>* names) override {
    for (const auto& [name, bytes] : files_) names->push_back(name);
    return Status();
  }
  Status Create(const std::string& name, std::unique_ptr<Writer>* out) override {
    Bytes& bytes = files_[name];
    bytes = std::make_shared<std::string>();  // who reads the old one goes on reading it
    *out = std::make_unique<MemoryWriter>(bytes);
    return Status();
  }
  Status Open(const std::string& name, std::unique_ptr<Reader>* out) override {
    auto at = files_.find(name);
    if (at == files_.end()) return Status::NotFound(name);
    *out = std::make_unique<MemoryReader>(at->second);
    return Status();
  }
  Status Rename(const std::string& from, const std::string& to) override {
    auto at = files_.find(from);
    if (at == files_.end()) return Status::NotFound(from);
    Bytes bytes = std::move(at->second);
    files_.erase(at);
    files_[to] = std::move(bytes);
    return Status();
  }
  Status Sync(const std::string& name) override { return Status(); }
  Status SyncNames() override { return Status(); }
  Status Remove(const std::string& name) override {
    files_.erase(name);
    return Status();
  }

 private:
  std::map<std::string, Bytes> files_;
};

}  // namespace

std::unique_ptr<StoreFiles> MakeDirectoryFiles(std::string directory) {
  return std::make_unique<DirectoryFiles>(std::move(directory));
}

Status ListDirectories(const std::string& directory, std::vector<std::string>* names) {
  std::vector<std::string> all;
  Status status = ListNames(directory, &all);
  for (std::string& name : all) {
    struct stat info;
    if (lstat((directory + "/" + name).c_str(), &info) == 0 && S_ISDIR(info.st_mode)) names->push_back(std::move(name));
  }
  return status;
}

std::unique_ptr<StoreFiles> MakeMemoryFiles() { return std::make_unique<MemoryFiles>(); }

}  // namespace weir
