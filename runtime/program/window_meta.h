// Times of windows, and the metadata of the records they make.
#pragma once

#include <cstdint>

#include "runtime/engine/task.h"

namespace weir {

// The start of the tumbling window that holds `time_ns`; windows are aligned to 1970-01-01T00:00:00Z.
inline int64_t WindowStart(int64_t time_ns, int64_t size_ns) {
  int64_t rest = time_ns % size_ns;
  return time_ns - (rest < 0 ? rest + size_ns : rest);
}

// Metadata of the result of the window [start, start + size): its event time is the last instant inside. `window`
// indexes Program::windows; `key` is the window's key bytes.
inline Meta WindowMeta(Task& task, int window, Str key, int64_t start_ns, int64_t size_ns) {
  Meta meta;
  meta.time_ns = start_ns + size_ns - 1;
  meta.watermark_ns = *task.record_watermark();
  meta.arrival_ns = task.arrival_ns();
  meta.key = key;
  meta.has_key = true;
  meta.source = static_cast<uint16_t>(kFromWindow | window);
  meta.partition = task.partition();
  meta.offset = start_ns;
  return meta;
}

}  // namespace weir
