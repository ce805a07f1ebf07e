#include "runtime/connector/file/line_splitter.h"

#include <algorithm>
#include <cstring>

namespace weir::file {
namespace {

constexpr char kCutMark = static_cast<char>(0xff);

bool Blank(Str line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

}  // namespace

char* LineSplitter::Room(size_t n) {
  if (!memory_) {
    if (pool_->empty()) {
      memory_ = std::make_unique<LineBatch::Memory>();
    } else {
      memory_ = std::move(pool_->back());
      pool_->pop_back();
    }
    memory_->messages.clear();
    memory_->cut.clear();
    size_ = searched_ = 0;
  }
  if (memory_->bytes.size() < size_ + n) memory_->bytes.resize(size_ + n);
  return memory_->bytes.data() + size_;
}

void LineSplitter::Filled(size_t n) { size_ += n; }

void LineSplitter::Emit(Str value, size_t bytes) {
  Message m;
  m.offset = offset_;
  m.next_offset = offset_ + static_cast<int64_t>(bytes);
  offset_ = m.next_offset;
  if (value.size > 0 && value[value.size - 1] == '\r') --value.size;
  if (at_start_) {
    at_start_ = false;
    if (value.size >= 3 && memcmp(value.data, "\xef\xbb\xbf", 3) == 0) value = value.Sub(3);
  }
  if (options_.skip_blank && Blank(value)) return;
  m.value = value;
  m.has_value = true;
  memory_->messages.push_back(m);
}

void LineSplitter::EmitCut(size_t bytes) {
  cut_.push_back(kCutMark);
  memory_->cut.push_back(std::move(cut_));
  cut_.clear();
  cutting_ = false;
  passed_ = 0;
  const std::string& kept = memory_->cut.back();
  Emit(Str(std::string_view(kept)), bytes);
}

std::unique_ptr<Batch> LineSplitter::Take(bool end) {
  if (end && !memory_ && passed_ > 0) Room(0);
  if (!memory_) return nullptr;
  const char* bytes = memory_->bytes.data();
  size_t begin = 0;  // of the line at hand
  for (;;) {
    size_t from = std::max(begin, searched_);
    const char* newline = from < size_ ? static_cast<const char*>(memchr(bytes + from, '\n', size_ - from)) : nullptr;
    size_t stop = newline ? static_cast<size_t>(newline - bytes) : size_;
    bool complete = newline || (end && (stop > begin || passed_ > 0));
    if (!cutting_ && stop - begin > options_.line_bytes_max) {
      cut_.assign(bytes + begin, options_.line_bytes_max);
      cutting_ = true;
    }
    size_t next = newline ? stop + 1 : stop;
    if (complete) {
      if (cutting_) {
        EmitCut(passed_ + next - begin);
      } else {
        Emit(Str(bytes + begin, stop - begin), next - begin);
      }
      begin = searched_ = next;
      if (newline) continue;
    } else if (cutting_) {
      passed_ += stop - begin;
      begin = searched_ = stop;
    } else {
      searched_ = stop;
    }
    break;
  }
  if (memory_->messages.empty()) {
    memmove(memory_->bytes.data(), memory_->bytes.data() + begin, size_ - begin);
    size_ -= begin;
    searched_ -= begin;
    return nullptr;
  }
  // The beginning of an unfinished line moves into memory of its own.
  std::unique_ptr<LineBatch::Memory> full = std::move(memory_);
  size_t rest = size_ - begin, searched = searched_ - begin;
  size_ = searched_ = 0;
  if (rest > 0) {
    memcpy(Room(rest), full->bytes.data() + begin, rest);
    size_ = rest;
    searched_ = searched;
  }
  return std::make_unique<LineBatch>(pool_, std::move(full), partition_);
}

}  // namespace weir::file
