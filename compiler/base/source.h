// compiler/base/source.h — Source files in memory, and the lines and columns of their bytes. No IO:
// the driver reads.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/span.h"

namespace weirc {

// Both count from 1; a column counts characters (code points; a byte that is not UTF-8 counts as
// one).
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
  friend bool operator==(const LineColumn&, const LineColumn&) = default;
};

class SourceFile {
 public:
  // `path` is what messages show, as the user wrote it. The text may hold any bytes.
  SourceFile(uint32_t id, std::string path, std::string text);

  uint32_t id() const { return id_; }
  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }

  // The bytes of a span of this file; clipped to the file, so never out of range.
  std::string_view Text(Span span) const;

  // Offsets behind the end count as the end.
  LineColumn Locate(uint32_t offset) const;
  // The line alone, without looking at its characters.
  uint32_t LineOf(uint32_t offset) const;
  uint32_t LineCount() const { return static_cast<uint32_t>(line_begins_.size()); }
  // Lines count from 1. The text excludes its line end (\n or \r\n); empty for a line that does not
  // exist.
  std::string_view LineText(uint32_t line) const;
  uint32_t LineBegin(uint32_t line) const;

 private:
  uint32_t id_;
  std::string path_;
  std::string text_;
  std::vector<uint32_t> line_begins_;
  std::vector<bool> line_is_ascii_;  // then a column is a matter of subtraction
};

// All files of one compilation: the pipeline and what it imports. References stay valid while the
// set lives.
class SourceSet {
 public:
  SourceSet() = default;
  SourceSet(const SourceSet&) = delete;
  SourceSet& operator=(const SourceSet&) = delete;
  SourceSet(SourceSet&&) = default;
  SourceSet& operator=(SourceSet&&) = default;

  const SourceFile& Add(std::string path, std::string text);
  // Null for a span or id of no file.
  const SourceFile* Find(uint32_t id) const { return id < files_.size() ? &files_[id] : nullptr; }
  const SourceFile* Find(Span span) const { return Find(span.file); }
  const SourceFile* FindPath(std::string_view path) const;
  const std::deque<SourceFile>& files() const { return files_; }
  // "path:line:column" of the start of a span; empty for an invalid one.
  std::string Place(Span span) const;

 private:
  std::deque<SourceFile> files_;
};

}  // namespace weirc
