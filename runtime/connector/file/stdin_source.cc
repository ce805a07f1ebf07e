#include "runtime/connector/file/stdin_source.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::file {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kAheadMax = 16;  // pieces of kReadBytes

}  // namespace

Status StdinSource::Partitions(int64_t, int32_t* count) {
  *count = 1;
  return Status();
}

Status StdinSource::Open(const std::vector<int32_t>& mine, SourceEvents* events) {
  events_ = events;
  mine_ = !mine.empty();
  return Status();
}

void StdinSource::ReadAhead() {
  std::string piece;
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      room_.wait(lock, [&] { return stop_ || ahead_.size() < kAheadMax; });
      if (stop_) return;
    }
    pollfd wait[2] = {{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    if (poll(wait, 2, -1) < 0 && errno == EINTR) continue;
    if (wait[1].revents) return;
    piece.resize(kReadBytes);
    ssize_t n = read(fd_, piece.data(), piece.size());
    int error = errno;
    if (n < 0 && (error == EINTR || error == EAGAIN)) continue;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (n > 0) {
        piece.resize(static_cast<size_t>(n));
        ahead_.push_back(std::move(piece));
      } else {
        ended_ = true;
        if (n < 0) failed_ = Status::FromErrno(error, "reading stdin");
      }
    }
    if (loop_) loop_->Wake();
    if (n <= 0) return;
  }
}

Status StdinSource::Poll(std::unique_ptr<Batch>* batch) {
  batch->reset();
  if (!mine_ || finished_ || held_) return Status();
  if (!lines_) {
    std::vector<Position> positions;
    if (events_) events_->Assigned({0}, &positions);
    int64_t offset = positions.empty() || positions[0].offset < 0 ? 0 : positions[0].offset;
    lines_ = std::make_unique<LineSplitter>(options_, 0, offset);
    stop_fd_ = eventfd(0, EFD_CLOEXEC);
    if (stop_fd_ < 0) return Status::FromErrno(errno, "reading stdin");
    thread_ = std::thread([this] { ReadAhead(); });
  }
  while (!*batch) {
    std::string piece;
    bool end = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!ahead_.empty()) {
        piece = std::move(ahead_.front());
        ahead_.pop_front();
        room_.notify_one();
      } else if (!ended_) {
        return Status();
      } else if (!failed_.ok()) {
        return failed_;
      } else {
        end = true;
      }
    }
    if (end) {
      *batch = lines_->Take(true);
      finished_ = true;
      return Status();
    }
    memcpy(lines_->Room(piece.size()), piece.data(), piece.size());
    lines_->Filled(piece.size());
    *batch = lines_->Take(false);
  }
  return Status();
}

PartitionStatus StdinSource::Tell(int32_t) {
  PartitionStatus status;
  status.finished = status.at_end = finished_;
  if (lines_) status.position = lines_->offset();
  return status;
}

Status StdinSource::Ends(int64_t, std::vector<int64_t>* ends) {
  ends->assign(1, INT64_MAX);  // known when it is there
  return Status();
}

void StdinSource::Close() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  room_.notify_all();
  uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof one) != sizeof one) thread_.detach();
  if (thread_.joinable()) thread_.join();
  close(stop_fd_);
  events_ = nullptr;
}

}  // namespace weir::file
