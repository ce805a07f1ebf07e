// Standard input as a source: one partition that is read once and cannot be read again.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/connector/file/line_splitter.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/source.h"

namespace weir::file {

// A thread reads, so that a quiet pipe stops nobody. What it has read ahead is bounded. Offsets are bytes; after a
// restart they go on where the last run stopped, so that no two records ever have the same.
class StdinSource final : public Source {
 public:
  StdinSource(int fd, const LineOptions& options, Loop* loop) : fd_(fd), options_(options), loop_(loop) {}
  ~StdinSource() override { Close(); }

  Status Partitions(int64_t wait_ns_max, int32_t* count) override;
  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override;
  Status Poll(std::unique_ptr<Batch>* batch) override;
  void Hold(int32_t, bool held) override { held_ = held; }
  PartitionStatus Tell(int32_t partition) override;
  void Commit(const std::vector<std::pair<int32_t, Position>>&) override {}
  Status Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) override;
  void Close() override;

 private:
  void ReadAhead();

  int fd_;
  LineOptions options_;
  Loop* loop_;
  SourceEvents* events_ = nullptr;
  bool mine_ = false;
  bool held_ = false;
  bool finished_ = false;
  std::unique_ptr<LineSplitter> lines_;

  int stop_fd_ = -1;  // readable: the thread ends
  std::thread thread_;
  std::mutex mutex_;  // all below
  std::condition_variable room_;
  std::deque<std::string> ahead_;
  bool ended_ = false;
  bool stop_ = false;
  Status failed_;
};

}  // namespace weir::file
