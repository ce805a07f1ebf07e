// Files as a sink: one record per line, behind the commit, exactly once. See the store-backed kind in
// runtime/engine/sink.h.
//
// The file belongs to one pipeline at a time (a lock on it says so). What is beyond the committed length was never
// committed and is cut off at the start. What a file held before the pipeline's first commit stays.
#pragma once

#include <string>

#include "runtime/core/buffer.h"
#include "runtime/engine/sink.h"

namespace weir::file {

class FileSink final : public Sink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}
  ~FileSink() override { Close(); }

  Status Open(const SinkPosition& committed) override;
  Status Write(const OutputBuffer& outputs, std::vector<Refused>* refused) override;
  bool Full() override { return false; }
  Status Poll() override { return Status(); }
  void Flush() override {}
  bool store_backed() const override { return true; }
  Status Prepare(SinkPosition* position) override;
  void Close() override;

 private:
  Status WriteOut();

  std::string path_;
  int fd_ = -1;
  int64_t length_ = 0;   // bytes in the file
  bool synced_ = false;  // nothing was written since the last sync
  bool created_ = false;
  Buffer lines_;         // not yet in the file
};

// Appends a record as a line. Line breaks inside a string of a raw format become the two characters \n: a line stays
// a line. A record without a value is the line `null`.
void AppendLine(const OutputBuffer& outputs, const OutputRecord& record, Buffer* out);

}  // namespace weir::file
