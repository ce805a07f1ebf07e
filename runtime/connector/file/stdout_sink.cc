#include "runtime/connector/file/stdout_sink.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "runtime/connector/file/file_sink.h"

namespace weir::file {
namespace {

constexpr size_t kWaitingBytesMax = 4 << 20;
constexpr int64_t kLeaveNsMax = 5'000'000'000;

}  // namespace

void StreamWriter::Join(Loop* loop) {
  std::lock_guard<std::mutex> lock(mutex_);
  loops_.push_back(loop);
  if (running_) return;
  running_ = true;
  stop_ = false;
  // The thread owns a share: a write that never returns must not keep the process from ending.
  std::thread(Run, shared_from_this()).detach();
}

void StreamWriter::Run(std::shared_ptr<StreamWriter> self) {
  sigset_t pipe;  // a reader that has gone is an error of this write, not the end of the process
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  std::vector<char> bytes;
  std::unique_lock<std::mutex> lock(self->mutex_);
  while (true) {
    self->wake_.wait(lock, [&] { return self->stop_ || !self->waiting_.empty(); });
    if (self->waiting_.empty() || !self->failed_.ok()) break;
    bytes.clear();
    bytes.swap(self->waiting_);
    lock.unlock();
    size_t at = 0;
    int error = 0;
    while (at < bytes.size() && error == 0) {
      ssize_t n = write(self->fd_, bytes.data() + at, bytes.size() - at);
      if (n >= 0) {
        at += static_cast<size_t>(n);
      } else if (errno != EINTR) {
        error = errno;
      }
    }
    lock.lock();
    self->written_ += at;
    if (error) self->failed_ = Status::FromErrno(error, "writing stdout");
    for (Loop* loop : self->loops_) {
      if (loop) loop->Wake();
    }
    self->wake_.notify_all();
    if (error) break;
  }
  self->running_ = false;
  self->wake_.notify_all();
}

uint64_t StreamWriter::Add(const Buffer& bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  waiting_.insert(waiting_.end(), bytes.data(), bytes.data() + bytes.size());
  taken_ += bytes.size();
  wake_.notify_all();
  return taken_;
}

bool StreamWriter::Full() {
  std::lock_guard<std::mutex> lock(mutex_);
  return taken_ - written_ > kWaitingBytesMax;
}

uint64_t StreamWriter::Written(Status* failed) {
  std::lock_guard<std::mutex> lock(mutex_);
  *failed = failed_;
  return written_;
}

void StreamWriter::Leave(Loop* loop, int64_t wait_ns_max) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (auto found = std::find(loops_.begin(), loops_.end(), loop); found != loops_.end()) loops_.erase(found);
  if (!loops_.empty()) return;
  stop_ = true;
  wake_.notify_all();
  wake_.wait_for(lock, std::chrono::nanoseconds(wait_ns_max), [&] { return !running_; });
}

Status StdoutSink::Open(const SinkPosition&) {
  open_ = true;
  writer_->Join(loop_);
  return Status();
}

Status StdoutSink::Write(const OutputBuffer& outputs, std::vector<Refused>*) {
  if (outputs.records.empty()) return Status();
  lines_.Clear();
  size_t first = waiting_.size();
  for (const OutputRecord& record : outputs.records) {
    AppendLine(outputs, record, &lines_);
    if (waiting_.size() == first || waiting_.back().ticket != record.ticket) waiting_.push_back({0, record.ticket, 0});
    ++waiting_.back().count;
  }
  uint64_t end = writer_->Add(lines_);
  for (size_t i = first; i < waiting_.size(); ++i) waiting_[i].end = end;
  return Status();
}

Status StdoutSink::Poll() {
  if (waiting_.empty()) return Status();
  Status failed;
  uint64_t written = writer_->Written(&failed);
  while (!waiting_.empty() && waiting_.front().end <= written) {
    if (waiting_.front().ticket) waiting_.front().ticket->Lower(waiting_.front().count);
    waiting_.pop_front();
  }
  return failed;
}

void StdoutSink::Close() {
  if (!open_) return;
  open_ = false;
  writer_->Leave(loop_, kLeaveNsMax);
}

}  // namespace weir::file
