#include "runtime/testing/simulated_disk.h"

#include <cstring>
#include <utility>

namespace weir {

// A file that is open is the file it was, whatever takes its name.
class SimulatedDisk::DiskReader final : public StoreFiles::Reader {
 public:
  DiskReader(SimulatedDisk* disk, std::shared_ptr<File> file) : disk_(disk), file_(std::move(file)) {}
  uint64_t size() const override { return file_->bytes.size(); }
  Status Read(uint64_t at, uint32_t size, char* to) const override {
    if (disk_->Happens(disk_->faults.read_fails, "disk read failed")) return Status::Io("reading: the disk failed");
    if (at > file_->bytes.size() || size > file_->bytes.size() - at) return Status::Corrupt("a file was cut off");
    std::memcpy(to, file_->bytes.data() + at, size);
    return Status();
  }

 private:
  SimulatedDisk* disk_;
  std::shared_ptr<File> file_;
};

class SimulatedDisk::DiskWriter final : public StoreFiles::Writer {
 public:
  DiskWriter(SimulatedDisk* disk, std::shared_ptr<File> file) : disk_(disk), file_(std::move(file)) {}
  Status Append(Str bytes) override {
    if (disk_->Happens(disk_->faults.write_fails, "disk full")) {
      file_->bytes.append(bytes.data, bytes.size / 2);
      return Status::Io("writing: no space left on device");
    }
    file_->bytes.append(bytes.data, bytes.size);
    return Status();
  }
  Status Sync() override {
    if (disk_->Happens(disk_->faults.sync_fails, "disk sync failed")) return Status::Io("syncing: the disk failed");
    if (!disk_->Happens(disk_->faults.sync_lies, "disk sync lied")) file_->synced = file_->bytes.size();
    return Status();
  }

 private:
  SimulatedDisk* disk_;
  std::shared_ptr<File> file_;
};

class SimulatedDisk::Of final : public StoreFiles {
 public:
  Of(SimulatedDisk* disk, std::string name) : disk_(disk), name_(std::move(name)) {}
  const std::string& where() const override { return name_; }
  Status List(std::vector<std::string>* names) override {
    for (const auto& [name, file] : directory().now) names->push_back(name);
    return Status();
  }
  Status Create(const std::string& name, std::unique_ptr<StoreFiles::Writer>* out) override {
    if (disk_->Happens(disk_->faults.name_fails, "disk refused a name")) return Status::Io("making: no space left on device");
    auto file = std::make_shared<File>();
    directory().now[name] = file;
    *out = std::make_unique<DiskWriter>(disk_, std::move(file));
    return Status();
  }
  Status Open(const std::string& name, std::unique_ptr<StoreFiles::Reader>* out) override {
    auto at = directory().now.find(name);
    if (at == directory().now.end()) return Status::NotFound(name);
    *out = std::make_unique<DiskReader>(disk_, at->second);
    return Status();
  }
  Status Rename(const std::string& from, const std::string& to) override {
    if (disk_->Happens(disk_->faults.name_fails, "disk refused a name")) return Status::Io("renaming: the disk failed");
    FilesByName& now = directory().now;
    auto at = now.find(from);
    if (at == now.end()) return Status::NotFound(from);
    std::shared_ptr<File> file = std::move(at->second);
    now.erase(at);
    now[to] = std::move(file);
    return Status();
  }
  Status Sync(const std::string& name) override {
    auto at = directory().now.find(name);
    if (at == directory().now.end()) return Status::NotFound(name);
    return DiskWriter(disk_, at->second).Sync();
  }
  Status SyncNames() override {
    if (disk_->Happens(disk_->faults.sync_fails, "disk sync failed")) return Status::Io("syncing: the disk failed");
    if (!disk_->Happens(disk_->faults.sync_lies, "disk sync lied")) directory().synced = directory().now;
    return Status();
  }
  Status Remove(const std::string& name) override {
    if (disk_->Happens(disk_->faults.name_fails, "disk refused a name")) return Status::Io("removing: the disk failed");
    directory().now.erase(name);
    return Status();
  }

 private:
  Directory& directory() { return disk_->directories_[name_]; }

  SimulatedDisk* disk_;
  std::string name_;
};

std::unique_ptr<StoreFiles> SimulatedDisk::Files(const std::string& directory) { return std::make_unique<Of>(this, directory); }

void SimulatedDisk::LosePower() {
  count_("disk lost power");
  for (auto& [where, directory] : directories_) {
    // Of each name that changed since, the old or the new.
    FilesByName left;
    auto keep = [&](const std::string& name, const FilesByName& from) {
      auto at = from.find(name);
      if (at != from.end()) left[name] = at->second;
    };
    for (const FilesByName* names : {&directory.now, &directory.synced}) {
      for (const auto& [name, file] : *names) {
        if (left.count(name) == 0) keep(name, draw_(2) == 0 ? directory.now : directory.synced);
      }
    }
    for (auto& [name, file] : left) {
      auto torn = std::make_shared<File>(*file);
      size_t open = torn->bytes.size() - torn->synced;
      if (open != 0) {
        size_t kept = torn->synced + draw_(open + 1);
        switch (draw_(4)) {
          case 0: break;
          case 1: torn->bytes.resize(kept); break;
          case 2: std::memset(torn->bytes.data() + kept, 0, torn->bytes.size() - kept); break;
          default: torn->bytes.resize(torn->synced); break;
        }
      }
      torn->synced = torn->bytes.size();
      file = std::move(torn);
    }
    directory.now = left;
    directory.synced = std::move(left);
  }
}

void SimulatedDisk::Damage() {
  for (auto& [where, directory] : directories_) {
    if (directory.now.empty()) continue;
    auto at = directory.now.begin();
    std::advance(at, draw_(directory.now.size()));
    auto file = std::make_shared<File>(*at->second);
    if (file->bytes.empty()) continue;
    size_t byte = draw_(file->bytes.size());
    if (draw_(3) == 0) {
      file->bytes.resize(byte);
      count_("disk cut a file off");
    } else {
      file->bytes[byte] = static_cast<char>(file->bytes[byte] ^ (1 + draw_(255)));
      count_("disk changed a byte");
    }
    file->synced = file->bytes.size();
    at->second = std::move(file);
  }
}

void SimulatedDisk::Save() {
  saved_.clear();
  for (const auto& [where, directory] : directories_) {
    for (const auto& [name, file] : directory.now) saved_[where][name] = file->bytes;
  }
}

bool SimulatedDisk::RestoreSaved() {
  if (saved_.empty()) return false;
  directories_.clear();
  for (const auto& [where, files] : saved_) {
    for (const auto& [name, bytes] : files) {
      directories_[where].now[name] = std::make_shared<File>(File{bytes, bytes.size()});
    }
    directories_[where].synced = directories_[where].now;
  }
  count_("disk was swapped for an old one");
  return true;
}

}  // namespace weir
