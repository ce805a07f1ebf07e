#include "runtime/connector/file/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/connector/file/file_list.h"
#include "runtime/connector/file/fingerprint.h"

namespace weir::file {
namespace {

constexpr size_t kReadBytes = 256 << 10;

}  // namespace

Status FileSource::Partitions(int64_t, int32_t* count) {
  if (Status status = ListFiles(address_, &paths_); !status.ok()) return status;
  *count = static_cast<int32_t>(paths_.size());
  return Status();
}

Status FileSource::Open(const std::vector<int32_t>& mine, SourceEvents* events) {
  if (paths_.empty()) {
    if (Status status = ListFiles(address_, &paths_); !status.ok()) return status;
  }
  mine_ = mine;
  events_ = events;
  return Status();
}

FileSource::File* FileSource::Find(int32_t partition) {
  for (File& file : files_) {
    if (file.partition == partition) return &file;
  }
  return nullptr;
}

Status FileSource::Start() {
  std::vector<Position> positions;
  if (events_) events_->Assigned(mine_, &positions);
  positions.resize(mine_.size());
  files_.resize(mine_.size());
  for (size_t i = 0; i < mine_.size(); ++i) {
    size_t p = static_cast<size_t>(mine_[i]);
    if (p >= paths_.size()) {
      return Status::Corrupt("`" + address_ + "` had more files when it was read before: " +
                             std::to_string(paths_.size()) + " are left");
    }
    files_[i].partition = mine_[i];
    files_[i].path = paths_[p];
    if (Status status = StartFile(&files_[i], positions[i]); !status.ok()) return status;
  }
  return Status();
}

Status FileSource::StartFile(File* file, const Position& position) {
  file->fd = open(file->path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->fd < 0) return Status::FromErrno(errno, "opening file `" + file->path + "`");
  struct stat info;
  if (fstat(file->fd, &info) != 0) return Status::FromErrno(errno, "file `" + file->path + "`");
  file->size = info.st_size;
  file->read = position.offset > 0 ? position.offset : 0;
  if (!position.identity.empty()) {
    if (Status status = CheckFingerprint(file->fd, file->path, position.identity); !status.ok()) return status;
  } else if (file->read > file->size) {
    return Status::Corrupt("file `" + file->path + "` has " + std::to_string(file->size) + " bytes, and " +
                           std::to_string(file->read) + " were read before");
  }
  file->lines = std::make_unique<LineSplitter>(options_, file->partition, file->read);
  posix_fadvise(file->fd, file->read, 0, POSIX_FADV_SEQUENTIAL);
  return Status();
}

Status FileSource::Poll(std::unique_ptr<Batch>* batch) {
  batch->reset();
  if (!started_) {
    started_ = true;
    if (Status status = Start(); !status.ok()) return status;
  }
  for (size_t i = 0; i < files_.size(); ++i) {
    File& file = files_[turn_];
    turn_ = turn_ + 1 < files_.size() ? turn_ + 1 : 0;
    if (file.held) continue;
    while (!file.finished && !*batch) {
      if (Status status = Read(&file, batch); !status.ok()) return status;
    }
    if (*batch) return Status();
  }
  return Status();
}

Status FileSource::Read(File* file, std::unique_ptr<Batch>* batch) {
  char* room = file->lines->Room(kReadBytes);
  ssize_t n = pread(file->fd, room, kReadBytes, file->read);
  if (n < 0) {
    if (errno == EINTR) return Status();
    return Status::FromErrno(errno, "reading file `" + file->path + "`");
  }
  if (n > 0) {
    file->lines->Filled(static_cast<size_t>(n));
    file->read += n;
    *batch = file->lines->Take(false);
    return Status();
  }
  struct stat info;
  if (fstat(file->fd, &info) != 0) return Status::FromErrno(errno, "file `" + file->path + "`");
  file->size = info.st_size;
  if (info.st_size < file->read) {
    return Status::Corrupt("file `" + file->path + "` was cut to " + std::to_string(info.st_size) +
                           " bytes while it was read, " + std::to_string(file->read) + " were read already");
  }
  *batch = file->lines->Take(true);
  file->finished = true;
  return Status();
}

void FileSource::Hold(int32_t partition, bool held) {
  if (File* file = Find(partition)) file->held = held;
}

PartitionStatus FileSource::Tell(int32_t partition) {
  PartitionStatus status;
  if (File* file = Find(partition); file && file->lines) {
    status.finished = status.at_end = file->finished;
    status.position = file->lines->offset();
    status.end_offset = file->size;
  }
  return status;
}

std::string FileSource::Identity(int32_t partition) {
  File* file = Find(partition);
  return file && file->lines ? Fingerprint(file->fd, file->path, file->lines->offset()) : "";
}

Status FileSource::Ends(int64_t, std::vector<int64_t>* ends) {
  ends->clear();
  for (const std::string& path : paths_) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return Status::FromErrno(errno, "file `" + path + "`");
    ends->push_back(info.st_size);
  }
  return Status();
}

void FileSource::Close() {
  for (File& file : files_) {
    if (file.fd >= 0) close(file.fd);
  }
  files_.clear();
  events_ = nullptr;
}

}  // namespace weir::file
