// For tests: a disk in memory that counts what is written, fails when it is told to, and forgets what was not synced
// when its machine crashes.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/state/store_files.h"

namespace weir {

// Outlives the files on it. One lock for all of it, so that tests with threads may share one.
class FaultyDisk {
 public:
  struct File {
    std::string bytes;
    size_t synced = 0;  // bytes of it that survive the machine
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;

  Names files;
  uint64_t bytes_written = 0;
  // The call of this number fails, and every later one while `stays_broken`; -1: none. Removing and listing never fail.
  int64_t fail_at = -1;
  bool stays_broken = false;
  // A failing change of name has been made all the same.
  bool fails_after_the_fact = false;
  int64_t calls = 0;
  // Called by each sync before it, by whoever syncs, without the lock: a disk that takes its time.
  std::function<void()> syncing;
  std::mutex mutex;

  FaultyDisk() = default;
  // All bytes of its own.
  explicit FaultyDisk(const Names& names) {
    for (const auto& [name, file] : names) files[name] = std::make_shared<File>(*file);
    moments_ = {files};
  }

  bool Fails() {
    int64_t call = calls++;
    return fail_at >= 0 && (stays_broken ? call >= fail_at : call == fail_at);
  }
  void NamesChanged() { moments_.push_back(files); }
  void NamesSynced() { moments_ = {files}; }
  // How many states of the directory a crash of the machine may leave.
  size_t moments() const { return moments_.size(); }
  // What is there after it.
  Names Crash(size_t moment) const {
    Names left;
    for (const auto& [name, file] : moments_[moment]) {
      left[name] = std::make_shared<File>(File{file->bytes.substr(0, file->synced), file->synced});
    }
    return left;
  }

 private:
  std::vector<Names> moments_{Names()};  // since names were synced, the first one being what was synced
};

class FaultyFiles final : public StoreFiles {
 public:
  explicit FaultyFiles(FaultyDisk* disk) : disk_(disk) {}

  const std::string& where() const override {
    static const std::string kWhere = "a faulty disk";
    return kWhere;
  }
  Status List(std::vector<std::string>* names) override {
    std::lock_guard<std::mutex> lock(disk_->mutex);
    for (const auto& [name, file] : disk_->files) names->push_back(name);
    return Status();
  }
  Status Create(const std::string& name, std::unique_ptr<Writer>* out) override {
    std::lock_guard<std::mutex> lock(disk_->mutex);
    if (disk_->Fails()) return Broken("making", name);
    auto file = std::make_shared<FaultyDisk::File>();
    disk_->files[name] = file;
    disk_->NamesChanged();
    *out = std::make_unique<OneWriter>(disk_, std::move(file));
    return Status();
  }
  Status Open(const std::string& name, std::unique_ptr<Reader>* out) override {
    std::lock_guard<std::mutex> lock(disk_->mutex);
    if (disk_->Fails()) return Broken("opening", name);
    auto at = disk_->files.find(name);
    if (at == disk_->files.end()) return Status::NotFound(name);
    *out = std::make_unique<OneReader>(disk_, at->second);
    return Status();
  }
  Status Rename(const std::string& from, const std::string& to) override {
    std::lock_guard<std::mutex> lock(disk_->mutex);
    bool fails = disk_->Fails();
    auto at = disk_->files.find(from);
    if (at == disk_->files.end()) return Status::NotFound(from);
    if (!fails || disk_->fails_after_the_fact) {
      auto file = at->second;
      disk_->files.erase(at);
      disk_->files[to] = std::move(file);
      disk_->NamesChanged();
    }
    return fails ? Broken("renaming", from) : Status();
  }
  Status Sync(const std::string& name) override {
    if (disk_->syncing) disk_->syncing();
    std::lock_guard<std::mutex> lock(disk_->mutex);
    if (disk_->Fails()) return Broken("syncing", name);
    auto at = disk_->files.find(name);
    if (at == disk_->files.end()) return Status::NotFound(name);
    at->second->synced = at->second->bytes.size();
    return Status();
  }
  Status SyncNames() override {
    if (disk_->syncing) disk_->syncing();
    std::lock_guard<std::mutex> lock(disk_->mutex);
    if (disk_->Fails()) return Broken("syncing", "the directory");
    disk_->NamesSynced();
    return Status();
  }
  Status Remove(const std::string& name) override {
    std::lock_guard<std::mutex> lock(disk_->mutex);
    if (disk_->files.erase(name) != 0) disk_->NamesChanged();
    return Status();
  }

 private:
  static Status Broken(const char* doing, const std::string& name) {
    return Status::Io(std::string(doing) + " " + name + ": the disk is broken");
  }

  class OneReader final : public Reader {
   public:
    OneReader(FaultyDisk* disk, std::shared_ptr<FaultyDisk::File> file) : disk_(disk), file_(std::move(file)) {}
    uint64_t size() const override { return file_->bytes.size(); }
    Status Read(uint64_t at, uint32_t size, char* to) const override {
      std::lock_guard<std::mutex> lock(disk_->mutex);
      if (disk_->Fails()) return Broken("reading", "a file");
      const std::string& bytes = file_->bytes;
      if (at > bytes.size() || size > bytes.size() - at) return Status::Corrupt("the file was cut off");
      if (size != 0) std::memcpy(to, bytes.data() + at, size);
      return Status();
    }

   private:
    FaultyDisk* disk_;
    std::shared_ptr<FaultyDisk::File> file_;
  };

  class OneWriter final : public Writer {
   public:
    OneWriter(FaultyDisk* disk, std::shared_ptr<FaultyDisk::File> file) : disk_(disk), file_(std::move(file)) {}
    Status Append(Str bytes) override {
      std::lock_guard<std::mutex> lock(disk_->mutex);
      const bool fails = disk_->Fails();
      // What a full disk does: some of it is there.
      file_->bytes.append(bytes.data, fails ? bytes.size / 2 : bytes.size);
      disk_->bytes_written += bytes.size;
      return fails ? Broken("writing", "a file") : Status();
    }
    Status Sync() override {
      if (disk_->syncing) disk_->syncing();
      std::lock_guard<std::mutex> lock(disk_->mutex);
      if (disk_->Fails()) return Broken("syncing", "a file");
      file_->synced = file_->bytes.size();
      return Status();
    }

   private:
    FaultyDisk* disk_;
    std::shared_ptr<FaultyDisk::File> file_;
  };

  FaultyDisk* disk_;
};

}  // namespace weir
