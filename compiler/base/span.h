// compiler/base/span.h — A stretch of source text, as every token, name and node carries it.
#pragma once

#include <cstdint>
#include <limits>

namespace weirc {

// Byte offsets into one file of a SourceSet; `end` is the byte after the last one. An invalid span
// (the default) belongs to no file: a diagnostic without a place.
struct Span {
  static constexpr uint32_t kNoFile = std::numeric_limits<uint32_t>::max();

  uint32_t file = kNoFile;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool IsValid() const { return file != kNoFile; }
  bool IsEmpty() const { return begin == end; }
  uint32_t Size() const { return end - begin; }
  // An empty span at the start or just behind this one.
  Span AtBegin() const { return {file, begin, begin}; }
  Span AtEnd() const { return {file, end, end}; }

  friend bool operator==(const Span&, const Span&) = default;
};

// From the start of `first` to the end of `last`; whichever is valid when one is not.
inline Span Join(Span first, Span last) {
  if (!first.IsValid()) return last;
  if (!last.IsValid() || last.file != first.file) return first;
  return {first.file, first.begin < last.begin ? first.begin : last.begin,
          first.end > last.end ? first.end : last.end};
}

}  // namespace weirc
