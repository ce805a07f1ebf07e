// Files as a source or table: each is a partition, read once to its end. Offsets are bytes.
//
// What was read is recognised after a restart by a fingerprint: device, inode, name, and hashes of the first bytes and
// of those before the place reached. A file that grew is read on from there; one that became shorter, or holds something
// else in those places, stops the pipeline.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/file/line_splitter.h"
#include "runtime/engine/source.h"

namespace weir::file {

class FileSource final : public Source {
 public:
  FileSource(std::string address, const LineOptions& options) : address_(std::move(address)), options_(options) {}
  ~FileSource() override { Close(); }

  Status Partitions(int64_t wait_ns_max, int32_t* count) override;
  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override;
  Status Poll(std::unique_ptr<Batch>* batch) override;
  void Hold(int32_t partition, bool held) override;
  PartitionStatus Tell(int32_t partition) override;
  std::string Identity(int32_t partition) override;
  void Commit(const std::vector<std::pair<int32_t, Position>>&) override {}
  Status Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) override;
  void Close() override;

 private:
  struct File {
    int32_t partition = 0;
    std::string path;
    int fd = -1;
    int64_t size = 0;   // as of the last look
    int64_t read = 0;   // bytes read
    bool held = false;
    bool finished = false;
    std::unique_ptr<LineSplitter> lines;
  };

  File* Find(int32_t partition);
  Status Start();
  Status StartFile(File* file, const Position& position);
  Status Read(File* file, std::unique_ptr<Batch>* batch);

  std::string address_;
  LineOptions options_;
  std::vector<std::string> paths_;
  std::vector<int32_t> mine_;
  SourceEvents* events_ = nullptr;
  bool started_ = false;
  std::vector<File> files_;
  size_t turn_ = 0;
};

}  // namespace weir::file
