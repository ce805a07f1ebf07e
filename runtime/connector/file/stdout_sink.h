// Standard output as a sink: one record per line, at once. A record counts as written when the system has taken it.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/sink.h"

namespace weir::file {

// Writes to a descriptor on a thread of its own, so that a reader who does not read slows the pipeline down instead of
// blocking its workers. Shared by all workers. Any thread.
class StreamWriter : public std::enable_shared_from_this<StreamWriter> {
 public:
  explicit StreamWriter(int fd) : fd_(fd) {}

  void Join(Loop* loop);
  // Takes the bytes; returns how many have been taken in all, so that the caller knows when its own are written.
  uint64_t Add(const Buffer& bytes);
  bool Full();
  // How many bytes the system has taken; `failed` when it will take no more.
  uint64_t Written(Status* failed);
  // The last one to leave waits until everything is written, `wait_ns_max` at most.
  void Leave(Loop* loop, int64_t wait_ns_max);

 private:
  static void Run(std::shared_ptr<StreamWriter> self);

  int fd_;
  std::mutex mutex_;  // all below
  std::condition_variable wake_;
  std::vector<char> waiting_;
  uint64_t taken_ = 0, written_ = 0;
  Status failed_;
  std::vector<Loop*> loops_;
  bool running_ = false;
  bool stop_ = false;
};

class StdoutSink final : public Sink {
 public:
  StdoutSink(std::shared_ptr<StreamWriter> writer, Loop* loop) : writer_(std::move(writer)), loop_(loop) {}
  ~StdoutSink() override { Close(); }

  Status Open(const SinkPosition& committed) override;
  Status Write(const OutputBuffer& outputs, std::vector<Refused>* refused) override;
  bool Full() override { return writer_->Full(); }
  Status Poll() override;
  void Flush() override {}
  bool store_backed() const override { return false; }
  void Close() override;

 private:
  struct Waiting {
    uint64_t end;  // written when the writer has written this many bytes
    Ticket* ticket;
    uint32_t count;
  };
  std::shared_ptr<StreamWriter> writer_;
  Loop* loop_;
  bool open_ = false;
  Buffer lines_;
  std::deque<Waiting> waiting_;
};

}  // namespace weir::file
