#include "runtime/connector/file/file_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::file {
namespace {

constexpr size_t kWriteBytes = 1 << 20;

// A new name is safe only once its directory is.
Status SyncDirectory(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Status::FromErrno(errno, "opening directory `" + directory + "`");
  int result = fsync(fd), error = errno;
  close(fd);
  return result == 0 ? Status() : Status::FromErrno(error, "syncing directory `" + directory + "`");
}

}  // namespace

void AppendLine(const OutputBuffer& outputs, const OutputRecord& record, Buffer* out) {
  if (!record.has_value) {
    out->Append("null\n", 5);
    return;
  }
  const char* at = outputs.bytes.data() + record.value_begin;
  const char* end = at + record.value_size;
  while (const void* newline = at < end ? memchr(at, '\n', static_cast<size_t>(end - at)) : nullptr) {
    const char* stop = static_cast<const char*>(newline);
    out->Append(at, static_cast<size_t>(stop - at));
    out->Append("\\n", 2);
    at = stop + 1;
  }
  out->Append(at, static_cast<size_t>(end - at));
  out->Append('\n');
}

Status FileSink::Open(const SinkPosition& committed) {
  created_ = access(path_.c_str(), F_OK) != 0;
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) return Status::FromErrno(errno, "opening file `" + path_ + "` to write");
  struct stat info;
  if (fstat(fd_, &info) != 0) return Status::FromErrno(errno, "file `" + path_ + "`");
  if (!S_ISREG(info.st_mode)) {
    return Status::Invalid("`" + path_ + "` is no regular file: what cannot be cut back is written with stdout");
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Status::FromErrno(errno, "locking file `" + path_ + "`");
    return Status::Exists("file `" + path_ + "` is being written by another pipeline");
  }
  length_ = info.st_size;
  if (committed.length < 0) return Status();
  if (length_ < committed.length) {
    return Status::Corrupt("file `" + path_ + "` has " + std::to_string(length_) + " bytes, and " +
                           std::to_string(committed.length) + " were committed: it was cut or replaced");
  }
  if (length_ > committed.length) {
    if (ftruncate(fd_, committed.length) != 0 || fsync(fd_) != 0) {
      return Status::FromErrno(errno, "cutting file `" + path_ + "` back to what was committed");
    }
    length_ = committed.length;
  }
  synced_ = true;
  return Status();
}

Status FileSink::Write(const OutputBuffer& outputs, std::vector<Refused>*) {
  for (const OutputRecord& record : outputs.records) {
    AppendLine(outputs, record, &lines_);
    if (lines_.size() >= kWriteBytes) {
      if (Status status = WriteOut(); !status.ok()) return status;
    }
  }
  return Status();
}

Status FileSink::WriteOut() {
  const char* at = lines_.data();
  size_t left = lines_.size();
  while (left > 0) {
    ssize_t n = pwrite(fd_, at, left, length_);
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::FromErrno(errno, "writing file `" + path_ + "`");
    }
    at += n;
    left -= static_cast<size_t>(n);
    length_ += n;
    synced_ = false;
  }
  lines_.Clear();
  lines_.Trim(4 * kWriteBytes);
  return Status();
}

Status FileSink::Prepare(SinkPosition* position) {
  if (Status status = WriteOut(); !status.ok()) return status;
  if (created_) {
    if (Status status = SyncDirectory(path_); !status.ok()) return status;
    created_ = false;
  }
  if (!synced_) {
    if (fsync(fd_) != 0) return Status::FromErrno(errno, "syncing file `" + path_ + "`");
    synced_ = true;
  }
  position->length = length_;
  return Status();
}

void FileSink::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace weir::file
