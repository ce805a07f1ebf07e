// Cuts a stream of bytes into lines, each a message of a batch that owns the bytes.
//
// A line ends with \n or \r\n, the last one also with the end of the input. Bytes are not looked at: broken UTF-8 stays
// as it is, for whoever decodes it. A line longer than `line_bytes_max` is cut there, the rest of it skipped, and the
// byte 0xff put behind what is kept: neither JSON nor text, so it becomes bad input and not a shorter record.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/batch.h"

namespace weir::file {

// Bytes and the messages in them. Memory is used again through a pool that the batches share.
class LineBatch final : public Batch {
 public:
  struct Memory {
    std::vector<char> bytes;
    std::vector<Message> messages;
    std::deque<std::string> cut;  // what is kept of lines that were too long
  };
  using Pool = std::vector<std::unique_ptr<Memory>>;

  LineBatch(std::shared_ptr<Pool> pool, std::unique_ptr<Memory> memory, int32_t from)
      : pool_(std::move(pool)), memory_(std::move(memory)) {
    partition = from;
    messages = memory_->messages.data();
    size = static_cast<uint32_t>(memory_->messages.size());
  }
  ~LineBatch() override {
    if (memory_->bytes.capacity() <= kKeptBytesMax) pool_->push_back(std::move(memory_));
  }

 private:
  static constexpr size_t kKeptBytesMax = 1 << 20;
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Memory> memory_;
};

struct LineOptions {
  bool skip_blank = false;     // lines of nothing but spaces are no records (NDJSON)
  size_t line_bytes_max = 8 << 20;
};

class LineSplitter {
 public:
  // `offset`: of the first byte that will be given. `partition`: what batches say.
  LineSplitter(const LineOptions& options, int32_t partition, int64_t offset)
      : options_(options), partition_(partition), offset_(offset), at_start_(offset == 0) {}

  // Room for up to `n` bytes to read into; Filled says how many came. Bytes of an unfinished line stand before it.
  char* Room(size_t n);
  void Filled(size_t n);
  // The lines that are complete. `end`: no more bytes will come, so the last line is complete, too. Null: none.
  std::unique_ptr<Batch> Take(bool end);

  // Behind the last line taken.
  int64_t offset() const { return offset_; }
  // Behind the last byte given.
  int64_t read() const { return offset_ + static_cast<int64_t>(passed_ + size_); }

 private:
  // The line of `bytes` bytes, its end included, that begins at offset_.
  void Emit(Str value, size_t bytes);
  void EmitCut(size_t bytes);

  LineOptions options_;
  int32_t partition_;
  int64_t offset_;
  bool at_start_;         // a byte order mark may come
  std::shared_ptr<LineBatch::Pool> pool_ = std::make_shared<LineBatch::Pool>();
  std::unique_ptr<LineBatch::Memory> memory_;
  size_t size_ = 0;       // bytes in memory_
  size_t searched_ = 0;   // there is no line end before this one
  bool cutting_ = false;  // inside a line that is too long: cut_ keeps its beginning, passed_ counts its bytes
  std::string cut_;
  size_t passed_ = 0;
};

}  // namespace weir::file
