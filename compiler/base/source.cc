// compiler/base/source.cc — Source files in memory, and the lines and columns of their bytes.
#include "compiler/base/source.h"

#include <algorithm>

#include "compiler/base/utf8.h"

namespace weirc {

SourceFile::SourceFile(uint32_t id, std::string path, std::string text)
    : id_(id), path_(std::move(path)), text_(std::move(text)) {
  line_begins_.push_back(0);
  line_is_ascii_.push_back(true);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (static_cast<unsigned char>(text_[i]) >= 0x80) line_is_ascii_.back() = false;
    if (text_[i] != '\n') continue;
    line_begins_.push_back(static_cast<uint32_t>(i + 1));
    line_is_ascii_.push_back(true);
  }
}

std::string_view SourceFile::Text(Span span) const {
  uint32_t size = static_cast<uint32_t>(text_.size());
  uint32_t begin = std::min(span.begin, size);
  uint32_t end = std::clamp(span.end, begin, size);
  return std::string_view(text_).substr(begin, end - begin);
}

LineColumn SourceFile::Locate(uint32_t offset) const {
  offset = std::min(offset, static_cast<uint32_t>(text_.size()));
  uint32_t line = LineOf(offset);
  uint32_t begin = line_begins_[line - 1];
  if (line_is_ascii_[line - 1]) return {line, offset - begin + 1};
  std::string_view before = std::string_view(text_).substr(begin, offset - begin);
  return {line, static_cast<uint32_t>(CountCharacters(before)) + 1};
}

uint32_t SourceFile::LineOf(uint32_t offset) const {
  auto next = std::upper_bound(line_begins_.begin(), line_begins_.end(), offset);
  return static_cast<uint32_t>(next - line_begins_.begin());
}

std::string_view SourceFile::LineText(uint32_t line) const {
  if (line == 0 || line > line_begins_.size()) return {};
  size_t begin = line_begins_[line - 1];
  size_t end = line < line_begins_.size() ? line_begins_[line] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

uint32_t SourceFile::LineBegin(uint32_t line) const {
  if (line == 0 || line > line_begins_.size()) return static_cast<uint32_t>(text_.size());
  return line_begins_[line - 1];
}

const SourceFile& SourceSet::Add(std::string path, std::string text) {
  return files_.emplace_back(static_cast<uint32_t>(files_.size()), std::move(path),
                             std::move(text));
}

const SourceFile* SourceSet::FindPath(std::string_view path) const {
  for (const SourceFile& file : files_) {
    if (file.path() == path) return &file;
  }
  return nullptr;
}

std::string SourceSet::Place(Span span) const {
  const SourceFile* file = Find(span);
  if (file == nullptr) return {};
  LineColumn at = file->Locate(span.begin);
  return file->path() + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

}  // namespace weirc
